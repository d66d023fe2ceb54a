"""Transactions, and spans that come on their own: what was done, and how long it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vedette._inbox.lenient_json import is_list
from vedette._inbox.shape import part
from vedette._inbox.telemetry.fields import attributes_of, first_moment, first_text, records_of

if TYPE_CHECKING:
    from vedette._inbox.models import Item


@dataclass(frozen=True, slots=True)
class Timed:
    """A transaction or a span. ``at`` is its start in seconds since the epoch, of its arrival if it has none."""

    at: float
    name: str
    op: str
    seconds: float | None
    status: str
    spans: int | None  # of a transaction
    attributes: list[tuple[str, str]]
    trace_id: str


def timed_of(item: Item, payload: bytes) -> tuple[list[Timed], int]:
    """What an item holds, newest first, and how much that is. Raises UnreadableError."""
    records, number = records_of(payload)
    found = [_timed(record, item.received_at) for record in records]
    return sorted(found, key=lambda timed: -timed.at), number


def _timed(record: dict[str, Any], received_at: float) -> Timed:
    trace = part(part(record, "contexts"), "trace")
    start = first_moment(record, "start_timestamp")
    end = first_moment(record, "timestamp", "end_timestamp")
    spans: object = record.get("spans")
    attributes = dict(attributes_of(record))
    return Timed(
        at=received_at if start is None else start,
        name=first_text(record, "transaction", "name", "description") or "(without a name)",
        op=first_text(trace, "op") or first_text(record, "op") or attributes.get("sentry.op", ""),
        seconds=end - start if start is not None and end is not None and end >= start else None,
        status=first_text(trace, "status") or first_text(record, "status"),
        spans=len(spans) if is_list(spans) else None,
        attributes=list(attributes.items()),
        trace_id=first_text(trace, "trace_id") or first_text(record, "trace_id"),
    )
