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

from vedette._host import deque, guests, log, os_threads
from vedette._late import late
from vedette._processing import fork
from vedette._processing.accounts import Accounts
from vedette._processing.buffer import Buffer, Item, Ledger
from vedette._processing.kinds import CAPTURED_TO_DISK, KINDS
from vedette._processing.outcomes import CAPTURED
from vedette._processing.worker import Worker
from vedette._protocol.categories import DataCategory, DiscardReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Final, TypeAlias

    from vedette._host.lifecycle import Lifecycle
    from vedette._host.stats import Stats
    from vedette._processing import dispatching, journaling
    from vedette._processing import hands as helping
    from vedette._processing import scheduler as scheduling
    from vedette._processing.dispatching import Dispatcher
    from vedette._processing.hands import Hands
    from vedette._processing.outcomes import Entry
    from vedette._processing.packing import Packer
    from vedette._processing.scheduler import Scheduler
    from vedette._processing.sending import Sender
    from vedette._protocol.envelope import Item as Attachment
    from vedette._transport.journal import Journal

    Counts: TypeAlias = dict[DataCategory, int]
    _Sending: TypeAlias = tuple[Scheduler, Dispatcher]
else:
    dispatching = late("vedette._processing.dispatching")
    helping = late("vedette._processing.hands")
    journaling = late("vedette._processing.journaling")
    scheduling = late("vedette._processing.scheduler")

BUFFERED_BYTES: Final = 16 * 1024 * 1024  # ruling 9
SLOW_SECONDS: Final = 0.02
"""A server that takes longer than this for a request is met with several at once."""
UNANSWERED_SECONDS: Final = 0.1
"""After so long without an answer to the first request, whoever waits for delivery has others sent beside it."""
GREEN_SECONDS: Final = 0.05
"""A greenlet looks so often whether it was let go: not all are told across threads (eventlet's)."""

HOLD_SECONDS: Final = 0.02
"""For how long the worker leaves the GIL to a burst of captures that are safe on disk, unless somebody waits."""
_FRAMES_TO_COUNT: Final = 10  # on the stack, from taking an item to having counted it


