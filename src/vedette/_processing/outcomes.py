"""What became of everything that was captured: counted, reported to the server, shown by ``stats()``.

Guarantees
- ``count`` never blocks and never raises, from a signal handler, ``__del__`` or any thread: it appends
  to a deque. Memory is bounded: past 512 entries whoever counts tries to fold them.
- A loss enters client reports once: ``take_losses`` reads and resets in one step (CR-54).
- What a signal handler raises, at whatever byte code, loses no count, counts nothing twice and leaves no lock held.

Relies on: ``deque.append`` and ``popleft`` being safe together, with and without the GIL; signal handlers running
after calls, at the start of functions and at jumps backwards, never inside of one operation of C. Folding is
serialized by a `PatientLock`; a thread that interrupts its own folding (a signal handler) leaves the entries to it.
"""

from __future__ import annotations

from vedette._host import deque
from vedette._host.patient_lock import PatientLock
from vedette._host.stats import Stats  # in time: destructors ask when nothing can be imported any more
from vedette._protocol.categories import DataCategory, DiscardReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final, Literal, TypeAlias

    Kind: TypeAlias = Literal["captured", "adopted", "delivered", "refused"]
    Fate: TypeAlias = Kind | DiscardReason
    Entry: TypeAlias = tuple[Fate, DataCategory, int, bool]
    """What became of how many of a category; and whether they count as captured besides, with nothing in between."""
    Totals: TypeAlias = dict[tuple[Fate, DataCategory], int]
    Losses: TypeAlias = dict[tuple[DiscardReason, DataCategory], int]

CAPTURED: Final[Kind] = "captured"
ADOPTED: Final[Kind] = "adopted"
DELIVERED: Final[Kind] = "delivered"
REFUSED: Final[Kind] = "refused"

_FOLD_AT: Final = 512


class Outcomes:
    """The counts of one client (CR-48, CR-49)."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._lock = PatientLock()
        self._folding = False
        self._folded = _Folded({}, {})
        self.note: Callable[[Entry], None] = self._entries.append
        """`count`, in one operation of C, for who must know whether it was done. It leaves the folding to `count`."""

    def count(self, what: Fate, category: DataCategory, quantity: int = 1) -> None:
        """Note what became of ``quantity`` items of a category: captured, delivered, dropped for a reason, ..."""
        self._entries.append((what, category, quantity, False))
        if len(self._entries) > _FOLD_AT:
            self._lock.try_to_run(self._fold)

    def count_drop(self, reason: DiscardReason, category: DataCategory, quantity: int) -> None:
        """Note, as one, that items were captured and dropped."""
        self._entries.append((reason, category, quantity, True))
        if len(self._entries) > _FOLD_AT:
            self._lock.try_to_run(self._fold)

    def count_late_loss(self, reason: DiscardReason, category: DataCategory, quantity: int = 1) -> None:
        """What had counted as delivered, for a program's own transport had taken it, was lost after all."""
        self.count(DELIVERED, category, -quantity)
        self.count(reason, category, quantity)

    def take_losses(self) -> Losses:
        """What was dropped since the last call, and forget it (CR-54)."""
        return self._lock.run(self._take_losses)

    def _take_losses(self) -> Losses:
        self._fold()
        taken, self._folded.unreported = self._folded.unreported, {}
        return taken

    def give_back(self, losses: Losses) -> None:
        """Losses whose report did not arrive: they go with the next one."""
        self._lock.run(self._give_back, losses)

    def _give_back(self, losses: Losses) -> None:
        for loss, quantity in losses.items():
            unreported = self._folded.unreported
            unreported[loss] = unreported.get(loss, 0) + quantity

    def has_losses(self) -> bool:
        """Whether the server has not yet been told of some loss."""
        return bool(self._lock.run(self._fold).unreported)

    def lost_to_limits(self, category: DataCategory) -> int:
        """How many items the server refused, or would have, for a rate limit."""
        if category is DataCategory.ATTACHMENT:  # which counts bytes
            category = DataCategory.ATTACHMENT_ITEM
        totals = self._lock.run(self._fold).totals
        return totals.get((REFUSED, category), 0) + totals.get((DiscardReason.RATELIMIT_BACKOFF, category), 0)

    def snapshot(self, waiting: Mapping[DataCategory, int], kept: Mapping[DataCategory, int]) -> Stats:
        """The counts so far, with what the caller knows to be still waiting, and kept on disk."""
        totals = self._lock.run(self._fold).totals
        plain: dict[Kind, dict[str, int]] = {CAPTURED: {}, ADOPTED: {}, DELIVERED: {}, REFUSED: {}}
        dropped: dict[str, dict[str, int]] = {}
        for (what, category), quantity in totals.items():
            if isinstance(what, DiscardReason):
                dropped.setdefault(category.value, {})[what.value] = quantity
            elif quantity:
                plain[what][category.value] = quantity
        return Stats(
            captured=plain[CAPTURED],
            adopted=plain[ADOPTED],
            delivered=plain[DELIVERED],
            refused=plain[REFUSED],
            dropped=dropped,
            waiting={category.value: number for category, number in waiting.items() if number},
            kept={category.value: number for category, number in kept.items() if number},
        )

    def _fold(self) -> _Folded:
        """Move the entries into the totals, which are returned. Only with the lock held, if it can be had."""
        if not self._folding:
            self._folding = True
            try:
                before = self._folded
                _move_all(self._entries, before.to_fold)
                if before.to_fold:
                    self._folded = before.after()  # in one step: what was interrupted is done again next time
            finally:
                self._folding = False
        return self._folded


class _Folded:
    """What the entries came down to so far, and those that are being added to it."""

    __slots__ = ("to_fold", "totals", "unreported")

    def __init__(self, totals: Totals, unreported: Losses) -> None:
        self.totals = totals
        self.unreported = unreported
        self.to_fold: deque[Entry] = deque()

    def after(self) -> _Folded:
        """The same with these entries added; this one is left as it is."""
        totals, unreported = self.totals.copy(), self.unreported.copy()
        entries = tuple(self.to_fold)
        for entry in set(entries):  # most are alike: to add up each by itself takes five times as long
            what, category, each, was_captured = entry
            quantity = each * entries.count(entry)
            totals[what, category] = totals.get((what, category), 0) + quantity
            if was_captured:
                totals[CAPTURED, category] = totals.get((CAPTURED, category), 0) + quantity
            if isinstance(what, DiscardReason):
                loss = (what, category)
                unreported[loss] = unreported.get(loss, 0) + quantity
        return _Folded(totals, unreported)


def _move_all(source: deque[Entry], target: deque[Entry]) -> None:
    """In one operation of C: an entry is always in one of the two."""
    try:
        target.extend(iter(source.popleft, None))
    except IndexError:
        return  # the source is empty
