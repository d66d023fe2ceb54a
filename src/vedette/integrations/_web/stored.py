"""What frameworks have stored with their objects, read without asking these anything (design decision 5).

Properties and methods are not asked: they may read a body, query a session, or run the application's own code.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

__all__ = ["fields_of", "stored_in", "user_of"]

_OF_A_USER: Final = ("id", "email", "username")


def stored_in(thing: object) -> dict[str, Any]:
    """The fields of an object, as its instance dict has them; empty where it has none."""
    try:
        found: Any = object.__getattribute__(thing, "__dict__")
    except AttributeError:
        return {}
    kind: type = found.__class__
    return found if kind is dict else {}


def user_of(thing: object) -> dict[str, Any] | None:
    """Who that is, by what is stored with them."""
    stored = stored_in(thing)
    return {name: stored[name] for name in _OF_A_USER if stored.get(name) is not None} or None


def fields_of(form: object) -> dict[str, Any] | None:
    """The fields of a form that was parsed into a dict of lists, as those of Werkzeug and Django are."""
    if not issubclass(type(form), dict):
        return None
    items = _items(form)
    return {name: _single(values) for name, values in items if type(name) is str} or None


# Of dict itself, whatever a subclass gives.
_items: Callable[[Any], Iterable[tuple[Any, Any]]] = dict[str, object].items


def _single(values: Any) -> Any:
    kind: type = values.__class__
    return values[0] if kind is list and len(values) == 1 else values
