"""Where two events differ, of the same failure by two SDKs: as paths, with ``*`` for the places in lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ONLY_OURS, ONLY_THEIRS, OTHER = "only vedette", "only sentry-sdk", "another value"
AS_TEXT, SHORTER, DESCRIBED = "text instead of JSON", "shorter", "no address in memory"
MADE_UP = {"event_id", "trace_id", "span_id", "timestamp", "received", "thread_id"}
"""Of each event anew; it is looked at only whether they are there."""
AS_A_WHOLE = {"sdk", "extra.sys.argv"}
CUT = re.compile(r"…(?: \+\d+)?")
ADDRESS = re.compile(r"<.* at 0x[0-9a-f]+>")


def differences(ours: Any, theirs: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Path and kind of each."""
    if where.endswith(".vars") and type(ours) is type(theirs) is dict:
        yield from variables(ours, theirs, where)
    elif where in AS_A_WHOLE:
        if ours != theirs:
            yield where, OTHER
    elif type(ours) is type(theirs) is dict:
        for key in sorted({*ours, *theirs}):
            path = f"{where}.{key}".lstrip(".")
            if is_empty(ours.get(key)) != is_empty(theirs.get(key)):
                yield path, ONLY_THEIRS if is_empty(ours.get(key)) else ONLY_OURS
            elif not is_empty(ours.get(key)) and key not in MADE_UP:
                yield from differences(ours[key], theirs[key], path)
    elif type(ours) is type(theirs) is list and len(ours) == len(theirs):
        for mine, other in zip(ours, theirs, strict=True):
            yield from differences(mine, other, f"{where}.*")
    elif ours != theirs:
        yield where, OTHER


def is_empty(value: Any) -> bool:
    """Whether a server knows no more with it than without."""
    return value is None or value in ({}, [], "")


def variables(ours: dict[str, Any], theirs: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    """The same for the variables of a frame, which are named in the path where they differ in what they say."""
    if theirs.keys() - ours.keys():
        yield where, ONLY_THEIRS
    if ours.keys() - theirs.keys():
        yield where, ONLY_OURS
    for name in sorted(ours.keys() & theirs.keys()):
        mine, other = ours[name], theirs[name]
        if mine == other:
            continue
        if as_text(other) == mine:
            yield f"{where}.*", AS_TEXT
        elif CUT.search(mine) and says_less(mine, as_text(other)):
            yield f"{where}.*", SHORTER
        elif ADDRESS.fullmatch(as_text(other)):
            yield f"{where}.*", DESCRIBED
        else:
            yield f"{where}.{name}", OTHER


def as_text(value: Any) -> str:
    """A value that was taken apart into JSON, with texts for its leaves, as Python would write it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {as_text(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_text, value)) + "]"
    return str(value)


def says_less(mine: str, other: str) -> bool:
    """Whether a text that was cut in places has nothing but what stands in the other one, in that order."""
    at = 0
    for piece in CUT.split(mine):
        found = other.find(piece.strip(" ,}])>'\""), at)
        if found < 0:
            return False
        at = found
    return True
