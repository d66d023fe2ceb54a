"""Classes that notice when any of their code runs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

INSTANCE_HOOKS = [
    "__repr__",
    "__str__",
    "__len__",
    "__iter__",
    "__eq__",
    "__ne__",
    "__lt__",
    "__hash__",
    "__bool__",
    "__format__",
    "__contains__",
    "__getitem__",
    "__getattribute__",
    "__getattr__",
    "__dir__",
    "__sizeof__",
    "__reduce_ex__",
    "__index__",
    "__int__",
    "__float__",
    "__next__",
    "__call__",
    "__fspath__",
    "__bytes__",
    "__length_hint__",
    "__missing__",
    "__abs__",
    "__neg__",
    "__pos__",
    "__get__",
    "keys",
    "items",
    "values",
    "copy",
    "isoformat",
    "utcoffset",
    "tzname",
    "__getnewargs__",
    "__conform__",
    "as_tuple",
    "bit_length",
]
CLASS_HOOKS = [
    "__repr__",
    "__str__",
    "__len__",
    "__iter__",
    "__eq__",
    "__hash__",
    "__bool__",
    "__getattribute__",
    "__getattr__",
    "__instancecheck__",
    "__subclasscheck__",
    "__call__",
    "__dir__",
    "__contains__",
    "__getitem__",
    "mro",
]


class Spy:
    """Makes classes whose every hook, on instances and on the class itself, is written down while it watches."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.watching = False

    def __enter__(self) -> Self:
        self.watching = True
        return self

    def __exit__(self, *_: object) -> None:
        self.watching = False

    def hook(self, name: str, inherited: Any) -> Any:
        def noticed(this: Any, *args: Any, **kwargs: Any) -> Any:
            if self.watching:
                self.calls.append(name)
                raise ZeroDivisionError(name)
            return inherited(this, *args, **kwargs)

        return noticed

    def hooks(self, base: type, names: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in names:
            inherited = getattr(base, name, None)
            if inherited is None:
                inherited = functools.partial(_missing, name)
            found[name] = self.hook(f"{base.__name__}.{name}", inherited)
        return found

    def descriptor(self, name: str) -> Any:
        return property(self.hook(name, lambda _this: f"value of {name}"))

    def metaclass(self, base: type) -> type:
        return type("SpyingMeta", (base,), self.hooks(base, CLASS_HOOKS))

    def subclass(self, base: type, *, without: tuple[str, ...] = (), **members: Any) -> Any:
        """A subclass of ``base`` that notices everything."""
        namespace = self.hooks(base, [name for name in INSTANCE_HOOKS if name not in without])
        namespace["computed"] = self.descriptor("property")
        namespace["cached"] = functools.cached_property(self.hook("cached_property", lambda _this: 1))
        namespace["__class__"] = self.descriptor("__class__")
        namespace["__module__"] = "shop"
        namespace.update(members)
        return self.metaclass(type(base))(f"Spying{base.__name__}", (base,), namespace)


def _missing(name: str, *_: Any) -> Any:
    if name == "__getattr__":
        raise AttributeError(name)
    return NotImplemented
