"""What the template of the event page shows beside the stacks, decided here: what is cut, linked, and summed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vedette._inbox.event import safe
from vedette._inbox.event.received import read
from vedette._inbox.web.cells import Cells, cells_of
from vedette._inbox.web.sections import CrumbView, File, Section, crumbs_of, files_of, sections_of
from vedette._inbox.web.stack_view import Chain, FailureView, Fold, FrameView, Stacks
from vedette._inbox.words import size_in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vedette._inbox.event.received import Reading
    from vedette._inbox.models import Attachment, Issue, StoredEvent
    from vedette._inbox.web.editors import Editor

CRUMBS_OPEN: Final = 20
_LINES_OF_VALUE: Final = 6
_LENGTH_WIDE: Final = 540
_LENGTH_NARROW: Final = 220
"""Characters in six lines of a window of 1280 pixels, and of 400."""
_FAR_BELOW: Final = 10
"""Rows above the failing line from which on it is named at the top."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text of several lines: what is shown of it, and the whole if that is more, or more in a narrow window."""

    shown: tuple[str, ...]
    whole: tuple[str, ...] = ()
    if_narrow: bool = False


@dataclass(frozen=True, slots=True)
class Where:
    """The root cause, when the page does not begin with it."""

    title: str
    at: FrameView


@dataclass(frozen=True, slots=True)
class OtherThread:
    """A thread that is not the one of the event."""

    name: str
    state: str
    rows: tuple[FrameView | Fold, ...]


@dataclass(frozen=True, slots=True)
class EventView:
    """One event, ready for ``event.html``."""

    event: StoredEvent
    issue: Issue
    reading: Reading
    kind: str  # the exception's type, or empty for a message
    value: Text
    logged: Text  # a message beside the exception
    params: tuple[Cells, ...]  # of the message
    handled: str
    stacks: Stacks
    where: Where | None
    earlier_crumbs: tuple[CrumbView, ...]
    crumbs: tuple[CrumbView, ...]
    sections: tuple[Section, ...]
    threads: tuple[OtherThread, ...]
    files: tuple[File, ...]
    size: str
    explanation: tuple[str, ...]
    older: str
    newer: str

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see but what is wrong with it."""
        return not (self.reading.chain or self.reading.message.lines)


def view_of(
    event: StoredEvent, issue: Issue, beside: tuple[str, str], attachments: Sequence[Attachment], editor: Editor
) -> EventView:
    """Read an event and decide what its page shows."""
    reading = read(event)
    stacks, crumbs = Stacks(reading.chain, editor), crumbs_of(reading)
    last = reading.chain[-1] if reading.chain else None
    is_exception = last is not None and bool(last.title)
    message = reading.message.lines
    said = is_exception and last is not None and message == last.value
    value = last.value if is_exception and last is not None else message or (reading.title,)
    older, newer = beside
    return EventView(
        event=event,
        issue=issue,
        reading=reading,
        kind=last.type if is_exception and last is not None else "",
        value=_cut(value),
        logged=_cut(message) if is_exception and message and not said else Text(()),
        params=cells_of(reading.message.params),
        handled=_handled(reading),
        stacks=stacks,
        where=_where(stacks.chain),
        earlier_crumbs=crumbs[:-CRUMBS_OPEN],
        crumbs=crumbs[-CRUMBS_OPEN:],
        sections=sections_of(reading),
        threads=tuple(
            OtherThread(thread.name, thread.state, stacks.stack(thread.frames)) for thread in reading.threads
        ),
        files=files_of(attachments),
        size=size_in_words(event.size),
        explanation=tuple(safe.lines(issue.explanation)) if issue.explanation else (),
        older=older,
        newer=newer,
    )


def _cut(lines: tuple[str, ...]) -> Text:
    shown = list(lines[:_LINES_OF_VALUE])
    left = _LENGTH_WIDE
    for index, line in enumerate(shown):
        if len(line) > left:
            shown[index:] = [line[:left] + "…"]
            break
        left -= len(line)
    if tuple(shown) != lines:
        return Text(tuple(shown), lines)
    return Text(lines, lines, if_narrow=True) if _LENGTH_WIDE - left > _LENGTH_NARROW else Text(lines)


def _handled(reading: Reading) -> str:
    known = {failure.handled for failure in reading.chain}
    return "unhandled" if False in known else "handled" if True in known else ""


def _where(chain: Chain) -> Where | None:
    """Only if it is not the first thing that follows, or far below."""
    root, is_first = chain[0] if chain else None, True
    while isinstance(root, FailureView) and root.kinds and root.kinds[0].chain:
        root, is_first = root.kinds[0].chain[0], False
    if not isinstance(root, FailureView) or root.marked is None or (is_first and root.above < _FAR_BELOW):
        return None
    return Where(root.failure.title, root.marked)
