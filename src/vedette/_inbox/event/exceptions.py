"""The exceptions of an event, as a tree: a chain is cause first, a group carries the chain of each member."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vedette._inbox.event import safe
from vedette._inbox.event.fields import MAX_ENTRIES, MAX_WORD, Entry
from vedette._inbox.event.structures import as_python
from vedette._inbox.shape import MAX_EXCEPTIONS, exceptions_of, is_own

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vedette._inbox.event.fields import Fields
    from vedette._inbox.event.remarks import Path
    from vedette._inbox.shape import Raised

MAX_FRAMES = 100
"""Frames of one stack: the oldest 20 and the newest 80, as the client sends them."""
MAX_EVENT_FRAMES = 4_000
_MAX_THREADS = 100
_MAX_DEPTH_OF_GROUPS = 16
_OLDEST_FRAMES = 20
_SOURCE_LINES = 10
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")

JOINS = {"__cause__": "was the direct cause of", "__context__": "while handling it, this occurred"}


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in a stack, with its source lines and variables. Unknown parts are empty."""

    module: str = ""
    filename: str = ""
    function: str = ""
    lineno: int | None = None
    path: str = ""
    """The file's absolute path as it was sent, not made safe: for links, which encode it."""
    own: bool = True
    code: str = ""
    columns: tuple[int, int | None] | None = None
    """Where in ``code`` it failed: the offset of the first character, and that after the last one if known."""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    variables: tuple[Entry, ...] = ()
    note: str = ""

    @property
    def place(self) -> tuple[str, str, int | None]:
        """What makes two frames of a recursion the same."""
        return (self.module or self.filename, self.function, self.lineno)

    @property
    def file(self) -> str:
        """``shop/pricing.py:7``."""
        name = self.filename or self.module or "?"
        return name if self.lineno is None else f"{name}:{self.lineno}"

    @property
    def link(self) -> str:
        """A ``file:`` address, or an empty string."""
        return "file://" + quote(self.path, errors="replace") if self.path.startswith("/") else ""


@dataclass(frozen=True, slots=True)
class Failure:
    """One exception, or the stack of a message."""

    type: str
    value: tuple[str, ...]
    frames: tuple[Frame, ...]
    notes: tuple[str, ...] = ()
    handled: bool | None = None
    source: str = ""
    members: tuple[tuple[Failure, ...], ...] = ()
    """Of a group: each member's chain, oldest first."""

    @property
    def title(self) -> str:
        """``Type: value`` on one line."""
        return ": ".join(filter(None, (self.type, "\\n".join(self.value))))

    @property
    def join(self) -> str:
        """What this one has to do with the next of its chain."""
        return JOINS.get(self.source, "led to")


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread of the process; its stack only if it is another one than the exception's."""

    name: str
    state: str
    frames: tuple[Frame, ...]
    note: str = ""


