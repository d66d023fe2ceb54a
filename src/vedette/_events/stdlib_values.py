"""Rendering of well-known standard-library types, none of which is imported for it.

A class is recognized by its dotted name and then by being that very class, so a namesake is just another object.
What is shown comes from C-level fields or from what the instance stores: ``str(datetime)`` would ask a foreign
``tzinfo``, ``repr(timezone)`` a foreign string.
"""

from __future__ import annotations

from vedette._events.builtin_values import fill_items, fill_iterated, int_text
from vedette._events.dispatch_values import WIDTH, fit, render
from vedette._events.reading_values import (
    class_items,
    class_of,
    dotted_name,
    genuine,
    list_slice,
    mro_of,
    plain_str,
    read_slot,
    short_name,
    type_names,
)
from vedette._events.structured_values import Fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from vedette._events.dispatch_values import Renderer
    from vedette._events.settings import EventSettings

    Factory = Callable[[type, Any], Renderer]  # the value's class, and the genuine one that it derives from
    Reader = Callable[[Any], Any]

_MAX_PATH = 4096  # characters
_LARGEST_DECIMAL = 1024  # bytes in memory


def plan_stdlib(cls: type) -> Renderer | None:
    """For the types of the table below and for their subclasses."""
    for base in mro_of(cls):
        names = type_names(base)
        factory = _FACTORIES.get(names)
        if factory is not None and genuine(base, *names):
            return factory(cls, base)
    return None


def _member(genuine_class: type, name: str) -> Reader:
    """The reader of a C-level field: of the genuine class's own, or of one that it inherits."""
    for base in mro_of(genuine_class):
        for found, member in class_items(base):
            if found == name:
                return member.__get__  # type: ignore[attr-defined, no-any-return] # a descriptor of a C type
    raise AssertionError(name)


def _text_renderer(cls: type, text_of: Callable[[Any], str]) -> Renderer:
    """``Name(text)``."""
    name = short_name(cls)

    def render_text(value: object, room: int, _depth: int, _settings: EventSettings) -> str:
        return fit(f"{name}({text_of(value)})", room, ")")

    return render_text


# --- dates and times ---


def _datetime(cls: type, base: Any) -> Renderer:
    date_of, time_of = _date_text(base), _time_text(base)
    return _text_renderer(cls, lambda value: f"{date_of(value)} {time_of(value)}")


def _date(cls: type, base: Any) -> Renderer:
    return _text_renderer(cls, _date_text(base))


def _time(cls: type, base: Any) -> Renderer:
    return _text_renderer(cls, _time_text(base))


def _date_text(base: type) -> Callable[[Any], str]:
    year, month, day = (_member(base, name) for name in ("year", "month", "day"))
    return lambda value: f"{year(value):04}-{month(value):02}-{day(value):02}"


def _time_text(base: type) -> Callable[[Any], str]:
    hour, minute, second, microsecond, tzinfo = (
        _member(base, name) for name in ("hour", "minute", "second", "microsecond", "tzinfo")
    )

    def text(value: Any) -> str:
        micros = microsecond(value)
        fraction = f".{micros:06}" if micros else ""
        zone = tzinfo(value)
        suffix = "" if zone is None else f" {_zone_text(zone)}"
        return f"{hour(value):02}:{minute(value):02}:{second(value):02}{fraction}{suffix}"

    return text


def _zone_text(zone: object) -> str:
    cls: Any = type(zone)
    names = type_names(cls)
    if names == ("datetime", "timezone") and genuine(cls, *names):
        return _offset_text(cls.utcoffset(zone, None))
    if names == ("zoneinfo", "ZoneInfo") and genuine(cls, *names):
        key = plain_str(_member(cls, "key")(zone), 64)
        if key is not None:
            return key
    return f"<{dotted_name(cls)}>"


