"""How long an event loop waits for its turn while 1 000 errors a second are captured beside it (PAIN-35).

python -m bench.loop_lag [seconds]    the same program with captures, with captures disabled, and so on, interleaved

A task sleeps for a millisecond again and again; what it oversleeps is the lag. "disabled" is ``sample_rate=0``: the
errors are raised all the same. The server runs in a process of its own. A busy machine shows in both.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import subprocess
import sys
import time
from typing import Any

import vedette
from tests.servers import DiscardingServer

PER_SECOND = 1000
MOST_AT_ONCE = 20
ROUNDS = 3


def serve(told: Any) -> None:
    """Take what comes, until the process is ended."""
    with DiscardingServer() as server:
        told.put(server.dsn())
        while True:
            time.sleep(60)


def fail(depth: int) -> None:
    """Raise from some frames down, as errors of programs do."""
    numbers = list(range(depth))
    if depth:
        fail(depth - 1)
    raise ValueError(numbers)


async def measure(seconds: float) -> list[float]:
    """The lags, in milliseconds, in rising order."""
    lags: list[float] = []

    async def tick() -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.001)
            lags.append((time.perf_counter() - started) * 1000 - 1)

    ticking = asyncio.create_task(tick())
    started, captured = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < seconds:
        for _ in range(min(MOST_AT_ONCE, int(passed * PER_SECOND) - captured)):
            captured += 1
            try:
                fail(4)
            except ValueError as error:
                vedette.capture_exception(error)
        await asyncio.sleep(0.001)
    ticking.cancel()
    return sorted(lags)


def run(dsn: str, mode: str, seconds: float) -> None:
    """Print one line; in a process of its own."""
    client = vedette.init(dsn, sample_rate=0.0 if mode == "disabled" else 1.0)
    lags = asyncio.run(measure(seconds))
    vedette.flush(10)
    shares = {name: lags[int(len(lags) * share)] for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999))}
    figures = "  ".join(f"{name} {value:6.2f} ms" for name, value in shares.items())
    sys.stdout.write(f"{mode:9} {figures}  delivered {client.stats().delivered.get('error', 0)}\n")


def main(seconds: str = "10") -> None:
    """Run both programs in turns."""
    told: Any = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(told,), daemon=True)
    server.start()
    dsn = told.get()
    try:
        for _ in range(ROUNDS):
            for mode in ("captured", "disabled"):
                subprocess.run([sys.executable, "-m", "bench.loop_lag", dsn, mode, seconds], check=True)
    finally:
        server.terminate()


if __name__ == "__main__":
    if len(sys.argv) > 3:  # noqa: PLR2004 - as `main` calls it
        run(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    else:
        main(*sys.argv[1:])
