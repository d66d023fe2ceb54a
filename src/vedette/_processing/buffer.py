"""Hold what was captured until the worker takes it. Bounded; the oldest goes first, and is counted.

Guarantees
- ``append`` never blocks and never raises; a signal handler, ``__del__`` or a GC callback may call it
  in the middle of another ``append`` or ``take`` of the same thread.
- An item that is added while nothing waits is ready after ``Kind.seconds`` at the latest, whatever comes later.
- Never more than ``capacity`` items stay, and all buffers of a processor together stay near
  ``Ledger.limit`` bytes: past ``_FREE_ITEMS`` items each newcomer is packed, and the oldest make room.

Relies on: ``deque.append`` and ``popleft`` being safe together, with and without the GIL. The byte count
is approximate where threads race (an addition can be lost); it starts anew whenever the buffer is empty.
"""

from __future__ import annotations

import marshal
import time

from vedette._host import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

    from vedette._processing.kinds import Kind
    from vedette._protocol.categories import DataCategory
    from vedette._protocol.envelope import Item as Attachment
    from vedette._transport.delivery import Loss
    from vedette._transport.journal import Entry

# Below this many items nothing is packed: the usual capture meets an empty buffer, and the bounds of the
# renderer keep one event under half a megabyte.
_FREE_ITEMS: Final = 16
_ITEM_BYTES: Final = 300  # of the item itself
_UNKNOWN_BYTES: Final = 256 * 1024  # what the renderer lets an event have (design, decision 5)


class Item:
    """One captured thing on its way: its payload (exact built-ins only) and, if it was packed, its size in bytes.

    ``attachments`` go in its envelope; ``attached`` is how many of their bytes count as held in memory. ``on_loss``
    is called if it is dropped after all; it must neither block nor raise. ``is_counted``: as captured; ``is_held``:
    a buffer has it.

    With a journal: ``entry`` is its record, and the payload may be in there only; ``recorded`` is what the
    attachments in there count as, and ``attachments`` has the others; ``headers`` are those of the envelope that was
    read back, ``unpacked`` its attachments while it is on its way; ``left_out`` is what this try goes without of
    them, which is lost if the item is settled by it, and else still on disk. ``is_finished``: nothing is to be added
    or scrubbed any more; ``is_adopted``: captured elsewhere. ``is_built``: nobody but vedette has written its
    exceptions and threads.
    """

    __slots__ = (
        "attached",
        "attachments",
        "entry",
        "headers",
        "is_adopted",
        "is_built",
        "is_counted",
        "is_finished",
        "is_held",
        "left_out",
        "on_loss",
        "packed",
        "payload",
        "recorded",
        "size",
        "unpacked",
    )

    def __init__(
        self,
        payload: dict[str, Any],
        attachments: Iterable[Attachment] = (),
        on_loss: Callable[[], None] | None = None,
        *,
        is_built: bool = False,
    ) -> None:
        self.payload = payload
        self.packed: bytes | None = None
        self.attachments = tuple(attachments)
        self.attached = 0
        self.on_loss = on_loss
        self.is_built = is_built
        self.is_counted = False
        self.is_held = False
        self.size = 0
        self.entry: Entry | None = None
        self.recorded: tuple[tuple[DataCategory, int], ...] = ()
        self.unpacked: tuple[Attachment, ...] | None = None
        self.left_out: tuple[Loss, ...] = ()
        self.headers: dict[str, Any] | None = None
        self.is_finished = False
        self.is_adopted = False

    def pack(self) -> None:
        """Have the payload wait as bytes: a fifth of what it takes as objects, and exactly known (4 µs for 10 kB).

        ``marshal`` takes exact built-ins only, calls nothing of theirs, and is a part of the interpreter. What is on
        disk is let go instead.
        """
        if self.entry is not None:
            self.payload, self.size = {}, _ITEM_BYTES
            return
        try:
            packed = marshal.dumps(self.payload)
        except ValueError:  # something else is in there, or it is nested deeply
            self.size = _UNKNOWN_BYTES
            return
        self.size = _ITEM_BYTES + len(packed)
        self.packed = packed
        self.payload = {}

    def unpack(self) -> None:
        """Have the payload again."""
        if self.packed is not None:
            self.payload = marshal.loads(self.packed)  # noqa: S302 - from this process
            self.packed = None

    def quantities(self) -> list[tuple[DataCategory, int]]:
        """What all of its attachments count as."""
        return [*self.recorded, *(pair for each in self.attachments for pair in each.quantities())]

    def lose(self) -> None:
        """Say that it was dropped."""
        if self.on_loss is not None:
            self.on_loss()


class Ledger:
    """How many bytes the buffers of one processor may hold together (ruling 9)."""

    __slots__ = ("held", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0


class Buffer:
    """The waiting items of one data category (TP-18, TP-79, TP-81)."""

    def __init__(
        self,
        category: DataCategory,
        kind: Kind,
        capacity: int,
        ledger: Ledger,
        on_overflow: Callable[[DataCategory, Item], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.category = category
        self.kind = kind
        self.capacity = capacity if kind.most is None else min(capacity, kind.most)
        self._ledger = ledger
        self._on_overflow = on_overflow
        self._clock = clock
        self._items: deque[Item] = deque()
        self._since = 0.0  # when the first of these began to wait; of batched kinds

    def __len__(self) -> int:
        return len(self._items)

    def items(self) -> tuple[Item, ...]:
        """All that wait."""
        while True:
            try:
                return tuple(self._items)
            except RuntimeError:  # something was added or taken in the middle: look again
                continue

    def oldest(self) -> Item | None:
        """The one that `take` begins with, if any waits."""
        try:
            return self._items[0]
        except IndexError:
            return None

    def append(self, item: Item) -> bool:
        """Add an item; where there is no room, the oldest leave and are counted (ruling 8), or else the newcomer.

        Returns whether whoever sends has to look: always, but for a batch that only grows.
        """
        items, kind = self._items, self.kind
        if kind.keeps_oldest and len(items) >= self.capacity:
            self._on_overflow(self.category, item)
            return False
        if kind.seconds and not items:
            self._since = self._clock()
        if len(items) >= _FREE_ITEMS:
            item.pack()
            self._ledger.held += item.size
        item.is_held = True
        items.append(item)  # nothing can come between, also no signal handler
        while len(items) > self.capacity or (self._ledger.held > self._ledger.limit and len(items) > 1):
            oldest = self._pop()
            if oldest is None:
                break
            self._on_overflow(self.category, oldest)
        return not kind.seconds or len(items) == 1 or len(items) % kind.batch == 0

    def seconds_to_ready(self) -> float | None:
        """In how many seconds there is something to take: 0.0 for now, None while nothing waits (TP-85)."""
        waiting = len(self._items)
        if not waiting:
            return None
        if waiting >= self.kind.batch:
            return 0.0
        return max(0.0, self._since + self.kind.seconds - self._clock())

    def take(self) -> list[Item]:
        """The oldest batch, complete or not; empty if nothing waits."""
        batch: list[Item] = []
        while len(batch) < self.kind.batch:
            item = self.take_one()
            if item is None:
                break
            batch.append(item)
        if self.kind.seconds:
            self._since = self._clock()  # for those that stay
        return batch

    def take_one(self) -> Item | None:
        """The oldest item; None if nothing waits."""
        item = self._pop()
        if item is not None:
            item.unpack()
        return item

    def _pop(self) -> Item | None:
        try:
            item = self._items.popleft()
        except IndexError:
            return None
        if self._items:
            self._ledger.held -= item.size
        else:
            self._ledger.held = 0
        return item
