"""Imports that a fork fell into the middle of, because they took longer than a fork waits (PAIN-02).

In the child, the modules are half made, and Python's locks on them belong to a thread that is not there: whoever
imports one of them waits for ever. Python knows no remedy, so this reaches for the tables of its import system; a
Python that has others leaves the child as it would be without us.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def forget(thread: int) -> None:
    """In a child: what this thread of the parent was importing is imported anew by whoever needs it."""
    system: Any = sys.modules.get("_frozen_importlib")
    locks: Any = getattr(system, "_module_locks", {})
    for name, reference in tuple(locks.items()):
        lock = reference()
        if getattr(lock, "owner", None) == thread:
            locks.pop(name, None)
            sys.modules.pop(name, None)
