"""Looking at objects that are not ours, without any of their code running (design decision 5).

``type(x)`` and ``is`` are safe; nearly everything else is not: ``isinstance`` resolves a lazy proxy, ``==`` and
``in`` call ``__eq__``, a dict look-up by a type calls its metaclass's ``__hash__``, a plain attribute may be a
property. So names, bases and class dicts are read through ``type``'s own descriptors, instances through the
descriptors that CPython put into their classes, and built-ins through the methods of the built-in type.
"""

from __future__ import annotations

import sys
from types import GetSetDescriptorType, MemberDescriptorType, ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Final

MAX_NAME: Final = 200  # characters; a class may bear any name
MAX_REMEMBERED_TYPES: Final = 4096
HEAP_TYPE: Final = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made while the program runs, and freed when nobody needs it

_type_dict: Any = type.__dict__
_module_type_dict: Any = ModuleType.__dict__
mro_of: Callable[[type], tuple[type, ...]] = _type_dict["__mro__"].__get__
_class_dict: Callable[[type], Any] = _type_dict["__dict__"].__get__
_module_in: Callable[[type], object] = _type_dict["__module__"].__get__
_qualname_of: Callable[[type], str] = _type_dict["__qualname__"].__get__
module_dict: Callable[[ModuleType], dict[str, object]] = _module_type_dict["__dict__"].__get__
flags_of: Callable[[type], int] = _type_dict["__flags__"].__get__
exception_dict: Callable[[BaseException], dict[Any, Any]] = BaseException.__dict__["__dict__"].__get__
class_of: Callable[[object], type] = type  # for checkers: the class of something untyped is a class

# The built-in types' own methods: what a subclass overrides does not run.
_str: Any = str
_list: Any = list
_tuple: Any = tuple
_dict: Any = dict
str_slice: Callable[[Any, slice], str] = _str.__getitem__
str_len: Callable[[Any], int] = _str.__len__
list_slice: Callable[[Any, slice], list[Any]] = _list.__getitem__
list_len: Callable[[Any], int] = _list.__len__
tuple_slice: Callable[[Any, slice], tuple[Any, ...]] = _tuple.__getitem__
tuple_len: Callable[[Any], int] = _tuple.__len__
dict_items: Callable[[Any], Iterable[tuple[Any, Any]]] = _dict.items
dict_len: Callable[[Any], int] = _dict.__len__


def derives(cls: type, base: type) -> bool:
    """What ``issubclass`` says when nobody has overridden it."""
    for one in mro_of(cls):  # noqa: SIM110 - any() takes three times as long
        if one is base:
            return True
    return False


def clean(text: str) -> str:
    """The same text without lone surrogates, which no server could store: they are written as escapes."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def plain_str(value: object, limit: int) -> str | None:
    """The first characters of a string, or of an instance of a subclass, as an exact ``str``; else None."""
    if type(value) is str:
        return value[:limit]
    if derives(type(value), str):
        return str_slice(value, slice(0, limit))
    return None


def type_names(cls: type) -> tuple[str, str]:
    """Module and qualified name of a class, as exact strings without lone surrogates; "" if it has none."""
    try:
        module = _module_in(cls)
    except AttributeError:  # a class whose namespace lost its __module__
        module = ""
    qualname = _qualname_of(cls)
    if type(module) is not str or type(qualname) is not str or len(qualname) > MAX_NAME:
        module = plain_str(module, MAX_NAME) or ""
        qualname = plain_str(qualname, MAX_NAME) or ""
    return clean(module), clean(qualname)


def short_name(cls: type) -> str:
    """The qualified name, without the function that a local class was made in: ``Order``, ``Cart.Item``."""
    return type_names(cls)[1].rpartition("<locals>.")[2]


def dotted_name(cls: type) -> str:
    """``shop.models.Order``; without the module for built-ins."""
    module, qualname = type_names(cls)
    name = qualname.rpartition("<locals>.")[2]
    return name if module in {"", "builtins"} else f"{module}.{name}"


def class_items(cls: type) -> Iterator[tuple[str, object]]:
    """What a class's own body defined. Iterated, never looked up: a key may be an odd subclass of ``str``."""
    for name, member in list(_class_dict(cls).items()):  # a copy: another thread may add to the class
        if type(name) is str:
            yield name, member


