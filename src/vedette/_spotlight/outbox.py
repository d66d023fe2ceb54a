"""What one process has captured and not yet shown to Spotlight, and the thread that does it.

Guarantees
- ``add`` never blocks; it may be called from a signal handler, ``__del__`` or a GC callback.
- One daemon thread, started by the first item and gone after 10 s without work; one request at a time, of 5 s at most.
- Bounded: of each kind the newest 100 items, 16 MiB of them, and 16 MiB of attachments. What has no room is
  forgotten, and counted nowhere: it is a copy.
- While Spotlight cannot be reached, what was captured waits. What it may have got is sent once more, and not again.
- Who waits for everything to be sent is let go when nothing can be sent at the moment.

Relies on what the outbox of the server's relies on (``_processing/outbox.py``), whose buffers, scheduler, worker and
packer it uses.
"""

from __future__ import annotations

import _thread
import os
import time

from vedette._host import deque, guests, log, os_threads
from vedette._host.os_threads import wait_until_gone
from vedette._processing import fork
from vedette._processing.buffer import Buffer, Item, Ledger
from vedette._processing.kinds import KINDS
from vedette._processing.outcomes import Outcomes
from vedette._processing.packing import utc_now
from vedette._processing.scheduler import Scheduler
from vedette._processing.worker import Worker
from vedette._protocol.attachment import note_left_out
from vedette._transport.delivery import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final

    from vedette._processing.packing import Packer
    from vedette._protocol.categories import DataCategory
    from vedette._protocol.envelope import Item as Attachment
    from vedette._spotlight.reach import Reach
    from vedette._transport.delivery import Delivery
    from vedette._transport.http import HttpTransport

CAPACITY: Final = 100
BUFFERED_BYTES: Final = 16 * 1024 * 1024
ATTACHED_BYTES: Final = 16 * 1024 * 1024
REQUEST_SECONDS: Final = 5.0
GREEN_SECONDS: Final = 0.05
"""A greenlet looks so often whether it was let go, as in the server's outbox."""
_MOST_TRIES: Final = 2
"""Of what may have arrived."""


