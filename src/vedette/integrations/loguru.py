"""Messages of loguru: breadcrumbs from INFO, events from ERROR (FW-loguru-03, FW-loguru-04).

They are taken by the filter of a sink of our own, which lets nothing through to it: loguru calls filters before it
takes the lock of a sink, so that hooks of the program may log while an event is captured. ``logger.remove()``, with
which many programs begin, takes all sinks away: ours is put back.
"""

from __future__ import annotations

import enum
import sys

from vedette.api import add_breadcrumb, get_client
from vedette.integrations import Integration, _forwarding
from vedette.integrations._loggers import is_ignored, level_name, only_repeats
from vedette.integrations._patching import look_like, put_in, take_out, users_of
from vedette.integrations.logging import (
    DEFAULT_EVENT_LEVEL,
    DEFAULT_LEVEL,
    caller,
    guard,
    level_number,
    say_no_logs,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, Final, TypeAlias

    from vedette._scopes.client import BaseClient

    Format: TypeAlias = "str | Callable[[Any], str]"

__all__ = ["DEFAULT_FORMAT", "LoggingLevels", "LoguruIntegration"]

DEFAULT_FORMAT: Final = "{message}"


class LoggingLevels(enum.IntEnum):
    """The levels of loguru."""

    TRACE = 5
    DEBUG = 10
    INFO = 20
    SUCCESS = 25
    WARNING = 30
    ERROR = 40
    CRITICAL = 50


class LoguruIntegration(Integration):
    """Makes breadcrumbs and events of messages of loguru.

    ``level``: from which level messages become breadcrumbs. ``event_level``: from which they become events. A level is
    a number or a name of `logging`; ``None`` turns it off. ``breadcrumb_format`` and ``event_format``: their texts, as
    loguru formats them (without markup for colours), or a function that returns such a format. ``sentry_logs_level``
    and ``capture_sentry_logs`` have no effect yet. What `bind` and `contextualize` add is in ``extra``.
    """

    identifier = "loguru"
    library = "loguru"
    minimum_version: ClassVar[tuple[int, ...]] = (0, 5)

    def __init__(
        self,
        level: int | str | None = DEFAULT_LEVEL,
        event_level: int | str | None = DEFAULT_EVENT_LEVEL,
        breadcrumb_format: Format = DEFAULT_FORMAT,
        event_format: Format = DEFAULT_FORMAT,
        sentry_logs_level: int | str | None = DEFAULT_LEVEL,
        capture_sentry_logs: bool | None = False,  # noqa: FBT001, FBT002 - the unified API's signature
    ) -> None:
        self.breadcrumbs_from: float = level_number("level", level)
        self.events_from: float = level_number("event_level", event_level)
        self.breadcrumb_format: Format = breadcrumb_format
        self.event_format: Format = event_format
        level_number("sentry_logs_level", sentry_logs_level)
        self._wants_logs = bool(capture_sentry_logs) or sentry_logs_level != DEFAULT_LEVEL

    def setup(self, client: BaseClient) -> None:
        """Add the sink; which client gets a message is looked up when one comes."""
        say_no_logs(self._wants_logs, self)
        from loguru import logger  # noqa: PLC0415 - the program has imported it

        _forwarding.watch()
        _sink.serve(logger, min(self.breadcrumbs_from, self.events_from))
        put_in(self, type(logger), "remove", _make_remove)

    def close(self) -> None:
        """Remove it, if no other client wants it."""
        take_out(self)
        if not users_of(_make_remove):
            _sink.end()


class _Sink:
    """The one sink of a process, for all clients: its level is the lowest that one of them wants."""

    def __init__(self) -> None:
        self._logger: Any = None
        self._level = _NEVER
        self._id: int | None = None

    def serve(self, logger: Any, level: float) -> None:
        """Be there, for messages from this level on."""
        self._logger = logger
        if level < self._level:
            self._remove()
            self._level = level
            self._add()

    def put_back(self, removed: int | None) -> None:
        """The program has removed a sink, or all of them."""
        if self._id is not None and removed in {None, self._id}:
            self._add()

    def end(self) -> None:
        """Be gone."""
        self._remove()
        self._level = _NEVER

    def _add(self) -> None:
        self._id = self._logger.add(
            _nothing, level=int(self._level), format=DEFAULT_FORMAT, filter=_take, backtrace=False, diagnose=False
        )

    def _remove(self) -> None:
        number, self._id = self._id, None
        if number is not None:
            try:
                self._logger.remove(number)
            except ValueError:  # there is none: it was removed past us
                return


_NEVER: Final = float("inf")
_sink: Final = _Sink()


def _make_remove(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def remove(self: Any, handler_id: int | None = None) -> Any:
        result = previous(self, handler_id)
        guard(_sink.put_back, handler_id)
        return result

    return remove


# Both are functions of a module, for programs that pickle their logger, with its sinks, for their child processes.


def _nothing(message: Any) -> None:
    """Never called: the filter lets nothing through."""


def _take(record: Any) -> bool:
    client = get_client()
    integration = client.get_integration("loguru")
    if integration is not None:
        guard(_report, client, integration, record)
    return False


def _report(client: BaseClient, integration: LoguruIntegration, record: Any) -> None:
    level, name, text = record["level"].no, record["name"] or "", record["message"]
    breadcrumbs_are_made_from, events_are_made_from = _forwarding.handling()
    is_event = integration.events_from <= level < events_are_made_from
    is_breadcrumb = integration.breadcrumbs_from <= level < breadcrumbs_are_made_from
    if not (is_event or is_breadcrumb) or is_ignored(name) or _forwarding.was_told("loguru", text):
        return
    if client.get_integration("logging") is not None:
        _forwarding.tell("loguru", text)
    if is_event:
        _capture(client, record, level, name, _formatted(integration.event_format, record))
    if is_breadcrumb:
        add_breadcrumb(
            None,
            {"log_record": record},
            category=name,
            message=_formatted(integration.breadcrumb_format, record),
            level=level_name(level),
            data=dict(record["extra"]) or None,
        )


def _formatted(how: Format, record: Any) -> str:
    if how == DEFAULT_FORMAT:
        text: str = record["message"]
        return text
    template = how if isinstance(how, str) else how(record)
    return template.format_map({**record, "exception": ""}).rstrip("\n")


def _capture(client: BaseClient, record: Any, level: int, name: str, text: str) -> None:
    told = record["exception"]  # class, exception, traceback; of `logger.exception` outside of a handler, nothing in it
    exception = None if told is None else told.value
    if only_repeats(client, name, exception):
        return
    client.capture_record(
        text,
        level=level_name(level),
        logger=name,
        extra=record["extra"],
        timestamp=record["time"].timestamp(),
        exception=exception,
        handled=sys.exc_info()[1],
        caller=caller(),
        with_stack=told is not None,
        mechanism_type="loguru",
        hint={"log_record": record},
    )
