"""``_meta``: what vedette cut from an event, said at the place where it was.

The tree mirrors the event; list indexes are strings. Under the key ``""`` stands the remark on the value
itself: ``rem`` with the rule and, where there is one, the range that is gone; ``len`` with the original
length.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Meta = dict[str, Any]


def cut_remark(length: int | None = None, start: int | None = None, end: int | None = None) -> Meta:
    """The remark on a value that was ``length`` long and of which ``start`` to ``end`` is gone."""
    rule: list[Any] = ["!limit", "x"]
    if start is not None:
        rule += [start, end]
    remark: Meta = {"rem": [rule]}
    if length is not None:
        remark["len"] = length
    return {"": remark}


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
