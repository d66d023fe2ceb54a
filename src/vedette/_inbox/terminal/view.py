"""One event on one screen: which line failed, and with which values.

The order is the page's: title; chain or group, cause first, most recent call last; what happened before;
address. Everything is laid out as lines of styled text that fit the screen.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.cells import cell_len

from vedette._inbox.event import safe
from vedette._inbox.event.fields import MAX_WORD
from vedette._inbox.event.folding import chain_of, kinds_of
from vedette._inbox.event.received import read
from vedette._inbox.terminal.screen import row
from vedette._inbox.terminal.stack import NARROW, WIDE, Layout, stack_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from vedette._inbox.event.exceptions import Failure, Frame
    from vedette._inbox.event.received import Reading
    from vedette._inbox.event.surroundings import Crumb
    from vedette._inbox.models import Issue, StoredEvent
    from vedette._inbox.terminal.screen import Screen

MAX_ROWS = 2_000

_ROWS_OF_VALUE = 6
_ROWS_OF_CAUSE = 3
_MEMBERS = 10
_OTHER_VALUES = 4
_SHORT, _MINUTE, _HOUR = 0.05, 60, 3_600
_LEVELS = {"fatal": "bold red", "error": "red", "warning": "yellow", "info": "blue", "debug": "dim"}


def render_event(
    event: StoredEvent,
    issue: Issue,
    screen: Screen,
    *,
    locals_: bool = False,
    all_frames: bool = False,
    url: str | None = None,
    now: float | None = None,
) -> list[Text]:
    """The whole event as lines.

    Args:
        event: As stored; any JSON is shown as well as it can be, with a remark on what is wrong with it.
        issue: The issue it belongs to.
        screen: What to lay it out for.
        locals_: All variables of all own frames, with their whole values.
        all_frames: Nothing folded.
        url: Where to see it in a browser.
        now: Seconds since the epoch; the time of day alone stands for an event of the same day.
    """
    reading = read(event)
    newest = event.number_in_issue >= issue.count
    more = f"vedette inbox show {issue.id if newest else safe.line(event.event_id[:8])}"
    layout = Layout.of(screen, _stacks(reading.chain), locals_=locals_, all_frames=all_frames, more=more)
    view = _View(reading, layout, _head(reading, now))
    lines = [*view.header(event, issue), *view.body(), *view.surroundings()]
    if len(lines) >= MAX_ROWS:
        lines[MAX_ROWS - 2 :] = [row((f"  the rest is in the JSON: {more} --format json", "dim"))]
    if url:
        lines.append(row(("  " + safe.line(url), f"dim link {url}" if screen.links else "dim")))
    return lines


def render_repeat(event: StoredEvent, issue: Issue, screen: Screen, *, now: float | None = None) -> Text:
    """One more event of an issue that was shown before, on one line."""
    reading = read(event)
    head = _head(reading, now)
    head.append(f"{screen.signs.times}{event.number_in_issue} #{issue.id} ", "bold")
    head.append(screen.fit(reading.title, screen.width - head.cell_len))
    return head


def render_list(issues: Sequence[Issue], screen: Screen, *, now: float | None = None) -> list[Text]:
    """Issues, one a line: id, count, last seen, title (after the level, if that is not error), place."""
    cells = [(f"#{issue.id}", f"{screen.signs.times}{issue.count}", _clock(issue.last_seen, now)) for issue in issues]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines: list[Text] = []
    for issue, (number, count, last) in zip(issues, cells, strict=True):
        line = row((f"{number:>{widths[0]}}  ", "bold"), f"{count:>{widths[1]}}  ", (f"{last:>{widths[2]}}  ", "dim"))
        room = screen.width - line.cell_len
        place = screen.fit_end(_place(issue, screen), room * 2 // 5)
        level = "" if issue.level == "error" else f"{safe.line(issue.level, 20)}: "
        title = row(screen.fit(level + safe.line(issue.title, MAX_WORD), room - cell_len(place) - 2))
        title.stylize(_LEVELS.get(issue.level, ""), 0, len(level) + len(issue.type) or len(title))
        line.append_text(title)
        line.append(" " * (room - title.cell_len - cell_len(place)) + place, "dim")
        line.rstrip()
        lines.append(line)
    return lines


def _place(issue: Issue, screen: Screen) -> str:
    """Where it failed; of little room the file's name and line make the most."""
    place = safe.line(issue.place, MAX_WORD)
    return place.partition(" in ")[0].rpartition("/")[2] if screen.width < NARROW else place


def crumb_text(crumb: Crumb, at: float, screen: Screen) -> str:
    """A breadcrumb on one line: distance to the event, level if it is a bad one, category, what happened."""
    distance = "" if crumb.at is None else _distance(crumb.at - at, screen.signs.minus)
    level = crumb.level if crumb.level in {"fatal", "error", "warning"} else ""
    text = crumb.text.replace("→", screen.signs.arrow)
    category = "" if crumb.is_exchange else crumb.category
    return " ".join(filter(None, (distance, level, category, text)))


