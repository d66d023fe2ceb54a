"""What a client or a server noted in ``_meta`` about a value it cut, replaced or removed, in words.

``_meta`` mirrors the event; the note about a value stands under the empty name:
``{"exception": {"values": {"0": {"value": {"": {"len": 90000, "rem": [[rule, kind, start, end]]}}}}}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vedette._inbox.event import safe
from vedette._inbox.lenient_json import is_dict, is_list
from vedette._inbox.words import grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str, ...]

_MAX_NODES = 2_000
_MAX_WORD = 60
_MAX_SAID = 3
_MAX_DIGITS = 10
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

    def __init__(self, event: Mapping[str, Any]) -> None:
        """Take the event; a ``_meta`` that is no object counts as empty."""
        self._event = event
        self._meta: object = event.get("_meta")
        self._taken: set[Path] = set()

    def take(self, path: Path) -> str:
        """What is noted about the value at this path, or an empty string."""
        if self._meta is None:
            return ""
        node = _at(self._meta, path)
        if not is_dict(node) or "" not in node:
            return ""
        self._taken.add(path)
        return self._words(path, node[""])

    def rest(self) -> Iterator[str]:
        """The notes that nobody took, with their paths."""
        waiting: list[tuple[Path, Any]] = [((), self._meta)]
        for _ in range(_MAX_NODES):
            if not waiting:
                return
            path, node = waiting.pop()
            if not is_dict(node):
                continue
            if "" in node and path not in self._taken and (words := self._words(path, node[""])):
                yield f"{'.'.join(safe.line(part, _MAX_WORD) for part in path) or 'event'}: {words}"
            waiting.extend(((*path, part), child) for part, child in reversed(node.items()) if part)

    def _words(self, path: Path, note: object) -> str:
        if not is_dict(note):
            return ""
        value = _at(self._event, path)
        remarks, length = _list(note.get("rem")), note.get("len")
        whole = length if type(length) is int else None
        if whole is not None and (is_list(value) or is_dict(value)):
            return f"{grouped(len(value))} of {grouped(whole)} kept"
        end = _end(remarks)
        if isinstance(value, str) and (whole is not None or end is not None):
            of = "" if whole is None else f" of {grouped(whole)}"
            return f"cut at {grouped(len(value) if end is None else end)}{of} characters"
        said = [_remark(remark, gone=value is None) for remark in remarks[:_MAX_SAID]]
        said += [f"invalid: {_error(error)}" for error in _list(note.get("err"))[:_MAX_SAID]]
        return ", ".join(filter(None, said))


def _at(tree: object, path: Path) -> object:
    for part in path:
        if is_dict(tree):
            tree = tree.get(part)
        elif is_list(tree) and part.isdecimal() and len(part) < _MAX_DIGITS:
            tree = next(iter(tree[int(part) :]), None)
        else:
            return None
    return tree


def _remark(remark: object, *, gone: bool) -> str:
    rule, kind = ([str(part) for part in _list(remark)[:2]] + ["", ""])[:2]
    if not rule:
        return ""
    verb = "shortened" if kind == "x" and not gone else _KINDS.get(kind, "changed")
    return f"{verb} ({safe.line(_RULES.get(rule, rule), _MAX_WORD)})"


def _end(remarks: list[Any]) -> int | None:
    """Where a cut text ends: the end of the ellipsis that stands for its tail."""
    last = _list(remarks[-1])[-1:] if remarks else []
    return last[0] if last and type(last[0]) is int else None


def _error(error: object) -> str:
    return safe.line(str(next(iter(_list(error)), error)), _MAX_WORD)


def _list(value: object) -> list[Any]:
    return value if is_list(value) else []
