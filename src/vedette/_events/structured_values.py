"""Rendering of objects from what they store: fields of an instance's dict and slots, never an attribute look-up."""

from __future__ import annotations

import sys
from itertools import islice
from types import ModuleType

from vedette._events.builtin_values import HIDDEN, MISSED, fill_fields
from vedette._events.dispatch_values import CUT, WIDTH, fit, render
from vedette._events.reading_values import (
    class_items,
    class_of,
    derives,
    dict_items,
    dict_reader,
    dotted_name,
    module_dict,
    mro_of,
    read_slot,
    short_name,
    slot_readers,
    tuple_len,
    tuple_slice,
    type_names,
)
from vedette._privacy.denylist import FILTERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from vedette._events.builtin_values import Entry
    from vedette._events.dispatch_values import Renderer
    from vedette._events.settings import EventSettings

_MAX_SCANNED = 100  # fields of one instance that are looked at

# A class that is there to hide what it holds says so in its name: SecretStr, Secret, Password.
_SECRETIVE = ("secret", "password", "credential")

# Bookkeeping of object-relational mappers, first in the dict of each of their instances.
_NOISE = frozenset({"_state", "_sa_instance_state"})


class Fields:
    """Reads what instances of one class store, in order: all of it but ``skipped``, or the fields of these names."""

    __slots__ = ("_dict_of", "_labels", "_skipped", "_slots")

    def __init__(self, cls: type, names: Iterable[str] | None = None, *, skipped: frozenset[str] = frozenset()) -> None:
        self._skipped = _NOISE | skipped
        self._labels = None if names is None else {name: f"{name}=" for name in names}
        self._dict_of = dict_reader(cls)
        self._slots = [
            (name, f"{name}=", read) for name, read in slot_readers(cls) if self._labels is None or name in self._labels
        ]

    def __bool__(self) -> bool:
        return self._dict_of is not None or bool(self._slots)

    def of(self, value: object, matches: Callable[[str], bool]) -> list[Entry]:
        """At most 100 labels (``name=``) and values; fewer if another thread adds fields meanwhile."""
        entries: list[Entry] = []
        for name, label, read in self._slots:
            try:
                entries.append((label, HIDDEN if matches(name) else read(value)))
            except (AttributeError, TypeError):  # not set; another class's
                continue
        if self._dict_of is None:
            return entries
        found: list[Entry]
        labels, skipped = self._labels, self._skipped
        try:
            stored = dict_items(self._dict_of(value))
            if labels is None:
                found = [
                    (f"{name}=", HIDDEN if matches(name) else item)
                    for name, item in islice(stored, _MAX_SCANNED)
                    if type(name) is str and name not in skipped
                ]
            else:
                found = [
                    (labels[name], HIDDEN if matches(name) else item)
                    for name, item in islice(stored, _MAX_SCANNED)
                    if type(name) is str and name in labels
                ]
        except (AttributeError, TypeError):  # another class's descriptor
            return entries
        except RuntimeError:
            return [*entries, ("", MISSED)]
        return entries + found if entries else found

    def named(self, value: object) -> dict[str, object]:
        """The same by name, for a few fields that are ours to interpret."""
        return {label[:-1]: item for label, item in self.of(value, _nothing)}


def _nothing(_name: str) -> bool:
    return False


def plan_hidden(cls: type) -> Renderer | None:
    """For what its class is there to hide."""
    return bare_line(f"<{dotted_name(cls)} {FILTERED}>") if is_secretive(cls) else None


def is_secretive(cls: type) -> bool:
    """Whether the class is there to hide what its instances hold, by its name."""
    name = short_name(cls).lower()
    return any(word in name for word in _SECRETIVE) and not derives(cls, BaseException) and not derives(cls, type)


def bare_line(text: str) -> Renderer:
    """For a class of which each instance gets the same text."""

    def render_line(_value: object, room: int, _depth: int, _settings: EventSettings) -> str:
        return fit(text, room, ">")

    return render_line


