"""Which buffer is served next: a weighted round robin over priorities (TP-72, TP-76, TP-83)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vedette._processing.buffer import Buffer
    from vedette._protocol.categories import DataCategory


class Scheduler:
    """Walks through one cycle made of the weights, so that a flood of one kind never starves another.

    One thread at a time asks it. ``seconds_held`` tells for how long a category must wait, whatever is ready.
    """

    def __init__(
        self, buffers: Iterable[Buffer], seconds_held: Callable[[DataCategory], float] = lambda _category: 0.0
    ) -> None:
        self._buffers = tuple(buffers)
        self._seconds_held = seconds_held
        # Interleaved (a b c a b a), so that heavy categories do not come in runs.
        rounds = range(max((each.kind.weight for each in self._buffers), default=0))
        self._cycle = [each for turn in rounds for each in self._buffers if each.kind.weight > turn]
        self._position = 0

    def next_buffer(self, *, flushing: bool = False) -> Buffer | None:
        """The next buffer of the cycle that has a batch ready, or, when flushing, anything; None if none has."""
        if not any(map(len, self._buffers)):
            return None  # at the end of each look for work, without going round
        for _ in self._cycle:
            buffer = self._cycle[self._position]
            self._position = (self._position + 1) % len(self._cycle)
            is_ready = len(buffer) and (flushing or buffer.seconds_to_ready() == 0.0)
            if is_ready and not self._seconds_held(buffer.category):
                return buffer
        return None

    def seconds_to_ready(self) -> float | None:
        """In how many seconds some buffer has a batch ready; None while nothing waits."""
        times = [
            max(seconds, self._seconds_held(each.category))
            for each in self._buffers
            if (seconds := each.seconds_to_ready()) is not None
        ]
        return min(times, default=None)
