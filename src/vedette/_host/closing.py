"""A client is closed once, and others may wait for that.

Guarantees
- Exactly one caller closes.
- Nobody waits for itself (a signal handler or a hook that closes inside a close), nor for a thread that a fork left
  behind, nor longer than it wants to.

Relies on: a raw lock that is acquired without blocking being claimed by one only.
"""

from __future__ import annotations

import _thread
import os


class Closing:
    """Whether somebody closes or has closed, and when that is over."""

    def __init__(self) -> None:
        self._claim = _thread.allocate_lock()
        self._over = _thread.allocate_lock()
        self._over.acquire()
        self._by: tuple[int, int] | None = None  # process and thread, while it goes on

    def begin(self) -> bool:
        """Whether the caller is the one to close; it calls `end` afterwards."""
        if not self._claim.acquire(blocking=False):
            return False
        self._by = os.getpid(), _thread.get_ident()
        return True

    def has_begun(self) -> bool:
        """Whether somebody closes or has closed."""
        return self._claim.locked()

    def end(self) -> None:
        """Let those go that wait."""
        self._by = None
        self._over.release()

    def wait(self, seconds: float) -> None:
        """Wait for another thread that closes at this moment."""
        by = self._by
        if by is None or by[0] != os.getpid() or by[1] == _thread.get_ident():
            return
        if self._over.acquire(timeout=seconds):
            self._over.release()
