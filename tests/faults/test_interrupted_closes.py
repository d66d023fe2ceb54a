"""A close that a signal handler's exception ends: the exception is the program's, and everything is accounted for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.programs import run_program
from tests.servers import RecordingServer, slowly

ROOT = Path(__file__).parents[2]

CLOSES = """
import signal, sys, time, vedette

def stop(*_):
    sys.exit(3)

def waiting_is_over(client):
    deadline = time.monotonic() + 20
    while client.stats().waiting and time.monotonic() < deadline:
        time.sleep(0.01)
    return client.stats()

signal.signal(signal.SIGALRM, stop)
options = {"cache_dir": sys.argv[2]} if sys.argv[2] else {}
client = vedette.init(sys.argv[1], max_connections=1, **options)
for number in range(5):
    vedette.capture_message(f"event {number}")
vedette.capture_feedback({"message": "hello"})
started = time.monotonic()
try:
    client.close(20, lambda pending, timeout: signal.setitimer(signal.ITIMER_REAL, 0.3))
finally:
    assert time.monotonic() - started < 1.0, time.monotonic() - started
    stats = client.stats()
    assert sum(stats.waiting.values()) == 1, stats  # on its way
    stats = waiting_is_over(client)
    client.close(20)
    assert repr(client.stats()) == repr(stats), client.stats()
    assert stats.captured == {"error": 5, "feedback": 1}, stats
    assert stats.delivered == {"error": 1}, stats
    left = {"error": 4, "feedback": 1}
    if options:
        assert (stats.kept, stats.dropped) == (left, {}), stats
    else:
        lost = {category: {"network_error": number} for category, number in left.items()}
        assert (stats.kept, stats.dropped) == ({}, lost), stats
"""


@pytest.mark.spec("PAIN-21", "CR-02")
@pytest.mark.parametrize("with_journal", [False, True], ids=["without a journal", "with a journal"])
def test_after_a_signal_handler_has_ended_a_close_all_is_accounted_for(tmp_path: Path, *, with_journal: bool) -> None:
    with RecordingServer() as server:
        server.default = slowly(1.0)
        ended = run_program(CLOSES, server.dsn(), str(tmp_path) if with_journal else "")
        assert (ended.code, ended.stderr) == (3, "")
        assert len(server.events) == 1


# An exception at one byte code after the other of what a close does, and then another close. Between taking an item out
# of its buffer and counting it lies a byte code at which CPython looks for signals (docs/decisions.md).
AGAIN = """
import sys, threading, vedette
from tests.interruptions import ByteCodes
from vedette._processing import buffer, outbox, processor

class Slow(vedette.Transport):
    def capture_envelope(self, envelope):
        begun.set()
        gate.wait(20)

class Ended(Exception): pass

def end(): raise Ended

at, times, interrupted = 0, 0, True
while interrupted:
    begun, gate = threading.Event(), threading.Event()
    client = vedette.Client("http://key@127.0.0.1:9/1", transport=Slow, default_integrations=False)
    for _ in range(4):
        client.capture_message("hello")
    assert begun.wait(20)  # one is on its way, three wait
    with ByteCodes(buffer, outbox, processor) as byte_codes:
        try:
            _, interrupted = byte_codes.interrupt(at, end, lambda: client.close(0))
        except Ended:
            times += 1
    client.close(0)
    stats = client.stats()
    assert stats.waiting == {"error": 1}, (at, stats)
    assert stats.dropped["error"]["network_error"] in (2, 3), (at, stats)
    gate.set()
    at += 7
print(times)
"""


@pytest.mark.spec("PAIN-21", "CR-02")
def test_another_close_does_what_an_exception_has_kept_the_first_from() -> None:
    ended = run_program(AGAIN, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60)
    assert (ended.code, ended.stderr) == (0, "")
    assert int(ended.stdout) > 50
