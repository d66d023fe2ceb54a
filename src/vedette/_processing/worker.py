"""The one background thread of a client: started by the first item, gone after 10 s without work.

Guarantees
- No thread before the first event; at most one for each worker.
- ``wake`` never blocks and never raises: a signal handler, ``__del__`` or a GC callback may call it at any
  byte code of vedette's own, also in the middle of another ``wake`` or of starting the thread.
- An item added before ``wake`` is seen by the thread, also when it is just about to end.
- Where threads are refused (interpreter shutdown, limits), ``wake`` returns False; the caller decides.

Relies on: a raw lock used as a binary semaphore (``release`` of a free lock raises RuntimeError, which means
"already awake"); ``_thread.start_new_thread`` taking no lock of ``threading``. It is a thread of the system, and waits
with locks of the system, under gevent and eventlet, too (``_host/os_threads.py``); there it stays until the client is
closed. The thread is a daemon: it never keeps the process.

A forked child makes a worker of its own; before the fork the thread leaves if it has nothing to do (``fork.py``).
"""

from __future__ import annotations

import _thread

from vedette._host import log, os_threads
from vedette._host.patient_lock import PatientLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

IDLE_SECONDS: Final = 10.0


class Worker:
    """Runs ``work`` on a thread of its own whenever it is woken.

    ``work()`` does all that can be done now and returns how many seconds later there will be more to do
    without a new item (a report that falls due), or None.
    """

    def __init__(self, work: Callable[[], float | None], idle_seconds: float = IDLE_SECONDS) -> None:
        self._work = work
        self._idle_seconds = idle_seconds
        self._alarm = os_threads.allocate_lock()
        self._starting = PatientLock()  # which is let go whatever a signal handler raises
        self.ident: int | None = None
        """Of the thread, from when it is about to start until it leaves; None: there is none."""
        self._ending = False
        self._paused = False
        self.native_id: int | None = None
        """Of the thread that lives, or has ended last."""

    def is_current_thread(self) -> bool:
        """Whether the caller is the worker's own thread (a user's transport that flushes, say)."""
        return self.ident == os_threads.get_ident()

    def wake(self) -> bool:
        """Have the thread look for work; start it if need be. False where no thread can be had."""
        self._sound_alarm()
        return self.ident is not None or (not self._paused and self._start())

    def end(self) -> None:
        """Have the thread leave as soon as it finds nothing more to do, instead of after its idle time."""
        self._ending = True
        self._sound_alarm()

    def pause(self) -> None:
        """Have the thread leave once it finds nothing to do at that moment, and start none."""
        self._paused = True
        self._sound_alarm()

    def resume(self) -> None:
        """Threads may be started again."""
        self._paused = False

    def _sound_alarm(self) -> None:
        alarm = self._alarm
        if alarm.locked():  # else it is awake already; to be told so by an exception would cost 0.4 us
            try:
                alarm.release()
            except RuntimeError:
                return  # somebody else did, just now

    def _start(self) -> bool:
        refused: list[None] = []
        self._starting.try_to_run(lambda: self._start_thread(refused))  # if someone is at it, the thread finds our item
        return not refused

    def _start_thread(self, refused: list[None]) -> None:
        try:
            if self.ident is None:
                self.ident = -1  # claimed; the thread puts its own identity there
                os_threads.start_new_thread(self._main, ())
        except (RuntimeError, MemoryError):
            self.ident = None
            refused.append(None)
            log.debug("no thread can be started: delivery waits for flush, close or exit")
        except BaseException:  # a signal handler's: the next item tries again
            if self.ident == -1:
                self.ident = None
            raise

    def _main(self) -> None:
        try:
            self._serve()
        except BaseException:
            self.ident = None  # so that the next item starts another thread
            raise

    def _serve(self) -> None:
        self.ident = os_threads.get_ident()
        self.native_id = _thread.get_native_id()
        alarm = self._alarm = os_threads.allocate_lock()
        alarm.acquire()
        idle = False
        while True:
            due_in = self._do_work()
            if self._is_to_leave(idle=idle and due_in is None) and self._end():
                return
            idle_seconds = 0.0 if self._ending else self._idle_seconds
            idle = not alarm.acquire(timeout=idle_seconds if due_in is None else max(due_in, 0.0))

    def _is_to_leave(self, *, idle: bool) -> bool:
        if os_threads.are_patched() and not self._ending:
            return False  # gevent keeps for ever what a thread needed that has used its sockets
        return idle or self._paused

    def _do_work(self) -> float | None:
        try:
            return self._work()
        except Exception:  # noqa: BLE001 - the border: a fault of ours must not end delivery
            log.warn_once("worker", "internal error in vedette's worker - please report it", exc_info=True)
            return None

    def _end(self) -> bool:
        """Leave, unless an item came in meanwhile (the order matters: first gone, then look once more)."""
        self.ident = None
        if not self._alarm.acquire(blocking=False):
            return True
        self._sound_alarm()
        return not self._start_over()

    def _start_over(self) -> bool:
        """Go on in this thread; not if a newcomer starts one of its own."""
        taken: list[None] = []
        self._starting.try_to_run(lambda: self._take_over(taken))
        return bool(taken)

    def _take_over(self, taken: list[None]) -> None:
        if self.ident is None:
            self.ident = os_threads.get_ident()
            taken.append(None)
