"""The attributes at the top of an event (EVT-11 to EVT-28), times (EVT-05, EVT-06), message (EVT-77 to EVT-80)."""

from __future__ import annotations

import time

from vedette._given_events.faults import is_array, is_object, keep_counts, keep_texts, keep_type, scalar_text
from vedette._host import log
from vedette._scopes.normal import level_of, name_of, read_time, tag_key_of, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._given_events.faults import Faults

_TEXTS: Final = ("release", "environment", "dist", "server_name", "logger", "platform", "type", "culprit")
_OBJECTS: Final = ("extra", "modules", "sdk", "transaction_info", "debug_meta", "measurements")
_KNOWN: Final = frozenset(
    {
        *_TEXTS,
        *_OBJECTS,
        *("event_id", "timestamp", "start_timestamp", "received", "level", "transaction", "tags", "fingerprint"),
        *("errors", "exception", "threads", "stacktrace", "logentry", "message", "request", "user", "contexts"),
        *("breadcrumbs", "spans", "time_spent", "site", "template", "_meta"),
    }
)
_PAIR: Final = 2  # name and value

_LONGEST_RELEASE: Final = 200  # bytes
_LONGEST_NAME: Final = 64
_NO_RELEASE: Final = frozenset({"latest", ".", ".."})
_NO_ENVIRONMENT: Final = frozenset({"none", ".", ".."})
_NOT_IN_NAMES: Final = frozenset("/\\\x7f") | frozenset(map(chr, range(32)))
_DIST: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


def put_attributes_right(event: dict[str, Any], faults: Faults) -> None:
    """Bring them into the form that servers take, or take them away."""
    keep_texts(event, _TEXTS, (), faults)
    keep_type(dict, event, _OBJECTS, (), faults)
    for name, is_right in (("release", _is_release), ("environment", _is_environment), ("dist", _is_dist)):
        if name in event:
            text = event[name] = event[name].strip()
            if not is_right(text):
                del event[name]
                faults.note((name,), "servers refuse this name")
    if "logger" in event:
        event["logger"] = event["logger"].replace("\n", " ").replace("\r", " ")
    _put_level_right(event, faults)
    if "transaction" in event:
        if event["transaction"] is None:
            del event["transaction"]
        else:
            event["transaction"] = name_of(event["transaction"], _same)
    if "tags" in event:
        event["tags"] = _tags(event["tags"], faults)
    if "fingerprint" in event:
        _put_fingerprint_right(event)
    if "modules" in event:
        texts = {name: scalar_text(version) for name, version in event["modules"].items()}
        event["modules"] = {name: text for name, text in texts.items() if text is not None}
    if "transaction_info" in event:
        _put_transaction_info_right(event["transaction_info"], faults)
    if "errors" in event:
        _put_errors_right(event, faults)
    if "sdk" in event:
        _put_sdk_right(event, faults)
    unknown = event.keys() - _KNOWN
    if unknown:  # kept: the protocol grows (EVT-28)
        log.debug("event: %s: not known to vedette; servers may leave it out", ", ".join(sorted(unknown)))


def _is_release(text: str) -> bool:
    return 0 < _size(text) <= _LONGEST_RELEASE and text not in _NO_RELEASE and _NOT_IN_NAMES.isdisjoint(text)


def _is_environment(text: str) -> bool:
    return 0 < _size(text) <= _LONGEST_NAME and text.lower() not in _NO_ENVIRONMENT and _NOT_IN_NAMES.isdisjoint(text)


def _size(text: str) -> int:
    """Bytes on the wire, as servers count."""
    return len(text.encode("utf-8", "replace"))


