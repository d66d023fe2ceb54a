"""Which rows a stack is shown as: library runs and repeats fold, the failing frame never does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vedette._inbox.event.exceptions import Failure, Frame
    from vedette._inbox.event.fields import Entry

_LIBRARY_RUN = 2
_REPEATS = 3
_MAX_PERIOD = 4
"""Functions that call each other in a circle: so many are recognized."""
_ENDS_OF_CHAIN = 3
_WHOLE_CHAIN = 8
"""Exceptions of a chain that are all shown: more hide their middle."""
_WORD = re.compile(r"\w+|.")
_Link = TypeVar("_Link")
_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Single:
    """A frame on a row of its own; the marked one is where to look first."""

    frame: Frame
    marked: bool = False


@dataclass(frozen=True, slots=True)
class LibraryRun:
    """Two or more frames in a row that are not the program's own."""

    frames: tuple[Frame, ...]

    @property
    def names(self) -> list[str]:
        """The modules they are in, shortened to the packages they share."""
        by_package: dict[str, str] = {}
        for frame in self.frames:
            name = frame.module or frame.filename or "an unknown place"
            package = name.partition(".")[0]
            by_package[package] = _common(by_package.get(package, name), name)
        return list(by_package.values())


@dataclass(frozen=True, slots=True)
class Repeat:
    """The rows above, so many more times; ``units`` has those of all rounds."""

    times: int
    units: tuple[Single | LibraryRun, ...]

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The frames of one round."""
        of_one = self.units[: len(self.units) // self.times]
        return tuple(frame for unit in of_one for frame in _frames_of(unit))


Row = Single | LibraryRun | Repeat


def rows_of(frames: Sequence[Frame], *, all_frames: bool = False) -> list[Row]:
    """The rows of a stack, oldest first. Marked is the innermost own frame, or the innermost of all."""
    own = [index for index, frame in enumerate(frames) if frame.own]
    marked = own[-1] if own else len(frames) - 1
    if all_frames:
        return [Single(frame, index == marked) for index, frame in enumerate(frames)]
    units: list[Single | LibraryRun] = []
    run: list[Frame] = []
    for index, frame in enumerate(frames):
        if not frame.own and index != marked:
            run.append(frame)
            continue
        units.extend(_run(run))
        run = []
        units.append(Single(frame, index == marked))
    units.extend(_run(run))
    return _fold_repeats(units)


def variables_of(frame: Frame, limit: int) -> tuple[list[Entry], list[Entry]]:
    """The variables to show, those that the failing line names first, and the rest.

    In the order of the line, but CONSTANTS after what varies: in ``RATES[country]`` the country is the news.
    ``limit`` grows by what the line names (up to twice), and by one if only one would be left: that one takes
    the row that a hint would take.
    """
    on_line = _NAME.findall(frame.code)
    named = [variable for variable in frame.variables if variable.name in on_line]
    named.sort(key=lambda variable: (variable.name.isupper(), on_line.index(variable.name)))
    ordered = [*named, *(variable for variable in frame.variables if variable.name not in on_line)]
    shown = max(limit, min(len(named), 2 * limit))
    if len(ordered) <= shown + 1:
        shown = len(ordered)
    return ordered[:shown], ordered[shown:]


@dataclass(frozen=True, slots=True)
class Source:
    """The lines around the failing one, without blank ones at the edges and without common indentation."""

    before: tuple[str, ...]
    code: str
    after: tuple[str, ...]
    margin: int
    """Characters of indentation taken away."""


def source_of(frame: Frame, around: int) -> Source:
    """At most so many lines before and after."""
    before, after = list(frame.before[-around:]), list(frame.after[:around])
    while before and not before[0].strip():
        before.pop(0)
    while after and not after[-1].strip():
        after.pop()
    lines = [*before, frame.code, *after]
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    cut = [line[margin:] for line in lines]
    return Source(tuple(cut[: len(before)]), cut[len(before)], tuple(cut[len(before) + 1 :]), margin)


def failing_part(frame: Frame) -> tuple[int, int] | None:
    """Where in the failing line it failed, as offsets, if that is less than the whole line.

    Where only the beginning is known, it is the word that stands there; at the line's own beginning it says nothing.
    """
    if frame.columns is None:
        return None
    start, end = frame.columns
    at_margin = not frame.code[:start].strip()
    if end is None:
        word = _WORD.match(frame.code, start)
        return None if word is None or at_margin else (start, word.end())
    return None if at_margin and not frame.code[end:].strip() else (start, end)


def chain_of(
    chain: Sequence[_Link], *, all_frames: bool = False
) -> tuple[Sequence[_Link], Sequence[_Link], Sequence[_Link]]:
    """A chain's first exceptions, those in the middle of a long one, which fold, and its last."""
    if all_frames or len(chain) <= _WHOLE_CHAIN:
        return chain, (), ()
    return chain[:_ENDS_OF_CHAIN], chain[_ENDS_OF_CHAIN:-_ENDS_OF_CHAIN], chain[-_ENDS_OF_CHAIN:]


Member = tuple[int, "tuple[Failure, ...]"]
"""One of a group: its number, from 1, and its chain."""


def kinds_of(group: Failure) -> list[list[Member]]:
    """The members of a group, those together that differ in nothing but their values."""
    kinds: dict[object, list[Member]] = {}
    for number, member in enumerate(group.members, 1):
        kinds.setdefault(_signature(member), []).append((number, member))
    return list(kinds.values())


def _signature(chain: Sequence[Failure]) -> object:
    return tuple(
        (
            failure.type,
            tuple(frame.place for frame in failure.frames),
            tuple(_signature(member) for member in failure.members),
        )
        for failure in chain
    )


def _run(frames: list[Frame]) -> list[Single | LibraryRun]:
    if len(frames) < _LIBRARY_RUN:
        return [Single(frame) for frame in frames]
    return [LibraryRun(tuple(frames))]


def _fold_repeats(units: list[Single | LibraryRun]) -> list[Row]:
    keys = [_key(unit) for unit in units]
    rows: list[Row] = []
    index = 0
    while index < len(units):
        for period in range(1, _MAX_PERIOD + 1):
            times = _times(keys, index, period)
            if times >= _REPEATS:
                more = index + period
                index += times * period
                rows.extend((*units[more - period : more], Repeat(times - 1, tuple(units[more:index]))))
                break
        else:
            rows.append(units[index])
            index += 1
    return rows


def _key(unit: Single | LibraryRun) -> object:
    """Equal for units of a repeat; the marked one is like no other."""
    if isinstance(unit, Single) and unit.marked:
        return unit
    return tuple(frame.place for frame in _frames_of(unit))


def _times(keys: Sequence[object], start: int, period: int) -> int:
    first = keys[start : start + period]
    end = start + period
    while len(first) == period and keys[end : end + period] == first:
        end += period
    return (end - start) // period


def _frames_of(unit: Single | LibraryRun) -> tuple[Frame, ...]:
    return (unit.frame,) if isinstance(unit, Single) else unit.frames


def _common(one: str, other: str) -> str:
    parts: list[str] = []
    for left, right in zip(one.split("."), other.split("."), strict=False):
        if left != right:
            break
        parts.append(left)
    return ".".join(parts) or one
