"""The telemetry processor: takes items from the client, hands envelopes to the transport (TP-01 to TP-03).

Guarantees
- ``add`` and ``count_drop`` never block and never raise; they may be called from signal handlers, ``__del__``,
  GC callbacks, at any byte code of this module.
- One thread at a time sends: the worker, or a caller who drains where no thread can be had. Whoever holds
  the work looks once more after letting go, so nothing that came in meanwhile is left behind.
- ``flush`` and ``close`` end by their deadline (CLI-23, CLI-24); a request that is under way on the worker
  then goes on there and is still counted.
- Everything that leaves a buffer is counted once: delivered, refused, or dropped for a reason (CR-02).

Relies on: ``deque.append`` and ``popleft`` being safe together, with and without the GIL; raw locks as waiters
(``acquire`` with a time-out is the only blocking call, and only ``flush`` makes it).
"""

from __future__ import annotations

import _thread
import time

from vedette._events.shrink import TooLargeError
from vedette._host import deque, guests, log
from vedette._host.lifecycle import Lifecycle
from vedette._processing.before_envelope import show
from vedette._processing.buffer import Buffer, Item, Ledger
from vedette._processing.limit_warnings import LimitWarnings
from vedette._processing.outcomes import CAPTURED, DELIVERED, REFUSED, Outcomes
from vedette._processing.packing import EVENT_LIMIT_BYTES, ScrubberError
from vedette._processing.scheduler import WEIGHTS, Scheduler
from vedette._processing.worker import Worker
from vedette._protocol.attachment import note_left_out
from vedette._protocol.categories import DataCategory, DiscardReason
from vedette._transport.delivery import Delivery, Outcome
from vedette._transport.streaming import extra_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Final

    from vedette._host.stats import Stats
    from vedette._processing.outcomes import Entry, Fate
    from vedette._processing.packing import Packer
    from vedette._processing.sending import Sender
    from vedette._protocol.envelope import Envelope
    from vedette._protocol.envelope import Item as Attachment
    from vedette._transport.delivery import Loss

REQUEST_SECONDS: Final = 30.0
REPORT_SECONDS: Final = 30.0  # ruling 21
BUFFERED_BYTES: Final = 16 * 1024 * 1024  # ruling 9
ATTACHED_BYTES: Final = 32 * 1024 * 1024  # of attachments in memory beside; any single event may have more

_TO_LIMITS: Final = (REFUSED, DiscardReason.RATELIMIT_BACKOFF)
_FATES: Final[Mapping[Outcome, Fate]] = {Outcome.DELIVERED: DELIVERED, Outcome.REFUSED: REFUSED}


