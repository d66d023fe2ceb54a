"""Modules of vedette's own that a program loads when it first uses them: each costs 0.2 ms at its start.

    if TYPE_CHECKING:
        from vedette._events import shrink
    else:
        shrink = late("vedette._events.shrink")

What only whoever sends needs is loaded by the worker, before the first request (``vedette/_processing/outbox.py``);
what few programs ask for (events of their own making, feedback, attachments), by the first call that does.

Guarantees
- A child forked in the middle of such an import does it anew (``_processing/fork.py`` asks who was ``left_behind``).
- Nothing is kept of a module that was not loaded to its end: the next use tries again.

Relies on: Python's import locks, which make a second thread wait for the first; items of a dict being set and popped
atomically.
"""

from __future__ import annotations

import _thread
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_importing: dict[int, int] = {}  # by thread: how many of its imports are under way


class _Late:
    """Stands for a module; takes over each attribute when it is first asked for."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        found = getattr(_loaded(self.__name__), name)
        setattr(self, name, found)
        return found


def late(name: str) -> Any:
    """The module of this full name, to be loaded when something of it is first asked for."""
    return _Late(name)


def load(*names: str) -> None:
    """Load these modules now."""
    for name in names:
        _loaded(name)


def left_behind() -> tuple[int, ...]:
    """In a forked child: the threads of the parent that were in the middle of such an import, and are not here."""
    threads = tuple(each for each in tuple(_importing) if each != _thread.get_ident())
    for each in threads:
        _importing.pop(each, None)
    return threads


def forget(thread: int) -> None:
    """In a child: what this thread of the parent was importing is imported anew by whoever needs it (PAIN-02).

    The modules are half made, and Python's locks on them belong to a thread that is not there: whoever imports one of
    them waits for ever. Python knows no remedy, so this reaches for the tables of its import system; a Python that has
    others leaves the child as it would be without us.
    """
    system: Any = sys.modules.get("_frozen_importlib")
    locks: Any = getattr(system, "_module_locks", {})
    for name, reference in tuple(locks.items()):
        lock = reference()
        if getattr(lock, "owner", None) == thread:
            locks.pop(name, None)
            sys.modules.pop(name, None)


def _loaded(name: str) -> Any:
    me = _thread.get_ident()
    depth = _importing.get(me, 0)
    _importing[me] = depth + 1
    try:
        __import__(name)
    finally:
        if depth:
            _importing[me] = depth
        else:
            _importing.pop(me, None)
    return sys.modules[name]
