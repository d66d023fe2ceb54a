"""What one process has captured and not yet sent, and who sends it.

Guarantees
- ``add`` never blocks and never raises; it may be called from a signal handler, ``__del__`` or a GC callback, at
  any byte code of this module.
- One thread at a time sends in the order of the scheduler: the worker, or a caller who drains where no thread can
  be had. Whoever holds the work looks once more after letting go, so nothing that came in meanwhile is left behind.
  Beside it, hands send what may arrive in any order.
- Who waits for everything to be sent is let go when nothing waits any more *and* nothing is on its way.

Relies on: ``deque.append`` and ``popleft`` being safe together, with and without the GIL, as are setting and deleting
an item of a dict; raw locks as waiters (``acquire`` with a time-out is the only blocking call, and only ``drain``
makes it).
"""

from __future__ import annotations

import _thread
import os
import time
from collections import deque

from vedette._processing.accounts import Accounts
from vedette._processing.buffer import Buffer, Item, Ledger
from vedette._processing.dispatching import Dispatcher
from vedette._processing.exits import deliver_at_childs_end
from vedette._processing.hands import Hands
from vedette._processing.kinds import KINDS
from vedette._processing.outcomes import CAPTURED
from vedette._processing.scheduler import Scheduler
from vedette._processing.worker import Worker
from vedette._protocol.categories import DataCategory, DiscardReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final

    from vedette._host.lifecycle import Lifecycle
    from vedette._host.stats import Stats
    from vedette._processing.packing import Packer
    from vedette._processing.sending import Sender
    from vedette._protocol.envelope import Item as Attachment

BUFFERED_BYTES: Final = 16 * 1024 * 1024  # ruling 9
SLOW_SECONDS: Final = 0.01
"""A server that takes longer than this for a request is met with several at once."""


