"""Scenario: how long an event loop lets others wait while 500 errors a second are captured on it."""

from __future__ import annotations

import asyncio
from time import perf_counter

from bench.cost.asking import ask
from bench.cost.workload import shallow_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bench.cost.contenders import Contender

PER_SECOND = 500
SECONDS = 4.0
MOST_AT_ONCE = 10
TICK = 0.001


def loop_lag(contender: Any, dsn: str) -> dict[str, float]:
    """What a task that sleeps for a millisecond again and again oversleeps: median, and 99 of 100."""
    contender.init(dsn)
    contender.capture_exception(shallow_error())
    contender.flush()
    lags, captured = asyncio.run(measure(contender))
    contender.flush()
    figures = {name: lags[int(len(lags) * share)] for name, share in (("p50", 0.5), ("p99", 0.99))}
    if contender.delivers:
        figures["lost"] = captured + 1 - ask(dsn, "tally")["events"]
    return figures


async def measure(contender: Contender) -> tuple[list[float], int]:
    """The lags in seconds, in rising order, and how many were captured."""
    lags: list[float] = []

    async def tick() -> None:
        while True:
            begun = perf_counter()
            await asyncio.sleep(TICK)
            lags.append(perf_counter() - begun - TICK)

    ticking = asyncio.create_task(tick())
    begun, captured = perf_counter(), 0
    while (passed := perf_counter() - begun) < SECONDS:
        for _ in range(min(MOST_AT_ONCE, int(passed * PER_SECOND) - captured)):
            captured += 1
            contender.capture_exception(shallow_error())
        await asyncio.sleep(TICK)
    ticking.cancel()
    return sorted(lags), captured
