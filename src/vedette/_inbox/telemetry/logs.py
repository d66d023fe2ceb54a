"""The records of a log item: one envelope item holds up to a hundred of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vedette._inbox.telemetry.fields import attributes_of, first_moment, first_text, nanoseconds, records_of

if TYPE_CHECKING:
    from vedette._inbox.models import Item

_OTHER_WORDS: Final = {"warn": "warning", "critical": "fatal", "information": "info"}
_PER_LEVEL: Final = 4  # OpenTelemetry's severity numbers: 1 to 4 trace, 5 to 8 debug, ...
_NUMBERED: Final = ("trace", "debug", "info", "warning", "error", "fatal")


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line of a log. ``at`` is in seconds since the epoch, of its arrival if it has no time."""

    at: float
    level: str
    body: str
    attributes: list[tuple[str, str]]
    trace_id: str


def log_records(item: Item, payload: bytes) -> tuple[list[LogRecord], int]:
    """An item's records, newest first, and how many it has. Raises UnreadableError."""
    records, number = records_of(payload)
    found = [_record(record, item.received_at) for record in records]
    return sorted(found, key=lambda record: -record.at), number


def _record(record: dict[str, Any], received_at: float) -> LogRecord:
    at = first_moment(record, "timestamp", "time", "observed_timestamp")
    for name in ("timeUnixNano", "time_unix_nano", "observedTimeUnixNano", "observed_time_unix_nano"):
        at = nanoseconds(record.get(name)) if at is None else at
    return LogRecord(
        at=received_at if at is None else at,
        level=_level(record),
        body=first_text(record, "body", "message"),
        attributes=attributes_of(record),
        trace_id=first_text(record, "trace_id", "traceId"),
    )


def _level(record: dict[str, Any]) -> str:
    """The level's word; the sender's own where it is none of ours."""
    given = first_text(record, "level", "severity_text", "severityText").strip().lower()[:20]
    if given:
        return _OTHER_WORDS.get(given, given)
    number = record.get("severity_number", record.get("severityNumber"))
    if type(number) is int and 1 <= number <= _PER_LEVEL * len(_NUMBERED):
        return _NUMBERED[(number - 1) // _PER_LEVEL]
    return "info"
