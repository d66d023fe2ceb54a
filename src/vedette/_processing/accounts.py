"""What became of each captured item and of what is attached to it: counted once, noted, told of (CR-02, PAIN-29)."""

from __future__ import annotations

from vedette._host import log
from vedette._late import late
from vedette._processing.buffer import Ledger
from vedette._processing.outcomes import CAPTURED, REFUSED, Outcomes
from vedette._protocol.categories import DataCategory, DiscardReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final

    from vedette._processing import limit_warnings
    from vedette._processing.buffer import Item
    from vedette._processing.limit_warnings import LimitWarnings
    from vedette._processing.outcomes import Fate
    from vedette._protocol import attachment as attachments
    from vedette._protocol.envelope import Item as Attachment
    from vedette._transport.delivery import Loss
else:
    attachments = late("vedette._protocol.attachment")
    limit_warnings = late("vedette._processing.limit_warnings")

ATTACHED_BYTES: Final = 32 * 1024 * 1024  # of attachments in memory; any single event may have more

_TO_LIMITS: Final = (REFUSED, DiscardReason.RATELIMIT_BACKOFF)


class Accounts:
    """The accounts of one client in one process. May be used from several threads, and from signal handlers."""

    def __init__(self, seconds_limited: Callable[[DataCategory], float], clock: Callable[[], float]) -> None:
        self.outcomes = Outcomes()
        self._seconds_limited = seconds_limited
        self._clock = clock
        self._limit_warnings: list[LimitWarnings] = []  # the one, once something was sent
        self._attached = Ledger(ATTACHED_BYTES)

    def admit_attachments(self, item: Item) -> None:
        """Count them as captured, and keep the bytes that wait in memory within bounds: who has no room is left out."""
        self.count_attached(CAPTURED, item)
        in_memory = [each for each in item.attachments if each.payload.bytes is not None]
        size = sum(each.payload.size() for each in in_memory)
        if self._attached.held and self._attached.held + size > self._attached.limit:
            for each in in_memory:
                self.leave_out(item, each, DiscardReason.BUFFER_OVERFLOW, "too much was waiting to be sent")
            return
        item.attached = size
        self._attached.held += size

    def leave_out(self, item: Item, attachment: Attachment, reason: DiscardReason, why: str) -> None:
        """Drop one attachment, which costs only itself: counted, and noted on the event (PAIN-29).

        One that is on disk is counted when its event is settled: if that is kept, it is sent from there again, whole.
        """
        item.attachments = tuple(each for each in item.attachments if each is not attachment)
        name = attachment.headers["filename"]
        log.debug("the attachment %r is left out: %s", name, why)
        attachments.note_left_out(item.payload, name, why)
        losses = [(reason, category, quantity) for category, quantity in attachment.quantities()]
        if any(each is attachment for each in item.unpacked or ()):
            item.left_out = (*item.left_out, *losses)
        else:
            self._count_left_out(losses)

    def _count_left_out(self, losses: Iterable[Loss]) -> None:
        for reason, category, quantity in losses:
            self.outcomes.count(reason, category, quantity)
            if reason is DiscardReason.RATELIMIT_BACKOFF:
                self._warnings_of_limits().note(category)

    def settle(self, fate: Fate, category: DataCategory, item: Item, also_lost: Iterable[Loss] = ()) -> None:
        """What became of an item; ``also_lost`` are losses among its attachments that the transport told of."""
        self.outcomes.count(fate, category)  # first: there may be little room left on the stack
        self._count_left_out(item.left_out)
        if item.attachments or item.recorded:
            self.count_attached(fate, item, also_lost)
        self.let_go_attached(item)
        if isinstance(fate, DiscardReason):
            item.lose()

    def let_go_attached(self, item: Item) -> None:
        """Nothing of its attachments is held in memory any more."""
        size, item.attached = item.attached, 0
        if size:
            self._attached.held -= size

    def warn_of_limits(self, fate: Fate, category: DataCategory) -> None:
        """Say what rate limits cost, now that this was counted."""
        if fate in _TO_LIMITS:
            self._warnings_of_limits().note(category)
        else:
            self.settle_limits()

    def settle_limits(self, *, all_of_them: bool = False) -> None:
        """Say what the rate limits have cost that are over."""
        for each in self._limit_warnings:
            each.settle(all_of_them=all_of_them)

    def prepare(self) -> None:
        """Load what limits are told of with, before anything is sent: there are none before, also for a capture."""
        self._warnings_of_limits()

    def _warnings_of_limits(self) -> LimitWarnings:
        made = self._limit_warnings
        if not made:  # in a forked child perhaps, which has the module from its parent, as it has the limits
            made.append(limit_warnings.LimitWarnings(self._seconds_limited, self.outcomes.lost_to_limits, self._clock))
        return made[0]  # the first one, should several threads have come at once

    def nothing_waits(self) -> None:
        """Put right what was counted wrongly where threads raced."""
        self._attached.held = 0

    def count_attached(self, what: Fate, item: Item, also_lost: Iterable[Loss] = ()) -> None:
        """Count the attachments like their item, but for the losses among these that a transport told of."""
        attached: dict[DataCategory, int] = {}
        for each, quantity in item.quantities():
            attached[each] = attached.get(each, 0) + quantity
        for reason, each, quantity in also_lost:
            lost = min(quantity, attached.get(each, 0))
            if lost > 0:
                attached[each] -= lost
                self.outcomes.count(reason, each, lost)
        for each, quantity in attached.items():
            if quantity:
                self.outcomes.count(what, each, quantity)
