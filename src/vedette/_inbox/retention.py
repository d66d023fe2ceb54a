"""What is removed, and in which order: by retention, by the retention limits, or because somebody asked.

Functions over a connection that is inside a transaction. The unit is the envelope: what came together goes
together. The oldest goes first, but an issue's first and newest event go last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vedette._inbox.limits import DEFAULT_KEEP_BYTES, DEFAULT_KEEP_EVENTS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

_SECONDS_A_DAY = 86_400
_CHUNK = 200  # envelopes looked at before their pages are counted again

_PLAIN = """
    SELECT e.envelope_id FROM events e JOIN issues i ON i.id = e.issue_id
    WHERE e.id NOT IN (i.first_row, i.newest_row) ORDER BY e.id LIMIT ?"""
_ANY = "SELECT envelope_id FROM events ORDER BY id LIMIT ?"
_PLAIN_SIZES = """
    SELECT v.id, length(v.body) + (SELECT coalesce(sum(length(bytes)), 0) FROM pieces WHERE envelope_id = v.id)
    FROM envelopes v WHERE NOT EXISTS (
        SELECT 1 FROM events e JOIN issues i ON i.id = e.issue_id
        WHERE e.envelope_id = v.id AND e.id IN (i.first_row, i.newest_row)
    ) ORDER BY v.id LIMIT ?"""
_ANY_SIZES = """
    SELECT v.id, length(v.body) + (SELECT coalesce(sum(length(bytes)), 0) FROM pieces WHERE envelope_id = v.id)
    FROM envelopes v ORDER BY v.id LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Retention:
    """How much is kept. ``events`` bounds the other items too, on their own."""

    events: int = DEFAULT_KEEP_EVENTS
    bytes: int = DEFAULT_KEEP_BYTES  # of the database's pages in use
    days: float | None = None


def enforce(connection: sqlite3.Connection, retention: Retention, now: float) -> None:
    """Remove what is over the limits, and count it."""
    if retention.days is not None:
        oldest = now - retention.days * _SECONDS_A_DAY
        rows = connection.execute("SELECT id FROM envelopes WHERE received_at < ? ORDER BY id", (oldest,))
        _remove_counted(connection, [int(row[0]) for row in rows])
    excess = _count(connection, "events") - retention.events
    if excess > 0:
        _remove_counted(connection, _ids(connection, _PLAIN, excess))
    excess = _count(connection, "events") - retention.events
    if excess > 0:
        _remove_counted(connection, _ids(connection, _ANY, excess))
    excess = _count(connection, "items") - retention.events
    if excess > 0:
        _remove_counted(connection, _ids(connection, "SELECT envelope_id FROM items ORDER BY id LIMIT ?", excess))
    _enforce_bytes(connection, retention.bytes)


def remove(connection: sqlite3.Connection, envelopes: Iterable[int]) -> tuple[int, int]:
    """Remove envelopes with the events and items in them; the numbers of those. Issues left empty go too."""
    wanted = [(envelope,) for envelope in dict.fromkeys(envelopes)]
    issues: set[int] = set()
    for one in wanted:
        rows = connection.execute("SELECT issue_id FROM events WHERE envelope_id = ?", one)
        issues.update(int(row[0]) for row in rows)
    events = connection.executemany("DELETE FROM events WHERE envelope_id = ?", wanted).rowcount
    items = connection.executemany("DELETE FROM items WHERE envelope_id = ?", wanted).rowcount
    connection.executemany("DELETE FROM pieces WHERE envelope_id = ?", wanted)
    connection.executemany("DELETE FROM envelopes WHERE id = ?", wanted)
    _mend_issues(connection, issues)
    return max(events, 0), max(items, 0)  # -1 stands for no statement run


def add_count(connection: sqlite3.Connection, name: str, number: int = 1) -> None:
    """Raise a counter that ``Store.stats`` shows."""
    if number:
        connection.execute(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            (name, number),
        )


def _enforce_bytes(connection: sqlite3.Connection, limit: int) -> None:
    for query in (_PLAIN_SIZES, _ANY_SIZES):
        while (excess := _bytes_used(connection) - limit) > 0:
            victims: list[int] = []
            for row in connection.execute(query, (_CHUNK,)):
                victims.append(int(row[0]))
                excess -= int(row[1])
                if excess <= 0:
                    break
            if not victims:
                break
            _remove_counted(connection, victims)


def _bytes_used(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _remove_counted(connection: sqlite3.Connection, envelopes: Sequence[int]) -> None:
    events, items = remove(connection, envelopes)
    add_count(connection, "removed_events", events)
    add_count(connection, "removed_items", items)


def _mend_issues(connection: sqlite3.Connection, issues: set[int]) -> None:
    for issue in issues:
        row = connection.execute("SELECT min(id), max(id) FROM events WHERE issue_id = ?", (issue,)).fetchone()
        if row[0] is None:
            connection.execute("DELETE FROM issues WHERE id = ?", (issue,))
        else:
            connection.execute("UPDATE issues SET first_row = ?, newest_row = ? WHERE id = ?", (row[0], row[1], issue))


def _ids(connection: sqlite3.Connection, query: str, limit: int) -> list[int]:
    return [int(row[0]) for row in connection.execute(query, (limit,))]


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own tables and columns; values are bound
