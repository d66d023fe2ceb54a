"""Event loops go on while errors are captured, sent, and waited for (PAIN-35)."""

from __future__ import annotations

import pytest

from tests.programs import run_program
from tests.servers import Answer, DiscardingServer, RecordingServer

PREPARE = """
import asyncio, sys, time, vedette
dsn, loop = sys.argv[1:]
lags = []
async def tick():
    while True:
        started = time.perf_counter()
        await asyncio.sleep(0.001)
        lags.append(time.perf_counter() - started)
def run(main):
    if loop == "uvloop":
        import uvloop
        uvloop.install() if not hasattr(uvloop, "run") else None
        uvloop.run(main) if hasattr(uvloop, "run") else asyncio.run(main)
    else:
        asyncio.run(main)
"""

FLOOD = """
client = vedette.init(dsn, shutdown_timeout=5)
def fail(depth):
    values = list(range(depth))
    if depth:
        fail(depth - 1)
    raise ValueError("boom")
async def main():
    ticking = asyncio.create_task(tick())
    started, captured = time.perf_counter(), 0
    while (seconds := time.perf_counter() - started) < 10:
        for _ in range(min(20, int(seconds * 1000) - captured)):
            captured += 1
            try:
                fail(4)
            except ValueError as error:
                vedette.capture_exception(error)
        await asyncio.sleep(0.001)
    ticking.cancel()
    await vedette.flush_async(20)
run(main())
lags.sort()
stats = client.stats()
assert stats.delivered["error"] + sum(stats.dropped.get("error", {}).values()) == stats.captured["error"], stats
assert stats.captured["error"] > 1000, stats
assert lags[len(lags) // 2] < 0.1, lags[len(lags) // 2]
assert lags[len(lags) * 99 // 100] < 0.5, lags[len(lags) * 99 // 100]
"""

WAITING = """
class Stuck(vedette.Transport):
    def capture_envelope(self, envelope):
        time.sleep(1.5)
    def flush(self, timeout):
        time.sleep(timeout)
transport = Stuck if dsn.endswith("/1") else None
client = vedette.init(dsn, transport=transport, shutdown_timeout=1)
async def main():
    ticking = asyncio.create_task(tick())
    vedette.capture_message("one")
    await asyncio.sleep(0.05)
    for wait, seconds in ((vedette.flush_async, 1.0), (client.close_async, 1.0)):
        before, started = len(lags), time.monotonic()
        await wait(seconds)
        took = time.monotonic() - started
        assert 0.2 < took < 8, took
        assert len(lags) - before > 20, (wait, len(lags) - before)
    ticking.cancel()
run(main())
"""


@pytest.mark.long
@pytest.mark.spec("PAIN-35")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_thousand_errors_a_second_leave_the_loop_its_turns(loop: str) -> None:
    """A generous bound, for busy machines; ``make bench`` measures it."""
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    with DiscardingServer() as server:
        ended = run_program(PREPARE + FLOOD, server.dsn(), loop, timeout=60.0)
    assert ended.code == 0, ended.stderr


@pytest.mark.long
@pytest.mark.spec("PAIN-35", "CLI-24")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("to", ["a black hole", "a transport that is stuck"])
def test_the_loop_goes_on_while_flush_and_close_wait(to: str, loop: str) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    with RecordingServer() as server:
        server.default = Answer(drip=60.0)
        dsn = server.dsn(project="1" if to == "a transport that is stuck" else "7")
        ended = run_program(PREPARE + WAITING, dsn, loop, timeout=60.0)
    assert ended.code == 0, ended.stderr