class Stacks:
    """Reads all stacks of one event, within a number of frames for all of them."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._frames_left = MAX_EVENT_FRAMES

    def chain(self) -> tuple[Failure, ...]:
        """The exceptions."""
        fields = self._fields
        values, path = fields.values("exception")
        if len(values) > MAX_EXCEPTIONS:
            fields.say(f"exception: the last {MAX_EXCEPTIONS} of {len(values)} are shown")
        first = max(0, len(values) - MAX_EXCEPTIONS)
        objects = list(fields.objects(values[first:], path, first))
        # The outermost first: should frames be too many, those of a group's last members are left out.
        failures = [self._failure(value, where) for value, where in reversed(objects)]
        return _tree(failures[::-1], *exceptions_of(fields.data))

    def threads(self) -> list[Thread]:
        """The threads, the one that the event is of first."""
        values, path = self._fields.values("threads")
        if len(values) > _MAX_THREADS:
            self._fields.say(f"threads: the first {_MAX_THREADS} of {len(values)} are shown")
        found = sorted(self._fields.objects(values[:_MAX_THREADS], path), key=_is_current, reverse=True)
        return [self._thread(thread, where) for thread, where in found]

    def stack_of_event(self) -> tuple[Failure, ...]:
        """A stack that stands in the event itself, as old clients send that of a message."""
        frames, note = self._frames(self._fields.data, ())
        return (Failure("", (), frames, (note,) if note else ()),) if frames else ()

    def _thread(self, thread: Mapping[str, Any], path: Path) -> Thread:
        frames, note = self._frames(thread, path)
        number = thread.get("id")
        name = self._fields.word(thread, "name", path) or ("" if number is None else safe.line(str(number), MAX_WORD))
        states = [word for word in ("crashed", "current", "main") if thread.get(word) is True]
        return Thread(name or "?", ", ".join(states), frames, note)

    def _failure(self, value: Mapping[str, Any], path: Path) -> Failure:
        fields = self._fields
        text = fields.text(value, "value", path)
        mechanism = fields.mapping(value, "mechanism", path)
        handled = mechanism.get("handled")
        frames, note = self._frames(value, path)
        return Failure(
            type=fields.word(value, "type", path),
            value=tuple(safe.lines(text)) if text else (),
            frames=frames,
            notes=tuple(filter(None, (fields.notes.take((*path, "value")), note))),
            handled=handled if isinstance(handled, bool) else None,
            source=fields.word(mechanism, "source", (*path, "mechanism")),
        )

    def _frames(self, owner: Mapping[str, Any], path: Path) -> tuple[tuple[Frame, ...], str]:
        fields = self._fields
        stacktrace = fields.mapping(owner, "stacktrace", path)
        path = (*path, "stacktrace", "frames")
        sent = fields.sequence(stacktrace, "frames", path[:-1])
        note = fields.notes.take(path)
        allowed = min(MAX_FRAMES, self._frames_left)
        if len(sent) > allowed:
            note = f"{allowed} of {len(sent)} frames shown"
        newest = max(0, len(sent) - max(0, allowed - _OLDEST_FRAMES))
        oldest = sent[: min(newest, _OLDEST_FRAMES, allowed)]
        self._frames_left -= min(len(sent), allowed)
        objects = [*fields.objects(oldest, path), *fields.objects(sent[newest:], path, newest)]
        return tuple(self._frame(frame, where) for frame, where in objects), note

    def _frame(self, frame: Mapping[str, Any], path: Path) -> Frame:
        fields = self._fields
        filename, absolute = fields.word(frame, "filename", path), fields.text(frame, "abs_path", path)
        variables, note = self._variables(frame, path)
        line = fields.text(frame, "context_line", path)
        return Frame(
            module=fields.word(frame, "module", path),
            filename=filename or safe.line(absolute, MAX_WORD),
            function=fields.word(frame, "function", path),
            lineno=fields.number(frame, "lineno", path),
            path=absolute if _is_local(absolute) else "",
            own=is_own(frame),
            code=safe.code(line),
            columns=self._columns(frame, line, path),
            before=self._source(frame, "pre_context", path)[-_SOURCE_LINES:],
            after=self._source(frame, "post_context", path)[:_SOURCE_LINES],
            variables=variables,
            note=note,
        )

    def _columns(self, frame: Mapping[str, Any], line: str, path: Path) -> tuple[int, int | None] | None:
        """``colno`` and ``end_colno`` (characters, from 1; the end is the first one that is no part of it)."""
        first = self._fields.number(frame, "colno", path)
        if first is None or not 0 < first <= len(line):
            return None
        start = _shown_width(line, first - 1)
        end = self._fields.number(frame, "end_colno", path)
        return start, _shown_width(line, end - 1) if end is not None and first < end <= len(line) + 1 else None

    def _source(self, frame: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
        return tuple(
            safe.code(text) if isinstance(text, str) else "" for text in self._fields.sequence(frame, key, path)
        )

    def _variables(self, frame: Mapping[str, Any], path: Path) -> tuple[tuple[Entry, ...], str]:
        fields = self._fields
        values = fields.mapping(frame, "vars", path)
        path = (*path, "vars")
        note = fields.notes.take(path)
        if len(values) > MAX_ENTRIES:
            note = f"{MAX_ENTRIES} of {len(values)} variables shown"
        pairs = list(values.items())[:MAX_ENTRIES]
        if fields.data.get("platform") == "python":
            pairs = [(name, as_python(value)) for name, value in pairs]
        return tuple(fields.entry(name, value, (*path, name)) for name, value in pairs), note


def _tree(failures: Sequence[Failure], raised: Sequence[Raised], outermost: int) -> tuple[Failure, ...]:
    """Hang the exceptions together: one chain, oldest first, whose groups hold the chains of their members.

    Groups in more than 16 others are counted where they would stand. What the outermost one does not lead to (a
    broken event) stands before it, so that nothing is hidden.
    """
    seen: set[int] = set()

    def chain_to(last: int | None, depth: int) -> list[Failure]:
        order: list[int] = []
        while last is not None and last not in seen:
            seen.add(last)
            order.append(last)
            last = raised[last].cause
        return [with_members(index, depth) for index in reversed(order)]

    def with_members(index: int, depth: int) -> Failure:
        members, failure = raised[index].members, failures[index]
        if members and depth == _MAX_DEPTH_OF_GROUPS:
            number = mark_below(index)
            return replace(failure, notes=(*failure.notes, f"{number} exceptions inside it, nested deeper, left out"))
        chains = (tuple(chain_to(member, depth + 1)) for member in members)
        return replace(failure, members=tuple(filter(None, chains)))

    def mark_below(index: int) -> int:
        waiting, before = list(raised[index].members), len(seen)
        while waiting:
            found = waiting.pop()
            if found not in seen:
                seen.add(found)
                cause = raised[found].cause
                waiting.extend([*raised[found].members, *([] if cause is None else [cause])])
        return len(seen) - before

    whole = chain_to(outermost, 0) if failures else []
    for index in reversed(range(len(failures))):
        if index not in seen:
            whole = [*chain_to(index, 0), *whole]
    return tuple(whole)


def _is_current(thread: tuple[Mapping[str, Any], Path]) -> bool:
    return thread[0].get("current") is True or thread[0].get("crashed") is True


def _shown_width(line: str, characters: int) -> int:
    """How many characters the beginning of a source line has after it was made safe."""
    return len(safe.line(line[:characters].expandtabs(4)))


def _is_local(path: str) -> bool:
    """Whether it is an absolute path: not relative, not a share, and without a way up."""
    plain = path.replace("\\", "/")
    absolute = path.startswith("/") or _DRIVE.match(path) is not None
    return absolute and not plain.startswith("//") and "/../" not in plain + "/" and len(path) <= MAX_WORD
