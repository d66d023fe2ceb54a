"""Events that foreign code made or had in its hands, brought into the form that servers take (servers.md).

A caller of ``capture_event``, an event processor or ``before_send`` may put anything anywhere. Values are rendered
(design decision 6); the fields for which a server would refuse the whole event, or lose part of it, are put right.
"""

from __future__ import annotations

from vedette._events.values import render_json
from vedette._scopes.normal import name_of, seconds_of, tag_key_of, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from vedette._events.settings import EventSettings

EVENT_DEPTH: Final = 16  # exception, values, n, stacktrace, frames, n, vars, name, and room for nested data
EVENT_BYTES: Final = 4 * 1024 * 1024  # the size guard of the worker cuts further, by importance

_OBJECTS: Final = ("contexts", "extra", "user", "request", "modules", "sdk")
_LONGEST_TIMESTAMP: Final = 64  # characters; RFC 3339 takes 35
_PAIR: Final = 2  # name and value
_TEXTS: Final = ("release", "environment", "dist", "server_name", "transaction", "logger", "platform")


# Of dict itself, for the event may be of a class derived from it.
_get: Callable[[dict[str, object], str], object] = dict[str, object].get


def put_right(event: object, settings: EventSettings) -> dict[str, Any]:
    """The event as bounded exact built-ins, its well-known fields of the type that they must have."""
    if not issubclass(type(event), dict):
        return {}
    given: Any = event
    timestamp: Any = _get(given, "timestamp")
    right: dict[str, Any] = render_json(
        event, settings, max_depth=EVENT_DEPTH, max_bytes=EVENT_BYTES, max_string=settings.text_limit
    )
    if timestamp is not None:
        seconds = seconds_of(timestamp)
        right["timestamp"] = seconds if type(seconds) is not str else seconds[:_LONGEST_TIMESTAMP]
    for name in _OBJECTS:
        if name in right and type(right[name]) is not dict:
            del right[name]
    for name in _TEXTS:
        if name in right and type(right[name]) is not str:
            del right[name]
    if "fingerprint" in right:
        parts: Any = right["fingerprint"]
        right["fingerprint"] = [text_of(part, _same) for part in (parts if issubclass(type(parts), list) else [parts])]
    if "tags" in right:
        right["tags"] = _tags(right["tags"])
    return right


def _tags(tags: Any) -> dict[str, str]:
    """A mapping, or a list of pairs (EVT-18), as text of at most 200 characters each (EVT-19, EVT-20)."""
    kept: dict[str, str] = {}
    pairs: Any = ()
    if issubclass(type(tags), dict):
        pairs = tags.items()
    elif issubclass(type(tags), list):
        pairs = tags
    for pair in pairs:
        if type(pair) in {list, tuple} and len(pair) == _PAIR and pair[1] is not None:
            kept[tag_key_of(pair[0], _same)] = name_of(pair[1], _same)
    return kept


def _same(value: object) -> object:
    return value  # rendered already
