"""Reading what is no error event: items of other types, and requests that were refused.

Functions over ``Rows``, which runs one query on the store's connection for reading.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from vedette._inbox.models import Item

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection

NO_ROW = 2**63 - 1
"""Above any row id."""

_ITEM = """
    SELECT i.*, v.project, e.issue_id, substr(v.body, i.start + 1, min(i.size, 4096)) AS excerpt
    FROM items i JOIN envelopes v ON v.id = i.envelope_id LEFT JOIN events e ON e.event_id = i.event_id
    WHERE i.id"""
# The sender's word is taken for how many a batch holds, within reason: reading them all would cost too much.
_COUNTS = """
    SELECT type, sum(CASE WHEN type IN ('log', 'span') AND json_type(headers, '$.item_count') = 'integer'
        THEN max(1, min(1000, json_extract(headers, '$.item_count'))) ELSE 1 END) AS number
    FROM items GROUP BY type ORDER BY type"""
# Types come as one value however many they are, so that no query is built from text.
_ALL = "SELECT id FROM items WHERE id < ? ORDER BY id DESC LIMIT ?"
_AMONG = "SELECT id FROM items WHERE id < ? AND type IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?"
_BUT = "SELECT id FROM items WHERE id < ? AND type NOT IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?"


class Rows(Protocol):
    """Runs a query with its values."""

    def __call__(self, query: str, *values: object) -> list[sqlite3.Row]:
        """All rows."""
        ...


def all_items(rows: Rows, limit: int, before: int | None) -> list[Item]:
    """Items of any type, newest first; ``before`` is a ``row_id``."""
    return _items(rows, _ALL, _cursor(before), limit)


def items_among(rows: Rows, types: Collection[str], limit: int, before: int | None) -> list[Item]:
    """Items of these types."""
    return _items(rows, _AMONG, _cursor(before), json.dumps([*types]), limit)


def items_but(rows: Rows, types: Collection[str], limit: int, before: int | None) -> list[Item]:
    """Items of all types but these."""
    return _items(rows, _BUT, _cursor(before), json.dumps([*types]), limit)


def refused_items(rows: Rows, limit: int, before: int | None) -> list[Item]:
    """Requests that were refused, as items of type ``refused``."""
    query = "SELECT * FROM refused WHERE id < ? ORDER BY id DESC LIMIT ?"
    return [_refused_item(row) for row in rows(query, _cursor(before), limit)]


def one_item(rows: Rows, row_id: int) -> Item | None:
    """An item by its ``row_id``."""
    found = rows(f"{_ITEM} = ?", min(row_id, NO_ROW))
    return _item(found[0]) if found else None


def counts(rows: Rows) -> dict[str, int]:
    """How many items there are of each type; of logs and spans, which come in batches, how many are in those."""
    return {str(row["type"]): int(row["number"]) for row in rows(_COUNTS)}


def refused_count(rows: Rows) -> int:
    """How many refused requests are kept."""
    return int(rows("SELECT count(*) AS number FROM refused")[0]["number"])


def _items(rows: Rows, chosen: str, *values: object) -> list[Item]:
    """The page is chosen first, by its ids: what is sorted or left out must not cost reading its payload."""
    return [_item(row) for row in rows(f"{_ITEM} IN ({chosen}) ORDER BY i.id DESC", *values)]


def _cursor(before: int | None) -> int:
    return NO_ROW if before is None else before


def _item(row: sqlite3.Row) -> Item:
    return Item(
        row_id=row["id"],
        type=row["type"],
        project=row["project"],
        received_at=row["received_at"],
        size=row["size"],
        headers=json.loads(row["headers"]),
        excerpt=_excerpt(row["excerpt"]),
        remarks=json.loads(row["remarks"]),
        event_id=row["event_id"],
        issue_id=row["issue_id"] or 0,
    )


def _refused_item(row: sqlite3.Row) -> Item:
    headers: dict[str, Any] = {}
    return Item(
        row_id=row["id"],
        type="refused",
        project=row["project"],
        received_at=row["received_at"],
        size=row["size"],
        headers=headers,
        excerpt=_excerpt(row["excerpt"]),
        remarks=[],
        status=row["status"],
        reason=row["reason"],
    )


def _excerpt(data: bytes) -> str:
    return bytes(data).decode("utf-8", "backslashreplace")