def genuine(cls: type, module: str, name: str) -> bool:
    """Whether this is the class of that name in that module, and no namesake."""
    found = sys.modules.get(module)
    return type(found) is ModuleType and module_dict(found).get(name) is cls


class _MadeInPython:
    """Any class will do whose instances have a dict."""


_dict_descriptor: Any = _class_dict(_MadeInPython)["__dict__"]
_DICT_DOC: Final = _dict_descriptor.__doc__


def dict_reader(cls: type) -> Callable[[object], dict[object, object]] | None:
    """How to get an instance's own dict: the descriptor that CPython put into the class.

    A property is none; nor is what a class written in C has under this name: that of a proxy asks the object behind
    it. The two kinds differ in nothing but their documentation.
    """
    for base in mro_of(cls):
        if base is object:
            break
        for name, member in class_items(base):
            if name == "__dict__":
                found: Any = member
                kind = type(member)  # compared by identity: a set would hash it
                if kind is MemberDescriptorType or (kind is GetSetDescriptorType and found.__doc__ == _DICT_DOC):
                    return found.__get__  # type: ignore[no-any-return] # a descriptor
                return None
    return None


def slot_readers(cls: type) -> list[tuple[str, Callable[[object], object]]]:
    """How to read the ``__slots__`` of a class written in Python, those of its bases first."""
    readers: list[tuple[str, Callable[[object], object]]] = []
    for base in reversed(mro_of(cls)):
        members: list[tuple[str, Callable[[object], object]]] = []
        has_slots = False
        for name, member in class_items(base):
            if name == "__slots__":
                has_slots = True
            elif type(member) is MemberDescriptorType and not name.startswith("__"):
                members.append((name, member.__get__))
        if has_slots:  # else the type is written in C, and its members are not ours to show
            readers += members
    return readers


def _lasts(cls: type) -> bool:
    """Whether a class is there for good: a static one of CPython's, or one that stands in its module.

    Others are made inside of functions, or by code that templates and notebooks generate for ever.
    """
    if not flags_of(cls) & HEAP_TYPE:
        return True
    module, qualname = type_names(cls)
    found = sys.modules.get(module)
    if "<locals>" in qualname or not derives(class_of(found), ModuleType):
        return False
    outermost, _, inner = qualname.partition(".")
    held = module_dict(found).get(outermost)  # type: ignore[arg-type] # as derives() has found
    return held is cls if not inner else held is not None


class TypeCache:
    """What was found out about classes: bounded, the oldest out first.

    Keyed by identity, for a class may hash as it likes. A class that may be short-lived is not remembered: nothing
    of vedette's may keep it alive, nor what its methods hold, which are all globals of the code that made it.

    Safe to use from several threads: each step is one operation of a dict, and a lost entry is built again.
    """

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[int, tuple[type, Any]] = {}

    def get(self, cls: type) -> Any:
        """What was found out; None if nothing was."""
        entry = self._found.get(id(cls))
        return entry[1] if entry is not None and entry[0] is cls else None

    def remember(self, cls: type, found: Any) -> None:
        """Keep what was found out, unless the class may be short-lived."""
        if not _lasts(cls):
            return
        if len(self._found) >= MAX_REMEMBERED_TYPES:
            try:
                self._found.pop(next(iter(self._found)), None)  # an exact dict of ours
            except (RuntimeError, StopIteration):  # another thread was at it
                return
        self._found[id(cls)] = (cls, found)

    def __len__(self) -> int:
        return len(self._found)


_slots_of = TypeCache()


def read_slot(value: object, name: str) -> object:
    """What an instance stores in one of its slots; None if it stores nothing there."""
    cls = type(value)
    slots: dict[str, Callable[[object], object]] | None = _slots_of.get(cls)
    if slots is None:
        slots = dict(slot_readers(cls))
        _slots_of.remember(cls, slots)
    read = slots.get(name)
    try:
        return None if read is None else read(value)
    except (AttributeError, TypeError):  # not set; another class's
        return None
