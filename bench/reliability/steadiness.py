"""Whether a figure that was sampled over time stays where it is: a straight line through its second half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE = 60.0


@dataclass(frozen=True)
class Trend:
    """The line of least squares."""

    per_second: float
    seconds: float
    """How long a time it was fitted to."""

    @property
    def per_minute(self) -> float:
        """The slope."""
        return self.per_second * MINUTE

    @property
    def growth(self) -> float:
        """From the begin of the line to its end."""
        return self.per_second * self.seconds


def second_half(samples: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Those of the second half of the time; the first one is for caches and pools to fill."""
    middle = (samples[0][0] + samples[-1][0]) / 2
    return [sample for sample in samples if sample[0] >= middle]


def trend(samples: Sequence[tuple[float, float]]) -> Trend:
    """Of pairs of seconds and values, in the order of time: at least two, at different times."""
    mean_x = sum(x for x, _ in samples) / len(samples)
    mean_y = sum(y for _, y in samples) / len(samples)
    rise = sum((x - mean_x) * (y - mean_y) for x, y in samples)
    run = sum((x - mean_x) ** 2 for x, _ in samples)
    return Trend(rise / run, samples[-1][0] - samples[0][0])