def plan_enum(cls: type) -> Renderer | None:
    """For members of an enumeration: ``<Color.RED: 1>``, from what the member stores."""
    enum = sys.modules.get("enum")
    if type(enum) is not ModuleType:
        return None
    meta: Any = module_dict(enum).get("EnumMeta")
    if not any(base is meta for base in mro_of(type(cls))):
        return None
    fields = Fields(cls, ("_name_", "_value_"))
    name = short_name(cls)

    def render_member(value: object, room: int, depth: int, settings: EventSettings) -> str:
        found = fields.named(value)
        member = found.get("_name_")
        dotted = f"{name}.{member}" if type(member) is str else name
        content = render(found.get("_value_"), max(0, room - len(dotted) - 4), depth - 1, settings)
        return fit(f"<{dotted}: {content}>", room, ">")

    return render_member


def plan_structured(cls: type) -> Renderer | None:
    """For dataclasses, attrs classes, pydantic models and named tuples: ``Order(id=7)``.

    Fields that the class keeps out of its own repr are left out here as well.
    """
    for base in mro_of(cls):
        for marker, member in class_items(base):
            names_of = _MARKERS.get(marker)
            names = None if names_of is None else names_of(member)
            if names is None:
                continue
            if marker != "_fields":
                return structure(Fields(cls, names), (f"{short_name(cls)}(", ", ", ")"))
            if derives(cls, tuple):
                return _named_tuple(cls, names)
    return None


def _fields_by_name(member: object) -> list[str] | None:
    """Of dataclasses and pydantic models: a dict of names and descriptions of fields."""
    cls: type = type(member)
    if cls is not dict:
        return None
    return [name for name, field in dict_items(member) if type(name) is str and read_slot(field, "repr") is not False]


def _older_pydantic_fields(member: object) -> list[str] | None:
    """Of pydantic before 2.10: its dict has a name that any class may use, so its values must be pydantic's."""
    cls: type = type(member)
    if cls is not dict or any(type_names(class_of(field)) != _FIELD_INFO for _, field in dict_items(member)):
        return None
    return _fields_by_name(member)


_FIELD_INFO = ("pydantic.fields", "FieldInfo")


def _attrs_fields(member: object) -> list[str] | None:
    if not derives(type(member), tuple):
        return None
    names: list[str] = []
    for attribute in tuple_slice(member, slice(None)):
        name = read_slot(attribute, "name")
        # A function that is to make the field's repr is there to hide or to shorten, and may not be called.
        if type(name) is str and read_slot(attribute, "repr") is True:
            names.append(name)
    return names


def _tuple_fields(member: object) -> list[str] | None:
    cls: type = type(member)
    if cls is not tuple:
        return None
    members = tuple_slice(member, slice(None))
    names = [name for name in members if type(name) is str]
    return names if len(names) == len(members) else None


_MARKERS: dict[str, Callable[[object], list[str] | None]] = {
    "__dataclass_fields__": _fields_by_name,
    "__attrs_attrs__": _attrs_fields,
    "__pydantic_fields__": _fields_by_name,
    "model_fields": _older_pydantic_fields,
    "_fields": _tuple_fields,
}


def _named_tuple(cls: type, names: list[str]) -> Renderer:
    style = (f"{short_name(cls)}(", ", ", ")")

    def render_named_tuple(value: Any, room: int, depth: int, settings: EventSettings) -> str:
        if depth <= 0:
            return fit(style[0] + CUT + style[2], room, style[2])
        entries: list[Entry] = [
            (f"{name}=", HIDDEN if settings.matches(name) else item)
            for name, item in zip(names, tuple_slice(value, slice(0, WIDTH)), strict=False)
        ]
        return fill_fields(entries, tuple_len(value), style, room, depth, settings)

    return render_named_tuple


def plan_object(cls: type) -> Renderer:
    """For any other class: ``<shop.models.Order id=7>``, or its bare name if nothing stored can be read."""
    name = dotted_name(cls)
    fields = Fields(cls)
    return structure(fields, (f"<{name} ", " ", ">")) if fields else bare_line(f"<{name}>")


def structure(fields: Fields, style: tuple[str, str, str]) -> Renderer:
    """What these fields hold, between what opens and what closes; the class alone if they hold nothing."""
    opening, _separator, closing = style
    empty = opening.rstrip() + closing
    unopened = empty if opening[0] == "<" else opening + CUT + closing

    def render_structure(value: object, room: int, depth: int, settings: EventSettings) -> str:
        if depth <= 0:
            return fit(unopened, room, closing)
        entries = fields.of(value, settings.matches)
        if not entries:
            return fit(empty, room, closing)
        return fill_fields(entries[:WIDTH], len(entries), style, room, depth, settings)

    return render_structure
