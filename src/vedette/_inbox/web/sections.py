"""What stands below the stacks: the request, tags, contexts and the like, each with a line that says what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vedette._inbox.event import safe
from vedette._inbox.web.cells import Cells, cells_of
from vedette._inbox.words import size_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vedette._inbox.event.fields import Entry
    from vedette._inbox.event.received import Reading
    from vedette._inbox.event.surroundings import Crumb
    from vedette._inbox.models import Attachment

_GIST: Final = 160  # characters
_HOUR, _MINUTE, _TENTH = 3_600, 60, 0.1


@dataclass(frozen=True, slots=True)
class Table:
    """Names and values; ``title`` tells it from the others of its section, if there are any."""

    rows: tuple[Cells, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page, folded: its summary says what is in it."""

    title: str
    gist: str
    tables: tuple[Table, ...]
    body: tuple[str, ...] = ()  # of a request
    note: str = ""


@dataclass(frozen=True, slots=True)
class CrumbView:
    """A breadcrumb with its time as distance to the event: ``-0.4 s``."""

    crumb: Crumb
    distance: str
    data: tuple[Cells, ...]


@dataclass(frozen=True, slots=True)
class File:
    """An attachment, to be downloaded only."""

    name: str
    about: str  # its type and size
    row_id: int


def sections_of(reading: Reading) -> tuple[Section, ...]:
    """Those that hold something, in the order of the page."""
    contexts = reading.contexts
    found = (
        _request(reading),
        _plain("Tags", reading.tags),
        _plain("User", reading.user),
        Section(
            "Contexts", _short(c.name for c in contexts), tuple(Table(cells_of(c.entries), c.name) for c in contexts)
        ),
        _plain("Extra", reading.extra),
        _plain("Also sent", reading.more),
        _plain("Modules", reading.modules),
    )
    return tuple(section for section in found if section.body or any(table.rows for table in section.tables))


def crumbs_of(reading: Reading) -> tuple[CrumbView, ...]:
    """The breadcrumbs, oldest first."""
    return tuple(CrumbView(crumb, _distance(crumb.at, reading.at), cells_of(crumb.data)) for crumb in reading.crumbs)


def files_of(attachments: Iterable[Attachment]) -> tuple[File, ...]:
    """The attachments, their names made safe."""
    return tuple(
        File(
            safe.line(one.filename) or "without a name",
            " · ".join(filter(None, (safe.line(one.content_type), size_in_words(one.size)))),
            one.row_id,
        )
        for one in attachments
    )


def _request(reading: Reading) -> Section:
    request = reading.request
    tables = (
        Table(cells_of(request.query), "Query"),
        Table(cells_of(request.headers), "Headers"),
        Table(cells_of(request.cookies), "Cookies"),
        Table(cells_of(request.environment), "Environment"),
    )
    return Section(
        "Request",
        request.line,
        tuple(table for table in tables if table.rows),
        body=request.body or ((request.line,) if request.line and not any(table.rows for table in tables) else ()),
        note=request.note,
    )


def _plain(title: str, entries: Sequence[Entry]) -> Section:
    return Section(title, _short(f"{entry.name}={_begins(entry)}" for entry in entries), (Table(cells_of(entries)),))


def _begins(entry: Entry) -> str:
    """The beginning of a value, its lines one after the other."""
    return " ".join(line.strip() for line in entry.lines[:_GIST])[:_GIST]


def _short(parts: Iterable[str]) -> str:
    """The first of the parts."""
    text = ""
    for part in parts:
        text = f"{text}, {part}" if text else part
        if len(text) > _GIST:
            return text[:_GIST] + "…"
    return text


def _distance(at: float | None, event_at: float) -> str:
    if at is None:
        return ""
    sign = "+" if at > event_at else "−"  # noqa: RUF001 - a minus is meant
    seconds = abs(at - event_at)
    if seconds < _TENTH:
        return f"{sign}{seconds * 1000:.0f} ms"
    if seconds < 2 * _MINUTE:
        return f"{sign}{seconds:.1f} s"
    return f"{sign}{seconds / _MINUTE:.0f} min" if seconds < 2 * _HOUR else f"{sign}{seconds / _HOUR:.0f} h"
