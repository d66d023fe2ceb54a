"""What is new in the database since a position, for whoever shows it live.

Functions over a connection; ``Store`` owns connections and locks. Row ids only grow, also over a restart and
over ``inbox clear`` (AUTOINCREMENT), so a position that somebody noted yesterday still says what they have seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    import sqlite3

MAX_ISSUES: Final = 200  # told apart in one go; whoever has more to catch up with had better fetch all anew

_TEXT: Final = re.compile(r"\d{1,18}(?:-\d{1,18}){3}", re.ASCII)
_POSITION: Final = """
    SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'events') AS events,
        (SELECT sum(seq) FROM sqlite_sequence WHERE name IN ('items', 'refused')) AS items,
        (SELECT seq FROM sqlite_sequence WHERE name = 'issues') - (SELECT count(*) FROM issues) AS removed,
        (SELECT value FROM counters WHERE name = 'received') AS received"""
# The one max() makes event_id that of the newest event: SQLite promises it of a query with a single max().
_ISSUES: Final = """
    SELECT e.issue_id, e.event_id, max(e.id) AS newest, count(*) AS events, sum(e.number = 1) AS is_new, i.count
    FROM events e JOIN issues i ON i.id = e.issue_id
    WHERE e.id > ? AND e.id <= ? GROUP BY e.issue_id ORDER BY newest LIMIT ?"""


class Position(NamedTuple):
    """How far somebody has seen. As text: ``7-2-0-9``."""

    events: int  # the newest event's row
    items: int  # how many there ever were that are no event, refused requests included
    removed: int  # issues that there were and that are gone
    received: int  # requests; begins again when everything is cleared

    def __str__(self) -> str:
        return "-".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """The position that was written so; None for any other text."""
        return cls(*map(int, text.split("-"))) if _TEXT.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened. No received text is in it, but for the event's id.

    ``issue``: ``{"issue", "event_id", "count", "events", "new"}``: seen ``events`` times more, newest event last.
    ``item``: ``{"items"}``, so many more. ``cleared``: ``{"reason"}``, ``deleted`` (issues are gone) or
    ``missed`` (too much happened, or in another database): fetch again what you show.
    """

    kind: Literal["issue", "item", "cleared"]
    data: dict[str, object]


MISSED: Final = Change("cleared", {"reason": "missed"})
_DELETED: Final = Change("cleared", {"reason": "deleted"})


def position_of(connection: sqlite3.Connection) -> Position:
    """Where the database is now."""
    row = connection.execute(_POSITION).fetchone()
    return Position(*(int(value or 0) for value in row))


def changes_since(connection: sqlite3.Connection, since: Position) -> tuple[Position, list[Change]]:
    """What happened, in order of arrival, each issue once; and the position to go on from."""
    now = position_of(connection)
    if now == since:
        return now, []
    if now.events < since.events or now.items < since.items or now.removed < since.removed:
        return now, [MISSED]  # another database: this one never was there
    is_cleared = now.removed > since.removed or now.received < since.received
    changes = [_DELETED] if is_cleared else []
    rows = connection.execute(_ISSUES, (since.events, now.events, MAX_ISSUES + 1)).fetchall()
    if len(rows) > MAX_ISSUES:
        return now, [*changes, MISSED]
    changes += [_issue(row) for row in rows]
    if now.items > since.items:
        changes.append(Change("item", {"items": now.items - since.items}))
    return now, changes


def _issue(row: sqlite3.Row) -> Change:
    return Change(
        "issue",
        {
            "issue": row["issue_id"],
            "event_id": row["event_id"],
            "count": row["count"],
            "events": row["events"],
            "new": bool(row["is_new"]),
        },
    )
