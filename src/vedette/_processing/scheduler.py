"""Which buffer is served next: a weighted round robin over priorities (TP-72, TP-76, TP-83)."""

from __future__ import annotations

from vedette._protocol.categories import DataCategory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from vedette._processing.buffer import Buffer

# Weight of each category: critical 5, high 4, medium 3, low 2, lowest 1. A category joins with its buffer.
WEIGHTS: Final[Mapping[DataCategory, int]] = {
    DataCategory.ERROR: 5,
    DataCategory.FEEDBACK: 5,
    DataCategory.TRANSACTION: 3,
}


class Scheduler:
    """Walks through one cycle made of the weights, so that a flood of one kind never starves another."""

    def __init__(self, buffers: Mapping[DataCategory, Buffer], weights: Mapping[DataCategory, int] = WEIGHTS) -> None:
        # Interleaved (a b c a b a), so that heavy categories do not come in runs.
        rounds = range(max(weights.values(), default=0))
        self._cycle = [buffers[each] for turn in rounds for each in buffers if weights[each] > turn]
        self._position = 0

    def next_buffer(self) -> Buffer | None:
        """The next buffer of the cycle that holds something, or None when all are empty."""
        for _ in self._cycle:
            buffer = self._cycle[self._position]
            self._position = (self._position + 1) % len(self._cycle)
            if len(buffer):
                return buffer
        return None
