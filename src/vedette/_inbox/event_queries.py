"""What the page of one event asks the database for: the events beside it, and the files that came with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from vedette._inbox.lenient_json import is_dict
from vedette._inbox.models import Attachment
from vedette._inbox.shape import text

if TYPE_CHECKING:
    import sqlite3

    from vedette._inbox.item_queries import Rows
    from vedette._inbox.models import StoredEvent

_MAX_ATTACHMENTS: Final = 200


def neighbours(rows: Rows, event: StoredEvent) -> tuple[str, str]:
    """The ids of the next older and the next newer event of the same issue; empty where there is none."""
    query = "SELECT event_id FROM events WHERE issue_id = ? AND id < ? ORDER BY id DESC LIMIT 1"
    older = rows(query, event.issue_id, event.row_id)
    newer = rows(
        "SELECT event_id FROM events WHERE issue_id = ? AND id > ? ORDER BY id LIMIT 1", event.issue_id, event.row_id
    )
    return _id_in(older), _id_in(newer)


def attachments(rows: Rows, event_id: str) -> list[Attachment]:
    """The attachments of an event, also those that came in an envelope of their own."""
    found = rows(
        "SELECT id, size, headers FROM items WHERE type = 'attachment' AND event_id = ? ORDER BY id LIMIT ?",
        event_id,
        _MAX_ATTACHMENTS,
    )
    return [_attachment(row) for row in found]


def _attachment(row: sqlite3.Row) -> Attachment:
    headers: object = json.loads(row["headers"])
    known = headers if is_dict(headers) else {}
    return Attachment(row["id"], text(known.get("filename"), 400), text(known.get("content_type"), 200), row["size"])


def _id_in(rows: list[sqlite3.Row]) -> str:
    return str(rows[0]["event_id"]) if rows else ""
