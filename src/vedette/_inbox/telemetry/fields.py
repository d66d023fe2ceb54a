"""Reading a payload of a log or trace item: whatever it is, what comes out is typed and bounded."""

from __future__ import annotations

from typing import Any, Final

from vedette._inbox import lenient_json
from vedette._inbox.event.fields import as_text
from vedette._inbox.lenient_json import is_dict, is_list
from vedette._inbox.limits import MIB, Refused
from vedette._inbox.times import seconds_of_rfc3339

MAX_PAYLOAD: Final = MIB
"""Bytes of an item that are read for being shown."""
MAX_RECORDS: Final = 200
"""Records of one item that are shown."""
MAX_ATTRIBUTES: Final = 50
MAX_TEXT: Final = 8192
_MAX_NAME: Final = 200
_LATEST: Final = 253_000_000_000  # in the year 9987: any time zone can show it
_NANOSECONDS: Final = 1_000_000_000
_OTEL_VALUES: Final = ("stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue", "bytesValue")


class UnreadableError(Exception):
    """Why a payload cannot be shown; the words are ours."""


def records_of(payload: bytes) -> tuple[list[dict[str, Any]], int]:
    """The records of a payload, at most 200, and how many it has; one that is no list of ``items`` is a record.

    Raises UnreadableError.
    """
    if len(payload) > MAX_PAYLOAD:
        message = f"too large to be shown here: {len(payload)} bytes"
        raise UnreadableError(message)
    try:
        value, _ = lenient_json.decode(payload)
    except lenient_json.NotJsonError as error:
        message = f"its payload is no JSON: {error}"
        raise UnreadableError(message) from None
    except Refused as refused:
        raise UnreadableError(refused.detail) from None
    if not is_dict(value):
        message = "its payload is no JSON object"
        raise UnreadableError(message)
    items: object = value.get("items")
    if not is_list(items):
        return [value], 1
    return [record for record in items[:MAX_RECORDS] if is_dict(record)], len(items)


def text(value: object) -> str:
    """A value on a page: text as it is, anything else as JSON. Cut after 8 192 characters."""
    shown = "" if value is None else as_text(value)
    return shown if len(shown) <= MAX_TEXT else shown[:MAX_TEXT] + "…"


def first_text(record: dict[str, Any], *names: str) -> str:
    """The first of these fields that says something."""
    return next((shown for name in names if (shown := text(plain(record.get(name))))), "")


def plain(value: object) -> object:
    """The value itself, where the protocol or OpenTelemetry wraps it: ``{"value": 1, "type": "integer"}``."""
    if not is_dict(value):
        return value
    if "value" in value and value.keys() <= {"value", "type", "unit"}:
        return value["value"]
    if len(value) == 1:
        return next((value[name] for name in _OTEL_VALUES if name in value), value)
    return value


def attributes_of(record: dict[str, Any]) -> list[tuple[str, str]]:
    """The record's ``attributes``: an object, or a list of ``key`` and ``value``. At most 50."""
    found: object = record.get("attributes")
    if is_dict(found):
        pairs = list(found.items())
    elif is_list(found):
        pairs = [(text(pair.get("key")), pair.get("value")) for pair in found if is_dict(pair)]
    else:
        return []
    return [(name[:_MAX_NAME], text(plain(value))) for name, value in pairs[:MAX_ATTRIBUTES]]


def moment(value: object) -> float | None:
    """Seconds since the epoch of a number or RFC 3339 text that a calendar has."""
    try:
        if isinstance(value, str):
            value = seconds_of_rfc3339(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if 0 <= value < _LATEST else None
    except (ValueError, OverflowError):
        return None


def first_moment(record: dict[str, Any], *names: str) -> float | None:
    """The first of these fields that is a time."""
    return next((found for name in names if (found := moment(record.get(name))) is not None), None)


def nanoseconds(value: object) -> float | None:
    """A time as OpenTelemetry writes it: nanoseconds since the epoch, as a number or as digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:  # noqa: PLR2004 - of 64 bits
        value = int(value)
    return moment(value / _NANOSECONDS) if type(value) is int and value >= 0 and value < 2**64 else None