class Outbox:
    """Buffers, accounts and threads of one client in one process; a forked child has one of its own."""

    def __init__(
        self,
        sender: Sender,
        new_packer: Callable[[], Packer],
        lifecycle: Lifecycle,
        *,
        capacity: int,
        max_connections: int,
        send_reports: bool,
        journal: Journal | None = None,
        max_kept: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pid = os.getpid()
        self._sender = sender
        self._new_packer = new_packer
        self._lifecycle = lifecycle
        self._synchronous = sender.synchronous
        self._send_reports = send_reports
        self._clock = clock
        self.accounts = Accounts(sender.seconds_limited, clock)
        self._outcomes = self.accounts.outcomes
        self._note = self._outcomes.note
        sender.on_late_loss = self.accounts.outcomes.count_late_loss
        self._journaling = (
            None
            if journal is None
            else journaling.Journaling(
                journal, new_packer(), self.accounts, sender.seconds_limited, clock, max_items=max_kept
            )
        )
        self._sending: _Sending | None = None
        ledger = Ledger(BUFFERED_BYTES)
        room = {CAPTURED_TO_DISK: max(capacity, max_kept)}  # all but the first few are handles of what is on disk
        self._buffers = {
            category: Buffer(category, kind, room.get(category, capacity), ledger, self._count_overflow, clock)
            for category, kind in KINDS.items()
        }
        self._in_any_order = tuple(each for each in self._buffers.values() if each.kind.any_order)
        self._worker = Worker(self.work if self._journaling is None else self._work_in_a_moment)
        self._most_hands = max_connections - 1 if sender.takes_several else 0
        self._hands: Hands | None = None  # until they are called
        self._busy = os_threads.allocate_lock()
        self._hold = os_threads.allocate_lock()  # a binary semaphore, as the worker's alarm is
        self._waiters: deque[_thread.LockType] = deque()
        self._in_flight: dict[int, tuple[DataCategory, list[Item]]] = {}  # by thread
        self._closed = False

    def add(
        self,
        category: DataCategory,
        payload: dict[str, Any],
        attachments: Sequence[Attachment],
        on_loss: Callable[[], None] | None,
        is_built: bool,  # noqa: FBT001
    ) -> None:
        item = Item(payload, attachments, on_loss, is_built=is_built)
        captured: Entry = (CAPTURED, category, 1, False)
        note = self._note
        try:
            item.is_counted = True
            note(captured)  # nothing can come between, also no signal handler
            if attachments:
                self.accounts.admit_attachments(item)
            if self._journaling is not None and category is CAPTURED_TO_DISK and not self._record(category, item):
                return
            if self._closed:
                self._drop(DiscardReason.NETWORK_ERROR, category, item)
                return
            is_due = self._buffers[category].append(item)
        except BaseException:  # a signal handler's, while the item was being packed
            if item.is_counted and not item.is_held:
                self._drop(DiscardReason.INTERNAL_SDK_ERROR, category, item)
            raise
        if not is_due:
            return
        if self._synchronous:
            self.work()
        else:
            self.wake()

    def _record(self, category: DataCategory, item: Item) -> bool:
        """Write an item to disk at its capture, if that can be done; False if it is lost."""
        try:
            if self._journaling is not None:
                self._journaling.record(KINDS[category], category, item)
        except Exception as error:  # the border, where the program's own scrubber fails, too
            if guests.is_control_flow(error):
                raise
            self.accounts.settle(dispatching.fate_of(error), category, item)
            return False
        return True

    def _drop(self, reason: DiscardReason, category: DataCategory, item: Item) -> None:
        """Let an item go that finds no room here; what is on disk stays there."""
        if not self._postpone(category, item):
            self.accounts.settle(reason, category, item)

    def _postpone(self, category: DataCategory, item: Item) -> bool:
        """Have an item wait on disk only; False if it is not there."""
        if item.entry is None or self._journaling is None:
            return False
        self._journaling.postpone(category, item)
        return True

    def _write_what_is_held(self) -> None:
        """Have kinds that are written by whoever sends them wait on disk while nothing is sent."""
        for category, buffer in self._buffers.items():
            if category is CAPTURED_TO_DISK or buffer.kind.batch > 1 or not self._seconds_held(category):
                continue
            for _ in range(len(buffer)):
                for item in buffer.take():
                    if self._record(category, item) and not self._postpone(category, item):
                        buffer.append(item)  # it could not be written

    def count_drop(self, reason: DiscardReason, category: DataCategory, quantity: int) -> None:
        self._outcomes.count_drop(reason, category, quantity)
        if reason is DiscardReason.RATELIMIT_BACKOFF:
            self.accounts.warn_of_limits(reason, category)
        if self._worker.ident is None and self._send_reports and not self._closed:
            self.wake()  # it sends the report in time, should nothing else go out

    def stats(self) -> Stats:
        waiting: Counts = {}
        kept: Counts = {} if self._journaling is None else self._journaling.kept()
        for category, buffer in self._buffers.items():
            for item in buffer.items():
                _count_waiting(category, item, waiting, kept)
        for category, item in () if self._journaling is None else self._journaling.backlog():
            _count_waiting(category, item, waiting, kept)
        for category, items in tuple(self._in_flight.values()):
            for item in items:
                _add(waiting, ((category, 1), *item.quantities()))
                _add(waiting, (lost[1:] for lost in item.left_out))
                if item.entry is not None:
                    _add(kept, ((category, -1),))
        return self.accounts.outcomes.snapshot(waiting, kept)

    def pending(self) -> int:
        """How many items wait or are on their way."""
        backlog = 0 if self._journaling is None else self._journaling.waiting()
        in_flight = sum(len(items) for _, items in tuple(self._in_flight.values()))
        return sum(map(len, self._buffers.values())) + in_flight + backlog

    def is_worker(self) -> bool:
        """Whether the calling thread is the worker's own (a user's transport that flushes, say)."""
        return self._worker.is_current_thread()

    def begin_flush(self) -> bool:
        """Whether there is anything to do for somebody who waits for delivery."""
        may_be_kept = self._journaling is not None and self._journaling.begin_flush()
        if may_be_kept or self.pending() > 0 or self._owes_report():
            return True
        # After the look at the buffers: what was taken from them meanwhile may not be noted as in flight yet.
        return self._busy.locked() or self._are_hands_out()

    def drain(self, deadline: float) -> None:
        """Have everything sent by the worker, or on this thread where there can be none; return by the deadline."""
        if self._synchronous:
            self._drain_here(deadline)
            return
        waiter = _thread.allocate_lock()  # as it is now: gevent's lets other greenlets run on
        longest = GREEN_SECONDS if os_threads.is_green(waiter) else float("inf")
        waiter.acquire()
        self._waiters.append(waiter)
        self._end_hold()
        due_in = None if self._worker.wake() else self.work(deadline)
        left = max(0.0, deadline - self._clock())
        while True:
            unanswered = UNANSWERED_SECONDS if self._sending is None or self._is_unanswered() else left
            if waiter.acquire(timeout=min(left, longest, unanswered, left if due_in is None else due_in)):
                return
            left = max(0.0, deadline - self._clock())
            if not left:
                return
            if self._is_unanswered():
                self._call_hands(busy=1)
            due_in = None if self._worker.wake() else self.work(deadline)

    def _drain_here(self, deadline: float) -> None:
        pause = _thread.allocate_lock()  # as it is now, too
        pause.acquire()
        while (due_in := self.work(deadline)) is not None and self._is_replaying() and not self._is_late(deadline):
            pause.acquire(timeout=min(due_in, max(0.0, deadline - self._clock())))

    def close(self) -> None:
        """Nothing more is sent: what still waits is lost (docs/decisions.md), unless it is on disk; the worker ends.

        May be called again, and then does what a signal handler's exception has left undone.
        """
        self._closed = True
        for category, buffer in self._buffers.items():
            while (item := buffer.take_one()) is not None:
                is_lost = item.entry is None and buffer.kind.batch == 1 and not self._record(category, item)
                if not is_lost:
                    self._drop(DiscardReason.NETWORK_ERROR, category, item)
        self.accounts.settle_limits(all_of_them=True)
        self._worker.end()
        if self._journaling is not None:
            self._journaling.close()

    def see_off(self) -> None:
        """After `close`: wait a moment for threads that have nothing more to do."""
        if not self._in_flight and not self.is_worker():
            os_threads.wait_until_gone(self.threads)

    # --- forks, see fork.py --------------------------------------------------------------------------------

    def pause(self) -> None:
        """Start no thread, and have those leave that find nothing to do."""
        self._worker.pause()

    def threads(self) -> int:
        """How many threads live here, or are just about to end."""
        alive = sum(map(_is_alive, (self._worker.native_id, *(() if self._hands is None else self._hands.native_ids))))
        return alive or int(self._worker.ident is not None or self._are_hands_out())  # which are just about to start

    def resume(self) -> None:
        """Threads may be started again, and are if something waits.

        Not for a report that falls due alone: CPython 3.13 counts the threads after this, and would warn of that one.
        """
        self._worker.resume()
        if self.pending():
            self.wake()

    # --- below: whoever sends ------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Load what only who sends needs, and most programs never (``vedette/_late.py``); a fork waits for it."""
        if self._sending is None:
            fork.import_safely(self._make_sending)

    def _make_sending(self) -> None:
        self.accounts.prepare()
        scheduler = scheduling.Scheduler(self._buffers.values(), self._seconds_held)
        dispatcher = dispatching.Dispatcher(
            self._sender,
            self._new_packer(),
            self.accounts,
            self._lifecycle,
            send_reports=self._send_reports,
            journaling=self._journaling,
            clock=self._clock,
        )
        self._sending = scheduler, dispatcher

    @property
    def _scheduler(self) -> Scheduler:
        return self._ready_to_send()[0]

    @property
    def _dispatcher(self) -> Dispatcher:
        return self._ready_to_send()[1]

    def _ready_to_send(self) -> _Sending:
        while self._sending is None:
            self.prepare()
        return self._sending

    def _can_prepare(self) -> bool:
        """False where what sends cannot be loaded, for no file descriptor is left, say: what waits is lost then."""
        try:
            self.prepare()
        except Exception as error:  # the border: this may be the thread of a program that waits for delivery
            if guests.is_control_flow(error):
                raise
            log.warn_once("prepare", "nothing can be sent: %s: %s", type(error).__name__, error)
            for category, buffer in self._buffers.items():
                while batch := buffer.take():
                    for item in batch:
                        self._drop(DiscardReason.INTERNAL_SDK_ERROR, category, item)
            self._let_go(len(self._waiters))
            return False
        return True

    def _is_unanswered(self) -> bool:
        return self._sending is not None and self._sending[1].is_unanswered()

    def _owes_report(self) -> bool:
        return self._send_reports and self.accounts.outcomes.has_losses()

    def work(self, deadline: float | None = None) -> float | None:
        """Send all that can be sent. Returns in how many seconds there will be more to do by itself, or None."""
        if not self._can_prepare():
            return None
        busy = self._busy
        while busy.acquire(blocking=False):
            try:
                self._send_waiting(deadline)
            finally:
                busy.release()
            if self._closed:
                return None
            due_in = self._seconds_to_send()
            if self._is_late(deadline) or not self._has_more(due_in):
                times = self._dispatcher.seconds_to_report(), due_in
                return min((each for each in times if each is not None), default=None)
        return None

    def _work_in_a_moment(self) -> float | None:
        """The same, a little later, unless somebody waits for it.

        Writing to disk lets go of the GIL at each capture. A worker that is busy would take it, for up to the 5 ms
        after which Python switches threads: a capture of a burst cost three times what it computes.
        """
        self._hold.acquire(blocking=False)  # what an earlier `_end_hold` left
        if not self._waiters and not self._closed and any(map(len, self._buffers.values())):
            self._hold.acquire(timeout=HOLD_SECONDS)
        return self.work()

    def _end_hold(self) -> None:
        try:
            self._hold.release()
        except RuntimeError:
            return  # ended already

    def _is_late(self, deadline: float | None) -> bool:
        return deadline is not None and self._clock() >= deadline

    def _has_more(self, due_in: float | None) -> bool:
        if due_in == 0.0:
            return True
        return bool(self._waiters) and not self._are_hands_out() and not self._is_replaying()

    def _seconds_to_send(self) -> float | None:
        replay = None if self._journaling is None else self._journaling.seconds_to_replay()
        times = self._scheduler.seconds_to_ready(), replay
        return min((each for each in times if each is not None), default=None)

    def _seconds_held(self, category: DataCategory) -> float:
        return 0.0 if self._journaling is None else self._journaling.seconds_held(category)

    def _is_replaying(self) -> bool:
        return self._journaling is not None and self._journaling.is_replaying()

    def _send_waiting(self, deadline: float | None) -> None:
        while not self._closed and not self._is_late(deadline):
            waiters = len(self._waiters)  # before the look at the buffers: what they wait for is in there
            has_replayed = self._replay(deadline)
            buffer = self._scheduler.next_buffer(flushing=waiters > 0)
            if buffer is not None:
                if deadline is None and not self._has_waited(buffer.oldest()):
                    self._call_hands(busy=0)
                self._send_from(buffer, deadline)
            elif not has_replayed:
                self._nothing_left(waiters, deadline)
                return
        if self._closed and not self._are_hands_out():
            self._let_go(len(self._waiters))  # of those that came before the close: nothing more is sent for them

    def _nothing_left(self, waiters: int, deadline: float | None) -> None:
        """All was sent that can be, or is on its way: let so many of those go that wait for it."""
        if self._journaling is not None:
            self._write_what_is_held()
        if self._are_hands_out() or (waiters and self._is_replaying()):
            return  # the hands wake the worker
        if waiters or self._dispatcher.seconds_to_report() == 0.0:
            self._dispatcher.send_report(deadline)
        if not self.pending():
            self.accounts.nothing_waits()
        self._let_go(waiters)

    def _let_go(self, waiters: int) -> None:
        for _ in range(waiters):
            self._waiters.popleft().release()

    def _replay(self, deadline: float | None) -> bool:
        """Send one item that waits on disk only, if it is its turn."""
        journaling = self._journaling
        if journaling is None:
            return False
        journaling.adopt()
        taken = journaling.next_of_backlog()
        if taken is not None:
            category, item = taken
            self._send(category, [item], deadline)
            journaling.has_replayed()
        return taken is not None

    def _send_from(self, buffer: Buffer, deadline: float | None) -> bool:
        """Send its next batch, or have it wait for its turn in the backlog; False if there is none."""
        _make_sure_of_room(_FRAMES_TO_COUNT)
        batch = buffer.take()
        if batch and self._has_waited(batch[0]):
            self._postpone(buffer.category, batch[0])
        elif batch:
            self._send(buffer.category, batch, deadline)
        return bool(batch)

    def _has_waited(self, item: Item | None) -> bool:
        """Whether it is on disk, and was captured before the server could be sent to again (OFF-20)."""
        return self._journaling is not None and item is not None and self._journaling.has_waited(item)

    def _send(self, category: DataCategory, batch: list[Item], deadline: float | None) -> None:
        me = os_threads.get_ident()
        self._in_flight[me] = (category, batch)
        try:
            self._dispatcher.dispatch(KINDS[category], category, batch, deadline)
        finally:
            del self._in_flight[me]

    def _call_hands(self, busy: int) -> None:
        """Have others send, too, if more waits for a server that takes its time than the worker has at hand.

        ``busy``: 1 where the worker has taken its item already.
        """
        waiting = sum(map(len, self._in_any_order)) + busy
        if waiting > 1 and self._is_server_slow() and not self._is_probing():
            if self._hands is None:
                self._hands = helping.Hands(self._most_hands, self._lend_a_hand, self._look_after)
            self._hands.call(waiting - 1)

    def _are_hands_out(self) -> bool:
        return self._hands is not None and self._hands.are_out()

    def _is_server_slow(self) -> bool:
        return self._dispatcher.server_seconds() > SLOW_SECONDS

    def _is_probing(self) -> bool:
        return self._journaling is not None and self._journaling.backoff.is_on()

    def _lend_a_hand(self) -> None:
        while (
            self._is_server_slow()
            and not self._is_probing()
            and any(self._send_from(each, None) for each in self._in_any_order if not self._seconds_held(each.category))
        ):
            pass

    def _look_after(self) -> None:
        """A hand has left: somebody has to see whether that was all that was waited for."""
        if not self._worker.wake():
            self.work()

    def wake(self) -> None:
        """Have somebody look for what there is to do."""
        if self._worker.ident is None:
            fork.deliver_at_childs_end()
        self._worker.wake()

    def _count_overflow(self, category: DataCategory, item: Item) -> None:
        self._drop(DiscardReason.BUFFER_OVERFLOW, category, item)


def _is_alive(native_id: int | None) -> bool:
    """Whether the system has this thread still; one just ended stays a moment longer than Python knows of it."""
    return native_id is not None and os.path.exists(f"/proc/self/task/{native_id}")


def _make_sure_of_room(frames: int) -> None:
    """Raise RecursionError now, while nothing is lost by it, and not between taking an item and counting it."""
    if frames:
        _make_sure_of_room(frames - 1)


def _add(counts: Counts, quantities: Iterable[tuple[DataCategory, int]]) -> None:
    for category, quantity in quantities:
        counts[category] = counts.get(category, 0) + quantity


def _count_waiting(category: DataCategory, item: Item, waiting: Counts, kept: Counts) -> None:
    """An item in a buffer: it waits there, unless it is on disk; and so do its attachments."""
    if item.entry is None:
        _add(waiting, ((category, 1),))
    _add(kept, item.recorded)
    _add(waiting, (pair for each in item.attachments for pair in each.quantities()))
