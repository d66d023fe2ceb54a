"""Programs that end themselves by ``sys.exit``, for those who count that as an error."""

from __future__ import annotations

import sys

from vedette.api import get_client
from vedette.integrations import Integration
from vedette.integrations._patching import look_like, put_in, take_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType
    from typing import Any, Final

    from vedette._scopes.client import BaseClient

__all__ = ["SysExitIntegration"]

_MOST_FRAMES: Final = 100


class SysExitIntegration(Integration):
    """Captures the ``SystemExit`` that ``sys.exit`` raises with anything but success.

    ``capture_successful_exits``: also with status 0 or none. A ``SystemExit`` raised in another way is not captured.
    """

    identifier = "sys_exit"

    def __init__(self, *, capture_successful_exits: bool = False) -> None:
        self.capture_successful_exits: bool = capture_successful_exits

    def setup(self, client: BaseClient) -> None:
        """Watch ``sys.exit``; which client captures is looked up when it is called."""
        put_in(self, sys, "exit", _make_exit)

    def close(self) -> None:
        """Leave it alone again."""
        take_out(self)


def _make_exit(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def exit(*args: Any, **kwargs: Any) -> Any:  # noqa: A001 - sys names it so
        __tracebackhide__ = True
        try:
            return previous(*args, **kwargs)
        except SystemExit as ending:
            client = get_client()
            integration = client.get_integration(SysExitIntegration)
            if integration is not None and (integration.capture_successful_exits or not _is_success(ending.code)):
                _capture(client, ending, sys._getframe(1))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - documented
            raise

    return exit


def _capture(client: BaseClient, ending: SystemExit, caller: FrameType | None) -> None:
    """Send it with the stack of who called: so far it has come through nothing but our own frame."""
    own = ending.__traceback__
    traceback: TracebackType | None = None
    for _ in range(_MOST_FRAMES):
        if caller is None or own is None:
            break
        traceback = type(own)(traceback, caller, caller.f_lasti, caller.f_lineno)
        caller = caller.f_back
    ending.__traceback__ = traceback
    try:
        client.capture_exception(ending, mechanism={"type": "sys_exit", "handled": False})
    finally:
        ending.__traceback__ = own


def _is_success(status: object) -> bool:
    """As Python ends the program: None, or a zero. Anything else that is no number is printed, with status 1."""
    return status is None or (type(status) in (int, bool) and not status)
