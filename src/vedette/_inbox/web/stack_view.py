"""The stacks of one event as the template shows them: what is open, coloured, linked, folded, and left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vedette._inbox.event.folding import (
    LibraryRun,
    Single,
    chain_of,
    failing_part,
    kinds_of,
    rows_of,
    source_of,
    variables_of,
)
from vedette._inbox.web.cells import Cells, cells_of
from vedette._inbox.web.code import Colours, Piece, Pieces, plain, underlined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vedette._inbox.event.exceptions import Failure, Frame
    from vedette._inbox.event.folding import Member, Row
    from vedette._inbox.web.editors import Editor

MAX_FRAMES: Final = 500
MAX_ROWS: Final = 2_000
"""Variables of all frames of a page; those of the failing frames come first."""
MAX_KINDS: Final = 50
_AROUND: Final = 5
_HEAD: Final = 200  # characters of code in the head of a frame
_NARROW: Final = 36  # characters
_OTHERS: Final = 20
_PLACE_WIDTHS: Final = (16, 24, 32, 40)
_FUNCTION_WIDTHS: Final = (8, 16, 24)


class Line(NamedTuple):
    """A source line; the one where it failed, or one beside it."""

    pieces: Pieces
    failing: bool = False


@dataclass(frozen=True, slots=True)
class FrameView:
    """A frame: a line when it is folded; its source and variables when it is open."""

    frame: Frame
    id: str  # "e0-f2": exception, frame
    place: str  # file and line, and the function: cut to their columns
    function: str
    open: bool
    head: Pieces
    lines: tuple[Line, ...]
    first_line: int | None  # the number of the first of them
    variables: tuple[Cells, ...]
    note: str
    editor: str  # a link, or empty

    @property
    def is_wide(self) -> bool:
        """Whether its source may have to be scrolled in a narrow window."""
        return any(sum(len(piece.text) for piece in line.pieces) > _NARROW for line in self.lines)

    @property
    def is_cut(self) -> bool:
        """Whether the frame's head does not say everything."""
        return (self.place, self.function) != (self.frame.file, self.frame.function)


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows behind one line: a run of library frames, or repeats."""

    text: str
    code: str
    rows: tuple[FrameView | Fold, ...]


@dataclass(frozen=True, slots=True)
class KindView:
    """Members of a group that differ in their values only: one of them whole, and what the others say."""

    number: int
    title: str
    times: int
    chain: Chain
    others: tuple[Member, ...]
    left_out: int
    open: bool


@dataclass(frozen=True, slots=True)
class FailureView:
    """One exception of a chain; ``join`` is what it did to the next, ``below`` how many rows stand above its place."""

    failure: Failure
    rows: tuple[FrameView | Fold, ...]
    notes: tuple[str, ...]
    marked: FrameView | None
    above: int
    kinds: tuple[KindView, ...]
    kinds_left_out: int
    join: str


@dataclass(frozen=True, slots=True)
class Middle:
    """Of a long chain what stands between its first and its last exceptions: behind one line."""

    failures: tuple[FailureView, ...]


Chain: TypeAlias = "tuple[FailureView | Middle, ...]"
"""Oldest first."""


class Stacks:
    """Builds the views of one page: ids are given, and limits kept, in the order of reading."""

    def __init__(self, chain: Sequence[Failure], editor: Editor) -> None:
        self._editor = editor
        self._colours = Colours()
        self._exceptions = 0
        self._frames_left = MAX_FRAMES
        stacks = list(_stacks_of(chain))
        own = [frame for stack in stacks for frame in stack if frame.own]
        self._allowed = _allowed_variables(stacks)
        self.place_width = _width((len(frame.file) for frame in own), _PLACE_WIDTHS)
        self.function_width = _width((len(frame.function) for frame in own), _FUNCTION_WIDTHS)
        self.chain = self._chain(chain)

    def stack(self, frames: Sequence[Frame]) -> tuple[FrameView | Fold, ...]:
        """A stack beside the exceptions: another thread's."""
        return self._rows(frames)[0]

    def _chain(self, chain: Sequence[Failure]) -> Chain:
        views = [self._failure(failure, failure.join) for failure in chain[:-1]]
        views += [self._failure(failure, "") for failure in chain[-1:]]
        first, middle, last = chain_of(views)
        return (*first, *([Middle(tuple(middle))] if middle else ()), *last)

    def _failure(self, failure: Failure, join: str) -> FailureView:
        rows, note = self._rows(failure.frames)
        marked = next(((index, row) for index, row in enumerate(rows) if isinstance(row, FrameView) and row.open), None)
        kinds = kinds_of(failure)
        return FailureView(
            failure=failure,
            rows=rows,
            notes=(*failure.notes, *([note] if note else [])),
            marked=marked[1] if marked else None,
            above=marked[0] if marked else 0,
            kinds=tuple(self._kind(kind, opened=index == 0) for index, kind in enumerate(kinds[:MAX_KINDS])),
            kinds_left_out=sum(map(len, kinds[MAX_KINDS:])),
            join=join,
        )

    def _kind(self, kind: list[Member], *, opened: bool) -> KindView:
        (number, chain), *others = kind
        return KindView(
            number=number,
            title=chain[-1].title,
            times=len(kind),
            chain=self._chain(chain),
            others=tuple(others[:_OTHERS]),
            left_out=max(0, len(others) - _OTHERS),
            open=opened,
        )

    def _rows(self, frames: Sequence[Frame]) -> tuple[tuple[FrameView | Fold, ...], str]:
        """The rows of a stack, and what is to say about frames that the page has no room for."""
        kept = frames[max(0, len(frames) - self._frames_left) :]
        self._frames_left -= len(kept)
        exception = self._exceptions
        self._exceptions += 1
        numbers = iter(range(len(frames) - len(kept), len(frames)))
        rows = tuple(self._row(row, exception, numbers) for row in (rows_of(kept) if kept else ()))
        left_out = len(frames) - len(kept)
        return rows, f"{left_out} frames are not shown: the page is full, they are in the JSON" if left_out else ""

    def _row(self, row: Row, exception: int, numbers: Iterator[int]) -> FrameView | Fold:
        if isinstance(row, Single):
            return self._frame(row, f"e{exception}-f{next(numbers)}")
        if isinstance(row, LibraryRun):
            views = tuple(self._frame(Single(frame), f"e{exception}-f{next(numbers)}") for frame in row.frames)
            return Fold(f"{len(views)} frames in {', '.join(row.names)}", row.frames[-1].code.strip(), views)
        places = ", ".join(f"`{frame.function}` {frame.file}" for frame in row.frames)
        units = tuple(self._row(unit, exception, numbers) for unit in row.units)
        return Fold(f"{row.times} more times {places}", "", units)

    def _frame(self, single: Single, name: str) -> FrameView:
        frame, places, functions = single.frame, self.place_width, self.function_width
        lines = self._lines(single)
        at, head = next(((at, line.pieces) for at, line in enumerate(lines) if line.failing), (0, ()))
        variables, _ = variables_of(frame, len(frame.variables))
        allowed = self._allowed.get(id(frame), 0)
        notes = [frame.note] if frame.note else []
        if allowed < len(variables):
            notes.append(f"{len(variables) - allowed} variables are not shown: the page is full, they are in the JSON")
        return FrameView(
            frame=frame,
            id=name,
            place=_end_of(frame.file, places),
            function=frame.function if len(frame.function) <= functions else frame.function[: functions - 1] + "…",
            open=single.marked,
            head=_stripped(head),
            lines=lines,
            first_line=None if frame.lineno is None else frame.lineno - at,
            variables=cells_of(variables[:allowed]),
            note="; ".join(notes),
            editor=self._editor.link(frame.path, frame.lineno),
        )

    def _lines(self, single: Single) -> tuple[Line, ...]:
        frame = single.frame
        source = source_of(frame, _AROUND)
        texts = (*source.before, source.code, *source.after)
        if not any(texts):
            return ()
        coloured = plain(texts)
        if frame.own:
            coloured = self._colours.lines(texts, frame.filename or frame.path, first=single.marked)
        lines = [Line(pieces) for pieces in coloured]
        at = len(source.before)
        lines[at] = Line(_with_columns(coloured[at], frame, source.margin), failing=True)
        return tuple(lines)


