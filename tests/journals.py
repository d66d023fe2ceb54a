"""Journals for tests, and what is left of them on disk."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vedette._protocol.categories import DataCategory
from vedette._transport.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

DSN_ID = "1-abc"


class Evictions(list[tuple[str, int]]):
    """What a journal said it had to drop."""

    def __call__(self, category: DataCategory, quantity: int) -> None:
        self.append((category.value, quantity))


def open_journal(directory: object, **changed: Any) -> Journal:
    """A journal with room for everything, but for what is said otherwise."""
    settings: dict[str, Any] = {
        "max_bytes": 64 * 1024 * 1024,
        "max_items": 10_000,
        "max_age": 14 * 86_400.0,
        "on_evicted": Evictions(),
        "wall_clock": time.time,
    }
    settings.update(changed)
    return Journal(str(directory), settings.pop("dsn_id", DSN_ID), **settings)


def errors(journal: Journal, *bodies: bytes) -> list[Any]:
    """Append these as errors; the entries."""
    return [journal.append(DataCategory.ERROR, body) for body in bodies]


def leave(directory: object, *bodies: bytes) -> None:
    """What a process leaves that appended these and died."""
    journal = open_journal(directory)
    assert None not in errors(journal, *bodies)
    journal.close(keep_appending=False)


def look(journal: Journal, *entries: Any) -> list[bytes | None]:
    """Their bodies; they go on waiting."""
    bodies = [journal.read(entry) for entry in entries]
    for entry in entries:
        journal.keep(entry)
    return bodies


def take_all(directory: object, **changed: Any) -> list[bytes | None]:
    """The bodies that a new process finds, in its order; they are left as they are."""
    bodies: list[bytes | None] = []
    journals = []
    while not journals or not journals[-1].is_idle():  # one takes some segments only
        journals.append(open_journal(directory, **changed))
        bodies += look(journals[-1], *journals[-1].adopt())
    for journal in journals:
        journal.close(keep_appending=False)
    return bodies


def files(directory: object, suffix: str = "") -> list[Path]:
    """The files in the folders of journals."""
    return sorted(path for path in Path(str(directory)).glob("journal-*/*") if path.name.endswith(suffix))


def segments(directory: object) -> list[Path]:
    """The files with records."""
    return files(directory, ".journal")


def bytes_on_disk(directory: object) -> int:
    """What all of them take."""
    return sum(path.stat().st_size for path in files(directory))


def bits(data: bytes) -> Iterator[bytes]:
    """The data with one bit of each byte flipped, byte by byte."""
    for position in range(len(data)):
        flipped = data[position] ^ (1 << (position % 8))
        yield data[:position] + bytes([flipped]) + data[position + 1 :]
