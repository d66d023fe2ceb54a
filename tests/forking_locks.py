"""A lock of a program's, which it holds when it captures, as handlers of ``logging`` hold theirs.

In a forked child it is a new one, as theirs are. Import this before vedette, so that its hook runs first.
"""

from __future__ import annotations

import os
import threading

_lock = threading.RLock()


def programs_lock() -> threading.RLock:  # type: ignore[valid-type]
    """That of this process."""
    return _lock


def _renew() -> None:
    global _lock  # noqa: PLW0603 - one a process
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
