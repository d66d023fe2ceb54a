"""Hold what was captured until the worker takes it. Bounded; the oldest goes first, and is counted.

Guarantees
- ``append`` never blocks and never raises; a signal handler, ``__del__`` or a GC callback may call it
  in the middle of another ``append`` or ``take`` of the same thread.
- Never more than ``capacity`` items stay, and all buffers of a processor together stay near
  ``Ledger.limit`` bytes: past ``_FREE_ITEMS`` items each newcomer is measured and the oldest make room.

Relies on: ``deque.append`` and ``popleft`` being safe together, with and without the GIL. The byte count
is approximate where threads race (an addition can be lost); it starts anew whenever the buffer is empty.
"""

from __future__ import annotations

from vedette._host import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

    from vedette._protocol.categories import DataCategory
    from vedette._protocol.envelope import Item as Attachment

# Below this many items nothing is measured: the usual capture meets an empty buffer, and the bounds of the
# renderer keep one event under half a megabyte.
_FREE_ITEMS: Final = 16
_MAX_NODES_MEASURED: Final = 20_000


class Item:
    """One captured thing on its way: its payload (exact built-ins only) and, once known, its size in bytes.

    ``attachments`` go in its envelope; ``attached`` is how many of their bytes count as held in memory. ``on_loss``
    is called if it is dropped after all; it must neither block nor raise. ``is_counted``: as captured; ``is_held``:
    a buffer has it.
    """

    __slots__ = ("attached", "attachments", "is_counted", "is_held", "on_loss", "payload", "size")

    def __init__(
        self,
        payload: dict[str, Any],
        attachments: Iterable[Attachment] = (),
        on_loss: Callable[[], None] | None = None,
    ) -> None:
        self.payload = payload
        self.attachments = tuple(attachments)
        self.attached = 0
        self.on_loss = on_loss
        self.is_counted = False
        self.is_held = False
        self.size = 0

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
        capacity: int,
        ledger: Ledger,
        on_overflow: Callable[[DataCategory, Item], None],
    ) -> None:
        self.category = category
        self.capacity = capacity
        self._ledger = ledger
        self._on_overflow = on_overflow
        self._items: deque[Item] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def attachments(self) -> list[Attachment]:
        """Those of all items."""
        while True:
            try:
                return [each for item in tuple(self._items) for each in item.attachments]
            except RuntimeError:  # something was added or taken in the middle: look again
                continue

    def append(self, item: Item) -> None:
        """Add an item; where there is no room, the oldest leave and are counted (ruling 8)."""
        if len(self._items) >= _FREE_ITEMS:
            item.size = measured(item.payload)
            self._ledger.held += item.size
        item.is_held = True
        self._items.append(item)  # nothing can come between, also no signal handler
        while len(self._items) > self.capacity or (self._ledger.held > self._ledger.limit and len(self._items) > 1):
            oldest = self.take()
            if oldest is None:
                break
            self._on_overflow(self.category, oldest)

    def take(self) -> Item | None:
        """The oldest item, or None."""
        try:
            item = self._items.popleft()
        except IndexError:
            return None
        if self._items:
            self._ledger.held -= item.size
        else:
            self._ledger.held = 0
        return item


def measured(payload: object) -> int:
    """Roughly how many bytes a payload of exact built-ins holds; stops after 20 000 nodes."""
    size = 0
    todo: list[Any] = [payload]
    for _ in range(_MAX_NODES_MEASURED):
        if not todo:
            break
        node: Any = todo.pop()
        kind = type(node)  # pyright: ignore[reportUnknownVariableType]
        if kind is str:
            size += 50 + len(node)
        elif kind is dict:
            size += 100 + 50 * len(node)  # keys are mostly shared
            todo.extend(node.values())
        elif kind is list:
            size += 60
            todo.extend(node)
        else:
            size += 30
    return size
