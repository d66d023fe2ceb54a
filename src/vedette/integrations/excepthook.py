"""Uncaught exceptions of the main thread, by ``sys.excepthook`` (ERR-01, ERR-03)."""

from __future__ import annotations

import sys

from vedette.api import get_client
from vedette.integrations import Integration
from vedette.integrations._patching import put_in, take_out
from vedette.integrations._uncaught import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    from vedette._scopes.client import BaseClient

__all__ = ["ExcepthookIntegration"]


class ExcepthookIntegration(Integration):
    """Captures what ends the program. ``always_run``: also in interactive sessions, where nothing ends."""

    identifier = "excepthook"

    def __init__(self, always_run: bool = False) -> None:  # noqa: FBT001, FBT002 - the unified API's signature
        self.always_run = always_run

    def setup(self, client: BaseClient) -> None:
        """Put the hook in; which client captures is looked up when an error comes."""
        put_in(self, sys, "excepthook", _make_hook)

    def close(self) -> None:
        """Take the hook out."""
        take_out(self)


def _make_hook(previous: Callable[..., Any]) -> Callable[..., Any]:
    def excepthook(kind: type[BaseException], value: BaseException, traceback: TracebackType | None) -> None:
        integration = get_client().get_integration(ExcepthookIntegration)
        interactive = hasattr(sys, "ps1")
        if integration is not None and (integration.always_run or not interactive):
            report(value, ExcepthookIntegration, "auto.python.excepthook")
        previous(kind, value, traceback)

    return excepthook
