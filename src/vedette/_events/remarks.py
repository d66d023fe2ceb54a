"""``_meta``: what vedette cut from an event, said at the place where it was.

The tree mirrors the event; list indexes are strings. Under the key ``""`` stands the remark on the value
itself: ``rem`` with the rule and, where there is one, the range that is gone; ``len`` with the original
length.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    Meta = dict[str, Any]
    Path = tuple[str | int, ...]

_CUT: Final = "…"
CUT_IN_UTF8: Final = _CUT.encode()
"""Where this is not in an event as JSON, there is nothing for ``remark_cuts`` to find."""
_OF_SCOPES: Final = ("extra", "contexts", "user", "breadcrumbs")
_LONGEST_TAG: Final = 200  # characters (EVT-20)

_class_of: Callable[[object], type] = type  # for checkers: the class of something untyped is a class


def cut_remark(length: int | None = None, start: int | None = None, end: int | None = None) -> Meta:
    """The remark on a value that was ``length`` long and of which ``start`` to ``end`` is gone."""
    rule: list[Any] = ["!limit", "x"]
    if start is not None:
        rule += [start, end]
    remark: Meta = {"rem": [rule]}
    if length is not None:
        remark["len"] = length
    return {"": remark}


def fault_remark(reason: str) -> Meta:
    """The remark on a value that no server would have taken, and that is gone or was replaced."""
    return {"": {"err": [["invalid_data", {"reason": reason}]]}}


def place_remark(meta: Meta, path: tuple[str | int, ...], remark: Meta) -> None:
    """Put a remark into the tree; what was remarked on the same place before is replaced."""
    branch_at(meta, path).update(remark)


def branch_at(meta: Meta, path: tuple[str | int, ...]) -> Meta:
    """The branch of the tree for this place, made if it is missing, or is none because a hook was at it."""
    for key in path:
        branch: Meta | None = meta.get(str(key))
        if type(branch) is not dict:
            branch = meta[str(key)] = {}
        meta = branch
    return meta


def remark_cuts(event: Meta, text_limit: int) -> bool:
    """Remark what was cut in the data of scopes when it was set (PAIN-03, design decision 6); whether there was any.

    The value itself says so, and carries that through scopes, merges and hooks: a text of exactly ``text_limit``
    characters that ends in ``…``, a list with ``… +5`` as its last item, a dict with ``+5`` under ``…``.
    For events of exact built-ins that nobody else changes meanwhile; on the worker, so that setting costs nothing.
    """
    meta: Meta = {}
    for name in _OF_SCOPES:
        _remark_below(meta, (name,), event.get(name), text_limit)
    _remark_below(meta, ("tags",), event.get("tags"), _LONGEST_TAG)
    if meta:
        known: Any = event.get("_meta")
        event["_meta"] = _merged(known if _class_of(known) is dict else {}, meta)
    return bool(meta)


def _remark_below(meta: Meta, start: Path, value: Any, text_limit: int) -> None:
    if _class_of(value) is str:
        _remark_text(meta, start, value, text_limit)
        return
    waiting: list[tuple[Path, Any]] = [(start, value)]
    while waiting:  # of containers only: a path for each value of a hundred breadcrumbs costs more than the look at it
        path, value = waiting.pop()
        if _class_of(value) is dict:
            parts = value.items()
            _remark_missing(meta, path, value.get(_CUT), len(value) - 1)
        elif _class_of(value) is list and value:
            parts = enumerate(value)
            last = value[-1]
            is_sign = _class_of(last) is str and last.startswith(f"{_CUT} ")
            _remark_missing(meta, path, last[2:] if is_sign else None, len(value) - 1)
        else:
            continue
        for key, part in parts:
            cls = _class_of(part)
            if cls is str:
                if part.endswith(_CUT):
                    _remark_text(meta, (*path, key), part, text_limit)
            elif cls is dict or cls is list:
                waiting.append(((*path, key), part))


def _remark_text(meta: Meta, path: Path, text: str, text_limit: int) -> None:
    if text.endswith(_CUT) and len(text) == text_limit:
        place_remark(meta, path, cut_remark())


def _remark_missing(meta: Meta, path: Path, sign: Any, shown: int) -> None:
    """Remark how many items are missing, if this is the sign that says so: ``+5``."""
    if _class_of(sign) is str and sign.startswith("+") and sign[1:].isdecimal():
        total = shown + int(sign[1:])
        place_remark(meta, path, cut_remark(total, shown, total))


def _merged(known: Meta, new: Meta) -> Meta:
    """Both trees as one that shares nothing with either; what is known wins."""
    merged = dict(new)
    for key, branch in known.items():
        other: Any = merged.get(key)
        merged[key] = _merged(branch, other) if _class_of(branch) is dict and _class_of(other) is dict else branch
    return merged
