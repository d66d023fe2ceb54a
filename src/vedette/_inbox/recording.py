"""Putting arrivals into the tables, and grouping them anew when the rule has changed.

Functions over a connection that is inside a transaction; ``Store`` owns connections, locks and commits.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vedette._inbox import pieces
from vedette._inbox.arrival import Arrival, ArrivedEvent, as_json, decode_event, summarize_safely
from vedette._inbox.grouping import GROUPING_VERSION
from vedette._inbox.limits import KEPT_REFUSAL_BYTES, KEPT_REFUSALS, Refused
from vedette._inbox.models import Issue, StoredEvent
from vedette._inbox.retention import add_count
from vedette._inbox.schema import get_meta, set_meta

if TYPE_CHECKING:
    import sqlite3

    from vedette._inbox.summary import Summary

_MAX_DROP_ROWS: Final = 1000  # different (reason, category) pairs of client reports that are kept apart


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was not taken: the beginning of its body is kept, for the developer to see."""

    project: str
    body: bytes
    size: int
    refused: Refused


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as stored, its issue at that moment, and whether the issue is new."""

    event: StoredEvent
    issue: Issue
    is_new: bool


def record(connection: sqlite3.Connection, part: Arrival | Refusal, now: float) -> list[Recorded]:
    """Store what one request brought. An event that is there already is counted as a duplicate, no more."""
    add_count(connection, "received")
    if isinstance(part, Refusal):
        _record_refusal(connection, part, now)
        return []
    fresh = [event for event in part.events if not _is_known(connection, event.event_id)]
    add_count(connection, "duplicates", len(part.events) - len(fresh))
    if part.events and not fresh:
        return []  # the same envelope once more, after an answer that got lost: its items are known too
    tails = pieces.tails_of(part.items)
    kept = pieces.body_without(part.body, tails)
    envelope = _insert(connection, "envelopes", project=part.project, received_at=now, body=kept)
    pieces.insert_pieces(connection, envelope, part.body, tails)
    recorded = [
        _record_event(connection, event, part.project, envelope, pieces.start_without(event.start, tails), now)
        for event in fresh
    ]
    add_count(connection, "stored", len(fresh))
    for item in part.items:
        _insert(
            connection,
            "items",
            type=item.type,
            envelope_id=envelope,
            start=pieces.start_without(item.start, tails),
            size=item.size,
            received_at=now,
            headers=as_json(item.headers),
            event_id=part.event_id,
            remarks=as_json(item.remarks),
        )
    for (reason, category), quantity in part.drops.items():
        _record_drop(connection, reason, category, quantity)
    return recorded


def issue_of(row: sqlite3.Row) -> Issue:
    """An issue from its row."""
    values = {name: row[name] for name in row.keys() if name != "first_row"}  # noqa: SIM118 - a Row iterates over its values
    return Issue(**values)


def event_of(row: sqlite3.Row, project: str, data: dict[str, Any]) -> StoredEvent:
    """An event from its row and the decoded JSON."""
    return StoredEvent(
        row_id=row["id"],
        event_id=row["event_id"],
        issue_id=row["issue_id"],
        number_in_issue=row["number"],
        received_at=row["received_at"],
        data=data,
        remarks=json.loads(row["remarks"]),
        project=project,
        size=row["size"],
    )


def regroup(connection: sqlite3.Connection) -> int:
    """Group all events anew, if they were grouped by another version of the rule.

    An issue's number goes to the first new issue that takes one of its events, so that most numbers stay, and
    with it what retention took from it. Returns the number of events looked at, 0 if the rule is the same.
    """
    if get_meta(connection, "grouping_version") == str(GROUPING_VERSION):
        return 0
    set_meta(connection, "grouping_version", str(GROUPING_VERSION))
    taken = {
        int(row["id"]): int(row["count"]) - int(row["stored"])
        for row in connection.execute(
            "SELECT id, count, (SELECT count(*) FROM events WHERE issue_id = issues.id) AS stored FROM issues"
        )
    }
    connection.execute("UPDATE issues SET key = 'old ' || id")
    numbers: dict[int, int] = {}
    ids = [int(row[0]) for row in connection.execute("SELECT id FROM events ORDER BY id")]
    for event in ids:
        row = connection.execute(
            "SELECT e.*, coalesce(substr(v.body, e.start + 1, e.size), x'') AS payload "
            "FROM events e JOIN envelopes v ON v.id = e.envelope_id WHERE e.id = ?",
            (event,),
        ).fetchone()
        data, _ = decode_event(row["payload"])
        summary, _ = summarize_safely(row["event_id"], data)
        issue = _regrouped_issue(connection, summary, row)
        number = numbers.get(issue, 0) + 1
        numbers[issue] = number
        missing = taken.get(issue, 0) if number > 1 else 0  # the first is never taken before the others
        connection.execute(
            "UPDATE events SET issue_id = ?, number = ?, search_text = ?, facets = ? WHERE id = ?",
            (issue, number + missing, summary.search_text, summary.facets, event),
        )
        connection.execute("UPDATE issues SET count = ? WHERE id = ?", (number + taken.get(issue, 0), issue))
    connection.execute("DELETE FROM issues WHERE key LIKE 'old %'")
    return len(ids)


def _regrouped_issue(connection: sqlite3.Connection, summary: Summary, event: sqlite3.Row) -> int:
    known = connection.execute("SELECT id FROM issues WHERE key = ?", (summary.key,)).fetchone()
    if known is not None:
        issue = int(known[0])
    else:
        free = connection.execute(
            "SELECT id FROM issues WHERE id = ? AND key LIKE 'old %'", (event["issue_id"],)
        ).fetchone()
        if free is None:
            return _insert(connection, "issues", **_issue_columns(summary, int(event["id"]), event["received_at"]))
        issue = int(free[0])
        connection.execute(
            "UPDATE issues SET key = ?, first_row = ?, first_seen = min(first_seen, ?) WHERE id = ?",
            (summary.key, event["id"], event["received_at"], issue),
        )
    _update(connection, issue, summary, int(event["id"]), event["received_at"])
    return issue


def _record_event(
    connection: sqlite3.Connection, event: ArrivedEvent, project: str, envelope: int, start: int, now: float
) -> Recorded:
    summary = event.summary
    row = connection.execute("SELECT id, count FROM issues WHERE key = ?", (summary.key,)).fetchone()
    number = 1 if row is None else int(row["count"]) + 1
    event_row = _insert(
        connection,
        "events",
        event_id=event.event_id,
        issue_id=0 if row is None else row["id"],
        number=number,
        envelope_id=envelope,
        start=start,
        size=event.size,
        received_at=now,
        remarks=as_json(event.remarks),
        search_text=summary.search_text,
        facets=summary.facets,
    )
    if row is None:
        issue = _insert(connection, "issues", **_issue_columns(summary, event_row, now))
        connection.execute("UPDATE events SET issue_id = ? WHERE id = ?", (issue, event_row))
    else:
        issue = int(row["id"])
        connection.execute("UPDATE issues SET count = ? WHERE id = ?", (number, issue))
        _update(connection, issue, summary, event_row, now)
    stored = StoredEvent(event_row, event.event_id, issue, number, now, event.data, event.remarks, project, event.size)
    current = connection.execute("SELECT * FROM issues WHERE id = ?", (issue,)).fetchone()
    return Recorded(stored, issue_of(current), row is None)


def _issue_columns(summary: Summary, event_row: int, now: float) -> dict[str, object]:
    return {
        "key": summary.key,
        "count": 1,
        "first_seen": now,
        "first_row": event_row,
        **_newest_columns(summary, event_row, now),
    }


def _newest_columns(summary: Summary, event_row: int, now: float) -> dict[str, object]:
    """The columns in which an issue shows its newest event."""
    return {
        "type": summary.type,
        "value": summary.value,
        "title": summary.title,
        "level": summary.level,
        "place": summary.place,
        "code_line": summary.code_line,
        "root_type": summary.root_type,
        "root_value": summary.root_value,
        "release": summary.release,
        "environment": summary.environment,
        "explanation": summary.explanation,
        "last_seen": now,
        "newest_row": event_row,
    }


def _update(connection: sqlite3.Connection, issue: int, summary: Summary, event_row: int, now: float) -> None:
    columns = _newest_columns(summary, event_row, now)
    assignments = ", ".join(f"{name} = ?" for name in columns)
    connection.execute(f"UPDATE issues SET {assignments} WHERE id = ?", (*columns.values(), issue))  # noqa: S608 - our own tables and columns; values are bound


def _insert(connection: sqlite3.Connection, table: str, **columns: object) -> int:
    marks = ", ".join("?" * len(columns))
    query = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own tables and columns; values are bound
    row = connection.execute(query, tuple(columns.values())).lastrowid
    return row or 0  # an INSERT always has one


def _is_known(connection: sqlite3.Connection, event_id: str) -> bool:
    return connection.execute("SELECT 1 FROM events WHERE event_id = ?", (event_id,)).fetchone() is not None


def _record_refusal(connection: sqlite3.Connection, refusal: Refusal, now: float) -> None:
    refused = refusal.refused
    add_count(connection, f"refused:{refused.code}")
    row = _insert(
        connection,
        "refused",
        received_at=now,
        project=refusal.project,
        size=refusal.size,
        status=refused.status,
        code=refused.code,
        reason="; ".join((refused.detail, *refused.causes)),
        excerpt=bytes(refusal.body[:KEPT_REFUSAL_BYTES]),
    )
    connection.execute("DELETE FROM refused WHERE id <= ?", (row - KEPT_REFUSALS,))


def _record_drop(connection: sqlite3.Connection, reason: str, category: str, quantity: int) -> None:
    rows = int(connection.execute("SELECT count(*) FROM client_drops").fetchone()[0])
    if rows >= _MAX_DROP_ROWS:
        known = connection.execute(
            "SELECT 1 FROM client_drops WHERE reason = ? AND category = ?", (reason, category)
        ).fetchone()
        if known is None:
            reason, category = "(other)", "(other)"
    connection.execute(
        "INSERT INTO client_drops VALUES (?, ?, ?) ON CONFLICT (reason, category) DO UPDATE SET "
        "quantity = min(quantity + excluded.quantity, 1000000000000)",
        (reason, category, quantity),
    )
