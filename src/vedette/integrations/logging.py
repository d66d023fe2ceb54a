"""Records of ``logging``: breadcrumbs from INFO, events from ERROR.

They are taken where a logger has accepted a record and hands it to its handlers (``Logger.callHandlers``): a handler on
the root logger would make ``logging.basicConfig`` do nothing, silence the handler of last resort, miss loggers that do
not propagate, and go with the next ``dictConfig``. So all that the program has configured holds: levels, filters,
``disable_existing_loggers``. A record below a logger's level never gets there.

The program's handlers come first. What they made of a record is what is sent: the text that they formatted, what their
filters redacted or added. Where none of them formatted it, vedette does, without running code of the parameters.

Guarantees
- What a handler raises reaches the program, and what goes wrong here does not.
- vedette's own records, and those about its requests, are not taken: nothing loops.
- No lock: a record may come from a signal handler, ``__del__``, or the ``__str__`` of a parameter.
"""

from __future__ import annotations

import logging
import sys

from vedette._host import guests, log
from vedette.api import add_breadcrumb, get_client
from vedette.integrations import Integration, _forwarding
from vedette.integrations._loggers import (
    IGNORED,
    ignore_logger,
    is_ignored,
    level_name,
    only_repeats,
    unignore_logger,
)
from vedette.integrations._patching import look_like, put_in, take_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, Final

    from vedette._scopes.client import BaseClient

__all__ = ["BreadcrumbHandler", "EventHandler", "LoggingIntegration", "ignore_logger", "unignore_logger"]

_IGNORED_LOGGERS: Final = IGNORED  # the name by which packages know it that report records themselves

DEFAULT_LEVEL: Final = logging.INFO
DEFAULT_EVENT_LEVEL: Final = logging.ERROR

_NEVER: Final = float("inf")
_MACHINERY: Final = frozenset({"logging", "loguru", "structlog", "vedette"})
# What every record has, from its start or when it was formatted; all else was said by the program.
_FIELDS_AT_START: Final = len(logging.makeLogRecord({}).__dict__)
_OF_EVERY_RECORD: Final = frozenset({*logging.makeLogRecord({}).__dict__, "asctime", "message"})


class LoggingIntegration(Integration):
    """Makes breadcrumbs and events of records of ``logging``.

    ``level``: from which level records become breadcrumbs. ``event_level``: from which they become events. A level is a
    number or a name; ``None`` turns it off. A logger's own level, and the loggers of `ignore_logger`, come first.
    ``sentry_logs_level`` and ``capture_sentry_logs`` have no effect yet.
    """

    identifier = "logging"
    library = "logging"

    def __init__(
        self,
        level: int | str | None = DEFAULT_LEVEL,
        event_level: int | str | None = DEFAULT_EVENT_LEVEL,
        sentry_logs_level: int | str | None = DEFAULT_LEVEL,
        capture_sentry_logs: bool | None = False,  # noqa: FBT001, FBT002 - the unified API's signature
    ) -> None:
        self.breadcrumbs_from: float = level_number("level", level)
        self.events_from: float = level_number("event_level", event_level)
        self.lowest: float = min(self.breadcrumbs_from, self.events_from)
        self._wants_logs = bool(capture_sentry_logs) or sentry_logs_level != DEFAULT_LEVEL
        level_number("sentry_logs_level", sentry_logs_level)

    def setup(self, client: BaseClient) -> None:
        """Take records from now on; which client they are for is looked up when one comes."""
        say_no_logs(self._wants_logs, self)
        put_in(self, logging.Logger, "callHandlers", _make_call_handlers)

    def close(self) -> None:
        """Take no more."""
        take_out(self)


def level_number(name: str, value: object) -> float:
    """A level as a number, above all others if it is None. Raises ValueError, naming the parameter."""
    if value is None:
        return _NEVER
    number = named_level(value) if isinstance(value, str) else value
    if isinstance(number, int) and not isinstance(number, bool):
        return number
    message = f"{name}: a level is a number, such as logging.ERROR, its name, or None; got {value!r}"
    raise ValueError(message)


def named_level(name: str) -> int | None:
    """The number of a level, also of one that the program has named itself."""
    number: Any = logging.getLevelName(name.upper())  # pyright: ignore[reportDeprecated] - how else, before Python 3.11?
    return number if isinstance(number, int) else None


def say_no_logs(wanted: bool, integration: Integration) -> None:  # noqa: FBT001 - the answer to its question
    """In debug mode: the options about structured logs are for later."""
    if wanted:
        name = type(integration).__name__
        log.debug("%s: sentry_logs_level and capture_sentry_logs have no effect yet", name)


