"""Names and values as the templates' tables take them: plain tuples, for a page may have two thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vedette._inbox.event.fields import Entry

_MANY_LINES: Final = 12
_NARROW: Final = 40  # characters in a line of a window of 400 pixels


class Cells(NamedTuple):
    """One row: what ``is_long`` may take more than twelve lines in a narrow window, and scrolls in its cell."""

    name: str
    text: str
    is_long: bool
    note: str


def cells_of(entries: Iterable[Entry]) -> tuple[Cells, ...]:
    """The rows of a table."""
    return tuple(map(_row, entries))


def _row(entry: Entry) -> Cells:
    lines = entry.lines
    text = lines[0] if len(lines) == 1 else "\n".join(lines)
    is_long = len(text) > _MANY_LINES * _NARROW or len(lines) > _MANY_LINES
    return Cells(entry.name, text, is_long, entry.note)
