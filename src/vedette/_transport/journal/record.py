"""Framing: how a record lies in a segment, and how records are found again in a damaged one.

A record is a head of 34 bytes, the name of its data category, and its body (an envelope). The head: magic, kind,
length of the category, length of the body, number, time, CRC32 of category and body, and CRC32 of the head itself.
A mark is a record of its own: "the record of this number needs no sending any more". Numbers are unique in a segment.

Both checksums begin with the segment's ``salt``, so that what looks like a record inside of somebody's body (a journal
that was attached to an event) is none. The head has a checksum of its own because a write that fell short leaves a
whole head with half a body, in the middle of the file: nothing but the next magic says where to go on, and a body full
of magics must cost no more than a look at each.
"""

from __future__ import annotations

import struct
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

RECORD: Final = 1
MARK: Final = 2

_MAGIC: Final = b"\xf5vj1"  # no text in UTF-8 has the first byte
_CLOCK_WAS_NOT_SET: Final = 1_577_836_800.0  # 2020, before there was a journal: a machine without a battery, at boot
_HEAD: Final = struct.Struct("<4sBBIQdI")
_CRC: Final = struct.Struct("<I")
HEAD_SIZE: Final = _HEAD.size + _CRC.size


class Record:
    """Where a sound record lies in the bytes that were scanned; ``time`` is in seconds since the epoch."""

    __slots__ = ("body_start", "category", "end", "kind", "number", "start", "time")

    def __init__(
        self, start: int, kind: int, number: int, time: float, category: str, body_start: int, end: int
    ) -> None:
        self.start = start
        self.kind = kind
        self.number = number
        self.time = time
        self.category = category
        self.body_start = body_start
        self.end = end


def salt_of(stem: str) -> int:
    """What the checksums begin with in the segment of this name."""
    return crc32(stem.encode())


def pack(salt: int, number: int, time: float, category: bytes, body: Iterable[bytes]) -> list[bytes]:
    """A record, in pieces; those of its body are among them, for to join 167 KB takes as long as to write them."""
    return _pack(salt, RECORD, number, time, category, body)


def pack_mark(salt: int, number: int) -> bytes:
    """The mark that settles the record of this number."""
    return b"".join(_pack(salt, MARK, number, 0.0, b"", ()))


def _pack(salt: int, kind: int, number: int, time: float, category: bytes, body: Iterable[bytes]) -> list[bytes]:
    checksum = crc32(category, salt)
    size = 0
    for piece in body:
        checksum = crc32(piece, checksum)
        size += len(piece)
    head = _HEAD.pack(_MAGIC, kind, len(category), size, number, time, checksum)
    return [head, _CRC.pack(crc32(head, salt)), category, *body]


def scan(data: bytes, salt: int) -> Iterator[Record]:
    """Every sound record, in the order of the file; whatever is damaged is passed over."""
    view = memoryview(data)
    position = data.find(_MAGIC)
    while position >= 0:
        record = record_at(view, position, salt)
        if record is not None:
            yield record
        # What is missing of a torn record may be what the next one begins with: that one is looked for, too.
        position = data.find(_MAGIC, position + 1 if record is None else record.end - len(_MAGIC))


def record_at(data: memoryview, position: int, salt: int) -> Record | None:
    """The record that begins here, or None if no sound one does."""
    head = data[position : position + _HEAD.size]
    category_start = position + HEAD_SIZE
    if category_start > len(data):
        return None
    magic, kind, category_length, body_length, number, time, checksum = _HEAD.unpack(head)
    body_start = category_start + category_length
    end = body_start + body_length
    if magic != _MAGIC or end > len(data):
        return None
    if _CRC.unpack_from(data, position + _HEAD.size)[0] != crc32(head, salt):
        return None
    if checksum != crc32(data[category_start:end], salt):
        return None
    category = bytes(data[category_start:body_start]).decode("ascii", "replace")
    return Record(position, kind, number, time, category, body_start, end)


def find(data: bytes, salt: int, number: int) -> Record | None:
    """The record of this number."""
    for record in scan(data, salt):
        if record.number == number and record.kind != MARK:
            return record
    return None


def live_records(data: bytes, salt: int) -> list[Record]:
    """The records that no mark settles, each once."""
    found: dict[int, Record] = {}
    settled: set[int] = set()
    for record in scan(data, salt):
        if record.kind == MARK:
            settled.add(record.number)
        else:
            found.setdefault(record.number, record)
    return [record for number, record in found.items() if number not in settled]


def age_of(time: float, now: float) -> float:
    """How old a record is, in seconds; clocks jump: one of the future, or of a clock not yet set, counts as new."""
    return max(0.0, now - time) if time >= _CLOCK_WAS_NOT_SET else 0.0