class _View:
    def __init__(self, reading: Reading, layout: Layout, head: Text) -> None:
        self._reading = reading
        self._layout = layout
        self._head = head
        self._screen = layout.screen
        self._dot = f" {layout.screen.signs.dot} "

    def header(self, event: StoredEvent, issue: Issue) -> Iterator[Text]:
        """Time, level and title; then what tells this event from others."""
        yield row(self._head, self._title(self._reading.title, self._screen.width - self._head.cell_len))
        which = "new" if event.number_in_issue == 1 else f"event {event.number_in_issue} of {issue.count}"
        unhandled = any(failure.handled is False for failure in self._reading.chain)
        facts = [
            f"#{issue.id} {which}",
            *(["unhandled"] if unhandled else []),
            *self._reading.facts,
            *(f"{tag.name}={tag.value}" for tag in self._reading.tags),
        ]
        yield row(("  " + self._screen.fit(self._dot.join(facts), self._screen.width - 2), "dim"))

    def body(self) -> Iterator[Text]:
        """Message and exceptions."""
        message, chain = self._reading.message, self._reading.chain
        of_exception = bool(chain and chain[-1].title)
        said = of_exception and message.lines == chain[-1].value
        if message.lines and not said and (of_exception or self._cut(message.lines, message.note)):
            yield from self._paragraph(message.lines, 2, _ROWS_OF_VALUE, "logged: " if of_exception else "")
        if message.params:
            yield self._note("parameters: " + ", ".join(f"{param.name}={param.value}" for param in message.params), 2)
        if message.note:
            yield self._note(message.note, 2)
        alone = len(chain) == 1 and not (of_exception and self._cut((chain[0].title,), *chain[0].notes))
        yield from self._chain(chain, 2, titled=alone)

    def surroundings(self) -> Iterator[Text]:
        """What happened before, the request, and what is wrong with the event."""
        reading, screen = self._reading, self._screen
        if reading.crumbs:
            yield self._before(reading.crumbs)
        if reading.request.line:
            yield row(("  request: ", "dim"), screen.fit(reading.request.line, screen.width - 11))
        for remark in reading.remarks:
            yield row(("  remark: " + screen.fit(remark, screen.width - 10), "dim"))

    def _chain(self, chain: Sequence[Failure], indent: int, *, titled: bool, closed: bool = False) -> Iterator[Text]:
        """A chain, cause first. ``titled``: the title of the last one stands above already."""
        first, folded, last = chain_of(chain, all_frames=self._layout.all_frames)
        for failure in first:
            yield from self._failure(failure, chain[-1], indent, titled=titled, closed=closed)
        if folded:
            yield self._note(f"{len(folded)} more exceptions: {self._layout.more} --all-frames", indent)
            yield self._join(folded[-1], indent)
        for failure in last:
            yield from self._failure(failure, chain[-1], indent, titled=titled, closed=closed)

    def _failure(self, failure: Failure, last: Failure, indent: int, *, titled: bool, closed: bool) -> Iterator[Text]:
        """One exception of a chain, and what it has to do with the next."""
        is_last = failure is last
        if failure.title and not (is_last and titled):
            yield from self._heading(failure, indent, _ROWS_OF_VALUE if is_last else _ROWS_OF_CAUSE)
        for note in failure.notes:
            yield self._note(note, indent + 2)
        yield from stack_lines(failure.frames, self._layout, indent, closed=closed)
        yield from self._members(failure, indent + 2, closed=closed)
        if not is_last:
            yield self._join(failure, indent)

    def _join(self, failure: Failure, indent: int) -> Text:
        text = self._screen.fit(f"{self._screen.signs.ellipsis} {failure.join}", self._screen.width - indent)
        return row((" " * indent + text, "italic"))

    def _members(self, group: Failure, indent: int, *, closed: bool) -> Iterator[Text]:
        """The members of a group; those that differ in nothing but their values are shown once."""
        kinds, total = kinds_of(group), len(group.members)
        shown = kinds[: None if self._layout.all_frames else _MEMBERS]
        indent = min(indent, self._screen.width // 3)
        for index, ((number, member), *others) in enumerate(shown):
            times = f" {self._screen.signs.times}{len(others) + 1}" if others else ""
            label = f"{' ' * indent}{number}/{total} "
            title = self._title(member[-1].title, self._screen.width - len(label) - len(times))
            yield row((label, "dim"), title, (times, "bold"))
            yield from self._chain(member, indent + 2, titled=len(member) == 1, closed=closed or index > 0)
            for other, chain in others[:_OTHER_VALUES]:
                label = f"{' ' * indent}{other}/{total} "
                value = "\\n".join(chain[-1].value) or chain[-1].type
                yield row((label, "dim"), self._screen.fit(value, self._screen.width - len(label)))
            if len(others) > _OTHER_VALUES:
                yield self._note(f"and {len(others) - _OTHER_VALUES} more of them", indent)
        if len(kinds) > len(shown):
            left = sum(map(len, kinds[len(shown) :]))
            yield self._note(f"and {left} others: {self._layout.more} --all-frames", indent)

    def _heading(self, failure: Failure, indent: int, rows: int) -> Iterator[Text]:
        text = (
            ": ".join(filter(None, (failure.type, failure.value[0] if failure.value else ""))),
            *failure.value[1:],
        )
        first = True
        for line in self._paragraph(text, indent, rows):
            if first and failure.type:
                line.stylize("bold", indent, indent + len(failure.type))
            first = False
            yield line

    def _paragraph(self, lines: Sequence[str], indent: int, rows: int, label: str = "") -> Iterator[Text]:
        """Text of several lines, wrapped, cut after so many rows."""
        room = self._screen.width - indent
        rows = MAX_ROWS if self._layout.locals_ else rows
        wrapped: list[str] = []
        for index, line in enumerate((label + lines[0], *lines[1 : rows + 1])):
            inset = 2 if index else 0
            parts = self._screen.wrap(line, room - inset, rows)
            wrapped.extend(" " * (inset if index or number else 0) + part for number, part in enumerate(parts))
        if len(wrapped) > rows:
            wrapped[rows - 1 :] = [self._with_ellipsis(wrapped[rows - 1], room)]
        for line in wrapped:
            yield row(" " * indent + self._screen.fit(line, room))

    def _with_ellipsis(self, text: str, room: int) -> str:
        ellipsis = self._screen.signs.ellipsis
        text = self._screen.fit(text, room - len(ellipsis) - 1)
        return text if text.endswith(ellipsis) else f"{text} {ellipsis}"

    def _before(self, crumbs: Sequence[Crumb]) -> Text:
        """The last few breadcrumbs on one line, each with its distance in time."""
        screen = self._screen
        many = 1 if screen.width < NARROW else 2 if screen.width < WIDE else 3
        texts = [crumb_text(crumb, self._reading.at, screen) for crumb in crumbs[-many:]]
        room = screen.width - len("  before: ") - len(self._dot) * (len(texts) - 1)
        shares = _shares([cell_len(text) for text in texts], room)
        fitted = (self._fit_crumb(text, share) for text, share in zip(texts, shares, strict=True))
        return row(("  before: ", "dim"), self._dot.join(fitted))

    def _fit_crumb(self, text: str, room: int) -> str:
        """What was answered survives the cut, and of the address its beginning and end."""
        asked, arrow, answer = text.rpartition(f" {self._screen.signs.arrow} ")
        left = room - cell_len(arrow + answer)
        if not arrow or left < room // 2:
            return self._screen.fit(text, room)
        return self._screen.fit_middle(asked, left) + arrow + answer

    def _title(self, title: str, room: int) -> Text:
        """``Type: value``, the type bold."""
        line = row(self._screen.fit(title, room))
        line.stylize("bold", 0, len(title.partition(":")[0]))
        return line

    def _note(self, text: str, indent: int) -> Text:
        return row((" " * indent + self._screen.fit(f"({text})", self._screen.width - indent), "dim"))

    def _cut(self, lines: Sequence[str], *notes: str) -> bool:
        """Whether the title in the header cannot say all of this."""
        room = self._screen.width - self._head.cell_len
        return len(lines) > 1 or bool(lines and cell_len(lines[0]) > room) or "\\n" in lines[0] or any(notes)


def _head(reading: Reading, now: float | None) -> Text:
    level = reading.level[:7].upper()
    return row((_clock(reading.at, now) + " ", "dim"), (level, _LEVELS.get(reading.level, "bold")), " ")


def _clock(at: float, now: float | None) -> str:
    """Local time of day; the date before it if that is another than today's."""
    moment = time.localtime(at)
    today = time.localtime(now)
    return time.strftime("%H:%M:%S" if moment[:3] == today[:3] else "%Y-%m-%d %H:%M:%S", moment)


def _distance(seconds: float, minus: str) -> str:
    sign = minus if seconds <= 0 else "+"
    seconds = abs(seconds)
    if seconds < _SHORT:
        return f"{sign}{seconds * 1000:.0f}ms"
    if seconds < _MINUTE:
        return f"{sign}{seconds:.1f}s"
    return f"{sign}{seconds / _MINUTE:.0f}min" if seconds < _HOUR else f"{sign}{seconds / _HOUR:.0f}h"


def _shares(wanted: Sequence[int], room: int) -> list[int]:
    """Divide the room: what a short one leaves goes to the others."""
    shares = [0] * len(wanted)
    left = len(wanted)
    for index in sorted(range(len(wanted)), key=lambda index: wanted[index]):
        shares[index] = min(wanted[index], room // left)
        room -= shares[index]
        left -= 1
    return shares


def _stacks(chain: Sequence[Failure]) -> Iterator[Sequence[Frame]]:
    for failure in chain:
        yield failure.frames
        for member in failure.members:
            yield from _stacks(member)
