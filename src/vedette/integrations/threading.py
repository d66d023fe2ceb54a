"""Uncaught exceptions of threads, by ``threading.excepthook`` (ERR-01, ERR-03)."""

from __future__ import annotations

import threading

from vedette.integrations import Integration
from vedette.integrations._uncaught import HookSlot, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from vedette._scopes.client import BaseClient

__all__ = ["ThreadingIntegration"]


class ThreadingIntegration(Integration):
    """Captures what ends a thread."""

    identifier = "threading"

    def setup(self, client: BaseClient) -> None:
        """Put the hook in; which client captures is looked up when an error comes."""
        _slot.put_in(self)

    def close(self) -> None:
        """Take the hook out."""
        _slot.take_out(self)


def _make_hook(previous: Callable[..., Any]) -> Callable[..., Any]:
    def excepthook(args: threading.ExceptHookArgs, /) -> None:
        if args.exc_value is not None:
            report(args.exc_value, ThreadingIntegration, "auto.python.threading")
        previous(args)

    return excepthook


_slot = HookSlot(threading, "excepthook", _make_hook)
