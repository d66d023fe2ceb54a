"""Exceptions that Python could raise nowhere, by ``sys.unraisablehook``: of ``__del__`` and other finalizers."""

from __future__ import annotations

import sys

from vedette.integrations import Integration
from vedette.integrations._patching import look_like, put_in, take_out
from vedette.integrations._uncaught import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from vedette._scopes.client import BaseClient

__all__ = ["UnraisablehookIntegration"]


class UnraisablehookIntegration(Integration):
    """Captures exceptions that Python can only print: of ``__del__``, weak references, generators being closed."""

    identifier = "unraisablehook"

    def setup(self, client: BaseClient) -> None:
        """Put the hook in; which client captures is looked up when an error comes."""
        put_in(self, sys, "unraisablehook", _make_hook)

    def close(self) -> None:
        """Take the hook out."""
        take_out(self)


def _make_hook(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def unraisablehook(unraisable: sys.UnraisableHookArgs, /) -> Any:
        if unraisable.exc_value is not None:
            report(unraisable.exc_value, UnraisablehookIntegration, "auto.python.unraisablehook")
        return previous(unraisable)

    return unraisablehook
