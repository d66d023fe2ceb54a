"""What a client or a server noted in ``_meta`` about a value it cut, replaced or removed, in words.

``_meta`` mirrors the event; the note about a value stands under the empty name:
``{"exception": {"values": {"0": {"value": {"": {"len": 90000, "rem": [[rule, kind, start, end]]}}}}}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vedette._inbox.lenient_json import is_dict, is_list
from vedette._inbox.terminal import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str, ...]

_MAX_NODES = 2_000
_MAX_WORD = 60
_KINDS = {
    "x": "removed",
    "s": "replaced",
    "m": "masked",
    "p": "pseudonymized",
    "e": "encrypted",
    "a": "annotated",
}
_RULES = {"!limit": "too large", "!raw": "raw", "!config": "by configuration"}


class Remarks:
    """The notes of one event, each handed out once: where it belongs, or with the rest at the end."""

    def __init__(self, meta: object) -> None:
        """Take the event's ``_meta``; anything but an object counts as empty."""
        self._meta = meta
        self._taken: set[Path] = set()

    def take(self, path: Path, value: object) -> str:
        """What is noted about the value at this path, or an empty string."""
        node: object = self._meta
        for part in path:
            node = node.get(part) if is_dict(node) else None
        if not is_dict(node) or "" not in node:
            return ""
        self._taken.add(path)
        return _words(node[""], value)

    def rest(self) -> Iterator[str]:
        """The notes that nobody took, with their paths."""
        waiting: list[tuple[Path, Any]] = [((), self._meta)]
        for _ in range(_MAX_NODES):
            if not waiting:
                return
            path, node = waiting.pop()
            if not is_dict(node):
                continue
            if "" in node and path not in self._taken and (words := _words(node[""], None)):
                yield f"{'.'.join(safe.line(part, _MAX_WORD) for part in path) or 'event'}: {words}"
            waiting.extend(
                ((*path, str(part)), child) for part, child in reversed(node.items()) if part != ""
            )


def _words(note: object, value: object) -> str:
    if not is_dict(note):
        return ""
    length = note.get("len")
    kinds = [_remark(remark) for remark in _list(note.get("rem"))]
    if isinstance(length, int) and not isinstance(length, bool):
        if is_list(value) or is_dict(value):
            return f"{_count(len(value))} of {_count(length)} kept"
        end = _cut_at(note) or (len(value) if isinstance(value, str) else None)
        if end is not None:
            return f"cut at {_count(end)} of {_count(length)} characters"
        kinds.append(f"length was {_count(length)}")
    kinds.extend(f"invalid: {_error(error)}" for error in _list(note.get("err"))[:3])
    return ", ".join(filter(None, kinds))


def _remark(remark: object) -> str:
    parts = _list(remark)
    rule = parts[0] if parts and isinstance(parts[0], str) else ""
    kind = _KINDS.get(parts[1], "changed") if len(parts) > 1 and isinstance(parts[1], str) else "changed"
    return f"{kind} ({safe.line(_RULES.get(rule, rule), _MAX_WORD)})" if rule else ""


def _cut_at(note: dict[str, Any]) -> int | None:
    """Where a cut text ends: the end of the ellipsis that replaced its tail."""
    ends = [part[3] for part in _list(note.get("rem")) if is_list(part) and len(part) == 4]  # noqa: PLR2004 - rule, kind, start, end
    return ends[-1] if ends and isinstance(ends[-1], int) else None


def _error(error: object) -> str:
    parts = _list(error)
    return safe.line(str(parts[0] if parts else error), _MAX_WORD)


def _list(value: object) -> list[Any]:
    return value if is_list(value) else []


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")
