"""What packages that report to the unified API build their events with; not documented there, and much imported."""

from __future__ import annotations

import sys
from functools import partial

from vedette._client import Client
from vedette._events.build import event_from_exception as build_from_exception
from vedette._events.frames import Budget, frames_of_stack
from vedette._events.settings import EventSettings
from vedette._host import callers, guests, log
from vedette.api import get_client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any, Final

    from vedette._protocol.types import Event, ExcInfo, Hint, Stacktrace

__all__ = [
    "AnnotatedValue",
    "capture_internal_exceptions",
    "current_stacktrace",
    "event_from_exception",
    "exc_info_from_error",
    "logger",
    "transaction_from_function",
]

logger: Final = log.logger()
"""vedette's own logger, which packages write to as well."""


def event_from_exception(
    exc_info: BaseException | ExcInfo,
    client_options: Mapping[str, Any] | None = None,  # noqa: ARG001 - the unified API's signature
    mechanism: Mapping[str, Any] | None = None,
) -> tuple[Event, Hint]:
    """An exception as an event and its hint, to be added to and given to ``capture_event``.

    ``client_options`` is not asked: the options of the client in charge decide what the event looks like.
    ``mechanism`` overrides ``{"type": "generic", "handled": True}`` key by key. Where there is no exception, the
    event says nothing but its level.
    """
    try:
        found: Any = exc_info_from_error(exc_info)
    except ValueError as error:
        log.debug("event_from_exception: %s", error)
        return {"level": "error"}, {}
    event: Any = build_from_exception(found[1], _settings(), dict(mechanism or ()))
    return event, {"exc_info": found}


def exc_info_from_error(error: BaseException | ExcInfo) -> ExcInfo:
    """The triple of an exception, as ``sys.exc_info()`` has it. Raises ValueError if there is no exception."""
    given: Any = error
    exception = given[1] if issubclass(type(given), tuple) else given
    kind = type(exception)  # pyright: ignore[reportUnknownVariableType] - of anything
    if not issubclass(kind, BaseException):
        raise ValueError(  # noqa: TRY004 - as packages expect it
            f"an exception, or the triple of sys.exc_info(), is needed, and this is {kind.__qualname__}"
        )
    traceback = given[2] if exception is not given else exception.__traceback__
    return kind, exception, traceback


def current_stacktrace() -> Stacktrace:
    """The stack of the caller, the oldest call first, with variables and source lines as the client's options say."""
    frames: Any = frames_of_stack(callers.frame_and_level()[0], _settings(), Budget())[0]
    return {"frames": frames}


def _settings() -> EventSettings:
    client = get_client()
    return client.event_settings if isinstance(client, Client) else EventSettings()


class capture_internal_exceptions:  # noqa: N801 - the unified API's name
    """A ``with`` block whose exceptions go to vedette's own log, not to the program: for code that reports.

    Ctrl-C, cancellation and the like go on (ruling 4).
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, ty: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> bool:
        if value is None or not isinstance(value, Exception) or guests.is_control_flow(value):
            return False
        log.warn_once(_place_of(tb), "a package that reports through vedette failed", exc_info=True)
        return True


def _place_of(tb: TracebackType | None) -> str:
    frame = tb.tb_frame if tb is not None else sys._getframe()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return f"bridge {frame.f_code.co_filename}:{frame.f_lineno}"


def transaction_from_function(func: Any) -> str | None:
    """The dotted path of a view, a task or the like, as the name of what it does; None if it has no name."""
    while isinstance(func, partial):
        func = func.func
    name: object = getattr(func, "__qualname__", None)
    module: object = getattr(func, "__module__", None)
    if not isinstance(name, str):
        return None
    return f"{module}.{name}" if isinstance(module, str) else name


class AnnotatedValue:
    """A value with a remark on what was cut or taken out of it. In an event it is shown like any other object."""

    def __init__(self, value: Any, metadata: dict[str, Any]) -> None:
        self.value = value
        self.metadata = metadata
