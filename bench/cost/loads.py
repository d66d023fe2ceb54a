"""Scenarios: what a whole process costs under a load, and when its events arrive."""

from __future__ import annotations

import time
from time import monotonic, process_time

from bench.cost.asking import ask
from bench.cost.memory import peak_memory
from bench.cost.workload import shallow_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bench.cost.contenders import Contender

PER_SECOND = 200
STEADY_EVENTS = 800
WARM_UP_EVENTS = 20
BURST_EVENTS = 100  # what both keep in memory by default
FLOOD_EVENTS = 1000
FAR_EVENTS = 60


def steady(contender: Any, dsn: str) -> dict[str, float]:
    """200 errors of 4 frames a second: CPU of all threads until all are sent, peak memory, bytes on the wire."""
    contender.init(dsn)
    for _ in range(WARM_UP_EVENTS):
        contender.capture_exception(shallow_error())
    contender.flush()
    begun, cpu_before = monotonic(), process_time()
    for number in range(STEADY_EVENTS):
        time.sleep(max(0.0, begun + number / PER_SECOND - monotonic()))
        contender.capture_exception(shallow_error())
    contender.flush()
    figures = {"cpu_seconds": (process_time() - cpu_before) / STEADY_EVENTS, "peak_memory": peak_memory()}
    if contender.delivers:
        tally = ask(dsn, "tally")
        figures["lost"] = STEADY_EVENTS + WARM_UP_EVENTS - tally["events"]
        figures["wire_bytes"] = tally["bytes"] / tally["events"]
    return figures


def burst(contender: Contender, dsn: str) -> dict[str, float]:
    """100 errors at once, after a first one: when the last of them arrives, and how many do not."""
    return arrival(contender, dsn, BURST_EVENTS)


def flood(contender: Contender, dsn: str) -> dict[str, float]:
    """1 000 at once."""
    return arrival(contender, dsn, FLOOD_EVENTS)


def far_server(contender: Contender, dsn: str) -> dict[str, float]:
    """60 errors at once, for a server that answers after 50 ms."""
    address, _, project = dsn.rpartition("/")
    return arrival(contender, f"{address}/far/{project}", FAR_EVENTS)


def arrival(contender: Contender, dsn: str, count: int) -> dict[str, float]:
    """Capture so many in a row."""
    contender.init(dsn)
    contender.capture_exception(shallow_error())
    contender.flush()
    begun = monotonic()
    for _ in range(count):
        contender.capture_exception(shallow_error())
    contender.flush()
    tally = ask(dsn, "tally")
    arrived, seconds = tally["events"] - 1, tally["last_at"] - begun
    return {
        "arrival_seconds": seconds,
        "arrived": arrived,
        "per_second": arrived / seconds,
        "peak_memory": peak_memory(),
    }
