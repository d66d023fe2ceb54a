"""``exception``: its values, their mechanisms and stack traces (ERR-30 to ERR-79)."""

from __future__ import annotations

from vedette._given_events.faults import is_object, keep_texts, keep_type, values_in
from vedette._given_events.stacktrace import put_stacktrace_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._given_events.faults import Faults

    Path = tuple[str | int, ...]

_TEXTS: Final = ("type", "value", "module")
_MECHANISM_TEXTS: Final = ("description", "help_link", "source")
_MECHANISM_FLAGS: Final = ("handled", "synthetic", "is_exception_group")


def right_exception(given: Any, faults: Faults) -> dict[str, Any] | None:
    """``values``, also if a flat list or a single exception was given (ERR-51, ERR-52); None if none is left."""
    values = values_in(given)
    kept = [value for value in values if is_object(value) and _says_something(value)]
    if len(kept) < len(values) or (not kept and given is not None):
        faults.note(("exception", "values"), "expected exceptions with a type or a value")
    for at, value in enumerate(kept):
        path = ("exception", "values", at)
        keep_texts(value, _TEXTS, path, faults)
        if type(value.get("thread_id")) not in {int, str}:
            value.pop("thread_id", None)
        if "mechanism" in value:
            value["mechanism"] = right_mechanism(value["mechanism"], faults, (*path, "mechanism"))
        put_stacktrace_right(value, path, faults)
    return {"values": kept} if kept else None


def _says_something(value: dict[str, Any]) -> bool:
    """Whether it has a type or a value, without which servers discard it (ERR-74)."""
    given = [value.get(name) for name in ("type", "value")]
    return any(type(each) in {str, int, float} and each != "" for each in given)


def right_mechanism(given: Any, faults: Faults, path: Path) -> dict[str, Any]:
    """One with a ``type`` (ERR-31), whose links, flags and codes are of their types (ERR-47, ERR-48)."""
    mechanism: dict[str, Any] = given if is_object(given) else {}
    if type(mechanism.get("type")) is not str or not mechanism["type"]:
        mechanism["type"] = "generic"
    keep_texts(mechanism, _MECHANISM_TEXTS, path, faults)
    if not mechanism.get("help_link", "https://").startswith(("http://", "https://")):
        del mechanism["help_link"]
        faults.note((*path, "help_link"), "expected the URL of a web page")
    keep_type(bool, mechanism, _MECHANISM_FLAGS, path, faults)
    keep_type(dict, mechanism, ("data", "meta"), path, faults)
    for name in ("exception_id", "parent_id"):
        if name in mechanism and (type(mechanism[name]) is not int or mechanism[name] < 0):
            del mechanism[name]
    meta: dict[str, Any] = mechanism.get("meta", {})
    for name in ("errno", "signal"):
        if name in meta and not (is_object(meta[name]) and type(meta[name].get("number")) is int):
            del meta[name]
            faults.note((*path, "meta", name), "expected an object with a number")
    return mechanism
