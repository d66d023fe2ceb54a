"""A lock that is never waited for in earnest: for what takes microseconds, and may interrupt itself.

Guarantees
- A thread that holds it may take it again: a signal handler, ``__del__`` or a GC callback that interrupts its holder.
- Nobody waits longer than `PATIENCE_SECONDS`, so there is no deadlock with a lock of the program's: one thread holds
  that (a handler of ``logging`` its own, say) and captures, while the garbage collector, run by another that holds
  this, calls a ``__del__`` which wants the program's. Past that time the call goes on without the lock.
- It is let go whatever is raised, also by a signal handler.

So what runs under it must be right without it, too, as far as the GIL goes: it checks what it started from and stores
with no call in between, or can only be late. Without the GIL such a call may overwrite what another just wrote.

Relies on: an RLock of ``_thread``, which gevent and eventlet leave as it is (all greenlets of a thread count as one
holder, and none is switched away from while it holds this).
"""

from __future__ import annotations

from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

PATIENCE_SECONDS: Final = 0.1


class PatientLock:
    """Calls functions one after the other."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = RLock()

    def renew(self) -> None:
        """In a forked child: a thread of the parent may have held it, and does not exist here."""
        self._lock = RLock()

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call it with the lock held, if that can be had."""
        lock = self._lock
        try:
            lock.acquire(True, PATIENCE_SECONDS)
            return function(*args, **kwargs)
        finally:
            # Whatever `acquire` returned: a signal handler may raise before that is known.
            try:
                lock.release()
            except RuntimeError:  # another thread holds it
                pass

    def try_to_run(self, function: Callable[[], object]) -> None:
        """Call it, unless somebody is at it: another thread, or what this call interrupts."""
        lock: Any = self._lock
        if lock._is_owned():  # noqa: SLF001 - `Condition` asks it as well
            return
        try:
            if lock.acquire(blocking=False):
                function()
        finally:
            try:
                lock.release()
            except RuntimeError:
                pass
