"""One batch on its way: packed, sent, once more where that may help, and accounted for.

Safe to use from several threads at a time, each with a batch of its own.
"""

from __future__ import annotations

import time

from vedette._events.shrink import TooLargeError
from vedette._host import deque, guests, log
from vedette._processing import fork
from vedette._processing.before_envelope import show
from vedette._processing.outcomes import DELIVERED, REFUSED
from vedette._processing.packing import EVENT_LIMIT_BYTES, ScrubberError, utc_now
from vedette._protocol.categories import DataCategory, DiscardReason
from vedette._transport.delivery import Delivery, Outcome
from vedette._transport.streaming import extra_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Final

    from vedette._host.lifecycle import Lifecycle
    from vedette._processing.accounts import Accounts
    from vedette._processing.buffer import Item
    from vedette._processing.journaling import Journaling
    from vedette._processing.kinds import Kind
    from vedette._processing.outcomes import Fate
    from vedette._processing.packing import Packer
    from vedette._processing.sending import Sender
    from vedette._protocol.envelope import Envelope
    from vedette._protocol.envelope import Item as Attachment
    from vedette._transport.delivery import Loss

REQUEST_SECONDS: Final = 30.0
REPORT_SECONDS: Final = 30.0  # ruling 21
_REQUESTS_LOOKED_AT: Final = 3
_MOST_DOUBLINGS: Final = 7  # of REPORT_SECONDS: an hour

_FATES: Final[Mapping[Outcome, Fate]] = {Outcome.DELIVERED: DELIVERED, Outcome.REFUSED: REFUSED}


