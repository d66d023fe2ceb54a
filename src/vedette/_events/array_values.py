"""Rendering of numpy's and pandas' types: numbers by their value, arrays and tables by their shape alone.

Nothing here calls a method that is written in Python: what is read are C-level fields and conversions of the
genuine classes, and what instances store. No element of an array is touched, be it an object or a page of a file.
"""

from __future__ import annotations

from types import GetSetDescriptorType, MemberDescriptorType, MethodDescriptorType, WrapperDescriptorType

from vedette._events.dispatch_values import fit
from vedette._events.reading_values import (
    TypeCache,
    class_items,
    class_of,
    derives,
    dict_items,
    dict_reader,
    dotted_name,
    genuine,
    list_slice,
    mro_of,
    short_name,
    type_names,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from vedette._events.dispatch_values import Renderer
    from vedette._events.settings import EventSettings

    Factory = Callable[[type, Any], Renderer]  # the value's class, and the genuine one that it derives from
    Reader = Callable[[Any], Any]

_C_FIELDS = (GetSetDescriptorType, MemberDescriptorType)
_C_METHODS = (WrapperDescriptorType, MethodDescriptorType)


def c_level(cls: type, name: str, kinds: tuple[type, ...]) -> Reader | None:
    """What a class written in C, or a base of it, defines under this name; None if only Python code does."""
    for base in mro_of(cls):
        for found, member in class_items(base):
            if found == name and any(type(member) is kind for kind in kinds):
                return member.__get__  # type: ignore[attr-defined, no-any-return] # a descriptor of a C type
    return None


# --- numbers ---

# The conversion that gives an exact built-in, by what a scalar derives from.
_CONVERSIONS: dict[tuple[str, str], str | None] = {
    ("numpy", "timedelta64"): None,  # an integer of some unit
    ("numpy", "integer"): "__int__",
    ("numpy", "floating"): "__float__",
    ("numpy", "complexfloating"): "__complex__",
    ("numpy", "bool"): "__bool__",
    ("numpy", "bool_"): "__bool__",  # before numpy 2
}
_numbers = TypeCache()


def plain_number(value: object) -> Any:
    """What a numpy scalar is as an exact int, float, complex or bool; None for any other value."""
    cls = type(value)
    known: tuple[Reader | None] | None = _numbers.get(cls)
    if known is None:
        known = (_number_reader(cls),)
        _numbers.remember(cls, known)
    read = known[0]
    return None if read is None else read(value)()


def _number_reader(cls: type) -> Reader | None:
    for base in mro_of(cls):
        names = type_names(base)
        if names in _CONVERSIONS and genuine(base, *names):
            conversion = _CONVERSIONS[names]
            return None if conversion is None else c_level(cls, conversion, _C_METHODS)
    return None


def scalar(cls: type, base: Any) -> Renderer:
    """``int64(7)``, ``float32(0.5)``, ``datetime64(2026-11-24)``."""
    name = short_name(cls)
    read = _number_reader(cls) or c_level(base, "__str__", (WrapperDescriptorType,))

    def render_scalar(value: object, room: int, _depth: int, _settings: EventSettings) -> str:
        shown = "?" if read is None else read(value)()  # an exact built-in
        return fit(f"{name}({shown})", room, ")")

    return render_scalar


# --- arrays ---


def array(cls: type, base: Any) -> Renderer:
    """``<numpy.ndarray of int64, shape (3, 2)>``."""
    name = dotted_name(cls)
    shape_of, dtype_of = c_level(base, "shape", _C_FIELDS), c_level(base, "dtype", _C_FIELDS)

    def render_array(value: object, room: int, _depth: int, _settings: EventSettings) -> str:
        if shape_of is None or dtype_of is None:
            return fit(f"<{name}>", room, ">")
        return fit(f"<{name} of {_item_name(dtype_of(value))}, shape {_shape(shape_of(value))}>", room, ">")

    return render_array


def _item_name(dtype: object) -> str:
    type_in = c_level(type(dtype), "type", (MemberDescriptorType,))
    item: object = None if type_in is None else type_in(dtype)
    return short_name(item) if derives(type(item), type) else "?"  # type: ignore[arg-type] # a class


def _shape(lengths: tuple[object, ...]) -> str:
    """As Python writes a tuple; ``?`` for a length that could not be read."""
    shown = ["?" if length is None else f"{length}" for length in lengths]  # exact integers
    return f"({', '.join(shown)}{',' if len(shown) == 1 else ''})"


# --- tables ---


def table(cls: type, _base: Any) -> Renderer:
    """``<pandas.DataFrame shape (3, 2)>``, as far as the lengths can be read from what it stores."""
    name = dotted_name(cls)

    def render_table(value: object, room: int, _depth: int, _settings: EventSettings) -> str:
        stored = _stored(value)
        # A manager lists columns before rows; an index has no manager.
        axes = [value] if "_mgr" not in stored else _axes_of(stored["_mgr"])
        lengths = tuple(_length_of(axis) for axis in reversed(axes))
        known = any(length is not None for length in lengths)
        return fit(f"<{name} shape {_shape(lengths)}>" if known else f"<{name}>", room, ">")

    return render_table


def _axes_of(manager: object) -> list[Any]:
    axes: Any = _stored(manager).get("axes")  # of a series
    if axes is None:
        axes = _field_of_base(manager, ("pandas._libs.internals", "BlockManager"), "axes")
    return list_slice(axes, slice(0, 2)) if class_of(axes) is list else []


def _length_of(index: object) -> int | None:
    stored = _stored(index)
    span, data = stored.get("_range"), stored.get("_data")
    if type(span) is range:
        return len(span)
    if not _is_array(data):
        data = _field_of_base(data, ("pandas._libs.arrays", "NDArrayBacked"), "_ndarray")
    lengths: Any = _field_of_base(data, ("numpy", "ndarray"), "shape") if _is_array(data) else None
    return lengths[0] if class_of(lengths) is tuple and lengths else None


def _is_array(value: object) -> bool:
    return genuine(type(value), "numpy", "ndarray")


def _field_of_base(value: object, names: tuple[str, str], field: str) -> Any:
    """A C-level field that the base class of this name gives a value; None if it has no such base."""
    for base in mro_of(type(value)):
        if type_names(base) == names and genuine(base, *names):
            read = c_level(base, field, _C_FIELDS)
            return None if read is None else read(value)
    return None


def _stored(value: object) -> dict[str, object]:
    dict_of = dict_reader(type(value))
    try:
        found = [] if dict_of is None else list(dict_items(dict_of(value)))
    except RuntimeError:  # another thread adds to it
        return {}
    return {name: item for name, item in found if type(name) is str}
