"""Large payloads, kept in pieces beside the envelope that brought them.

SQLite holds a value two or three times over while it writes it, and reads all of it for any part: one attachment of
190 MiB would cost 600 MB to store, and 200 MB with each look at the event beside it. So of a large payload only
the beginning stays in the envelope's body (lists show that much of it); the rest is stored in rows of a mebibyte.
``cut`` is where in the body a piece belongs, so what was received can be put together again to the byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol

from vedette._inbox.item_queries import NO_ROW
from vedette._inbox.limits import KIB, MIB
from vedette._inbox.schema import StoreError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from vedette._inbox.decoding import Body
    from vedette._inbox.item_queries import Rows

EXCERPT: Final = 4 * KIB  # bytes of a large payload that stay in the body
_LARGE: Final = 256 * KIB
_PIECE: Final = MIB


class Slice(Protocol):
    """A part of a body, such as an item's payload."""

    @property
    def start(self) -> int: ...
    @property
    def size(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of a large payload: where it was in the body as received, and where it belongs in what is kept."""

    start: int
    size: int
    cut: int


def tails_of(payloads: Iterable[Slice]) -> list[Tail]:
    """What is to be taken out of a body with these payloads, in order. They don't overlap."""
    tails: list[Tail] = []
    taken = 0
    for payload in sorted(payloads, key=lambda one: one.start):
        if payload.size > _LARGE:
            start, size = payload.start + EXCERPT, payload.size - EXCERPT
            tails.append(Tail(start, size, start - taken))
            taken += size
    return tails


def body_without(body: Body, tails: list[Tail]) -> Body:
    """What stays of a body; the same object, if that is all."""
    if not tails:
        return body
    kept = bytearray()
    position = 0
    with memoryview(body) as view:
        for tail in tails:
            kept += view[position : tail.start]
            position = tail.start + tail.size
        kept += view[position:]
    return kept


def start_without(start: int, tails: list[Tail]) -> int:
    """Where a payload begins in what stays of its body."""
    return start - sum(tail.size for tail in tails if tail.start < start)


def insert_pieces(connection: sqlite3.Connection, envelope: int, body: Body, tails: list[Tail]) -> None:
    """Store what was taken out of the body of an envelope."""
    with memoryview(body) as view:
        for tail in tails:
            for start in range(tail.start, tail.start + tail.size, _PIECE):
                with view[start : min(start + _PIECE, tail.start + tail.size)] as piece:
                    connection.execute(
                        "INSERT INTO pieces (envelope_id, cut, bytes) VALUES (?, ?, ?)", (envelope, tail.cut, piece)
                    )


def envelope(rows: Rows, event_id: str) -> Iterator[bytes] | None:
    """The body that brought an event, as it was received, part by part."""
    found = rows(
        "SELECT v.id, v.body FROM events e JOIN envelopes v ON v.id = e.envelope_id WHERE e.event_id = ?", event_id
    )
    if not found:
        return None
    pieces = rows("SELECT id, cut FROM pieces WHERE envelope_id = ? ORDER BY id", found[0]["id"])
    return _put_together(rows, found[0]["body"], pieces)


def payload(rows: Rows, item: int) -> Iterator[bytes] | None:
    """The payload of an item, by its row id, as it was received, part by part."""
    found = rows("SELECT * FROM items WHERE id = ?", min(item, NO_ROW))
    if not found:
        return None
    one = found[0]
    cut = one["start"] + EXCERPT
    pieces = rows("SELECT id FROM pieces WHERE envelope_id = ? AND cut = ? ORDER BY id", one["envelope_id"], cut)
    head = rows(
        "SELECT substr(body, ?, ?) AS bytes FROM envelopes WHERE id = ?",
        one["start"] + 1,
        EXCERPT if pieces else one["size"],
        one["envelope_id"],
    )
    return chain([_bytes_in(head)], (_piece(rows, piece["id"]) for piece in pieces))


def _put_together(rows: Rows, body: bytes, pieces: list[sqlite3.Row]) -> Iterator[bytes]:
    position = 0
    for piece in pieces:
        if piece["cut"] > position:
            yield body[position : piece["cut"]]
            position = piece["cut"]
        yield _piece(rows, piece["id"])
    yield body[position:]


def _piece(rows: Rows, row_id: int) -> bytes:
    return _bytes_in(rows("SELECT bytes FROM pieces WHERE id = ?", row_id))


def _bytes_in(rows: list[sqlite3.Row]) -> bytes:
    if not rows:
        message = "it was removed while it was being read"
        raise StoreError(message)
    return bytes(rows[0]["bytes"])