class Outbox:
    """Buffers and thread of one client's side-car in one process; a forked child has one of its own."""

    def __init__(
        self, transport: HttpTransport, packer: Packer, reach: Reach, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pid = os.getpid()
        self._transport = transport
        self._packer = packer
        self._reach = reach
        self._clock = clock
        ledger = Ledger(BUFFERED_BYTES)
        self._attached = Ledger(ATTACHED_BYTES)
        self._buffers = {
            category: Buffer(category, kind, CAPACITY, ledger, self._forget, clock) for category, kind in KINDS.items()
        }
        self._scheduler = Scheduler(self._buffers.values())
        self.losses = Outcomes()
        """What was dropped before it came here: client reports of it ride along."""
        self._worker = Worker(self.work)
        self._busy = os_threads.allocate_lock()
        self._waiters: deque[_thread.LockType] = deque()
        self._unsent: tuple[DataCategory, list[Item]] | None = None  # of whoever is busy
        self._tries = 0  # of these, but for those that met nobody
        self._is_prepared = False
        self._closed = False

    def add(self, category: DataCategory, payload: dict[str, Any], attachments: Sequence[Attachment]) -> None:
        """Have an item shown; payload and attachments are the outbox's own from now on."""
        if self._closed:
            return
        item = Item(payload, self._admitted(payload, attachments))
        item.attached = sum(each.payload.size() for each in item.attachments)
        self._attached.held += item.attached
        if self._buffers[category].append(item):
            self._worker.wake()

    def _admitted(self, payload: dict[str, Any], attachments: Sequence[Attachment]) -> list[Attachment]:
        """The attachments there is room for; that others were left out is noted on the event."""
        room = self._attached.limit - self._attached.held
        kept: list[Attachment] = []
        for each in attachments:
            size = each.payload.size()
            if each.payload.is_file:  # it would keep a descriptor, of which vedette has few
                note_left_out(payload, each.headers["filename"], "large files are not copied to Spotlight")
            elif size > room:
                note_left_out(payload, each.headers["filename"], "too much is waiting for Spotlight")
            else:
                room -= size
                kept.append(each)
        return kept

    def _forget(self, _category: DataCategory, item: Item) -> None:
        size, item.attached = item.attached, 0
        self._attached.held -= size

    def has_work(self) -> bool:
        """Whether anything waits or is on its way."""
        return self._unsent is not None or any(map(len, self._buffers.values())) or self._busy.locked()

    def wake(self) -> bool:
        """Have the thread look for work; False where none can be had."""
        return self._worker.wake()

    def is_running(self) -> bool:
        """Whether the thread lives."""
        return self._worker.ident is not None

    def drain(self, deadline: float) -> None:
        """Have all shown that can be, on this thread where there can be no other; return by the deadline."""
        if self._worker.is_current_thread():
            return  # a logging handler that flushes, called from inside a request
        waiter = _thread.allocate_lock()  # as it is now: gevent's lets other greenlets run on
        longest = GREEN_SECONDS if os_threads.is_green(waiter) else float("inf")
        waiter.acquire()
        self._waiters.append(waiter)
        if not self._worker.wake():
            self.work(deadline)
        while (left := deadline - self._clock()) > 0.0 and not waiter.acquire(timeout=min(left, longest)):
            pass

    def close(self) -> None:
        """Nothing more is shown; the thread ends. What still waits is forgotten."""
        self._closed = True
        self._worker.end()
        if not self._busy.locked():
            wait_until_gone(self.threads)

    # --- forks, see _processing/fork.py ----------------------------------------------------------------------

    def pause(self) -> None:
        """Start no thread, and have it leave if it finds nothing to do."""
        self._worker.pause()

    def threads(self) -> int:
        """How many threads live here, or are just about to end: 0 or 1."""
        native_id = self._worker.native_id
        is_alive = native_id is not None and os.path.exists(f"/proc/self/task/{native_id}")
        return int(is_alive or self._worker.ident is not None)

    def resume(self) -> None:
        """The thread may be started again, and is if something can be sent.

        Not while nobody is there: CPython 3.13 counts the threads after this, and would warn of that one. The next
        capture starts it.
        """
        self._worker.resume()
        if self._seconds_to_send() == 0.0:
            self._worker.wake()

    # --- below: whoever sends --------------------------------------------------------------------------------

    def work(self, deadline: float | None = None) -> float | None:
        """Send all that can be sent. Returns in how many seconds there will be more to do by itself, or None."""
        while self._busy.acquire(blocking=False):
            try:
                self._send_waiting(deadline)
            finally:
                self._busy.release()
            due_in = None if self._closed else self._seconds_to_send()
            if self._is_late(deadline) or (due_in != 0.0 and not self._waiters):
                return due_in
        return None

    def _is_late(self, deadline: float | None) -> bool:
        return deadline is not None and self._clock() >= deadline

    def _seconds_to_send(self) -> float | None:
        ready_in = self._scheduler.seconds_to_ready() if self._unsent is None else 0.0
        return None if ready_in is None else max(ready_in, self._reach.seconds_left())

    def _send_waiting(self, deadline: float | None) -> None:
        while not self._is_late(deadline):
            waiters = len(self._waiters)  # before the look at the buffers: what they wait for is in there
            if self._closed or self._reach.seconds_left() or not self._take(flushing=waiters > 0):
                if not self._unsent and not any(map(len, self._buffers.values())):
                    self._attached.held = 0  # puts right what was counted wrongly where threads raced
                for _ in range(waiters):
                    self._waiters.popleft().release()
                return
            self._send(deadline)

    def _take(self, *, flushing: bool) -> bool:
        """Have something to send, which may be what could not be sent before."""
        if self._unsent is None:
            buffer = self._scheduler.next_buffer(flushing=flushing)
            batch = [] if buffer is None else buffer.take()
            if buffer is not None and batch:
                self._unsent, self._tries = (buffer.category, batch), 0
        return self._unsent is not None

    def _send(self, deadline: float | None) -> None:
        if self._unsent is None:
            return
        category, batch = self._unsent
        try:
            if not self._transport.rate_limits.is_limited(category):  # as with the server (INT-97)
                delivery = self._deliver(category, batch, deadline)
                self._reach.note(delivery)
                self._tries += not delivery.met_nobody
                if self._reach.seconds_left() and self._tries < _MOST_TRIES:
                    return
        except Exception as error:  # the border: a fault of ours must not end the thread
            if guests.is_control_flow(error):
                raise
            log.warn_once("spotlight", "internal error in vedette with Spotlight - please report it", exc_info=True)
        self._unsent = None
        for item in batch:
            self._forget(category, item)

    def _deliver(self, category: DataCategory, batch: list[Item], deadline: float | None) -> Delivery:
        if not self._is_prepared:
            fork.import_safely(self._transport.ensure_imported)
            self._is_prepared = True
        envelope = self._packer.envelope(KINDS[category], batch, batch[0].attachments)
        envelope.headers["sent_at"] = utc_now()
        losses = self.losses.take_losses()
        self._packer.add_report(envelope, losses)
        seconds = REQUEST_SECONDS if deadline is None else min(REQUEST_SECONDS, deadline - self._clock())
        delivery = self._transport.deliver(envelope, timeout=max(0.001, seconds))
        if delivery.outcome is not Outcome.DELIVERED:
            self.losses.give_back(losses)
        return delivery
