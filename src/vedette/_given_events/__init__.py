"""Events that foreign code made or had in its hands, brought into the form that servers take (servers.md).

A caller of ``capture_event``, an event processor or ``before_send`` may put anything anywhere. Values are rendered
(design decision 6); the fields for which a server would refuse the whole event, or lose part of it, are put right, one
file for each interface. What cannot be is left out, and said in ``_meta`` and in debug mode.

Nothing here touches a foreign object: all of it works on what the renderer has made, exact built-ins.
"""

from __future__ import annotations

from vedette._events.values import render_json
from vedette._given_events.attributes import put_attributes_right, put_message_right, right_start, right_timestamp
from vedette._given_events.breadcrumbs import right_breadcrumbs, times_in
from vedette._given_events.contexts import right_contexts
from vedette._given_events.exceptions import put_threads_right, right_exception, right_mechanism
from vedette._given_events.faults import Faults
from vedette._given_events.request import right_request, right_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from vedette._events.settings import EventSettings

__all__ = ["Faults", "put_right", "right_mechanism", "right_request", "right_user"]

EVENT_DEPTH: Final = 16  # exception, values, n, stacktrace, frames, n, vars, name, and room for nested data
EVENT_WIDTH: Final = 10_000  # as many breadcrumbs as `max_breadcrumbs` allows; the bytes are the bound
EVENT_BYTES: Final = 4 * 1024 * 1024  # the size guard of the worker cuts further, by importance

# Of dict itself, for the event may be of a class derived from it.
_get: Callable[[dict[str, object], str], object] = dict[str, object].get


def put_right(event: object, settings: EventSettings) -> dict[str, Any]:
    """The event as bounded exact built-ins, its well-known fields of the type that they must have."""
    if not issubclass(type(event), dict):
        return {}
    given: Any = event
    timestamp = _get(given, "timestamp")
    times = times_in(_get(given, "breadcrumbs"))
    right: dict[str, Any] = render_json(
        event, settings, max_depth=EVENT_DEPTH, max_width=EVENT_WIDTH, max_bytes=EVENT_BYTES
    )
    faults = Faults(right.get("_meta"))
    if timestamp is not None:
        right["timestamp"] = right_timestamp(timestamp, faults)  # rendered, a date would be mere text
    if "start_timestamp" in right:
        right["start_timestamp"] = _get(given, "start_timestamp")
        _put(right, "start_timestamp", right_start, faults)
    put_attributes_right(right, faults)
    put_message_right(right, faults)
    _put(right, "exception", right_exception, faults)
    put_threads_right(right, faults)
    _put(right, "contexts", right_contexts, faults)
    if "breadcrumbs" in right:
        right["breadcrumbs"] = right_breadcrumbs(right["breadcrumbs"], times, faults)
    if "user" in right:
        right["user"] = right_user(right["user"], faults, settings)
    if "request" in right:
        right["request"] = right_request(right["request"], faults, settings)
    for name in ("breadcrumbs", "user", "request"):
        if name in right and right[name] is None:
            del right[name]
    if faults.meta:
        right["_meta"] = faults.meta
    else:
        right.pop("_meta", None)
    return right


def _put(event: dict[str, Any], name: str, right: Callable[[Any, Faults], Any], faults: Faults) -> None:
    """Put one field right, or take it away."""
    if name in event:
        value = right(event[name], faults)
        if value is None:
            del event[name]
        else:
            event[name] = value
