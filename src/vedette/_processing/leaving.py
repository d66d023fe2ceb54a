"""Waiting a moment for threads that are told to leave and have nothing more to do.

CPython before 3.14 ends a thread that still wants to run while the interpreter is torn down by ``pthread_exit``. glibc
loads libgcc for that, and aborts the whole process where it cannot: with no descriptor or no memory left.
"""

from __future__ import annotations

import _thread
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

LEAVING_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 0.000_5


def wait_until_gone(threads: Callable[[], int]) -> None:
    """Wait until ``threads`` counts none any more, for up to 50 ms."""
    deadline = time.monotonic() + LEAVING_SECONDS
    pause = _thread.allocate_lock()
    pause.acquire()
    while threads() and time.monotonic() < deadline:
        pause.acquire(timeout=LOOK_SECONDS)