class Outbox:
    """Buffers, accounts and threads of one client in one process; a forked child has one of its own."""

    def __init__(
        self,
        sender: Sender,
        packer: Packer,
        lifecycle: Lifecycle,
        *,
        capacity: int,
        max_connections: int,
        send_reports: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pid = os.getpid()
        self._synchronous = sender.synchronous
        self._send_reports = send_reports
        self._clock = clock
        self.accounts = Accounts(sender.seconds_limited, clock)
        self._count = self.accounts.outcomes.count
        self._dispatcher = Dispatcher(sender, packer, self.accounts, lifecycle, send_reports=send_reports, clock=clock)
        ledger = Ledger(BUFFERED_BYTES)
        self._buffers = {
            category: Buffer(category, kind, capacity, ledger, self._count_overflow, clock)
            for category, kind in KINDS.items()
        }
        self._in_any_order = tuple(each for each in self._buffers.values() if each.kind.any_order)
        self._scheduler = Scheduler(self._buffers.values())
        self._worker = Worker(self.work)
        hands = max_connections - 1 if sender.takes_several else 0
        self._hands = Hands(hands, self._lend_a_hand, self._look_after)
        self._busy = _thread.allocate_lock()
        self._waiters: deque[_thread.LockType] = deque()
        self._in_flight: dict[int, tuple[DataCategory, list[Item]]] = {}  # by thread
        self._closed = False

    def add(
        self,
        category: DataCategory,
        payload: dict[str, Any],
        attachments: Sequence[Attachment],
        on_loss: Callable[[], None] | None,
    ) -> None:
        item = Item(payload, attachments, on_loss)
        self._count(CAPTURED, category)
        try:
            if attachments:
                self.accounts.admit_attachments(item)
            is_due = self._buffers[category].append(item)
        except BaseException:  # a signal handler's, while the item was being measured
            if not item.is_held:
                self.accounts.settle(DiscardReason.INTERNAL_SDK_ERROR, category, item)
            raise
        if not is_due:
            return
        if self._synchronous:
            self.work()
        else:
            self._wake()

    def count_drop(self, reason: DiscardReason, category: DataCategory, quantity: int) -> None:
        self.accounts.count_drop(reason, category, quantity)
        if self._send_reports and not self._closed and not self._worker.is_running():
            self._wake()  # it sends the report in time, should nothing else go out

    def stats(self) -> Stats:
        waiting = {category: len(buffer) for category, buffer in self._buffers.items()}
        attachments = [each for buffer in self._buffers.values() for each in buffer.attachments()]
        for category, items in tuple(self._in_flight.values()):
            waiting[category] += len(items)
            attachments += (each for item in items for each in item.attachments)
        for attachment in attachments:
            for category, quantity in attachment.quantities():
                waiting[category] = waiting.get(category, 0) + quantity
        return self.accounts.outcomes.snapshot(waiting.items())

    def pending(self) -> int:
        """How many items wait or are on their way."""
        return sum(map(len, self._buffers.values())) + sum(len(items) for _, items in tuple(self._in_flight.values()))

    def owes_report(self) -> bool:
        """Whether the server was not yet told of some loss."""
        return self._dispatcher.owes_report()

    def is_worker(self) -> bool:
        """Whether the calling thread is the worker's own (a user's transport that flushes, say)."""
        return self._worker.is_current_thread()

    def drain(self, deadline: float) -> None:
        """Have everything sent by the worker, or on this thread where there can be none; return by the deadline."""
        if self._synchronous:
            self.work(deadline)
            return
        waiter = _thread.allocate_lock()
        waiter.acquire()
        self._waiters.append(waiter)
        if not self._worker.wake():
            self.work(deadline)
        waiter.acquire(timeout=max(0.0, deadline - self._clock()))

    def close(self) -> None:
        """Nothing more is sent: what still waits is lost (docs/decisions.md), the worker ends."""
        self._closed = True
        for category, buffer in self._buffers.items():
            while batch := buffer.take():
                for item in batch:
                    self.accounts.settle(DiscardReason.NETWORK_ERROR, category, item)
        self.accounts.limit_warnings.settle(all_of_them=True)
        self._worker.end()

    # --- forks, see fork.py --------------------------------------------------------------------------------

    def pause(self) -> None:
        """Start no thread, and have those leave that find nothing to do."""
        self._worker.pause()

    def threads(self) -> int:
        """How many threads live here, or are just about to end."""
        alive = sum(map(_is_alive, (self._worker.native_id, *self._hands.native_ids)))
        return alive or int(self._worker.is_running() or self._hands.are_out())  # which are just about to start

    def resume(self) -> None:
        """Threads may be started again, and are if something waits.

        Not for a report that falls due alone: CPython 3.13 counts the threads after this, and would warn of that one.
        """
        self._worker.resume()
        if self.pending():
            self._wake()

    # --- below: whoever sends ------------------------------------------------------------------------------

    def work(self, deadline: float | None = None) -> float | None:
        """Send all that can be sent. Returns in how many seconds there will be more to do by itself, or None."""
        busy = self._busy
        while busy.acquire(blocking=False):
            try:
                self._send_waiting(deadline)
            finally:
                busy.release()
            if self._is_late(deadline) or not self._has_more():
                times = self._dispatcher.seconds_to_report(), self._scheduler.seconds_to_ready()
                return min((each for each in times if each is not None), default=None)
        return None

    def _is_late(self, deadline: float | None) -> bool:
        return deadline is not None and self._clock() >= deadline

    def _has_more(self) -> bool:
        if self._waiters:
            return not self._hands.are_out() or any(map(len, self._buffers.values()))
        return self._scheduler.seconds_to_ready() == 0.0

    def _send_waiting(self, deadline: float | None) -> None:
        while not self._is_late(deadline):
            waiters = len(self._waiters)  # before the look at the buffers: what they wait for is in there
            buffer = self._scheduler.next_buffer(flushing=waiters > 0)
            if buffer is not None:
                if deadline is None:
                    self._call_hands()
                self._send_from(buffer, deadline)
                continue
            if self._hands.are_out():
                return  # they wake the worker
            if waiters or self._dispatcher.seconds_to_report() == 0.0:
                self._dispatcher.send_report(deadline)
            self.accounts.nothing_waits()
            for _ in range(waiters):
                self._waiters.popleft().release()
            return

    def _send_from(self, buffer: Buffer, deadline: float | None) -> bool:
        """Send its next batch; False if there is none."""
        batch = buffer.take()
        if not batch:
            return False
        me = _thread.get_ident()
        self._in_flight[me] = (buffer.category, batch)
        try:
            self._dispatcher.dispatch(buffer.kind, buffer.category, batch, deadline)
        finally:
            del self._in_flight[me]
            del batch  # the descriptors of its files are free now
        return True

    def _call_hands(self) -> None:
        """Have others send, too, if more than one item waits for a server that takes its time."""
        if self._dispatcher.last_seconds > SLOW_SECONDS:
            waiting = sum(map(len, self._in_any_order))
            if waiting > 1:
                self._hands.call(waiting - 1)

    def _lend_a_hand(self) -> None:
        while any(self._send_from(buffer, None) for buffer in self._in_any_order):
            pass

    def _look_after(self) -> None:
        """A hand has left: somebody has to see whether that was all that was waited for."""
        if not self._worker.wake():
            self.work()

    def _wake(self) -> None:
        if not self._worker.is_running():
            deliver_at_childs_end()
        self._worker.wake()

    def _count_overflow(self, category: DataCategory, item: Item) -> None:
        self.accounts.settle(DiscardReason.BUFFER_OVERFLOW, category, item)


def _is_alive(native_id: int | None) -> bool:
    """Whether the system has this thread still; one just ended stays a moment longer than Python knows of it."""
    return native_id is not None and os.path.exists(f"/proc/self/task/{native_id}")
