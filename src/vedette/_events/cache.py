"""A small cache for static facts: bounded by entries and by bytes, oldest out first.

Guarantees
- At most ``max_entries`` entries of together about ``max_cost`` bytes; what was not asked for longest goes
  first, half of the cache at a time.
- No lock and no iteration: safe at any byte code of a signal handler, a ``__del__`` or a forked child.

How: two generations. A new entry goes into the young one. When that holds half of what the cache may, it
becomes the old one, and the old one is forgotten. An entry that is found in the old one moves to the young
one.

Relies on single dict operations being atomic. Threads that race may count a cost wrongly or forget a
generation too early; the count starts anew with each generation, so that no error stays.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class BoundedCache:
    """Keys and values are whatever the owner puts in; costs are bytes, as the owner estimates them."""

    __slots__ = ("_cost", "_max_cost", "_max_entries", "_old", "_young")

    def __init__(self, *, max_entries: int, max_cost: int) -> None:
        self._max_entries = max_entries // 2
        self._max_cost = max_cost // 2
        self._cost = 0
        self._young: dict[Any, tuple[Any, int]] = {}
        self._old: dict[Any, tuple[Any, int]] = {}

    def get(self, key: Any) -> Any:
        """The value, or None."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.put(key, *found)
        return found[0]

    def put(self, key: Any, value: Any, cost: int) -> None:
        """Remember a value; one that costs more than half of the cache is not kept."""
        if cost > self._max_cost:
            return
        if len(self._young) >= self._max_entries or self._cost + cost > self._max_cost:
            self._old = self._young
            self._young = {}
            self._cost = 0
        self._young[key] = (value, cost)
        self._cost += cost

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
