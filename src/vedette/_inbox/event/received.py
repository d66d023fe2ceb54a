"""A received event, read field by field into plain, typed, safe values. Reading never fails, whatever it is.

The only door between what a client sent and what is laid out:

- a field of another type than it should have is left out and remarked by its path;
- all text is made safe (``safe.py``), all lists are bounded;
- exceptions come as a tree: a chain is cause first, a group carries the chain of each member.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vedette._inbox.event import safe
from vedette._inbox.event.remarks import Remarks
from vedette._inbox.lenient_json import is_dict, is_list
from vedette._inbox.shape import MAX_EXCEPTIONS, exceptions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vedette._inbox.event.remarks import Path
    from vedette._inbox.models import StoredEvent
    from vedette._inbox.shape import Raised

MAX_FRAMES = 100
"""Frames of one stack: the oldest 20 and the newest 80, as the client sends them."""
MAX_EVENT_FRAMES = 4_000
MAX_VARIABLES = 200
MAX_CRUMBS = 100
MAX_REMARKS = 20
MAX_WORD = 400
"""Characters of a name: of a file, a function, a variable, a tag."""
_MAX_DEPTH_OF_GROUPS = 8
_OLDEST_FRAMES = 20
_SOURCE_LINES = 10
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")

JOINS = {"__cause__": "was the direct cause of", "__context__": "while handling it, this occurred"}


@dataclass(frozen=True, slots=True)
class Variable:
    """A local or global variable of a frame, rendered; ``note`` says what the client cut of it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in a stack, with its source lines and variables. Unknown parts are empty."""

    module: str = ""
    filename: str = ""
    function: str = ""
    lineno: int | None = None
    link: str = ""
    own: bool = True
    code: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    variables: tuple[Variable, ...] = ()
    note: str = ""

    @property
    def place(self) -> tuple[str, str, int | None]:
        """What makes two frames of a recursion the same."""
        return (self.module or self.filename, self.function, self.lineno)


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
class Crumb:
    """One thing that happened before: ``at`` in seconds since the epoch."""

    at: float | None
    category: str
    text: str
    level: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One event, fit to be laid out."""

    at: float
    level: str
    title: str
    message: tuple[str, ...]
    message_note: str
    chain: tuple[Failure, ...]
    facts: tuple[str, ...]
    tags: tuple[str, ...]
    crumbs: tuple[Crumb, ...]
    request: str
    remarks: tuple[str, ...]


def read(event: StoredEvent) -> Reading:
    """Read an event. Never raises, whatever JSON it holds."""
    return _Reader(event).read()


