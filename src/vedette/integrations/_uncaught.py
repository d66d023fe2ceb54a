"""What the hooks for uncaught exceptions share: how a hook is put in and taken out, and what it reports."""

from __future__ import annotations

import os
from _thread import RLock

from vedette.api import get_client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, Final

    from vedette.integrations import Integration

_WORN: Final = ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__")


_changing = RLock()


def _renew_lock_in_child() -> None:
    # A thread of the parent may have held it at the fork, and does not exist here.
    global _changing  # noqa: PLW0603 - one lock a process
    _changing = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock_in_child)


class HookSlot:
    """A global hook such as ``sys.excepthook``, or a method of a class, taken over while a client wants it (PAIN-33).

    ``replacement(previous)`` makes our hook from the one that was there; ours calls it. Taking out restores the
    previous hook, unless another library has put its own on top meanwhile: then ours stays below it and passes on.

    One lock orders clients that come and go in different threads; hooks themselves run without it.
    """

    def __init__(
        self, owner: ModuleType | type, name: str, replacement: Callable[[Callable[..., Any]], Callable[..., Any]]
    ) -> None:
        self._owner = owner
        self._name = name
        self._replacement = replacement
        self._users: list[Integration] = []
        self._previous: Callable[..., Any] | None = None
        self._ours: Callable[..., Any] | None = None

    def put_in(self, user: Integration) -> None:
        """Start reporting for a client's integration; once is enough for all of them."""
        with _changing:
            if not any(each is user for each in self._users):
                self._users.append(user)
            if self._ours is None:
                previous = self._previous = getattr(self._owner, self._name)
                self._ours = self._replacement(previous)
                setattr(self._owner, self._name, self._ours)

    def users(self) -> tuple[Integration, ...]:
        """For whom it is in."""
        return tuple(self._users)

    def take_out(self, user: Integration) -> None:
        """Stop reporting for it; the last one restores the hook that was there."""
        with _changing:
            if user in self._users:
                self._users.remove(user)
            if not self._users and self._ours is not None and getattr(self._owner, self._name) is self._ours:
                setattr(self._owner, self._name, self._previous)
                self._ours = self._previous = None


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


def report(error: BaseException, integration: type[Integration], mechanism_type: str) -> None:
    """Capture an exception that nobody caught, if the client in charge wants it."""
    client = get_client()
    if client.get_integration(integration) is not None:
        client.capture_uncaught(error, mechanism_type)
