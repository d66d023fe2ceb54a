"""One breadcrumb, from what the caller gave to what a scope keeps, and from there to what an event says.

A scope keeps a tuple that begins with a sequence number of the process: it is what three scopes are merged by, for
the time stamp must not decide (BRC-07, BRC-16, ruling 48). There are two kinds of it (`state.py`). Most breadcrumbs
are *plain*: their fields were found to be exact built-ins of bounded size, and are kept as they are; what is left to
do, such as filling in defaults, is done when an event is made of them. All others are rendered, and kept as a dict.
"""

from __future__ import annotations

import itertools
import time

from vedette._scopes.normal import LEVELS, PLAIN_KEYS, dict_of, is_plain_key, level_of, seconds_of, time_of_breadcrumb
from vedette._scopes.state import are_flat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    from vedette._scopes.client import BaseClient
    from vedette._scopes.state import PlainCrumb

numbers: Final = itertools.count(1)
"""The one sequence of breadcrumbs, attachments and processors in this process."""
_TEXTS: Final = ("type", "category", "message", "origin", "event_id")
_FIELDS: Final = frozenset({"type", "category", "message", "level", "data"})
_BITS: Final = 63  # of an int that JSON readers take
_INFINITY: Final = float("inf")
_WIDEST: Final = 25  # items of data: all of them as long as can be, they take what the renderer allows (`MAX_BYTES`)
LONGEST_PLAIN: Final = 8192
"""Characters that a text of a plain breadcrumb may have at most, whatever ``max_value_length`` says."""
_now: Final = time.time
_type: Final = type  # the argument of that name is the unified API's


def plain(  # noqa: C901 - calls would double it
    limit: int,
    type: Any,  # noqa: A002 - the unified API's name
    category: Any,
    message: Any,
    level: Any,
    data: Any,
) -> PlainCrumb | None:
    """The breadcrumb as a scope keeps it; None if the renderer or `recorded` would change more than `sent` does.

    What is returned holds nothing of the program's that can change, and no text longer than ``limit`` characters.
    Finding that out costs 0.6 microseconds, rendering ten (measured). Types and categories are few, and like keys of
    data looked up among those that were looked at before.
    """
    if message is not None and (_type(message) is not str or len(message) > limit or not message.isascii()):
        return None
    if category is not None and (
        _type(category) is not str or not (category in PLAIN_KEYS or _is_plain(limit, category))
    ):
        return None
    if type is not None and (_type(type) is not str or not (type in PLAIN_KEYS or _is_plain(limit, type))):
        return None
    if level is not None and (_type(level) is not str or level not in LEVELS):
        return None
    if data is not None:
        if _type(data) is not dict:
            return None
        # Looked at after it was copied: another thread may change it.
        data = data.copy()  # pyright: ignore[reportUnknownVariableType] - of anything
        if len(data) > _WIDEST:
            return None
        for name in data:
            if _type(name) is not str or not (name in PLAIN_KEYS or is_plain_key(name)):
                return None
            value = data[name]
            kind = _type(value)  # pyright: ignore[reportUnknownVariableType] - of anything
            if kind is str:
                if len(value) > limit or not value.isascii():
                    return None
            elif kind is int:
                if value.bit_length() > _BITS:
                    return None
            elif kind is float:
                if not -_INFINITY < value < _INFINITY:
                    return None
            elif value is not None and kind is not bool:
                return None
    return next(numbers), _now(), type, category, message, level, data


def _is_plain(limit: int, text: str) -> bool:
    return is_plain_key(text) or (len(text) <= limit and text.isascii())


def plain_of(limit: int, fields: dict[Any, Any]) -> PlainCrumb | None:
    """`plain` of fields in a dict; None as well if there are others than it knows."""
    for name in fields:
        if _type(name) is not str or name not in _FIELDS:
            return None
    return plain(limit, *map(fields.get, ("type", "category", "message", "level", "data")))


def sent(crumb: PlainCrumb) -> dict[str, Any]:
    """What an event says of a plain breadcrumb: completed, and the event's own (BRC-01, BRC-02, BRC-06)."""
    _, timestamp, kind, category, message, level, data = crumb
    made: dict[str, Any] = {  # all at once, and what is not there taken out: a dict that grows costs twice as much
        "timestamp": timestamp,
        "type": "default" if kind is None else kind,
        "category": category,
        "message": message,
        "level": "info" if level is None else level,
        "data": None if data is None else data.copy(),
    }
    if category is None:
        del made["category"]
    if message is None:
        del made["message"]
    if not data:
        del made["data"]
    return made


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
    return not (are_flat(flat.values()) and are_flat(crumb.get("data", {}).values()))


def _put_right(crumb: dict[str, Any]) -> dict[str, Any]:
    """Servers refuse an unknown level, and data that is no object (servers.md). ``crumb`` is ours."""
    level = crumb.get("level")
    crumb["level"] = "info" if level is None else level_of(level) or "info"  # BRC-06
    crumb["timestamp"] = time_of_breadcrumb(crumb.get("timestamp"))
    for name in _TEXTS:
        text = crumb.get(name)
        if text is not None and type(text) is not str:
            crumb[name] = str(text)  # of an exact built-in
    for name in ("category", "message"):
        if crumb.get(name, name) is None:
            del crumb[name]
    data = crumb.pop("data", None)
    if data is not None and data != {}:
        crumb["data"] = data if type(data) is dict else {"value": data}
    return crumb