def _make_call_handlers(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def callHandlers(self: logging.Logger, record: logging.LogRecord) -> Any:  # noqa: N802 - logging's name
        __tracebackhide__ = True
        client = get_client()
        integration = client.get_integration("logging")
        if integration is None or record.levelno < integration.lowest:
            return previous(self, record)
        handled = sys.exc_info()[1]  # not later: a handler may raise
        token = None
        if _forwarding.is_watched():
            token = _forwarding.begin_handling(integration.breadcrumbs_from, integration.events_from)
        try:
            return previous(self, record)
        finally:
            if token is not None:
                _forwarding.end_handling(token)
            guard(_take, client, integration, record, handled)

    return callHandlers


def guard(take: Callable[..., None], *args: Any) -> None:
    """Call what reports a record; a fault of ours is no business of the one who logs (design decision 13)."""
    try:
        take(*args)
    except Exception as error:  # also of a record that is none
        if guests.is_control_flow(error):
            raise
        log.warn_once("a log record", "internal error in vedette - please report it", exc_info=True)


def _take(
    client: BaseClient, integration: LoggingIntegration, record: logging.LogRecord, handled: BaseException | None
) -> None:
    level = record.levelno
    if is_ignored(record.name):
        return
    text = _text_of(client, record)
    if _forwarding.is_watched():
        if _forwarding.was_told("logging", text, (record.name, level)):
            return
        _forwarding.tell("logging", text)
    if level >= integration.events_from:
        _capture(client, record, text, handled)  # before its breadcrumb, which is for later events
    if level >= integration.breadcrumbs_from:
        _remember(record, text)


def _text_of(client: BaseClient, record: logging.LogRecord) -> str:
    """As the last handler formatted it."""
    text = record.__dict__.get("message")
    if type(text) is not str:
        text = record.msg
        if record.args or type(text) is not str:
            text = client.format_message(text, record.args)
    return without_colors(text) if "\x1b" in text else text


def without_colors(text: str) -> str:
    """Without the escape sequences that formatters put into a record for terminals."""
    first, *others = text.split("\x1b[")
    return first + "".join(other.lstrip("0123456789;").removeprefix("m") for other in others)


def _remember(record: logging.LogRecord, text: str) -> None:
    hint = {"log_record": record}
    add_breadcrumb(
        None, hint, category=record.name, message=text, level=level_name(record.levelno), data=_extra(record)
    )


def _extra(record: logging.LogRecord) -> dict[str, Any] | None:
    """What the program gave as ``extra=``, or its filters and record factory added."""
    fields = record.__dict__
    if len(fields) == _FIELDS_AT_START + ("message" in fields) + ("asctime" in fields):
        return None
    return {
        name: value
        for name, value in fields.items()
        if name not in _OF_EVERY_RECORD and type(name) is str and not name.startswith("_")
    }


def _capture(client: BaseClient, record: logging.LogRecord, text: str, handled: BaseException | None) -> None:
    exc_info: Any = record.exc_info
    exception = exception_in(exc_info)
    if only_repeats(client, record.name, exception, record):
        return
    client.capture_record(
        text,
        level=level_name(record.levelno),
        logger=record.name,
        template=record.msg,
        params=record.args,
        extra=_extra(record),
        timestamp=record.created,
        exception=exception,
        handled=handled,
        caller=caller(),
        with_stack=bool(record.stack_info or exc_info),
        hint={"log_record": record},
    )


def exception_in(exc_info: Any) -> BaseException | None:
    """The exception of an ``exc_info``, a tuple or the exception itself; None where there is none."""
    found = exc_info
    if issubclass(type(found), tuple):
        found = (*found[1:2], None)[0]
    return found if isinstance(found, BaseException) else None


def caller() -> FrameType | None:
    """The frame that logged: the innermost one that is not of a logging library."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - documented
    while frame is not None:
        module: object = frame.f_globals.get("__name__")
        if type(module) is not str or module.partition(".")[0] not in _MACHINERY:
            return frame
        frame = frame.f_back
    return None


# --- for programs without the default integrations ---


class EventHandler(logging.Handler):
    """Sends what it is given as events, for programs that choose their handlers themselves.

    Where a `LoggingIntegration` is on, it does that already: then records that it sends are not sent by this.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record."""
        client = get_client()
        integration = client.get_integration("logging")
        if integration is None or record.levelno < integration.events_from:
            guard(_emit_event, client, record, sys.exc_info()[1])


class BreadcrumbHandler(logging.Handler):
    """Makes breadcrumbs of what it is given. Otherwise as `EventHandler`."""

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a record."""
        client = get_client()
        integration = client.get_integration("logging")
        if integration is None or record.levelno < integration.breadcrumbs_from:
            guard(_emit_breadcrumb, client, record)


def _emit_event(client: BaseClient, record: logging.LogRecord, handled: BaseException | None) -> None:
    if client.is_active() and not is_ignored(record.name):
        _capture(client, record, _text_of(client, record), handled)


def _emit_breadcrumb(client: BaseClient, record: logging.LogRecord) -> None:
    if client.is_active() and not is_ignored(record.name):
        _remember(record, _text_of(client, record))
