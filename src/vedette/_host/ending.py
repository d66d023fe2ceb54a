"""How a client ends, and the program: a client is closed once, and others may wait for that; the program's last step.

Guarantees
- Exactly one caller closes a client; another one only after an exception has ended that.
- Nobody waits for itself (a signal handler or a hook that closes inside a close), nor for a thread that a fork left
  behind, nor longer than it wants to.
- What must come last at the program's end comes behind the exit handlers of everybody who could know vedette: what they
  capture is sent. Exit handlers run in falling order of their registration, and this module takes its place with the
  import of vedette.

Relies on: a raw lock that is acquired without blocking being claimed by one only; items of a dict being set and popped
atomically.
"""

from __future__ import annotations

import _thread
import atexit
import itertools
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_steps: dict[int, Callable[[], None]] = {}
_numbers = itertools.count()


class Closing:
    """Whether somebody closes or has closed, and when that is over."""

    def __init__(self) -> None:
        self._claim = _thread.allocate_lock()
        self._over = _thread.allocate_lock()
        self._has_begun = False
        self._by: tuple[int, int] | None = None  # process and thread, while it goes on

    def begin(self) -> bool:
        """Whether the caller is the one to close; it calls `end` afterwards."""
        if not self._claim.acquire(blocking=False):
            return False
        self._has_begun = True
        over = _thread.allocate_lock()
        over.acquire()
        self._over = over
        self._by = os.getpid(), _thread.get_ident()
        return True

    def has_begun(self) -> bool:
        """Whether somebody closes or has closed."""
        return self._has_begun

    def end(self, *, is_done: bool) -> None:
        """Let those go that wait. ``is_done``: else the next one to call is to close what is left."""
        over, self._by = self._over, None
        if not is_done:
            self._claim.release()
        over.release()

    def wait(self, seconds: float) -> None:
        """Wait for another thread that closes at this moment."""
        over, by = self._over, self._by
        if by is None or by[0] != os.getpid() or by[1] == _thread.get_ident():
            return
        if over.acquire(timeout=seconds):
            over.release()


def at_the_very_end(step: Callable[[], None]) -> Callable[[], None]:
    """Have ``step`` called before Python takes itself apart, the last one to come first; it must not raise.

    Returns: the undo.
    """
    number = next(_numbers)
    _steps[number] = step

    def undo() -> None:
        _steps.pop(number, None)

    return undo


def _run() -> None:
    for number in sorted(_steps, reverse=True):
        step = _steps.pop(number, None)
        if step is not None:
            step()


atexit.register(_run)
