"""Putting vedette's function in the place of a library's, and taking it out again (design decision 15, PAIN-33).

Guarantees
- However many clients want it, it is wrapped once; the last one that leaves restores the very object that was there.
- If another library has put its own on top meanwhile, ours stays below it and passes on; a later client finds it there.
- A static or class method stays one, and what a class inherits is inherited again.

One lock orders clients that come and go in different threads; what was put in runs without it. It is re-entrant, for a
signal handler may close a client.
"""

from __future__ import annotations

import os
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, Final

    from vedette.integrations import Integration

__all__ = ["look_like", "put_in", "take_out", "users_of"]

_WORN: Final = ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__")
_ABSENT: Final = object()

_changing = RLock()


def _renew_lock_in_child() -> None:
    # A thread of the parent may have held it at the fork, and does not exist here.
    global _changing  # noqa: PLW0603 - one lock a process
    _changing = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock_in_child)


class _Patch:
    """One function of a class or module that is wrapped, and for whom."""

    __slots__ = ("held", "name", "ours", "owner", "replacement", "users")

    def __init__(self, owner: Any, name: str, replacement: Callable[[Any], Any]) -> None:
        self.owner = owner
        self.name = name
        self.replacement = replacement
        self.users: list[Integration] = []
        held: Any = owner.__dict__.get(name, _ABSENT)
        self.held = held
        bound_by: Any = held.__class__  # a static or class method is one object around another
        is_bound = bound_by in (staticmethod, classmethod)
        previous = held.__func__ if is_bound else getattr(owner, name) if held is _ABSENT else held
        ours: Any = replacement(previous)
        self.ours: Any = bound_by(ours) if is_bound else ours
        setattr(owner, name, self.ours)

    def undo(self) -> bool:
        """Restore what was there; False where ours is no longer on top, and has to stay."""
        if self.owner.__dict__.get(self.name) is not self.ours:
            return False
        if self.held is _ABSENT:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.held)
        return True


_patches: Final[list[_Patch]] = []


def put_in(
    user: Integration, owner: ModuleType | type, name: str, replacement: Callable[[Callable[..., Any]], Any]
) -> None:
    """Wrap ``owner.name`` for a client's integration; once is enough for all of them.

    ``replacement(previous)`` makes our function from the one that was there, which ours calls. Which client it works
    for is looked up when it is called.
    """
    with _changing:
        for patch in _patches:
            if patch.owner is owner and patch.name == name and patch.replacement is replacement:
                break
        else:
            patch = _Patch(owner, name, replacement)
            _patches.append(patch)
        if not any(each is user for each in patch.users):
            patch.users.append(user)


def take_out(user: Integration) -> None:
    """End all that this integration put in; the last user of a patch restores what was there."""
    with _changing:
        for patch in tuple(reversed(_patches)):
            if any(each is user for each in patch.users):
                patch.users[:] = [each for each in patch.users if each is not user]
                if not patch.users and patch.undo():
                    _patches.remove(patch)


def users_of(replacement: Callable[..., Any]) -> tuple[Integration, ...]:
    """Whose patches with this replacement are in."""
    return tuple(user for patch in tuple(_patches) if patch.replacement is replacement for user in patch.users)


def look_like(previous: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """What ``functools.wraps`` does, without the millisecond that importing it takes."""

    def dressed(ours: Callable[..., Any]) -> Callable[..., Any]:
        for name in _WORN:
            if hasattr(previous, name):
                setattr(ours, name, getattr(previous, name))
        ours.__dict__.update(getattr(previous, "__dict__", {}))
        ours.__wrapped__ = previous  # type: ignore[attr-defined]  # as functools does
        return ours

    return dressed