class Dispatcher:
    """Sends what it is given, with client reports (TP-62)."""

    def __init__(
        self,
        sender: Sender,
        packer: Packer,
        accounts: Accounts,
        lifecycle: Lifecycle,
        *,
        send_reports: bool,
        journaling: Journaling | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sender = sender
        self._packer = packer
        self._accounts = accounts
        self._outcomes = accounts.outcomes
        self._lifecycle = lifecycle
        self._send_reports = send_reports
        self._journaling = journaling
        self._clock = clock
        self._report_due: float | None = None
        self._reports_in_doubt = 0  # that may have arrived, since an answer was read
        self._is_prepared = False
        self._seconds: deque[float] = deque(maxlen=_REQUESTS_LOOKED_AT)
        self._first_began: float | None = None

    def dispatch(self, kind: Kind, category: DataCategory, batch: Sequence[Item], deadline: float | None) -> None:
        """Send a batch in one envelope, and count what became of each of its items; or keep it on disk."""
        fate: Fate | None = DiscardReason.INTERNAL_SDK_ERROR
        also_lost: tuple[Loss, ...] = ()
        journaling = self._journaling
        try:
            if self._sender.is_limited(category):
                fate = DiscardReason.RATELIMIT_BACKOFF if batch[0].entry is None else None  # ruling 7
                return
            self._prepare()
            if journaling is not None and not journaling.open(kind, category, batch[0]):
                batch = ()
                return
            if kind.is_event:
                delivery = self._send_shrinking(kind, batch[0], deadline)
            else:
                delivery = self._send_with_report(self._packer.envelope(kind, batch), deadline)
            also_lost = delivery.also_lost
            fate = _FATES.get(delivery.outcome) or delivery.reason or fate
            if batch[0].entry is not None and fate is DiscardReason.NETWORK_ERROR:
                fate = None
        except BaseException as error:
            if not isinstance(error, Exception) or guests.is_control_flow(error):
                # Ctrl-C or a signal handler's, where the caller sends; what is on disk stays there.
                fate = fate if batch[0].entry is None else None
                raise
            fate = fate_of(error)
        finally:
            for item in batch:
                self._settle(fate, category, item, also_lost)
            if fate is not None:
                self._accounts.warn_of_limits(fate, category)

    def _settle(self, fate: Fate | None, category: DataCategory, item: Item, also_lost: Sequence[Loss]) -> None:
        if self._journaling is not None:
            if fate is None:
                self._journaling.keep(category, item)
                return
            if not self._journaling.settle(item):
                return
        if fate is not None:
            self._accounts.settle(fate, category, item, also_lost)

    def send_report(self, deadline: float | None) -> None:
        """Send what was dropped in an envelope of its own (CR-44). A fault of ours ends nobody's flush."""
        self._report_due = None
        if not self.owes_report() or self._sender.is_limited(DataCategory.INTERNAL):
            return
        if self._journaling is not None and self._journaling.backoff.seconds_left():
            return
        try:
            self._prepare()
            self._send_with_report(self._packer.report_envelope(), deadline)
        except Exception as error:
            if guests.is_control_flow(error):
                raise
            fate_of(error)

    def server_seconds(self) -> float:
        """What the server takes for a request: the least of the last few.

        What another took beyond that was this machine's doing: threads that keep each other waiting for the GIL.
        Before the first has ended: what it has taken so far.
        """
        if self.is_unanswered():
            return self._clock() - self._first_began if self._first_began is not None else 0.0
        return min(self._seconds.copy(), default=0.0)

    def is_unanswered(self) -> bool:
        """Whether no request has ended yet."""
        return not self._seconds

    def owes_report(self) -> bool:
        """Whether the server should be told of a loss, and was not."""
        return self._send_reports and self._outcomes.has_losses()

    def seconds_to_report(self) -> float | None:
        """In how many seconds a client report falls due, or None."""
        if not self.owes_report():
            self._report_due = None
            return None
        now = self._clock()
        if self._report_due is None:
            self._report_due = now + REPORT_SECONDS * (1 << min(self._reports_in_doubt, _MOST_DOUBLINGS))
        return max(0.0, self._report_due - now)

    def _prepare(self) -> None:
        if not self._is_prepared:
            fork.import_safely(self._sender.prepare)
            self._is_prepared = True

    def _send_shrinking(self, kind: Kind, item: Item, deadline: float | None) -> Delivery:
        """Send an event; if it is too large for the server, once more, much smaller (ruling 12)."""
        self._leave_out_unsendable(item)
        delivery = self._send_event(kind, item, deadline, EVENT_LIMIT_BYTES)
        if delivery.too_large:
            self._leave_out_large(item)
            delivery = self._send_event(kind, item, deadline, EVENT_LIMIT_BYTES // 4)
        if delivery.too_large:
            log.warn_once(
                "413", "an event is lost: too large for the server, even when shrunk (413: %s)", delivery.detail
            )
        return delivery

    def _send_event(self, kind: Kind, item: Item, deadline: float | None, limit: int) -> Delivery:
        while True:
            envelope = self._packer.envelope(kind, [item], item.attachments, limit)
            packed = tuple(envelope.items)
            delivery = self._send_with_report(envelope, deadline)
            if delivery.unreadable is None or all(each is not delivery.unreadable for each in item.attachments):
                return self._without_what_was_taken_out(item, packed, envelope, delivery)
            # A file changed while it was sent: the server got no whole envelope, and gets one without it now.
            reason = DiscardReason.INTERNAL_SDK_ERROR
            self._accounts.leave_out(item, delivery.unreadable, reason, "its file changed while it was sent")

    def _without_what_was_taken_out(
        self, item: Item, packed: Sequence[Attachment], envelope: Envelope, delivery: Delivery
    ) -> Delivery:
        """What became of the item, where a callback of ``before_envelope`` took it or an attachment of it out."""
        gone = [each for each in packed if all(each is not kept for kept in envelope.items)]
        for each in gone:
            if each is packed[0]:  # the event itself
                return Delivery(Outcome.LOST, reason=DiscardReason.BEFORE_SEND)
            reason = DiscardReason.BEFORE_SEND
            self._accounts.leave_out(item, each, reason, "a callback of before_envelope took it out")
        return delivery

    def _send_with_report(self, envelope: Envelope, deadline: float | None) -> Delivery:
        """Send; the losses so far ride along, and are kept for the next envelope if this one is lost.

        Where it may have arrived nevertheless, they ride with nothing until an answer can be read: they would be told
        again with each request. Alone they go at longer and longer intervals, and when somebody waits for it.
        """
        envelope.headers["sent_at"] = utc_now()
        may_ride = self._send_reports and not (envelope.items and self._reports_in_doubt)
        losses = self._outcomes.take_losses() if may_ride else {}
        self._packer.add_report(envelope, losses)
        show(envelope, self._lifecycle)
        if not envelope.items:
            delivery = Delivery(Outcome.LOST, reason=DiscardReason.BEFORE_SEND)
        else:
            started = self._clock()
            if self._first_began is None:
                self._first_began = started
            seconds = REQUEST_SECONDS + extra_seconds(envelope)
            if deadline is not None:
                seconds = min(seconds, deadline - started)
            delivery = self._sender.send(envelope, max(0.001, seconds))
            self._seconds.append(self._clock() - started)
            if self._journaling is not None:
                self._journaling.note(delivery)
            if delivery.status is not None:
                self._reports_in_doubt = 0
            elif delivery.in_doubt and losses:
                self._reports_in_doubt += 1
        if losses and delivery.outcome is not Outcome.DELIVERED:
            self._outcomes.give_back(losses)
        if delivery.reason is not None:
            log.debug("an envelope was lost: %r", delivery)
        return delivery

    def _leave_out_unsendable(self, item: Item) -> None:
        """What the server does not take now, and files that are no longer what they were (ATT-36, ruling 11)."""
        limited = bool(item.attachments) and self._sender.is_limited(DataCategory.ATTACHMENT)
        for each in item.attachments:
            if limited:
                reason, why = DiscardReason.RATELIMIT_BACKOFF, "the server takes none now"
                self._accounts.leave_out(item, each, reason, why)
            elif each.payload.file is not None:
                try:
                    each.payload.file.check()
                except OSError as error:
                    why = f"it cannot be read: {error.strerror or error}"
                    self._accounts.leave_out(item, each, DiscardReason.INTERNAL_SDK_ERROR, why)

    def _leave_out_large(self, item: Item) -> None:
        """After a 413: the attachments, if there is more of them than the least that the event is shrunk to."""
        if sum(each.payload.size() for each in item.attachments) > EVENT_LIMIT_BYTES // 4:
            log.warn_once("413 attachments", "attachments are left out: too large for the server (413)")
            for each in item.attachments:
                self._accounts.leave_out(item, each, DiscardReason.SEND_ERROR, "too large for the server (413)")


def fate_of(error: Exception) -> DiscardReason:
    """As what an item is counted that could not be packed or sent, which is said once (OFF-16, OFF-17).

    Called where the error is being handled.
    """
    if isinstance(error, ScrubberError):
        return DiscardReason.EVENT_PROCESSOR
    if isinstance(error, TooLargeError):
        log.warn_once("too large", "an event is too large to be sent, even without its details")
    else:
        log.warn_once("send", "internal error in vedette while sending - please report it", exc_info=True)
    return DiscardReason.INTERNAL_SDK_ERROR
