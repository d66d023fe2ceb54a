"""Rows of the store as JSON, for the routes and the command line alike. Times are RFC 3339 in UTC."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vedette._inbox.models import Issue, Item, StoredEvent


def issue_as_json(issue: Issue) -> dict[str, Any]:
    """An issue, its times in RFC 3339."""
    times = {"first_seen": rfc3339(issue.first_seen), "last_seen": rfc3339(issue.last_seen)}
    result = {**asdict(issue), **times}
    del result["newest_row"]
    return result


def event_as_json(event: StoredEvent) -> dict[str, Any]:
    """An event as received, with what the inbox knows about it."""
    return {
        **event.data,
        "event_id": event.event_id,
        "issue": event.issue_id,
        "number_in_issue": event.number_in_issue,
        "received_at": rfc3339(event.received_at),
        "remarks": event.remarks,
    }


def item_as_json(item: Item) -> dict[str, Any]:
    """Anything that is no error event, or what was refused."""
    return {**asdict(item), "received_at": rfc3339(item.received_at)}


def rfc3339(seconds: float) -> str:
    """Seconds since the epoch as UTC, to the millisecond: ``2026-11-24T11:20:23.120Z``."""
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