def _end_of(place: str, width: int) -> str:
    """What matters of a path that is too long, from one of its folders on if there is one."""
    if len(place) <= width:
        return place
    end = place[1 - width :]
    slash = end.find("/")
    return "…" + (end[slash:] if slash >= 0 else end)


def _with_columns(pieces: Pieces, frame: Frame, margin: int) -> Pieces:
    """What failed is underlined."""
    part = failing_part(frame)
    if part is None:
        return pieces
    start, end = part
    return underlined(pieces, max(0, start - margin), max(0, end - margin))


def _stripped(pieces: Pieces) -> Pieces:
    """The failing line for the frame's head: its beginning, without indentation and underline."""
    head: list[Piece] = []
    left = _HEAD
    for piece in pieces:
        text = piece.text if head else piece.text.lstrip()
        if len(text) > left:
            head.append(Piece(piece.kind, text[:left] + "…"))
            break
        if text:
            head.append(Piece(piece.kind, text))
        left -= len(text)
    return tuple(head)


def _stacks_of(chain: Iterable[Failure]) -> Iterator[Sequence[Frame]]:
    for failure in chain:
        yield failure.frames
        for kind in kinds_of(failure):
            yield from _stacks_of(kind[0][1])


def _allowed_variables(stacks: Sequence[Sequence[Frame]]) -> dict[int, int]:
    """How many variables of each frame (by identity) fit into a page.

    Those of the failing frames first, then of own ones, then of the rest, in the order of reading; of a stack
    the newest first.
    """
    newest_first = [list(reversed(stack)) for stack in stacks if stack]
    failing = [next((frame for frame in stack if frame.own), stack[0]) for stack in newest_first]
    frames = [frame for stack in newest_first for frame in stack]
    left = MAX_ROWS
    allowed: dict[int, int] = {}
    for frame in (*failing, *sorted(frames, key=lambda frame: not frame.own)):
        if id(frame) not in allowed:
            allowed[id(frame)] = min(left, len(frame.variables))
            left -= allowed[id(frame)]
    return allowed


def _width(lengths: Iterable[int], steps: Sequence[int]) -> int:
    """The smallest of the steps that most of them fit into."""
    longest = max(lengths, default=0)
    return next((step for step in steps if longest <= step), steps[-1])
