"""Waiting for another thread inside a hook that runs before a fork, without ``logging`` standing in its way.

``logging`` takes its lock before a fork and gives it back afterwards. Where its hook has run already, our thread
holds that lock while it waits for the worker, whose imports need it. And where the worker has imported ``logging``
only now, its hook before the fork has been missed, but the one after the fork will run.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def let_log_while(wait: Callable[[], None]) -> None:
    """Call ``wait``; afterwards the lock of ``logging`` is as its hooks expect it."""
    lock, was_imported = _lock(), _is_imported()
    was_held: bool = lock is not None and lock._is_owned()  # noqa: SLF001 - there is no other way to know
    if lock is not None and was_held:
        lock.release()
    try:
        wait()
    finally:
        if was_held or (not was_imported and _is_imported()):
            _lock().acquire()


def _lock() -> Any:
    return getattr(sys.modules.get("logging"), "_lock", None)


def _is_imported() -> bool:
    return hasattr(sys.modules.get("logging"), "captureWarnings")  # its last function
