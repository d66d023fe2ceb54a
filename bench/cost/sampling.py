"""What a scenario that times calls consists of, and how its samples are taken in a process of its own."""

from __future__ import annotations

import gc
import sys
from time import monotonic

from bench.cost.asking import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Clock = Callable[[], float]

WARM_UP_SAMPLES = 3
LEAST_SAMPLES = 5


class Calls:
    """One sample: calls that are timed together.

    They take the caller less than the 5 ms after which CPython hands over to a worker, as far as the SDK allows.

    Args:
        count: How many.
        run: Does them, given what ``prepare`` returned.
        prepare: Untimed, before each sample.
        sent: Whether each call must have sent an event; otherwise none may.
    """

    def __init__(
        self, count: int, run: Callable[[Any], None], prepare: Callable[[], Any] = object, *, sent: bool = False
    ) -> None:
        self.count = count
        self.run = run
        self.prepare = prepare
        self.sent = sent


def sample(calls: Calls, contender: Any, dsn: str, clock: Clock, patience: float) -> dict[str, float]:
    """Seconds of a call: the median of samples, taken for ``patience`` seconds with all that is done around them.

    Exits where another number of events arrived than was to.
    """
    before = ask(dsn, "tally")["events"] if contender.delivers else 0
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
    figures = {"seconds": median(seconds[WARM_UP_SAMPLES:])}
    if contender.delivers:
        tally = ask(dsn, "tally")
        arrived, wanted = tally["events"] - before, calls.count * len(seconds) if calls.sent else 0
        if arrived != wanted:
            sys.exit(f"{arrived} events arrived of {wanted} that were to")
        if arrived:
            figures["wire_bytes"] = tally["bytes"] / tally["events"]
    return figures


def median(values: list[float]) -> float:
    """The upper one of two; the module ``statistics`` would bring much along."""
    return sorted(values)[len(values) // 2]