def _is_dist(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_NAME and _DIST.issuperset(text)


def _put_level_right(event: dict[str, Any], faults: Faults) -> None:
    if "level" in event:
        level = level_of(event.pop("level"))
        if level is not None:
            event["level"] = level
        else:
            faults.note(("level",), "expected fatal, error, warning, info or debug")


def _tags(tags: Any, faults: Faults) -> dict[str, str]:
    """A mapping, or a list of pairs (EVT-18), as text of at most 200 characters each (EVT-19, EVT-20)."""
    pairs: Any = tags.items() if is_object(tags) else tags if is_array(tags) else ()
    kept: dict[str, str] = {}
    for pair in pairs:
        if type(pair) in {list, tuple} and len(pair) == _PAIR and pair[1] is not None:
            key, value = tag_key_of(pair[0], _same), name_of(pair[1], _same)
            if value.strip():
                kept[key] = value
            else:
                faults.note(("tags", key), "expected a value that is not empty")
    return kept


def _put_fingerprint_right(event: dict[str, Any]) -> None:
    """A list of strings (EVT-24); ``{{ default }}`` is one of them (EVT-25)."""
    given = event.pop("fingerprint")
    parts: list[Any] = given if is_array(given) else [given]
    texts = [text_of(part, _same) for part in parts if part is not None]
    if texts:
        event["fingerprint"] = texts


def _put_errors_right(event: dict[str, Any], faults: Faults) -> None:
    """Each has a ``type`` (EVT-27)."""
    given = event.pop("errors")
    kept = [each for each in given if is_object(each) and type(each.get("type")) is str] if is_array(given) else []
    if not is_array(given) or len(kept) < len(given):
        faults.note(("errors",), "expected a list of objects with a type")
    if kept:
        event["errors"] = kept


def _put_transaction_info_right(info: dict[str, Any], faults: Faults) -> None:
    path = ("transaction_info",)
    keep_type(str, info, ("source", "original"), path, faults)
    keep_type(list, info, ("changes",), path, faults)
    keep_counts(info, ("propagations",), path, faults)


def _put_sdk_right(event: dict[str, Any], faults: Faults) -> None:
    """With name and version (EVT-101, EVT-102), and lists that hold what they must (EVT-103 to EVT-105)."""
    sdk = event["sdk"]
    if type(sdk.get("name")) is not str or type(sdk.get("version")) is not str:
        del event["sdk"]
        faults.note(("sdk",), "expected a name and a version")
        return
    for name in ("integrations", "features"):
        if name in sdk:
            sdk[name] = [each for each in sdk[name] if type(each) is str] if is_array(sdk[name]) else []
    if "packages" in sdk:
        packages: list[Any] = sdk["packages"] if is_array(sdk["packages"]) else []
        sdk["packages"] = [each for each in packages if is_object(each) and type(each.get("name")) is str]


def _same(value: object) -> object:
    return value  # rendered already


def put_message_right(event: dict[str, Any], faults: Faults) -> None:
    """Put the message under ``logentry``; a text alone is a whole message, and ``message`` is its old name."""
    older = event.pop("message", None)
    entry: Any = event.pop("logentry", None)
    if entry is None:
        entry = older
    text = scalar_text(entry)
    if text is not None:
        entry = {"message": text}
    if not is_object(entry):
        if entry is not None:
            faults.note(("logentry",), "expected an object")
        return
    keep_texts(entry, ("message", "formatted"), ("logentry",), faults)
    if type(entry.get("params")) not in {list, dict}:
        entry.pop("params", None)
    # With parameters the server puts them in: a format of foreign make may ask for gigabytes.
    if "formatted" not in entry and "message" in entry and not entry.get("params"):
        entry["formatted"] = entry["message"]
    if "message" in entry or "formatted" in entry:
        event["logentry"] = entry


_FUTURE_SECONDS: Final = 60
_PAST_SECONDS: Final = 30 * 24 * 3600


def right_timestamp(given: Any, faults: Faults) -> float:
    """Seconds; now for what is no time, and for a time that servers refuse: in the future, or over 30 days ago."""
    seconds = read_time(given)
    now = time.time()
    if seconds is None:
        faults.note(("timestamp",), "expected seconds since 1970, or text as in RFC 3339")
        return now
    if now - _PAST_SECONDS <= seconds <= now + _FUTURE_SECONDS:
        return seconds
    when = "in the future" if seconds > now else "over 30 days ago"
    faults.note(("timestamp",), f"{seconds:.0f} is {when}; the time of the capture is taken instead")
    return now


def right_start(given: Any, faults: Faults) -> float | None:
    """Seconds of ``start_timestamp``; None for what is no time, or before 1970: servers refuse the whole event."""
    seconds = read_time(given)
    if seconds is not None and seconds >= 0:
        return seconds
    if given is not None:
        faults.note(("start_timestamp",), "expected seconds since 1970, or text as in RFC 3339")
    return None
