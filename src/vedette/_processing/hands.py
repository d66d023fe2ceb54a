"""Further threads that send beside the worker, while a backlog meets a slow server (design, decision 8).

Guarantees
- At most ``most`` of them, also if two call at a time (one of the calls is left out); they are daemons, and end when
  they find nothing more to do.
- Whoever looks at ``are_out`` after having found the buffers empty knows whether something is still on its way:
  a hand counts from before it takes anything until all of it is settled.
- Where threads are refused it goes on without.

Relies on: items of a dict being set and deleted atomically, with and without the GIL.
"""

from __future__ import annotations

import _thread

from vedette._host import deque, log, os_threads
from vedette._host.patient_lock import PatientLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Hands:
    """Runs ``work`` on up to ``most`` threads at once; each calls ``at_end`` when it has left."""

    def __init__(self, most: int, work: Callable[[], None], at_end: Callable[[], None]) -> None:
        self._most = most
        self._work = work
        self._at_end = at_end
        self._out: dict[object, None] = {}
        self._calling = PatientLock()
        self.native_ids: deque[int] = deque(maxlen=max(1, most))
        """Of the threads that live, or have ended last."""

    def are_out(self) -> bool:
        """Whether any of them still has something in hand."""
        return bool(self._out)

    def call(self, wanted: int) -> None:
        """Have up to as many more of them help.

        None under gevent and eventlet, whose sockets are of no use to any thread but the one that made them.
        """
        if not os_threads.are_patched():
            self._calling.try_to_run(lambda: self._start(wanted))

    def _start(self, wanted: int) -> None:
        for _ in range(min(wanted, self._most - len(self._out))):
            token = object()
            self._out[token] = None
            try:
                os_threads.start_new_thread(self._main, (token,))
            except (RuntimeError, MemoryError):
                del self._out[token]
                return

    def _main(self, token: object) -> None:
        try:
            self.native_ids.append(_thread.get_native_id())
            self._work()
        except Exception:  # noqa: BLE001 - the border: a fault of ours must not end delivery
            log.warn_once("hands", "internal error in vedette while sending - please report it", exc_info=True)
        finally:
            del self._out[token]
            self._at_end()
