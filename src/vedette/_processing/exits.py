"""Children of ``multiprocessing`` leave without ``atexit``, but run finalizers: there they deliver (PAIN-19).

Billiard (Celery) descends from it and does the same.
"""

from __future__ import annotations

import os
import sys

from vedette._host import log
from vedette._processing import fork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_PACKAGES: Final = ("multiprocessing", "billiard")
_AFTER_THE_PROGRAMS_OWN: Final = -100  # they run in falling order

_asked: dict[tuple[int, str], object] = {}  # by number of the process


def deliver_at_childs_end() -> None:
    """If this process is the child of one of these packages, have everything delivered when it ends.

    May be called again and again, from any thread.
    """
    for package in _PACKAGES:
        try:
            if _is_child(package):
                _ask_once(package)
        except Exception:  # noqa: BLE001 - the border: foreign code, of any version
            log.debug("cannot deliver at the end of children of %s", package)


def _is_child(package: str) -> bool:
    process: Any = sys.modules.get(f"{package}.process")
    if process is None:
        return False
    if hasattr(process, "parent_process"):
        return process.parent_process() is not None
    return type(process.current_process()).__name__ != "_MainProcess"  # billiard


def _ask_once(package: str) -> None:
    token = object()
    if _asked.setdefault((os.getpid(), package), token) is token:
        util: Any = sys.modules[f"{package}.util"]
        util.Finalize(None, _drain, exitpriority=_AFTER_THE_PROGRAMS_OWN)


def _drain() -> None:
    for each in fork.watched():
        each.drain_at_exit()
