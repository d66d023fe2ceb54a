"""``breadcrumbs``: objects in their order, with levels and data as servers take them (EVT-99, EVT-100)."""

from __future__ import annotations

from vedette._given_events.faults import is_array, is_object, keep_texts, values_in
from vedette._scopes.normal import YEAR_10000, level_of, read_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._given_events.faults import Faults

_TEXTS: Final = ("type", "category", "message", "origin", "event_id")


def times_in(foreign: Any) -> list[float | None]:
    """The times of breadcrumbs, read before they are rendered: a date would be mere text then."""
    crumbs: Any = foreign.get("values") if is_object(foreign) else foreign
    if not is_array(crumbs):
        return []
    return [read_time(crumb["timestamp"]) if is_object(crumb) and "timestamp" in crumb else None for crumb in crumbs]


def right_breadcrumbs(given: Any, times: list[float | None], faults: Faults) -> dict[str, Any] | None:
    """``values``, also if a flat list was given."""
    values = values_in(given)
    for crumb, seconds in zip(values, times, strict=False):
        if is_object(crumb):
            crumb["timestamp"] = seconds
    kept = [crumb for crumb in values if is_object(crumb)]
    if len(kept) < len(values):
        faults.note(("breadcrumbs", "values"), "expected objects")
    for at, crumb in enumerate(kept):
        keep_texts(crumb, _TEXTS, ("breadcrumbs", "values", at), faults)
        if "level" in crumb:
            level = level_of(crumb.pop("level"))
            if level is not None:
                crumb["level"] = level
        if "data" in crumb and not is_object(crumb["data"]):
            data = crumb.pop("data")
            if data is not None:
                crumb["data"] = {"value": data}
        when: Any = crumb.get("timestamp")
        if type(when) is not float or not 0 <= when < YEAR_10000:  # servers lose the whole breadcrumb
            crumb.pop("timestamp", None)
    return {"values": kept} if kept else None
