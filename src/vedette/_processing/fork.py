"""What happens to delivery when the process is forked (PAIN-02), and when a child process ends (PAIN-19).

Guarantees
- A child never waits for a lock that a thread of its parent held: what a process has captured, and who sends it,
  are made anew and empty in the child, before it goes on.
- A child can import what sending needs, though the locks of Python's import system stay held in it for ever: a fork
  waits for vedette's own late imports, and where they take over a second, the child does them anew.
- The host's own fork does not warn of several threads (Python 3.12+) for the sake of vedette's, if these had nothing
  to do, or could finish it within 50 ms, not counting the imports before the first request.
- A fork costs next to nothing while no thread of vedette's lives, and 1.05 s at the very most.
- Children of ``multiprocessing``, and of billiard (Celery), which descends from it, leave without ``atexit``, but run
  finalizers: there they deliver.

Relies on: ``os.register_at_fork``. C code and uWSGI fork without these hooks; so each processor also compares the
process's number at every call. Items of a dict being set and popped atomically.
"""

from __future__ import annotations

import _thread
import os
import sys
import time
from _weakref import ref  # `weakref` itself takes longer to import

from vedette._host import log, os_threads
from vedette._late import forget, left_behind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final, Protocol

    class Delivering(Protocol):
        """What is told of forks."""

        def before_fork(self) -> None:
            """Have the threads leave that have nothing to do, and start none."""

        def threads(self) -> int:
            """How many threads of its own live, or are just about to end."""
            ...

        def after_fork_in_parent(self) -> None:
            """Go on."""

        def after_fork_in_child(self) -> None:
            """Start anew."""

        def drain_at_exit(self) -> None:
            """Send what waits, within the time that the end of the program may take."""


IMPORT_SECONDS: Final = 1.0

_PACKAGES: Final = ("multiprocessing", "billiard")
_AFTER_THE_PROGRAMS_OWN: Final = -100  # finalizers run in falling order

_importing = _thread.RLock()
_importer: int | None = None  # the thread that has it for its imports
_held: dict[int, bool] = {}  # by thread that forks: whether it has the lock
_watched: dict[int, ref[Delivering]] = {}
_registered = False
_asked: dict[tuple[int, str], object] = {}  # for a finalizer: by number of the process, and package


def watch(forkable: Delivering) -> None:
    """Tell it of every fork, for as long as it lives."""
    global _registered  # noqa: PLW0603 - one registration a process
    number = id(forkable)
    _watched[number] = ref(forkable, lambda _: _watched.pop(number, None))
    if not _registered and hasattr(os, "register_at_fork"):
        _registered = True
        os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)


def watched() -> Iterable[Delivering]:
    """Those that live."""
    found = [reference() for reference in tuple(_watched.values())]
    return [each for each in found if each is not None]


def import_safely(import_all: Callable[[], None]) -> None:
    """Do late imports in such a way that a fork waits for them, for up to a second."""
    global _importer  # noqa: PLW0603 - for the child of a fork that waited in vain
    lock = _importing
    held = lock.acquire(timeout=IMPORT_SECONDS)  # it may be entered again, and is never waited for in earnest
    outer = _importer
    if held:
        _importer = os_threads.get_ident()
    try:
        import_all()
    finally:
        if held:
            _importer = outer
            lock.release()


def _before() -> None:
    _each("before", lambda forkable: forkable.before_fork())
    _let_log_while(_wait_for_threads)


def _let_log_while(wait: Callable[[], None]) -> None:
    """Call ``wait`` without ``logging`` standing in its way; afterwards its lock is as its hooks expect it.

    ``logging`` takes its lock before a fork and gives it back afterwards. Where its hook has run already, our thread
    holds that lock while it waits for the worker, whose imports need it. And where the worker has imported ``logging``
    only now, its hook before the fork has been missed, but the one after the fork will run.
    """
    lock, was_imported = _lock_of_logging(), _has_logging()
    was_held: bool = lock is not None and lock._is_owned()  # noqa: SLF001 - there is no other way to know
    if lock is not None and was_held:
        lock.release()
    try:
        wait()
    finally:
        if was_held or (not was_imported and _has_logging()):
            _lock_of_logging().acquire()


def _lock_of_logging() -> Any:
    return getattr(sys.modules.get("logging"), "_lock", None)


def _has_logging() -> bool:
    return hasattr(sys.modules.get("logging"), "captureWarnings")  # its last function


def _wait_for_threads() -> None:
    start = now = time.monotonic()
    deadline = start + os_threads.LEAVING_SECONDS
    pause = os_threads.allocate_lock()
    pause.acquire()
    while now < deadline and _only_ours_live():
        pause.acquire(timeout=os_threads.LOOK_SECONDS)
        now = time.monotonic()
        if _importer is not None:  # it cannot leave before it has them, and a fork must not fall into them
            deadline = min(now + os_threads.LEAVING_SECONDS, start + IMPORT_SECONDS)
    _held[os_threads.get_ident()] = _importing.acquire(timeout=max(0.0, start + IMPORT_SECONDS - now))


def _only_ours_live() -> bool:
    """Whether threads of vedette's live, and none of the program's beside this: else there is nothing to gain."""
    ours = sum(each.threads() for each in watched())
    if not ours:
        return False
    try:
        return len(os.listdir("/proc/self/task")) <= ours + 1
    except OSError:  # not on Linux
        return True


def _after_in_parent() -> None:
    if _held.pop(os_threads.get_ident(), False):
        _importing.release()
    _each("after", lambda forkable: forkable.after_fork_in_parent())


def _after_in_child() -> None:
    global _importing, _importer  # the parent's lock may be held by a thread that is not here
    if _importer is not None and _importer != os_threads.get_ident():
        forget(_importer)
    for thread in left_behind():
        forget(thread)
    _importing, _importer = _thread.RLock(), None
    _held.clear()
    _each("after", lambda forkable: forkable.after_fork_in_child())


def _each(when: str, do: Callable[[Delivering], None]) -> None:
    for forkable in watched():
        try:
            do(forkable)
        except Exception:  # noqa: BLE001 - the border: Python would print it
            log.warn_once(f"fork {when}", "internal error in vedette %s a fork - please report it", when, exc_info=True)


# --- the end of children ----------------------------------------------------------------------------------------


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
    for each in watched():
        each.drain_at_exit()
