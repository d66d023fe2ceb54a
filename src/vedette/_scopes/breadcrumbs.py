"""One breadcrumb, from what the caller gave to what a scope keeps.

A scope keeps ``(sequence number, dict, whether it nests)``: the process-wide number is what three scopes are merged
by, for the time stamp must not decide (BRC-07, BRC-16, ruling 48).
"""

from __future__ import annotations

import time

from vedette._scopes.normal import LEVELS, PLAIN_KEYS, dict_of, is_plain_key, level_of, seconds_of
from vedette._scopes.state import is_flat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    from vedette._scopes.client import BaseClient

_TEXTS: Final = frozenset({"type", "category", "message", "level", "origin"})
_LARGEST_INT: Final = (1 << 63) - 1
_INFINITY: Final = float("inf")
_WIDEST: Final = 250  # items of one container; the renderer cuts there
_now: Final = time.time


def completed_if_plain(fields: dict[str, Any], text_limit: int) -> dict[str, Any] | None:  # noqa: C901 - calls would double it
    """The breadcrumb, completed; None if there is something that the renderer or `recorded` would change.

    What is returned holds nothing of the program's that can change. Most breadcrumbs are plain; finding out costs a
    microsecond, rendering ten (measured).
    """
    data = None
    for name, value in fields.items():
        kind = type(value)  # pyright: ignore[reportUnknownVariableType] - of anything
        if kind is str:
            if name not in _TEXTS or len(value) > text_limit or not value.isascii() or type(name) is not str:
                return None
        elif kind is dict and name == "data":
            data = value.copy()  # looked at after it was copied: another thread may change it
        else:
            return None
    crumb = {"timestamp": _now(), "type": "default", "level": "info", **fields}  # BRC-01, BRC-02, BRC-06
    if crumb["level"] not in LEVELS:
        return None
    if data is None:
        return crumb
    if not 0 < len(data) <= _WIDEST:
        return None
    for name, value in data.items():
        if type(name) is not str or not (name in PLAIN_KEYS or is_plain_key(name)):
            return None
        kind = type(value)  # pyright: ignore[reportUnknownVariableType] - of anything
        if kind is str:
            if len(value) > text_limit or not value.isascii():
                return None
        elif kind is int:
            if not -_LARGEST_INT <= value <= _LARGEST_INT:
                return None
        elif kind is float:
            if not -_INFINITY < value < _INFINITY:
                return None
        elif value is not None and kind is not bool:
            return None
    crumb["data"] = data
    return crumb


def recorded(
    client: BaseClient,
    crumb: Mapping[str, Any] | None,
    hint: Mapping[str, Any] | None,
    fields: dict[str, Any],
) -> dict[str, Any] | None:
    """What a scope is to keep of a breadcrumb; None if the hook or a disabled SDK wants it gone.

    The hook sees the breadcrumb with ``timestamp`` and ``type`` filled in (BRC-01, BRC-02). What comes back
    is put right once more, for it is the hook's word that goes out.
    """
    given = fields if crumb is None else {**dict_of(crumb, "a breadcrumb"), **fields}
    given["timestamp"] = seconds_of(given.get("timestamp"))
    if given.get("type") is None:
        given["type"] = "default"
    kept = client.record_breadcrumb(given, {} if hint is None else dict_of(hint, "a hint"))
    return None if kept is None else _put_right(kept)


def nests(crumb: dict[str, Any]) -> bool:
    """Whether a container stands anywhere but as the flat ``data``, so that copying takes a deeper look."""
    flat = {key: value for key, value in crumb.items() if key != "data"}
    return not (is_flat(flat) and is_flat(crumb.get("data", {})))


def _put_right(crumb: dict[str, Any]) -> dict[str, Any]:
    """Servers refuse an unknown level, and data that is no object (servers.md). ``crumb`` is ours."""
    level = crumb.get("level")
    crumb["level"] = "info" if level is None else level_of(level) or "info"  # BRC-06
    crumb["timestamp"] = seconds_of(crumb.get("timestamp"))
    message = crumb.get("message")
    if message is not None and type(message) is not str:
        crumb["message"] = str(message)  # of an exact built-in
    data = crumb.pop("data", None)
    if data is not None and data != {}:
        crumb["data"] = data if type(data) is dict else {"value": data}
    return crumb