class TelemetryProcessor:
    """Buffers, sends by priority, keeps to rate limits, and accounts for every item.

    ``capacity`` is the number of items of one category that may wait in memory.
    """

    def __init__(
        self,
        sender: Sender,
        packer: Packer,
        *,
        capacity: int,
        send_reports: bool = True,
        lifecycle: Lifecycle | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sender = sender
        self._packer = packer
        self._lifecycle = Lifecycle() if lifecycle is None else lifecycle
        self._send_reports = send_reports and sender.sends_reports
        self._clock = clock
        self._outcomes = Outcomes()
        self._limit_warnings = LimitWarnings(sender.seconds_limited, self._outcomes.lost_to_limits, clock)
        ledger = Ledger(BUFFERED_BYTES)
        self._buffers = {each: Buffer(each, capacity, ledger, self._count_overflow) for each in WEIGHTS}
        self._scheduler = Scheduler(self._buffers)
        self._worker = Worker(self._work)
        self._busy = _thread.allocate_lock()
        self._waiters: deque[_thread.LockType] = deque()
        self._attached = Ledger(ATTACHED_BYTES)
        self._in_flight: tuple[DataCategory, Item] | None = None
        self._report_due: float | None = None
        self._closed = False

    def add(
        self,
        category: DataCategory,
        payload: dict[str, Any],
        attachments: Sequence[Attachment] = (),
        on_loss: Callable[[], None] | None = None,
    ) -> None:
        """Take an item of exact built-ins, and what goes in its envelope; all is the processor's from now on.

        ``on_loss`` is called, from any thread, if the item is dropped after all.
        """
        item = Item(payload, attachments, on_loss)
        captured: Entry = (CAPTURED, category, 1)
        note = self._outcomes.note
        try:
            item.is_counted = True
            note(captured)  # nothing can come between, also no signal handler
            if attachments:
                self._count_attached(CAPTURED, item)
                self._hold(item)
            self._buffers[category].append(item)
        except BaseException:  # a signal handler's, while the item was being measured
            if item.is_counted and not item.is_held:
                self._let_go(DiscardReason.INTERNAL_SDK_ERROR, category, item)
            raise
        if self._sender.synchronous:
            self._work()
        else:
            self._worker.wake()

    def count_drop(self, reason: DiscardReason, category: DataCategory, quantity: int = 1) -> None:
        """Account for captured items that an earlier stage dropped."""
        self._outcomes.count_drop(reason, category, quantity)
        if reason is DiscardReason.RATELIMIT_BACKOFF:
            self._limit_warnings.note(category)
        if self._send_reports and not self._closed and not self._worker.is_running():
            self._worker.wake()  # it sends the report in time, should nothing else go out

    def is_limited(self, category: DataCategory) -> bool:
        """Whether the server asked for silence about this category (TP-12, TP-69)."""
        return self._sender.is_limited(category)

    def stats(self) -> Stats:
        """How many items were captured, and what became of them."""
        waiting = {category: len(buffer) for category, buffer in self._buffers.items()}
        attachments = [each for buffer in self._buffers.values() for each in buffer.attachments()]
        in_flight = self._in_flight
        if in_flight is not None:
            waiting[in_flight[0]] += 1
            attachments += in_flight[1].attachments
        for attachment in attachments:
            for category, quantity in attachment.quantities():
                waiting[category] = waiting.get(category, 0) + quantity
        return self._outcomes.snapshot(waiting.items())

    def flush(self, timeout: float, callback: Callable[[int, float], object] | None = None) -> None:
        """Send all that waits, for at most ``timeout`` seconds; then flush the transport (TP-26, TP-89).

        ``callback(pending, timeout)`` is called first if anything is pending.
        """
        deadline = self._clock() + timeout
        if self._worker.is_current_thread():
            return  # a transport that flushes from inside a send would wait for itself
        pending = self._pending()
        if pending and callback is not None:
            guests.ask("the callback of flush", callback, pending, timeout)
        if pending or (self._send_reports and self._outcomes.has_losses()):
            self._drain(deadline)
        self._sender.flush(max(0.0, deadline - self._clock()))

    def close(self, timeout: float, callback: Callable[[int, float], object] | None = None) -> None:
        """Flush within ``timeout`` seconds, then end the worker and the transport.

        What could not be sent in time is counted as lost to the network (docs/decisions.md).
        """
        self.flush(timeout, callback)
        self._closed = True
        for category, buffer in self._buffers.items():
            while (item := buffer.take()) is not None:
                self._let_go(DiscardReason.NETWORK_ERROR, category, item)
        self._limit_warnings.settle(all_of_them=True)
        self._worker.end()
        self._sender.kill()

    def _pending(self) -> int:
        return sum(map(len, self._buffers.values())) + (self._in_flight is not None)

    def _drain(self, deadline: float) -> None:
        """Have everything sent by the worker, or on this thread where there can be none."""
        if self._sender.synchronous:
            self._work(deadline)
            return
        waiter = _thread.allocate_lock()
        waiter.acquire()
        self._waiters.append(waiter)
        if not self._worker.wake():
            self._work(deadline)
        waiter.acquire(timeout=max(0.0, deadline - self._clock()))

    # --- below: whoever holds the work -------------------------------------------------------------------

    def _work(self, deadline: float | None = None) -> float | None:
        """Send all that waits. Returns in how many seconds a client report falls due, or None."""
        while self._busy.acquire(blocking=False):
            try:
                self._send_waiting(deadline)
            finally:
                self._busy.release()
            out_of_time = deadline is not None and self._clock() >= deadline
            if out_of_time or not (self._waiters or self._pending()):
                return self._seconds_to_report()
        return None

    def _send_waiting(self, deadline: float | None) -> None:
        waiters = [self._waiters.popleft() for _ in range(len(self._waiters))]
        try:
            buffer = self._scheduler.next_buffer()
            while buffer is not None and (deadline is None or self._clock() < deadline):
                item = buffer.take()
                if item is not None:
                    self._in_flight = (buffer.category, item)
                    try:
                        self._dispatch(buffer.category, item, deadline)
                    finally:
                        self._in_flight = None
                        del item  # the descriptors of its files are free now
                buffer = self._scheduler.next_buffer()
            if waiters or self._seconds_to_report() == 0.0:
                self._send_report(deadline)
        finally:
            for waiter in waiters:
                waiter.release()

    def _dispatch(self, category: DataCategory, item: Item, deadline: float | None) -> None:
        """Send one item, and count what became of it."""
        fate: Fate = DiscardReason.INTERNAL_SDK_ERROR
        also_lost: tuple[Loss, ...] = ()
        try:
            if self._sender.is_limited(category):
                fate = DiscardReason.RATELIMIT_BACKOFF
                return
            self._sender.prepare()
            self._leave_out_unsendable(item)
            delivery = self._send_event(category, item, deadline, EVENT_LIMIT_BYTES)
            if delivery.too_large:  # ruling 12: once more, much smaller
                self._leave_out_large(item)
                delivery = self._send_event(category, item, deadline, EVENT_LIMIT_BYTES // 4)
            if delivery.too_large:
                log.warn_once("413", "an event is lost: too large for the server (413), even when shrunk")
            also_lost = delivery.also_lost
            fate = _FATES.get(delivery.outcome) or delivery.reason or fate
        except ScrubberError:
            fate = DiscardReason.EVENT_PROCESSOR
        except TooLargeError:
            log.warn_once("too large", "an event is too large to be sent, even without its details")
        except Exception as error:  # the border: OFF-16, OFF-17
            if guests.is_control_flow(error):  # a signal handler's, where the caller sends
                raise
            log.warn_once("send", "internal error in vedette while sending - please report it", exc_info=True)
        finally:
            self._let_go(fate, category, item, also_lost)
            if fate in _TO_LIMITS:
                self._limit_warnings.note(category)
            else:
                self._limit_warnings.settle()

    def _send_event(self, category: DataCategory, item: Item, deadline: float | None, limit: int) -> Delivery:
        while True:
            envelope = self._packer.event_envelope(category, item.payload, item.attachments, limit)
            packed = tuple(envelope.items)
            delivery = self._send_with_report(envelope, deadline)
            if delivery.unreadable is None or all(each is not delivery.unreadable for each in item.attachments):
                return self._without_what_was_taken_out(item, packed, envelope, delivery)
            # A file changed while it was sent: the server got no whole envelope, and gets one without it now.
            reason = DiscardReason.INTERNAL_SDK_ERROR
            self._leave_out(item, delivery.unreadable, reason, "its file changed while it was sent")

    def _without_what_was_taken_out(
        self, item: Item, packed: Sequence[Attachment], envelope: Envelope, delivery: Delivery
    ) -> Delivery:
        """What became of the item, where a callback of ``before_envelope`` took it or an attachment of it out."""
        gone = [each for each in packed if all(each is not kept for kept in envelope.items)]
        for each in gone:
            if each is packed[0]:  # the event itself
                return Delivery(Outcome.LOST, reason=DiscardReason.BEFORE_SEND)
            self._leave_out(item, each, DiscardReason.BEFORE_SEND, "a callback of before_envelope took it out")
        return delivery

    def _send_with_report(self, envelope: Envelope, deadline: float | None) -> Delivery:
        """Send; the losses so far ride along, and are kept for the next envelope if this one is lost."""
        losses = self._outcomes.take_losses() if self._send_reports else {}
        self._packer.add_report(envelope, losses)
        show(envelope, self._lifecycle)
        if not envelope.items:
            delivery = Delivery(Outcome.LOST, reason=DiscardReason.BEFORE_SEND)
        else:
            seconds = REQUEST_SECONDS + extra_seconds(envelope)
            if deadline is not None:
                seconds = min(seconds, deadline - self._clock())
            delivery = self._sender.send(envelope, max(0.001, seconds))
        if losses and delivery.outcome is not Outcome.DELIVERED:
            self._outcomes.give_back(losses)
        if delivery.reason is not None:
            log.debug("an envelope was lost: %r", delivery)
        return delivery

    def _send_report(self, deadline: float | None) -> None:
        """Send what was dropped in an envelope of its own (CR-44)."""
        self._report_due = None
        if not self._send_reports or not self._outcomes.has_losses() or self.is_limited(DataCategory.INTERNAL):
            return
        self._sender.prepare()
        self._send_with_report(self._packer.report_envelope(), deadline)

    def _seconds_to_report(self) -> float | None:
        if not self._send_reports or not self._outcomes.has_losses():
            self._report_due = None
            return None
        now = self._clock()
        if self._report_due is None:
            self._report_due = now + REPORT_SECONDS
        return max(0.0, self._report_due - now)

    # --- attachments, and what they are counted as --------------------------------------------------------

    def _hold(self, item: Item) -> None:
        """Keep the bytes that wait in memory within bounds: a newcomer that has no room goes without."""
        in_memory = [each for each in item.attachments if each.payload.bytes is not None]
        size = sum(each.payload.size() for each in in_memory)
        if self._attached.held and self._attached.held + size > self._attached.limit:
            for each in in_memory:
                self._leave_out(item, each, DiscardReason.BUFFER_OVERFLOW, "too much was waiting to be sent")
            return
        item.attached = size
        self._attached.held += size

    def _leave_out_unsendable(self, item: Item) -> None:
        """What the server does not take now, and files that are no longer what they were (ATT-36, ruling 11)."""
        limited = bool(item.attachments) and self._sender.is_limited(DataCategory.ATTACHMENT)
        for each in item.attachments:
            if limited:
                self._leave_out(item, each, DiscardReason.RATELIMIT_BACKOFF, "the server takes none now")
            elif each.payload.file is not None:
                try:
                    each.payload.file.check()
                except OSError as error:
                    reason = DiscardReason.INTERNAL_SDK_ERROR
                    self._leave_out(item, each, reason, f"it cannot be read: {error.strerror or error}")

    def _leave_out_large(self, item: Item) -> None:
        """After a 413: the attachments, if there is more of them than the least that the event is shrunk to."""
        if sum(each.payload.size() for each in item.attachments) > EVENT_LIMIT_BYTES // 4:
            log.warn_once("413 attachments", "attachments are left out: too large for the server (413)")
            for each in item.attachments:
                self._leave_out(item, each, DiscardReason.SEND_ERROR, "too large for the server (413)")

    def _leave_out(self, item: Item, attachment: Attachment, reason: DiscardReason, why: str) -> None:
        """Drop one attachment, which costs only itself: counted, and noted on the event (PAIN-29)."""
        item.attachments = tuple(each for each in item.attachments if each is not attachment)
        name = attachment.headers["filename"]
        log.debug("the attachment %r is left out: %s", name, why)
        note_left_out(item.payload, name, why)
        for category, quantity in attachment.quantities():
            self._outcomes.count(reason, category, quantity)
        if reason is DiscardReason.RATELIMIT_BACKOFF:
            self._limit_warnings.note(DataCategory.ATTACHMENT_ITEM)

    def _count_attached(self, what: Fate, item: Item, also_lost: Iterable[Loss] = ()) -> None:
        """Count the attachments like their item, but for the losses among these that a transport told of."""
        attached: dict[DataCategory, int] = {}
        for attachment in item.attachments:
            for each, quantity in attachment.quantities():
                attached[each] = attached.get(each, 0) + quantity
        for reason, each, quantity in also_lost:
            lost = min(quantity, attached.get(each, 0))
            if lost > 0:
                attached[each] -= lost
                self._outcomes.count(reason, each, lost)
        for each, quantity in attached.items():
            if quantity:
                self._outcomes.count(what, each, quantity)

    def _let_go(self, fate: Fate, category: DataCategory, item: Item, also_lost: Iterable[Loss] = ()) -> None:
        self._outcomes.count(fate, category)  # first: there may be little room left on the stack
        if item.attachments:
            self._count_attached(fate, item, also_lost)
        if item.attached:
            self._attached.held -= item.attached
        if isinstance(fate, DiscardReason):
            item.lose()

    def _count_overflow(self, category: DataCategory, item: Item) -> None:
        self._let_go(DiscardReason.BUFFER_OVERFLOW, category, item)