def _offset_text(offset: object) -> str:
    days, seconds, micros = (read(offset) for read in _timedelta_readers(type(offset)))
    seconds += days * 86_400
    if not seconds and not micros:
        return "UTC"
    sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
    hours, minutes = divmod(seconds // 60, 60)
    return f"UTC{sign}{hours:02}:{minutes:02}" + (f":{seconds % 60:02}" if seconds % 60 else "")


_UNITS = ("days", "seconds", "microseconds")


def _timedelta_readers(cls: type) -> list[Reader]:
    return [_member(base, unit) for base in mro_of(cls) if genuine(base, "datetime", "timedelta") for unit in _UNITS]


def _timedelta(cls: type, base: Any) -> Renderer:
    readers = _timedelta_readers(base)

    def text(value: Any) -> str:
        numbers = [read(value) for read in readers]
        return ", ".join(f"{unit}={number}" for unit, number in zip(_UNITS, numbers, strict=True) if number) or "0"

    return _text_renderer(cls, text)


def _timezone(cls: type, base: Any) -> Renderer:
    return _text_renderer(cls, lambda value: _offset_text(base.utcoffset(value, None)))


def _zone_info(cls: type, base: Any) -> Renderer:
    key_of = _member(base, "key")
    return _text_renderer(cls, lambda value: repr(plain_str(key_of(value), 64)))  # an exact str


# --- numbers ---


def _decimal(cls: type, base: Any) -> Renderer:
    def text(value: Any) -> str:
        if base.__sizeof__(value) > _LARGEST_DECIMAL:
            return f"about 10**{base.adjusted(value)}"
        return f"'{base.__str__(value)}'"

    return _text_renderer(cls, text)


def _fraction(cls: type, _base: Any) -> Renderer:
    def text(value: Any) -> str:
        terms = (read_slot(value, "_numerator"), read_slot(value, "_denominator"))
        return ", ".join(int_text(term) if type(term) is int else "?" for term in terms)

    return _text_renderer(cls, text)


def _uuid(cls: type, _base: Any) -> Renderer:
    def text(value: Any) -> str:
        number = read_slot(value, "int")
        if type(number) is not int:
            return "?"
        digits = f"{number:032x}"
        return f"'{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}'"

    return _text_renderer(cls, text)


# --- others ---


def _address(cls: type, _base: Any) -> Renderer:
    """An IP address, an interface or a network: ``IPv4Network('10.0.0.0/8')``."""
    fields = Fields(cls, ("_ip", "_prefixlen", "_scope_id", "network_address"))
    address_fields = ("_ip", "_scope_id")

    def text(value: Any) -> str:
        found = fields.named(value)
        network: Any = found.get("network_address")
        if network is not None:
            found |= Fields(class_of(network), address_fields).named(network)
        number, scope, prefix = found.get("_ip"), found.get("_scope_id"), found.get("_prefixlen")
        if type(number) is not int:
            return "?"
        shown = _ipv6(number) if _is_ipv6(cls) else ".".join(f"{number >> shift & 255}" for shift in (24, 16, 8, 0))
        if type(scope) is str:
            shown += f"%{scope[:64]}"
        return f"'{shown}/{prefix}'" if type(prefix) is int else f"'{shown}'"

    return _text_renderer(cls, text)


def _is_ipv6(cls: type) -> bool:
    return any(type_names(base) == ("ipaddress", "_BaseV6") for base in mro_of(cls))


def _ipv6(number: int) -> str:
    groups = [f"{number >> shift & 0xFFFF:x}" for shift in range(112, -1, -16)]
    text = f":{':'.join(groups)}:"
    for zeros in range(8, 1, -1):  # the longest run of zeros becomes "::"
        run = ":0" * zeros + ":"
        if run in text:
            start, _, end = text.partition(run)
            return f"{start[1:]}::{end[:-1]}"
    return text[1:-1]


def _array(cls: type, base: Any) -> Renderer:
    typecode_of = _member(base, "typecode")
    name = short_name(cls)

    def render_array(value: object, room: int, depth: int, settings: EventSettings) -> str:
        items: list[object] = base.tolist(base.__getitem__(value, slice(0, WIDTH)))  # exact numbers or characters
        style = (f"{name}('{typecode_of(value)}', [", ", ", "])")
        return fill_items(items, base.__len__(value), style, room, depth, settings)

    return render_array


def _path(cls: type, _base: Any) -> Renderer:
    def text(value: Any) -> str:
        known = plain_str(read_slot(value, "_str"), _MAX_PATH)  # set once it was asked for
        return repr(known if known is not None else _joined_parts(value))  # an exact str

    return _text_renderer(cls, text)


def _joined_parts(path: object) -> str:
    # _raw_paths: what it was made of, from 3.12 on; _parts: the same, split, before that
    stored = read_slot(path, "_raw_paths")
    if stored is None:
        stored = read_slot(path, "_parts")
    kind: type = type(stored)
    if kind is not list:
        return "."
    joined = ""
    for part in list_slice(stored, slice(0, _MAX_PATH)):
        piece = plain_str(part, _MAX_PATH) or ""
        if piece.startswith("/"):
            joined = piece
        else:
            joined += piece if joined.endswith("/") or not joined else f"/{piece}"
    return joined or "."


def _pattern(cls: type, base: Any) -> Renderer:
    pattern_of = _member(base, "pattern")
    name = "re.compile" if cls is base else short_name(cls)

    def render_pattern(value: object, room: int, depth: int, settings: EventSettings) -> str:
        inner = render(pattern_of(value), max(0, room - len(name) - 2), depth - 1, settings)
        return fit(f"{name}({inner})", room, ")")

    return render_pattern


def _deque(cls: type, base: Any) -> Renderer:
    style = (f"{short_name(cls)}([", ", ", "])")

    def render_deque(value: object, room: int, depth: int, settings: EventSettings) -> str:
        return fill_iterated(base.__iter__, value, base.__len__(value), style, room, depth, settings)

    return render_deque


def _partial(cls: type, base: Any) -> Renderer:
    func_of = _member(base, "func")
    name = short_name(cls)

    def render_partial(value: object, room: int, depth: int, settings: EventSettings) -> str:
        inner = render(func_of(value), max(0, room - len(name) - 2), depth - 1, settings)
        return fit(f"{name}({inner})", room, ")")

    return render_partial


def _weak_reference(_cls: type, base: Any) -> Renderer:
    def render_weak_reference(value: object, room: int, _depth: int, _settings: EventSettings) -> str:
        referent: object = base.__call__(value)
        what = "dead" if referent is None else f"to {dotted_name(type(referent))}"
        return fit(f"<weakref {what}>", room, ">")

    return render_weak_reference


_FACTORIES: dict[tuple[str, str], Factory] = {
    ("datetime", "datetime"): _datetime,
    ("datetime", "date"): _date,
    ("datetime", "time"): _time,
    ("datetime", "timedelta"): _timedelta,
    ("datetime", "timezone"): _timezone,
    ("zoneinfo", "ZoneInfo"): _zone_info,
    ("decimal", "Decimal"): _decimal,
    ("fractions", "Fraction"): _fraction,
    ("uuid", "UUID"): _uuid,
    ("pathlib", "PurePath"): _path,
    ("pathlib._local", "PurePath"): _path,  # 3.13
    ("re", "Pattern"): _pattern,
    ("collections", "deque"): _deque,
    ("functools", "partial"): _partial,
    ("array", "array"): _array,
    **{("ipaddress", f"IPv{version}{kind}"): _address for version in (4, 6) for kind in ("Address", "Network")},
    ("weakref", "ReferenceType"): _weak_reference,
}
