"""Wait for a condition with a deadline: the only way in which a test of this suite waits."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_until(condition: Callable[[], object], timeout: float = 5.0, interval: float = 0.01) -> None:
    """Return as soon as the condition holds; fail the test after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            message = f"condition did not hold within {timeout} s: {condition}"
            raise AssertionError(message)
        pause.wait(interval)
