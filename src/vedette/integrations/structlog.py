"""Events of structlog, as breadcrumbs from INFO and events from ERROR.

structlog has no hook but its chain of processors, so this is one, and the program puts it there:

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            StructlogProcessor(),           # before exceptions are formatted and all is rendered
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )

Where structlog ends in ``logging``, its rendered record is not reported once more (PAIN-17).
"""

from __future__ import annotations

import logging
import sys

from vedette.api import add_breadcrumb, get_client
from vedette.integrations import _forwarding
from vedette.integrations._loggers import is_ignored, level_name, only_repeats
from vedette.integrations.logging import (
    DEFAULT_EVENT_LEVEL,
    DEFAULT_LEVEL,
    caller,
    exception_in,
    guard,
    level_number,
    named_level,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any, Final

    from vedette._scopes.client import BaseClient

__all__ = ["StructlogProcessor"]

_METHODS: Final = {"exception": logging.ERROR, "warn": logging.WARNING, "fatal": logging.CRITICAL, "err": logging.ERROR}
_NOT_EXTRA: Final = frozenset({"event", "exc_info", "level", "level_number", "logger", "stack_info", "timestamp"})


class StructlogProcessor:
    """A processor for structlog that makes breadcrumbs and events of what passes through, and changes none of it.

    ``level``: from which level events of structlog become breadcrumbs. ``event_level``: from which they become events
    in vedette. A level is a number or a name of `logging`; ``None`` turns it off. Bound values become ``extra``. The
    name of the logger is that of the wrapped one, else the value of ``logger``; `ignore_logger` holds for it.
    """

    def __init__(
        self, level: int | str | None = DEFAULT_LEVEL, event_level: int | str | None = DEFAULT_EVENT_LEVEL
    ) -> None:
        self.breadcrumbs_from: float = level_number("level", level)
        self.events_from: float = level_number("event_level", event_level)
        _forwarding.watch()

    def __call__(self, logger: Any, method_name: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Report, and hand on what came in."""
        client = get_client()
        if client.is_active():
            guard(self._report, client, logger, method_name, event_dict)
        return event_dict

    def _report(self, client: BaseClient, logger: Any, method_name: str, event_dict: MutableMapping[str, Any]) -> None:
        level = _level_of(method_name)
        if level < self.breadcrumbs_from and level < self.events_from:
            return
        wraps_logging = isinstance(logger, logging.Logger)
        name = logger.name if wraps_logging else event_dict.get("logger")
        name = name if isinstance(name, str) else ""
        if is_ignored(name):
            return
        if wraps_logging and client.get_integration("logging") is not None:
            _forwarding.tell("structlog", (name, level))
        said = event_dict.get("event")
        text = said if type(said) is str else client.format_message(said, ())
        extra = {key: value for key, value in event_dict.items() if key not in _NOT_EXTRA}
        if level >= self.events_from:
            self._capture(client, event_dict, level, name, text, extra)
        if level >= self.breadcrumbs_from:
            hint = {"log_record": event_dict}
            add_breadcrumb(
                None, hint, category=name or "structlog", message=text, level=level_name(level), data=extra or None
            )

    def _capture(
        self,
        client: BaseClient,
        event_dict: MutableMapping[str, Any],
        level: int,
        name: str,
        text: str,
        extra: dict[str, Any],
    ) -> None:
        exc_info = event_dict.get("exc_info")
        exception = sys.exc_info()[1] if exc_info is True else exception_in(exc_info)
        if only_repeats(client, name, exception):
            return
        client.capture_record(
            text,
            level=level_name(level),
            logger=name or None,
            extra=extra,
            exception=exception,
            handled=sys.exc_info()[1],
            caller=caller(),
            with_stack=bool(exc_info or event_dict.get("stack_info")),
            mechanism_type="structlog",
            hint={"log_record": event_dict},
        )


def _level_of(method_name: str) -> int:
    number = _METHODS.get(method_name) or named_level(method_name)
    return logging.INFO if number is None else number  # `msg`, `log`, of a logger without levels