class _Reader:
    def __init__(self, event: StoredEvent) -> None:
        self._event = event
        self._data: dict[str, Any] = event.data if is_dict(event.data) else {}
        self._remarks: list[str] = [safe.line(str(remark), MAX_WORD) for remark in event.remarks[:MAX_REMARKS]]
        self._notes = Remarks(self._data)
        self._frames_left = MAX_EVENT_FRAMES

    def read(self) -> Reading:
        data = self._data
        if data is not self._event.data:
            self._remark((), "an object", self._event.data)
        at = self._time(data, ()) or self._event.received_at
        chain = self._chain() or self._stack_of_message()
        message, note = self._message()
        title = chain[-1].title if chain and chain[-1].title else "\\n".join(message)
        crumbs = self._crumbs()
        return Reading(
            at=at,
            level=self._word(data, "level", ()).lower() or "error",
            title=title or "(an event without exception and message)",
            message=message,
            message_note=note,
            chain=chain,
            facts=self._facts(),
            tags=self._tags(),
            crumbs=crumbs,
            request=self._request(),
            remarks=(*self._remarks, *self._notes.rest())[:MAX_REMARKS],
        )

    # Fields by type. Each remarks what it leaves out.

    def _remark(self, path: Path, wanted: str, value: object) -> None:
        if len(self._remarks) < MAX_REMARKS:
            where = ".".join(safe.line(part, MAX_WORD) for part in path) or "event"
            self._remarks.append(f"{where}: should be {wanted}, is {_kind_of(value)}")

    def _text(self, source: Mapping[str, Any], key: str, path: Path) -> str:
        value = source.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        self._remark((*path, key), "text", value)
        return _compact(value)

    def _word(self, source: Mapping[str, Any], key: str, path: Path) -> str:
        return safe.line(self._text(source, key, path), MAX_WORD)

    def _number(self, source: Mapping[str, Any], key: str, path: Path) -> int | None:
        value = source.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self._remark((*path, key), "a whole number", value)
        return None

    def _object(self, source: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
        value = source.get(key)
        if is_dict(value):
            return value
        if value is not None:
            self._remark((*path, key), "an object", value)
        return {}

    def _list(self, source: Mapping[str, Any], key: str, path: Path) -> list[Any]:
        value = source.get(key)
        if is_list(value):
            return value
        if value is not None:
            self._remark((*path, key), "a list", value)
        return []

    def _values(self, key: str) -> tuple[list[Any], Path]:
        """The list under ``key``: ``{"values": [...]}``, a flat list, or one bare object; and its path."""
        value = self._data.get(key)
        if is_list(value):
            return value, (key,)
        if is_dict(value) and "values" not in value:
            return [value], (key,)
        return self._list(self._object(self._data, key, ()), "values", (key,)), (key, "values")

    def _objects(self, values: list[Any], path: Path, first: int = 0) -> Iterator[tuple[Mapping[str, Any], Path]]:
        for index, value in enumerate(values, first):
            if is_dict(value):
                yield value, (*path, str(index))
            elif value is not None:
                self._remark((*path, str(index)), "an object", value)

    def _time(self, source: Mapping[str, Any], path: Path) -> float | None:
        value = source.get("timestamp")
        seconds = _seconds(value)
        if seconds is None and value is not None:
            self._remark((*path, "timestamp"), "a time", value)
        return seconds

    # Exceptions.

    def _chain(self) -> tuple[Failure, ...]:
        values, path = self._values("exception")
        if len(values) > MAX_EXCEPTIONS:
            self._remarks.append(f"exception: the last {MAX_EXCEPTIONS} of {len(values)} are shown")
        first = max(0, len(values) - MAX_EXCEPTIONS)
        failures = [self._failure(value, where) for value, where in self._objects(values[first:], path, first)]
        return _tree(failures, *exceptions_of(self._data))

    def _failure(self, value: Mapping[str, Any], path: Path) -> Failure:
        text = self._text(value, "value", path)
        mechanism = self._object(value, "mechanism", path)
        handled = mechanism.get("handled")
        frames, note = self._frames(value, path)
        return Failure(
            type=self._word(value, "type", path),
            value=tuple(safe.lines(text)) if text else (),
            frames=frames,
            notes=tuple(filter(None, (self._notes.take((*path, "value")), note))),
            handled=handled if isinstance(handled, bool) else None,
            source=self._word(mechanism, "source", (*path, "mechanism")),
        )

    def _frames(self, owner: Mapping[str, Any], path: Path) -> tuple[tuple[Frame, ...], str]:
        stacktrace = self._object(owner, "stacktrace", path)
        path = (*path, "stacktrace", "frames")
        sent = self._list(stacktrace, "frames", path[:-1])
        note = self._notes.take(path)
        allowed = min(MAX_FRAMES, self._frames_left)
        if len(sent) > allowed:
            note = f"{allowed} of {len(sent)} frames shown"
        newest = max(0, len(sent) - max(0, allowed - _OLDEST_FRAMES))
        oldest = sent[: min(newest, _OLDEST_FRAMES, allowed)]
        self._frames_left -= min(len(sent), allowed)
        objects = [*self._objects(oldest, path), *self._objects(sent[newest:], path, newest)]
        marked = any(isinstance(frame.get("in_app"), bool) for frame, _ in objects)
        return tuple(self._frame(frame, where, marked=marked) for frame, where in objects), note

    def _frame(self, frame: Mapping[str, Any], path: Path, *, marked: bool) -> Frame:
        filename, absolute = self._word(frame, "filename", path), self._text(frame, "abs_path", path)
        variables, note = self._variables(frame, path)
        return Frame(
            module=self._word(frame, "module", path),
            filename=filename or safe.line(absolute, MAX_WORD),
            function=self._word(frame, "function", path),
            lineno=self._number(frame, "lineno", path),
            link=_link(absolute),
            own=frame.get("in_app") is True or not marked,
            code=safe.code(self._text(frame, "context_line", path)),
            before=self._source(frame, "pre_context", path)[-_SOURCE_LINES:],
            after=self._source(frame, "post_context", path)[:_SOURCE_LINES],
            variables=variables,
            note=note,
        )

    def _source(self, frame: Mapping[str, Any], key: str, path: Path) -> tuple[str, ...]:
        return tuple(safe.code(text) if isinstance(text, str) else "" for text in self._list(frame, key, path))

    def _variables(self, frame: Mapping[str, Any], path: Path) -> tuple[tuple[Variable, ...], str]:
        values = self._object(frame, "vars", path)
        path = (*path, "vars")
        note = self._notes.take(path)
        if len(values) > MAX_VARIABLES:
            note = f"{MAX_VARIABLES} of {len(values)} variables shown"
        pairs = list(values.items())[:MAX_VARIABLES]
        return tuple(
            Variable(safe.line(name, MAX_WORD), safe.line(_compact(value)), self._notes.take((*path, name)))
            for name, value in pairs
        ), note

    def _stack_of_message(self) -> tuple[Failure, ...]:
        """The stack that was sent with a message: of the current thread, else of the first that has one."""
        values, path = self._values("threads")
        threads = sorted(self._objects(values[:MAX_CRUMBS], path), key=_is_current, reverse=True)
        for thread, where in [*threads, (self._data, ())]:
            frames, note = self._frames(thread, where)
            if frames:
                return (Failure("", (), frames, (note,) if note else ()),)
        return ()

    # What stands around the exceptions.

    def _message(self) -> tuple[tuple[str, ...], str]:
        entry = self._data.get("logentry") or self._data.get("message")
        if isinstance(entry, str):
            return tuple(safe.lines(entry)), self._notes.take(("message",))
        key = "logentry" if self._data.get("logentry") else "message"
        for name in ("formatted", "message"):
            if text := self._text(self._object(self._data, key, ()), name, (key,)):
                return tuple(safe.lines(text)), self._notes.take((key, name))
        return (), ""

    def _facts(self) -> tuple[str, ...]:
        user = self._object(self._data, "user", ())
        named = next((user[key] for key in ("id", "username", "email", "ip_address") if user.get(key)), None)
        return tuple(
            filter(
                None,
                (
                    self._word(self._data, "release", ()),
                    self._word(self._data, "environment", ()),
                    "" if named is None else f"user {safe.line(_compact(named), MAX_WORD)}",
                    self._word(self._data, "transaction", ()),
                ),
            )
        )

    def _tags(self) -> tuple[str, ...]:
        tags = self._data.get("tags")
        pairs: list[Any] = tags if is_list(tags) else [[*pair] for pair in self._object(self._data, "tags", ()).items()]
        found: list[str] = []
        for index, pair in enumerate(pairs[:MAX_VARIABLES]):
            if is_list(pair) and len(pair) == 2:  # noqa: PLR2004 - key, value
                found.append(safe.line(f"{_compact(pair[0])}={_compact(pair[1])}", MAX_WORD))
            else:
                self._remark(("tags", str(index)), "a pair", pair)
        return tuple(found)

    def _crumbs(self) -> tuple[Crumb, ...]:
        values, path = self._values("breadcrumbs")
        note = self._notes.take(path)
        if note:
            self._remarks.append(f"breadcrumbs: {note}")
        first = max(0, len(values) - MAX_CRUMBS)
        crumbs = (self._crumb(crumb, where) for crumb, where in self._objects(values[first:], path, first))
        return tuple(crumb for crumb in crumbs if crumb.text or crumb.category)

    def _crumb(self, crumb: Mapping[str, Any], path: Path) -> Crumb:
        data = self._object(crumb, "data", path)
        method, url = data.get("method"), data.get("url")
        text = self._text(crumb, "message", path)
        if isinstance(url, str):
            status = data.get("status_code", data.get("reason"))
            answer = "" if status is None else f" → {_compact(status)}"
            text = text or f"{method if isinstance(method, str) else 'GET'} {_without_scheme(url)}{answer}"
        elif not text:
            text = " ".join(f"{key}={_compact(value)}" for key, value in list(data.items())[:MAX_VARIABLES])
        category = "" if crumb.get("type") == "http" else self._word(crumb, "category", path)
        level = self._word(crumb, "level", path)
        return Crumb(self._time(crumb, path), category, safe.line(text), level)

    def _request(self) -> str:
        request = self._object(self._data, "request", ())
        url, query = self._text(request, "url", ("request",)), request.get("query_string")
        if is_list(query) or is_dict(query):
            pairs = query.items() if is_dict(query) else (pair for pair in query if is_list(pair))
            query = "&".join("=".join(_compact(part) for part in pair) for pair in pairs)
        query = f"?{query}" if isinstance(query, str) and query and "?" not in url else ""
        return safe.line(f"{self._text(request, 'method', ('request',))} {url}{query}".strip())


def _tree(failures: Sequence[Failure], raised: Sequence[Raised], outermost: int) -> tuple[Failure, ...]:
    """Hang the exceptions together: one chain, oldest first, whose groups hold the chains of their members.

    What the outermost one does not lead to (a broken event) stands before it, so that nothing is hidden.
    """
    if not failures:
        return ()
    seen: set[int] = set()

    def chain_to(last: int | None, depth: int) -> list[Failure]:
        order: list[int] = []
        while last is not None and last not in seen:
            seen.add(last)
            order.append(last)
            last = raised[last].cause
        return [with_members(index, depth) for index in reversed(order)]

    def with_members(index: int, depth: int) -> Failure:
        members = raised[index].members if depth < _MAX_DEPTH_OF_GROUPS else []
        chains = (tuple(chain_to(member, depth + 1)) for member in members)
        return replace(failures[index], members=tuple(filter(None, chains)))

    whole = chain_to(outermost, 0)
    for index in reversed(range(len(failures))):
        whole = [*chain_to(index, 0), *whole]
    return tuple(whole)


def _is_current(thread: tuple[Mapping[str, Any], Path]) -> bool:
    return thread[0].get("current") is True or thread[0].get("crashed") is True


def _seconds(value: object) -> float | None:
    """Seconds since the epoch, or RFC 3339 with any number of digits, as seconds that a calendar has."""
    try:
        if isinstance(value, str) and (match := _RFC3339.fullmatch(value)):
            whole, fraction, zone = match.groups()
            zone = "+00:00" if zone in {None, "Z", "z"} else zone
            value = datetime.fromisoformat(whole + zone).timestamp() + float(fraction or 0)
        if isinstance(value, int | float) and not isinstance(value, bool):
            datetime.fromtimestamp(value, tz=timezone.utc)
            return float(value)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _link(path: str) -> str:
    """A ``file:`` address of an absolute path; nothing for what is relative, a share, or climbs."""
    if not path.startswith("/") or path.startswith("//") or "/../" in path or len(path) > MAX_WORD:
        return ""
    return "file://" + quote(path, errors="replace")


def _without_scheme(url: str) -> str:
    return url.partition("://")[2] or url


def _compact(value: object) -> str:
    """Text as it is (a client's variables are rendered already), structure as JSON on one line."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return "(cannot be shown)"


_KINDS: dict[type, Callable[[Any], str]] = {
    dict: lambda _: "an object",
    list: lambda _: "a list",
    str: lambda value: f"text ({safe.line(value, 20)})" if value else "empty text",
    bool: lambda value: str(value).lower(),
    int: lambda _: "a number",
    float: lambda _: "a number",
    type(None): lambda _: "null",
}


def _kind_of(value: object) -> str:
    return _KINDS.get(type(value), lambda _: "something else")(value)
