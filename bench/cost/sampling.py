"""What a scenario that times calls consists of, and how its samples are taken in a process of its own."""

from __future__ import annotations

import gc
import statistics
import sys
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from bench.cost.receiver import ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.cost.contenders import Contender

    Clock = Callable[[], float]

WARM_UP_SAMPLES = 3
LEAST_SAMPLES = 5


@dataclass(frozen=True)
class Calls:
    """One sample: calls that are timed together.

    They take the caller less than the 5 ms after which CPython hands over to a worker, as far as the SDK allows.
    """

    count: int
    run: Callable[[Any], None]
    """Given what ``prepare`` returned."""
    prepare: Callable[[], Any] = lambda: None
    """Untimed, before each sample."""
    sent: bool = False
    """Whether each call must have sent an event; otherwise none may."""


def sample(calls: Calls, contender: Contender, dsn: str, clock: Clock, patience: float) -> dict[str, float]:
    """Seconds of a call: the median of samples, which are taken for ``patience`` seconds, with all that is done around them.

    Exits where another number of events arrived than was to.
    """
    before = ask(dsn, "tally")["events"] if _delivers(contender) else 0
    seconds: list[float] = []
    until = monotonic() + patience
    while len(seconds) < WARM_UP_SAMPLES + LEAST_SAMPLES or monotonic() < until:
        work = calls.prepare()
        gc.collect()
        begun = clock()
        calls.run(work)
        seconds.append((clock() - begun) / calls.count)
        del work
        contender.flush()
    figures = {"seconds": statistics.median(seconds[WARM_UP_SAMPLES:])}
    if _delivers(contender):
        tally = ask(dsn, "tally")
        arrived, wanted = tally["events"] - before, calls.count * len(seconds) if calls.sent else 0
        if arrived != wanted:
            sys.exit(f"{arrived} events arrived of {wanted} that were to")
        if arrived:
            figures["wire_bytes"] = tally["bytes"] / tally["events"]
    return figures


def _delivers(contender: Any) -> bool:
    return bool(contender.delivers)
