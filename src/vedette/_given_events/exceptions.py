"""``exception``, ``threads``, and the stack traces of both (ERR-30 to ERR-79, EVT-30 to EVT-59)."""

from __future__ import annotations

from vedette._given_events.faults import is_array, is_object, keep_texts, keep_type, values_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._given_events.faults import Faults

    Path = tuple[str | int, ...]

_FRAME_TEXTS: Final = ("filename", "abs_path", "function", "module", "context_line", "platform")
_NAMES: Final = ("filename", "function", "instruction_addr")


def put_stacktrace_right(holder: dict[str, Any], path: Path, faults: Faults) -> None:
    """Put the ``stacktrace`` of an exception or thread right, or take it away: it must have frames (EVT-34)."""
    if "stacktrace" not in holder:
        return
    stacktrace = holder["stacktrace"]
    given: Any = stacktrace.get("frames") if is_object(stacktrace) else None
    frames = [frame for frame in given if is_object(frame)] if is_array(given) else []
    if not frames:
        del holder["stacktrace"]
        return
    stacktrace["frames"] = frames
    for at, frame in enumerate(frames):
        _put_frame_right(frame, (*path, "stacktrace", "frames", at), faults)


def _put_frame_right(frame: dict[str, Any], path: Path, faults: Faults) -> None:
    keep_texts(frame, _FRAME_TEXTS, path, faults)
    if type(frame.get("in_app")) is int:
        frame["in_app"] = bool(frame["in_app"])
    keep_type(bool, frame, ("in_app",), path, faults)
    keep_type(dict, frame, ("vars",), path, faults)
    for name in ("pre_context", "post_context"):
        lines: Any = frame.get(name)
        if name in frame and not (is_array(lines) and all(type(line) is str for line in lines)):
            del frame[name]
    for name in ("lineno", "colno"):
        if name not in frame:
            continue
        number = frame[name]
        if type(number) is str and number.isdecimal() and number.isascii():
            number = int(number[:_MOST_DIGITS])
        if type(number) is int and number > 0:  # from 1 (EVT-43)
            frame[name] = number
        else:
            del frame[name]
            if number is not None:
                faults.note((*path, name), "expected a number from 1")
    if not any(name in frame for name in _NAMES):  # EVT-35
        frame["function"] = "<unknown>"


_MOST_DIGITS: Final = 9


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


_LOCK_TYPES: Final = frozenset({1, 2, 4, 8})  # held, waited for, slept on, blocked
_FLAGS: Final = ("crashed", "current", "main")


def put_threads_right(event: dict[str, Any], faults: Faults) -> None:
    """Put them right. A stack trace at the top of the event becomes that of a thread (EVT-31, EVT-33)."""
    threads = [thread for thread in values_in(event.pop("threads", None)) if is_object(thread)]
    if "stacktrace" in event:
        threads.append({"current": True, "stacktrace": event.pop("stacktrace")})
    seen: set[str] = set()
    for at, thread in enumerate(threads):
        path = ("threads", "values", at)
        keep_texts(thread, ("name", "state"), path, faults)
        keep_type(bool, thread, _FLAGS, path, faults)
        put_stacktrace_right(thread, path, faults)
        if "held_locks" in thread:
            _put_locks_right(thread, path, faults)
        if not _is_id(thread.get("id")) or str(thread["id"]) in seen:
            thread["id"] = next(number for number in range(at + len(threads) + 1) if str(number) not in seen)
        seen.add(str(thread["id"]))
    if threads:
        event["threads"] = {"values": threads}


def _put_locks_right(thread: dict[str, Any], path: Path, faults: Faults) -> None:
    """An object of objects, each with a type (EVT-59)."""
    given: Any = thread.pop("held_locks")
    path = (*path, "held_locks")
    if not is_object(given):
        if given is not None:
            faults.note(path, "expected an object")
        return
    kept: dict[str, Any] = {}
    for name, lock in given.items():
        if not is_object(lock) or type(lock.get("type")) is not int or lock["type"] not in _LOCK_TYPES:
            faults.note((*path, name), "expected an object with a type of 1, 2, 4 or 8")
            continue
        keep_texts(lock, ("address", "package_name", "class_name", "thread_id"), (*path, name), faults)
        kept[name] = lock
    thread["held_locks"] = kept


def _is_id(value: Any) -> bool:
    """A number, or the text of one (EVT-52)."""
    return type(value) is int or (type(value) is str and value.isdecimal())
