"""Rendering of the built-in types and of their subclasses, through the methods of the built-in type alone."""

from __future__ import annotations

import gc
from itertools import islice
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MappingProxyType,
    MethodType,
    ModuleType,
)

from vedette._events.dispatch_values import ATOMS, CUT, RENDERERS, WIDTH, before_credentials, fit, render
from vedette._events.reading_values import (
    MAX_NAME,
    class_of,
    derives,
    dict_items,
    dict_len,
    dotted_name,
    list_len,
    list_slice,
    module_dict,
    mro_of,
    plain_str,
    short_name,
    tuple_len,
    tuple_slice,
)
from vedette._events.registered_values import NOT_REGISTRABLE
from vedette._privacy.denylist import FILTERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

    from vedette._events.dispatch_values import Renderer
    from vedette._events.settings import EventSettings

    Factory = Callable[[type], Renderer]
    Entry = tuple[str, Any]  # a label, such as "name=", and a value
    Style = tuple[str, str, str]  # what opens, separates and closes

_LARGEST_BITS = 512  # of an integer written out: 155 digits
_SHOWN_BITS = 64
_MIN_ITEM = 4  # bytes; with less left a container ends
_MIN_SHARE = 16  # bytes; rather few entries that can be read than many that cannot
_TAIL = 12  # bytes for what opens and closes, and for saying how many entries are not shown
_LONGEST_NAME = 256  # characters of a key that are compared with the deny list

_set: Any = set
_frozenset: Any = frozenset

_LIST: Style = ("[", ", ", "]")
_DICT: Style = ("{", ", ", "}")


