"""The program's own renderers of values: the option ``custom_repr``, and those registered for a class.

Guarantees
- Registering costs values of other classes nothing: whether a class has a renderer is found out once per class.
- A renderer runs as a guest (`vedette._host.guests`): it cannot capture, and from inside it no renderer is asked, so
  that it may call `vedette.values.render` on its own value and add to the outcome. What it raises is put aside and
  warned about once; what it returns is bounded like any other text.
- ``register`` and ``unregister`` may be called at any time from any thread, also while values are rendered.

Relies on each operation of a dict being atomic. What was found out about classes is forgotten as a whole when the
registry changes, by putting an empty cache in place: who was still finding out writes into the old one.
"""

from __future__ import annotations

import sys
from types import ModuleType

from vedette._events.reading_values import (
    TypeCache,
    class_items,
    class_of,
    clean,
    derives,
    dotted_name,
    module_dict,
    mro_of,
    plain_str,
    type_names,
)
from vedette._host import guests, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeVar

    from vedette._events.settings import EventSettings

    T = TypeVar("T")

_GUEST: Final = "a registered renderer"
_GUESTS: Final = frozenset({_GUEST, "custom_repr"})

NOT_REGISTRABLE: Final = {id(object)}
"""Types whose renderers ask nobody, and the base of all: `custom_repr` is there for that. Built-in ones are added."""

_by_class: dict[int, tuple[type, Callable[[Any], str | None]]] = {}
_by_name: dict[str, Callable[[Any], str | None]] = {}
_found = TypeCache()  # for each class a tuple: of the renderer, or empty
_forgetful: list[Callable[[], None]] = []


def register(kind: type[T] | str, func: Callable[[T], str | None]) -> None:
    """Show the instances of a class, and of those derived from it, by a function of yours.

        vedette.values.register("shop.money.Money", lambda money: f"{money.amount} {money.currency}")

    Args:
        kind: The class; or its dotted name (module and qualified name), so that nothing needs to be imported, and
            the class need not exist yet. A class that is given is kept alive.
        func: Takes the value and returns its text, or None to leave it to vedette. It runs while events are built,
            on the thread that captures: no query, no lock, nothing slow. What it shows is cut to the room that there
            is. If it raises, the value is shown as if nothing had been registered, with one warning.

    Of several classes that a value's class derives from, the nearest one decides. The option ``custom_repr`` is
    asked first. Registering a class again replaces its function. Values under deny-listed names are not shown to
    it. Safe to call from any thread.

    Raises:
        TypeError: ``kind`` is neither a class nor a name, or ``func`` is async or cannot be called.
        ValueError: ``kind`` is a built-in type such as ``int`` or ``dict``, or a name without a module.
    """
    given: Any = kind
    if class_of(given) is not str and not derives(class_of(given), type):
        raise TypeError(f"register takes a class or its dotted name, not an instance of {dotted_name(class_of(given))}")
    if not any(name == "__call__" for base in mro_of(class_of(func)) for name, _ in class_items(base)):
        raise TypeError(f"the renderer must be a function, and is of type {dotted_name(class_of(func))}")
    if guests.is_async(func):
        raise TypeError("the renderer must be a plain function, not an async one: nobody would wait for it")
    named = _class_of_name(given) if class_of(given) is str else given
    if id(named) in NOT_REGISTRABLE:
        raise ValueError(f"{dotted_name(named)} is built in and cannot be registered; custom_repr may do instead")
    if class_of(given) is str:
        _by_name[given] = func
    else:
        _by_class[id(given)] = (given, func)
    _forget()


def _class_of_name(name: str) -> Any:
    """What stands under this dotted name, if its module is imported already; None if not."""
    module, _, qualname = name.rpartition(".")
    if not module or not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(f"{name[:200]} is not the dotted name of a class, such as shop.money.Money")
    found = sys.modules.get(module)
    return module_dict(found).get(qualname) if type(found) is ModuleType else None


def unregister(kind: type | str) -> None:
    """Take back what ``register`` was told for this class or name; nothing happens if there was nothing."""
    if type(kind) is str:
        _by_name.pop(kind, None)
    else:
        _by_class.pop(id(kind), None)
    _forget()


def call_when_changed(forget: Callable[[], None]) -> None:
    """Have a function called whenever the registry has changed: for what remembers how classes are rendered."""
    _forgetful.append(forget)


def _forget() -> None:
    global _found  # noqa: PLW0603 - one registry a process
    _found = TypeCache()
    for forget in _forgetful:
        forget()


def renderer_of(cls: type) -> Callable[[Any], str | None] | None:
    """The function that is registered for a class, or for the nearest of its bases."""
    if not _by_class and not _by_name:
        return None
    found = _found
    known: tuple[Callable[[Any], str | None], ...] | None = found.get(cls)
    if known is None:
        known = _look_up(cls)
        found.remember(cls, known)
    return known[0] if known else None


def _look_up(cls: type) -> tuple[Callable[[Any], str | None], ...]:
    for base in mro_of(cls):
        entry = _by_class.get(id(base))
        if entry is not None and entry[0] is base:
            return (entry[1],)
        func = _by_name.get(".".join(type_names(base)))
        if func is not None:
            return (func,)
    return ()


def custom_text(value: object, limit: int, settings: EventSettings) -> str | None:
    """What the program's ``custom_repr`` says, about ``limit`` characters; None if it leaves the value to us."""
    return None if settings.custom_repr is None else _asked("custom_repr", settings.custom_repr, value, limit)


def registered_text(value: object, limit: int) -> str | None:
    """What the renderer that is registered for the value's class says; None if there is none, or it passes."""
    func = renderer_of(type(value))
    return None if func is None else _asked(_GUEST, func, value, limit)


def _asked(guest: str, func: Callable[[Any], str | None], value: object, limit: int) -> str | None:
    if guests.inside() in _GUESTS:
        return None
    try:
        said: object = guests.call(guest, func, value)
    except BaseException as error:
        if guests.is_control_flow(error):
            raise
        if guest is _GUEST:
            name = dotted_name(type(value))
            key, what = f"{_GUEST} {name}", f"the registered renderer of {name}"
        else:
            key = what = guest
        log.warn_once(key, "%s raised; the value is rendered without it", what, exc_info=True)
        return None
    text = plain_str(said, limit + 1)
    return None if text is None else clean(text)
