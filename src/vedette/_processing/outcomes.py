"""What became of everything that was captured: counted, reported to the server, shown by ``stats()``.

Guarantees
- ``count`` never blocks and never raises, from a signal handler, ``__del__`` or any thread: it appends
  to a deque. Memory is bounded: past 512 entries whoever counts tries to fold them.
- A loss enters client reports once: ``take_losses`` reads and resets in one step (CR-54).

Relies on: ``deque.append`` and ``popleft`` being safe together, with and without the GIL. Folding is
serialized by an RLock; a thread that interrupts its own folding (a signal handler) leaves the entries to it.
"""

from __future__ import annotations

import threading

from vedette._host import deque
from vedette._host.stats import Stats
from vedette._protocol.categories import DataCategory, DiscardReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final, Literal, TypeAlias

    Kind: TypeAlias = Literal["captured", "delivered", "refused"]
    Fate: TypeAlias = Kind | DiscardReason
    Entry: TypeAlias = tuple[Fate, DataCategory, int]
    Losses: TypeAlias = dict[tuple[DiscardReason, DataCategory], int]

CAPTURED: Final[Kind] = "captured"
DELIVERED: Final[Kind] = "delivered"
REFUSED: Final[Kind] = "refused"

_FOLD_AT: Final = 512


class Outcomes:
    """The counts of one client (CR-48, CR-49)."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._lock = threading.RLock()
        self._folding = False
        self._totals: dict[tuple[Fate, DataCategory], int] = {}
        self._unreported: Losses = {}

    def count(self, what: Fate, category: DataCategory, quantity: int = 1) -> None:
        """Note that ``quantity`` items of a category were captured, delivered, refused, or dropped for a reason."""
        self._entries.append((what, category, quantity))
        if len(self._entries) > _FOLD_AT and self._lock.acquire(blocking=False):
            try:
                self._fold()
            finally:
                self._lock.release()

    def take_losses(self) -> Losses:
        """What was dropped since the last call, and forget it (CR-54)."""
        with self._lock:
            self._fold()
            taken, self._unreported = self._unreported, {}
        return taken

    def give_back(self, losses: Losses) -> None:
        """Losses whose report did not arrive: they go with the next one."""
        with self._lock:
            for loss, quantity in losses.items():
                self._unreported[loss] = self._unreported.get(loss, 0) + quantity

    def has_losses(self) -> bool:
        """Whether the server has not yet been told of some loss."""
        with self._lock:
            self._fold()
            return bool(self._unreported)

    def lost_to_limits(self, category: DataCategory) -> int:
        """How many items the server refused, or would have, for a rate limit."""
        if category is DataCategory.ATTACHMENT:  # which counts bytes
            category = DataCategory.ATTACHMENT_ITEM
        with self._lock:
            self._fold()
            totals = self._totals
            return totals.get((REFUSED, category), 0) + totals.get((DiscardReason.RATELIMIT_BACKOFF, category), 0)

    def snapshot(self, waiting: Iterable[tuple[DataCategory, int]]) -> Stats:
        """The counts so far, with what the caller knows to be still waiting."""
        with self._lock:
            self._fold()
            totals = dict(self._totals)
        plain: dict[Kind, dict[str, int]] = {CAPTURED: {}, DELIVERED: {}, REFUSED: {}}
        dropped: dict[str, dict[str, int]] = {}
        for (what, category), quantity in totals.items():
            if isinstance(what, DiscardReason):
                dropped.setdefault(category.value, {})[what.value] = quantity
            else:
                plain[what][category.value] = quantity
        still = {category.value: number for category, number in waiting if number}
        return Stats(
            captured=plain[CAPTURED],
            delivered=plain[DELIVERED],
            refused=plain[REFUSED],
            dropped=dropped,
            waiting=still,
        )

    def _fold(self) -> None:
        """Move the entries into the totals. Only with the lock held."""
        if self._folding:
            return
        self._folding = True
        try:
            while self._entries:
                what, category, quantity = self._entries.popleft()
                key = (what, category)
                self._totals[key] = self._totals.get(key, 0) + quantity
                if isinstance(what, DiscardReason):
                    loss = (what, category)
                    self._unreported[loss] = self._unreported.get(loss, 0) + quantity
        finally:
            self._folding = False
