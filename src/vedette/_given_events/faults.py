"""What could not be kept of an event: said in its ``_meta``, where servers show it, and in debug mode."""

from __future__ import annotations

from vedette._events.remarks import fault_remark, place_remark
from vedette._host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._events.remarks import Meta


class Faults:
    """The ``_meta`` of one event while its fields are put right.

    The values themselves are not repeated there: scrubbing passes ``_meta`` by.
    """

    __slots__ = ("meta",)

    def __init__(self, meta: Any = None) -> None:
        self.meta: Meta = meta if type(meta) is dict else {}

    def note(self, path: tuple[str | int, ...], reason: str) -> None:
        """Something at this place was taken away or replaced."""
        place_remark(self.meta, path, fault_remark(reason))
        log.debug("event: %s: %s", ".".join(map(str, path)), reason)


def is_object(value: Any) -> bool:
    """Whether this is a JSON object."""
    return type(value) is dict


def is_array(value: Any) -> bool:
    """Whether this is a JSON array."""
    return type(value) is list


def scalar_text(value: Any) -> str | None:
    """A string as it is, a number as text; None for any other value."""
    if type(value) is str:
        return value
    return str(value) if type(value) in {int, float, bool} else None


def values_in(interface: Any) -> list[Any]:
    """The list of an interface, which may stand under ``values`` or by itself; one object alone is a list of one."""
    values: Any = interface
    if is_object(interface):
        values = interface.get("values", [interface])
    return values if is_array(values) else []


def keep_texts(mapping: dict[str, Any], names: tuple[str, ...], path: tuple[str | int, ...], faults: Faults) -> None:
    """Of these keys, keep text; numbers become text, anything else goes."""
    for name in names:
        if name not in mapping or type(mapping[name]) is str:
            continue
        text = scalar_text(mapping[name])
        if text is not None:
            mapping[name] = text
            continue
        if mapping[name] is not None:
            faults.note((*path, name), "expected a string")
        del mapping[name]


def keep_type(
    kind: type, mapping: dict[str, Any], names: tuple[str, ...], path: tuple[str | int, ...], faults: Faults
) -> None:
    """Of these keys, keep what is of this very type."""
    for name in names:
        if name in mapping and type(mapping[name]) is not kind:
            if mapping[name] is not None:
                faults.note((*path, name), f"expected {_KINDS[kind]}")
            del mapping[name]


def keep_counts(mapping: dict[str, Any], names: tuple[str, ...], path: tuple[str | int, ...], faults: Faults) -> None:
    """Of these keys, keep whole numbers from 0 on; text of digits becomes one, the part behind a point goes."""
    for name in names:
        if name not in mapping:
            continue
        count = _count(mapping[name])
        if count is not None:
            mapping[name] = count
            continue
        if mapping[name] is not None:
            faults.note((*path, name), "expected a whole number from 0 on")
        del mapping[name]


def _count(value: Any) -> int | None:
    count: Any = value
    if type(value) is str and value.isdecimal() and value.isascii():
        count = int(value[:_MOST_DIGITS])
    return int(count) if type(count) in {int, float} and 0 <= count < _COUNT_LIMIT else None


def keep_numbers(mapping: dict[str, Any], names: tuple[str, ...], path: tuple[str | int, ...], faults: Faults) -> None:
    """Of these keys, keep numbers."""
    for name in names:
        if name in mapping and type(mapping[name]) not in {int, float}:
            if mapping[name] is not None:
                faults.note((*path, name), "expected a number")
            del mapping[name]


_MOST_DIGITS: Final = 20
_COUNT_LIMIT: Final = 2**64  # as servers count
_KINDS: Final = {str: "a string", dict: "an object", list: "a list", bool: "a boolean"}