class _Mark:
    """Stands for a value that is not looked at."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


HIDDEN: Final = _Mark(FILTERED)
MISSED: Final = _Mark(CUT)


# --- atoms ---


def render_int(value: int, room: int, _depth: int, _settings: EventSettings) -> str:
    text = repr(value) if value.bit_length() <= _LARGEST_BITS else int_text(value)  # an exact int
    return text if len(text) <= room else fit(text, room)


def int_text(value: int) -> str:
    """Digits, or for a huge integer its first hexadecimal digits and its size: digits would take minutes."""
    bits = value.bit_length()
    if bits <= _LARGEST_BITS:
        return repr(value)  # an exact int
    first = abs(value) >> (bits - _SHOWN_BITS)
    return f"{'-' if value < 0 else ''}0x{first:x}{CUT} ({bits} bits)"


def _render_repr(value: object, room: int, _depth: int, _settings: EventSettings) -> str:
    text = repr(value)  # of exact built-ins only, whose repr is CPython's own
    return text if len(text) <= room else fit(text, room)


def render_str(value: str, room: int, _depth: int, settings: EventSettings) -> str:
    if len(value) < room and len(value) <= settings.string_limit:
        text = repr(value)  # an exact str
        return text if len(text) <= room and text.isascii() else fit(text, room, text[-1])
    return _cut_literal(repr(value[: min(settings.string_limit, room)]), room)  # an exact str


def _render_bytes(value: bytes, room: int, _depth: int, settings: EventSettings) -> str:
    shown = min(settings.string_limit, room)
    if len(value) <= shown:
        text = repr(value)  # exact bytes
        return fit(text, room, text[-1])
    return _cut_literal(repr(value[:shown]), room)  # exact bytes


def _cut_literal(literal: str, room: int) -> str:
    return fit(before_credentials(literal[:-1]) + CUT + literal[-1], room, literal[-1])


# --- containers ---

# Most containers hold small built-ins, and most of the time of a capture goes into them. So the three loops below
# write those as they are, without a call. Any other value gets an even share of the room that is left, and passes
# on what it does not use.


def fill_items(
    items: list[Any] | tuple[Any, ...], total: int, style: Style, room: int, depth: int, settings: EventSettings
) -> str:
    """The first items of a sequence, between what opens and what closes."""
    if depth <= 0 and total:
        return _unopened(style, room)
    short = settings.short_string
    parts: list[str] = []
    for item in items:
        cls = class_of(item)
        if (
            (cls is int and item.bit_length() <= _SHOWN_BITS)
            or (cls is str and len(item) <= short)
            or item is None
            or cls is float
            or cls is bool
        ):
            parts.append(repr(item))  # an exact atom
            continue
        share = _share(parts, room, len(items))
        if share == 0:
            break
        parts.append(render(item, share, depth - 1, settings))
    return _closed(parts, total, style, room)


def fill_mapping(mapping: object, room: int, depth: int, settings: EventSettings, style: Style = _DICT) -> str:
    """The same for a dict. Values under deny-listed names are ``[Filtered]`` unseen."""
    total = dict_len(mapping)
    if depth <= 0 and total:
        return _unopened(style, room)
    matches = settings.matches
    short = settings.short_string
    parts: list[str] = []
    try:
        for key, item in dict_items(mapping):
            if type(key) is str and len(key) <= short:
                label, hidden = repr(key), matches(key)  # an exact str
            else:
                label, hidden = render(key, room // 2, depth - 1, settings), is_hidden(key, settings)
            cls = class_of(item)
            if hidden:
                parts.append(f"{label}: {FILTERED}")
            elif (
                (cls is str and len(item) <= short)
                or (cls is int and item.bit_length() <= _SHOWN_BITS)
                or item is None
                or cls is bool
                or cls is float
            ):
                parts.append(f"{label}: {item!r}")  # an exact atom
            else:
                share = _share(parts, room, total, len(label) + 2)
                if share == 0:
                    break
                parts.append(f"{label}: {render(item, share, depth - 1, settings)}")
            if len(parts) == WIDTH:
                break
    except RuntimeError:  # another thread resizes it: what was seen so far is what there is
        parts.append(CUT)
        total = len(parts)
    return _closed(parts, total, style, room)


def fill_fields(entries: list[Entry], total: int, style: Style, room: int, depth: int, settings: EventSettings) -> str:
    """The same for stored fields: what stands before the value, such as ``id=``, and the value or a mark."""
    short = settings.short_string
    parts: list[str] = []
    for label, item in entries:
        cls = class_of(item)
        if (
            (cls is str and len(item) <= short)
            or (cls is int and item.bit_length() <= _SHOWN_BITS)
            or item is None
            or cls is bool
            or cls is float
            or cls is _Mark
        ):
            parts.append(f"{label}{item!r}")  # an exact atom, or our mark
            continue
        share = _share(parts, room, len(entries), len(label))
        if share == 0:
            break
        parts.append(label + render(item, share, depth - 1, settings))
    return _closed(parts, total, style, room)


def _share(parts: list[str], room: int, total: int, label: int = 0) -> int:
    """Bytes for the value that comes after these parts; 0 if the container should end here.

    Counts characters, which is quick; where they take more bytes, later values get less than their due.
    """
    left = room - _TAIL - sum(map(len, parts)) - 2 * len(parts)
    if left < _MIN_ITEM and parts:
        return 0
    waiting = min(WIDTH, total) - len(parts)
    share = left // waiting if waiting > 1 else left
    return max(share, _MIN_SHARE) - label if label < _MIN_SHARE else _MIN_SHARE


def _closed(parts: list[str], total: int, style: Style, room: int) -> str:
    if len(parts) < total:
        parts.append(f"{CUT} +{total - len(parts)}")
    opening, separator, closing = style
    text = f"{opening}{separator.join(parts)}{closing}"
    return text if len(text) <= room and text.isascii() else fit(text, room, closing)


def _unopened(style: Style, room: int) -> str:
    return fit(style[0] + CUT + style[2], room, style[2])


def is_hidden(key: Any, settings: EventSettings) -> bool:
    """Whether what stands under this key is deny-listed."""
    cls = class_of(key)
    if cls is str:
        return settings.matches(key if len(key) <= _LONGEST_NAME else key[:_LONGEST_NAME])
    if cls is int:
        return False
    if cls is bytes:  # ASGI's header names
        return settings.denylist.matches_part(key[:_LONGEST_NAME].decode("latin-1"))
    name = plain_str(key, _LONGEST_NAME)
    return name is not None and settings.matches(name)


# --- exact types ---


def _render_list(value: list[object], room: int, depth: int, settings: EventSettings) -> str:
    return fill_items(value[:WIDTH], len(value), _LIST, room, depth, settings)


def _render_tuple(value: tuple[object, ...], room: int, depth: int, settings: EventSettings) -> str:
    return fill_tuple(value, "(", room, depth, settings)


def fill_tuple(value: tuple[object, ...], opening: str, room: int, depth: int, settings: EventSettings) -> str:
    """A tuple, or an instance of a subclass.

    Headers, cookies and the items of dicts travel as pairs: beside a deny-listed name, the value is hidden.
    """
    total = tuple_len(value)
    items = tuple_slice(value, slice(0, WIDTH))
    if total == 2 and depth > 0 and is_secret_pair(items, settings):  # noqa: PLR2004 - a pair
        return fit(f"{opening}{render(items[0], room, depth - 1, settings)}, {FILTERED})", room, ")")
    return fill_items(items, total, (opening, ", ", ",)" if total == 1 else ")"), room, depth, settings)


def is_secret_pair(items: tuple[object, ...], settings: EventSettings) -> bool:
    """Whether the first of two is a deny-listed name, and the second what it names."""
    return _is_name(items[0]) and is_hidden(items[0], settings)


def _is_name(text: Any) -> bool:
    """Whether this may be the name of a header or a field, and is no sentence."""
    cls = class_of(text)
    return (cls is str and " " not in text) or (cls is bytes and b" " not in text)


def fill_iterated(
    iterate: Callable[[Any], Iterable[object]],
    value: object,
    total: int,
    style: Style,
    room: int,
    depth: int,
    settings: EventSettings,
) -> str:
    """A container without slices, by its built-in iterator; one that is resized meanwhile ends there."""
    items: list[object] = []
    try:
        items.extend(islice(iterate(value), WIDTH))
    except RuntimeError:
        total = max(total, len(items) + 1)
    return fill_items(items, total, style, room, depth, settings)


def _render_set(value: set[object], room: int, depth: int, settings: EventSettings) -> str:
    total = len(value)
    style = ("{", ", ", "}") if total else ("set(", "", ")")
    return fill_iterated(_set.__iter__, value, total, style, room, depth, settings)


def _render_frozenset(value: frozenset[object], room: int, depth: int, settings: EventSettings) -> str:
    total = len(value)
    style = ("frozenset({", ", ", "})") if total else ("frozenset(", "", ")")
    return fill_iterated(_frozenset.__iter__, value, total, style, room, depth, settings)


def _render_bytearray(value: bytearray, room: int, depth: int, settings: EventSettings) -> str:
    return _wrapped("bytearray", bytes(value[: max(room, 0) + 1]), room, depth, settings)


def _render_memoryview(value: memoryview, room: int, _depth: int, _settings: EventSettings) -> str:
    try:
        return fit(f"<memoryview of {value.nbytes} bytes>", room)
    except ValueError:
        return fit("<released memoryview>", room)


def _render_range(value: range, room: int, depth: int, settings: EventSettings) -> str:
    # A range holds exact integers, whatever it was made of.
    bounds = (value.start, value.stop) if value.step == 1 else (value.start, value.stop, value.step)
    return fill_items(bounds, len(bounds), ("range(", ", ", ")"), room, depth, settings)


def _render_slice(value: slice, room: int, depth: int, settings: EventSettings) -> str:
    return fill_items((value.start, value.stop, value.step), 3, ("slice(", ", ", ")"), room, depth, settings)


def _render_holder_of_dict(value: object, room: int, depth: int, settings: EventSettings) -> str:
    """A mapping proxy or a view of a dict: asked for its items it would ask the mapping, whosoever it is."""
    name = short_name(type(value))
    referents: list[object] = gc.get_referents(value)
    for referent in referents:
        if derives(type(referent), dict):
            return fill_mapping(referent, room, depth, settings, (f"{name}({{", ", ", "})"))
    return fit(f"<{name}>", room)


# --- code: names only ---


def render_class(value: type, room: int, _depth: int, _settings: EventSettings) -> str:
    return fit(f"<class '{dotted_name(value)}'>", room, ">")


def render_module(value: ModuleType, room: int, _depth: int, _settings: EventSettings) -> str:
    name: str | None = None
    for key, found in islice(dict_items(module_dict(value)), WIDTH):  # the name is the first entry
        if type(key) is str and key == "__name__":
            name = plain_str(found, MAX_NAME)
            break
    return fit(f"<module '{name or '?'}'>", room, ">")


def function_name(function: FunctionType) -> str:
    module = plain_str(function.__module__, MAX_NAME)
    name = plain_str(function.__qualname__, MAX_NAME) or "?"
    return f"{module}.{name}" if module else name


def _render_function(value: FunctionType, room: int, _depth: int, _settings: EventSettings) -> str:
    return fit(f"<function {function_name(value)}>", room, ">")


def _render_method(value: MethodType, room: int, _depth: int, _settings: EventSettings) -> str:
    function: object = value.__func__
    name = function_name(function) if type(function) is FunctionType else dotted_name(type(function))
    return fit(f"<bound method {name}>", room, ">")


def _render_builtin(value: BuiltinFunctionType, room: int, _depth: int, _settings: EventSettings) -> str:
    # Not its qualified name: that asks the type that it is bound to, which may have a metaclass.
    return fit(f"<built-in function {value.__name__}>", room, ">")


def _running(kind: str) -> Renderer:
    def render_running(value: Any, room: int, _depth: int, _settings: EventSettings) -> str:
        return fit(f"<{kind} {plain_str(value.__qualname__, MAX_NAME) or '?'}>", room, ">")

    return render_running


# --- subclasses: the name, and the content as of the built-in ---


def _wrapped(name: str, value: object, room: int, depth: int, settings: EventSettings) -> str:
    inner = render(value, max(0, room - len(name) - 2), depth, settings)
    return fit(f"{name}({inner})", room, ")")


def _wrapping(exact: Callable[[Any, int], object]) -> Factory:
    """For subclasses of an atom: ``exact`` makes an exact built-in of at most so many items out of an instance."""

    def factory(cls: type) -> Renderer:
        name = short_name(cls)

        def render_subclass(value: object, room: int, depth: int, settings: EventSettings) -> str:
            return _wrapped(name, exact(value, max(room, 0) + 1), room, depth, settings)

        return render_subclass

    return factory


def _list_factory(cls: type) -> Renderer:
    style = (f"{short_name(cls)}([", ", ", "])")

    def render_subclass(value: list[object], room: int, depth: int, settings: EventSettings) -> str:
        items = list_slice(value, slice(0, WIDTH))
        return fill_items(items, list_len(value), style, room, depth, settings)

    return render_subclass


def _tuple_factory(cls: type) -> Renderer:
    opening = f"{short_name(cls)}("

    def render_subclass(value: tuple[object, ...], room: int, depth: int, settings: EventSettings) -> str:
        return fill_tuple(value, opening, room, depth, settings)

    return render_subclass


def _dict_factory(cls: type) -> Renderer:
    style = (f"{short_name(cls)}({{", ", ", "})")

    def render_subclass(value: dict[object, object], room: int, depth: int, settings: EventSettings) -> str:
        return fill_mapping(value, room, depth, settings, style)

    return render_subclass


def _iterated_factory(base: Any) -> Factory:
    def factory(cls: type) -> Renderer:
        style = (f"{short_name(cls)}({{", ", ", "})")

        def render_subclass(value: object, room: int, depth: int, settings: EventSettings) -> str:
            return fill_iterated(base.__iter__, value, base.__len__(value), style, room, depth, settings)

        return render_subclass

    return factory


def _exception_factory(cls: type) -> Renderer:
    style = (f"{short_name(cls)}(", ", ", ")")
    args_of: Callable[[object], tuple[object, ...]] = BaseException.__dict__["args"].__get__

    def render_exception(value: object, room: int, depth: int, settings: EventSettings) -> str:
        args = args_of(value)
        return fill_items(args[:WIDTH], len(args), style, room, depth, settings)

    return render_exception


def _constantly(renderer: Renderer) -> Factory:
    return lambda _cls: renderer


_FACTORIES: dict[int, Factory] = {
    id(str): _wrapping(lambda value, limit: str.__getitem__(value, slice(0, limit))),
    id(bytes): _wrapping(lambda value, limit: bytes.__getitem__(value, slice(0, limit))),
    id(bytearray): _wrapping(lambda value, limit: bytes(bytearray.__getitem__(value, slice(0, limit)))),
    id(int): _wrapping(lambda value, _limit: int.__int__(value)),
    id(float): _wrapping(lambda value, _limit: float.__float__(value)),
    id(complex): _wrapping(lambda value, _limit: complex.__pos__(value)),
    id(list): _list_factory,
    id(tuple): _tuple_factory,
    id(dict): _dict_factory,
    id(set): _iterated_factory(set),
    id(frozenset): _iterated_factory(frozenset),
    id(type): _constantly(render_class),
    id(ModuleType): _constantly(render_module),
    id(BaseException): _exception_factory,
}


def plan_subclass(cls: type) -> Renderer | None:
    """For a subclass of a built-in type."""
    for base in mro_of(cls):
        factory = _FACTORIES.get(id(base))
        if factory is not None:
            return factory(cls)
    return None


_NOTHING: dict[str, str] = {}
_atoms: dict[type, Any] = {
    type(None): _render_repr,
    bool: _render_repr,
    int: render_int,
    float: _render_repr,
    complex: _render_repr,
    str: render_str,
    bytes: _render_bytes,
}
_others: dict[type, Any] = {
    type(...): _render_repr,
    type(NotImplemented): _render_repr,
    list: _render_list,
    tuple: _render_tuple,
    dict: fill_mapping,
    set: _render_set,
    frozenset: _render_frozenset,
    bytearray: _render_bytearray,
    memoryview: _render_memoryview,
    range: _render_range,
    slice: _render_slice,
    MappingProxyType: _render_holder_of_dict,
    type(_NOTHING.keys()): _render_holder_of_dict,
    type(_NOTHING.values()): _render_holder_of_dict,
    type(_NOTHING.items()): _render_holder_of_dict,
    type: render_class,
    ModuleType: render_module,
    FunctionType: _render_function,
    MethodType: _render_method,
    BuiltinFunctionType: _render_builtin,
    GeneratorType: _running("generator"),
    CoroutineType: _running("coroutine"),
    AsyncGeneratorType: _running("async generator"),
}
for _cls, _renderer in (_atoms | _others).items():
    RENDERERS[id(_cls)] = _renderer
ATOMS.update(map(id, _atoms))
NOT_REGISTRABLE.update(RENDERERS)
