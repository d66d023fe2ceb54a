"""``threads``: each with an id of its own (EVT-51 to EVT-59)."""

from __future__ import annotations

from vedette._given_events.faults import is_object, keep_texts, keep_type, values_in
from vedette._given_events.stacktrace import put_stacktrace_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._given_events.faults import Faults

    Path = tuple[str | int, ...]

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
