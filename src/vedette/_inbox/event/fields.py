"""Typed reading of a decoded event: each field as the type that it should have, with a remark on what has another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from vedette._inbox.event import safe
from vedette._inbox.event.remarks import Remarks
from vedette._inbox.lenient_json import is_dict, is_list
from vedette._inbox.times import seconds_of_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from vedette._inbox.event.remarks import Path
    from vedette._inbox.models import StoredEvent

MAX_REMARKS = 20
MAX_ENTRIES = 200
"""Names with values of one place: of a frame, of the tags, of a context."""
MAX_ROWS = 2_000
"""Of all that stands around the exceptions together."""
MAX_WORD = 400
"""Characters of a name: of a file, a function, a variable, a tag."""

_SHORT_JSON = 100
_MAX_INDENTED = 4_000  # characters: indentation could make far more of them
_PAIR = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """A name and its value, of one or several lines; ``note`` says what the client cut of it."""

    name: str
    lines: tuple[str, ...]
    note: str = ""

    @property
    def value(self) -> str:
        """The value on one line, its line breaks written out."""
        return "\\n".join(self.lines)


class Fields:
    """The event's JSON, and what is remarked while it is read."""

    def __init__(self, event: StoredEvent) -> None:
        self.data: dict[str, Any] = event.data if is_dict(event.data) else {}
        self.notes = Remarks(self.data)
        self._rows_left = MAX_ROWS
        self.remarks: list[str] = [safe.line(str(remark), MAX_WORD) for remark in event.remarks[:MAX_REMARKS]]
        if self.data is not event.data:
            self.remark((), "an object", event.data)

    def remark(self, path: Path, wanted: str, value: object) -> None:
        """Note that a field is not what it should be."""
        self.say(f"{_place(path)}: should be {wanted}, is {_kind_of(value)}")

    def say(self, remark: str) -> None:
        """A remark of any kind."""
        if len(self.remarks) < MAX_REMARKS:
            self.remarks.append(remark)

    def text(self, source: Mapping[str, Any], key: str, path: Path) -> str:
        """A text as it was sent: not safe yet."""
        value = source.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        self.remark((*path, key), "text", value)
        return as_text(value)

    def word(self, source: Mapping[str, Any], key: str, path: Path) -> str:
        """A short text on one line."""
        return safe.line(self.text(source, key, path), MAX_WORD)

    def number(self, source: Mapping[str, Any], key: str, path: Path) -> int | None:
        """A whole number."""
        value = source.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        self.remark((*path, key), "a whole number", value)
        return None

    def mapping(self, source: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
        """An object, empty if there is none."""
        value = source.get(key)
        if is_dict(value):
            return value
        if value is not None:
            self.remark((*path, key), "an object", value)
        return {}

    def sequence(self, source: Mapping[str, Any], key: str, path: Path) -> list[Any]:
        """A list, empty if there is none."""
        value = source.get(key)
        if is_list(value):
            return value
        if value is not None:
            self.remark((*path, key), "a list", value)
        return []

    def values(self, key: str) -> tuple[list[Any], Path]:
        """The list under ``key``: ``{"values": [...]}``, a flat list, or one bare object; and its path."""
        value = self.data.get(key)
        if is_list(value):
            return value, (key,)
        if is_dict(value) and "values" not in value:
            return [value], (key,)
        return self.sequence(self.mapping(self.data, key, ()), "values", (key,)), (key, "values")

    def objects(self, values: Iterable[Any], path: Path, first: int = 0) -> Iterator[tuple[Mapping[str, Any], Path]]:
        """Those of a list that are objects, each with its path."""
        for index, value in enumerate(values, first):
            if is_dict(value):
                yield value, (*path, str(index))
            elif value is not None:
                self.remark((*path, str(index)), "an object", value)

    def time(self, source: Mapping[str, Any], path: Path) -> float | None:
        """The field ``timestamp``, in seconds since the epoch."""
        value = source.get("timestamp")
        seconds = _seconds(value)
        if seconds is None and value is not None:
            self.remark((*path, "timestamp"), "a time", value)
        return seconds

    def entries(self, source: Mapping[str, Any], key: str, path: Path, *, indent: bool = False) -> tuple[Entry, ...]:
        """An object, or a list of pairs, as names and values. ``indent``: long structure on several lines."""
        value, path = source.get(key), (*path, key)
        allowed = min(MAX_ENTRIES, self._rows_left)
        if is_dict(value):
            pairs = [(name, item, (*path, name)) for name, item in list(value.items())[:allowed]]
        elif is_list(value):
            pairs = list(self._pairs(value[:allowed], path))
        else:
            if value is not None:
                self.remark(path, "an object", value)
            return ()
        self._rows_left -= len(pairs)
        if len(value) > allowed:
            self.say(f"{_place(path)}: {allowed} of {len(value)} are shown")
        return tuple(self.entry(name, item, where, indent=indent) for name, item, where in pairs)

    def entry(self, name: str, value: object, path: Path, *, indent: bool = False) -> Entry:
        """One name and value."""
        return Entry(safe.line(name, MAX_WORD), lines_of(value, indent=indent), self.notes.take(path))

    def _pairs(self, pairs: list[Any], path: Path) -> Iterator[tuple[str, object, Path]]:
        for index, pair in enumerate(pairs):
            where = (*path, str(index))
            if is_list(pair) and len(pair) == _PAIR:
                yield as_text(pair[0]), pair[1], (*where, "1")
            elif pair is not None:
                self.remark(where, "a pair", pair)


def as_text(value: object) -> str:
    """Text as it is (a client's variables are rendered already), structure as JSON on one line."""
    if isinstance(value, str):
        return value
    return _json(value, None)


def lines_of(value: object, *, indent: bool = False) -> tuple[str, ...]:
    """A value as safe lines. ``indent``: structure that is too long for one line gets several."""
    text = as_text(value)
    if indent and not isinstance(value, str) and _SHORT_JSON < len(text) <= _MAX_INDENTED:
        text = _json(value, 2)
    return tuple(safe.lines(text))


def _json(value: object, indent: int | None) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str, indent=indent)
    except (ValueError, RecursionError):
        return "(cannot be shown)"


def _seconds(value: object) -> float | None:
    """Seconds since the epoch, or RFC 3339 with any number of digits, as seconds that a calendar has."""
    try:
        if isinstance(value, str):
            value = seconds_of_rfc3339(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            datetime.fromtimestamp(value, tz=timezone.utc)
            return float(value)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _place(path: Path) -> str:
    return ".".join(safe.line(part, MAX_WORD) for part in path) or "event"


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
