"""Captures that interrupt vedette itself: from signal handlers, ``__del__`` and garbage collection. Each in a
process of its own, with a watchdog: a deadlock fails the test instead of hanging the suite."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import run_program
from tests.servers import RecordingServer, unused_port

WATCHDOG_SECONDS = 20.0

PREPARE = """
import collections, gc, signal, sys, time, vedette
client = vedette.init(sys.argv[1], transport_queue_size=100_000, max_breadcrumbs=5)
def check(expected):
    vedette.flush(15)
    stats = client.stats()
    assert stats.captured == {"error": expected}, (stats, expected)
    known = sum(stats.delivered.values()) + sum(stats.dropped.get("error", {}).values()) + sum(stats.waiting.values())
    assert known == expected, stats
    print(stats.delivered.get("error", 0), dict(stats.dropped.get("error", {})))
"""

SIGNALS = """
fired = 0
def handler(*_):
    global fired
    fired += 1
    vedette.add_breadcrumb(message="from the handler")
    vedette.set_tag("from", "handler")
    vedette.capture_message("from the handler")
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
captured = 0
deadline = time.monotonic() + 2
while time.monotonic() < deadline and captured < 400:
    vedette.set_tag("from", "main")
    vedette.add_breadcrumb(message="from main")
    with vedette.new_scope():
        vedette.capture_message("from main")
    client.stats()
    captured += 1
signal.setitimer(signal.ITIMER_REAL, 0)
assert fired > 20, fired
check(captured + fired)
"""

DESTRUCTORS = """
class Node:
    def __init__(self): self.me = self
    def __del__(self):
        destroyed.append(None)  # the collector runs on the worker's thread, too: += would lose some
        vedette.capture_message("from __del__")
destroyed, captured = [], 0
gc.set_threshold(20)
while captured < 300:
    Node()
    vedette.add_breadcrumb(message="from main", data={"some": ["list"]})
    vedette.capture_message("from main")
    captured += 1
gc.set_threshold(700)
deadline = time.monotonic() + 10
while len(destroyed) < captured and time.monotonic() < deadline:
    gc.collect()  # which does nothing while the worker's thread collects
assert len(destroyed) == captured, len(destroyed)
check(captured + len(destroyed))
"""


@pytest.mark.spec("PAIN-18")
@pytest.mark.parametrize("interrupting", [SIGNALS, DESTRUCTORS], ids=["signal handler", "__del__"])
def test_a_capture_that_interrupts_a_capture_is_kept(interrupting: str) -> None:
    with RecordingServer() as server:
        ended = run_program(PREPARE + interrupting, server.dsn(), timeout=WATCHDOG_SECONDS)
    assert ended.stderr == ""
    assert ended.code == 0, ended.stderr
    delivered, dropped = ended.stdout.strip().split(" ", 1)
    assert int(delivered) > 100
    assert dropped == "{}"


EVERYWHERE_SECONDS = 240.0  # for what takes 10: what hangs is ended, and shown, by the watchdog in there
ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.spec("PAIN-18", "CR-02")
@pytest.mark.parametrize("has_journal", [False, True], ids=["in memory", "journal"])
@pytest.mark.parametrize("kind", ["signal", "del", "gc", "logging", "warnings", "call"])
def test_captures_at_byte_codes_all_over_vedette_on_all_its_threads_hang_nothing_and_are_accounted_for(
    kind: str, has_journal: bool, tmp_path: Path
) -> None:
    """See ``tests/reentering.py``: in it each step has to end in time, and each client's accounts are looked at."""
    directory = tmp_path / "journal"
    directory.mkdir()
    nobodys = f"http://key@127.0.0.1:{unused_port()}/1"
    log, output = tmp_path / "log", tmp_path / "output"  # no pipes: a child that hangs would hold them open
    command = [sys.executable, "-m", "tests.reentering"]
    with (
        RecordingServer() as server,
        RecordingServer() as limiting,
        log.open("w") as stderr,
        output.open("w") as stdout,
    ):
        limiting.answer(status=429, headers=(("Retry-After", "60"),), times=100)
        program = subprocess.Popen(
            [*command, kind, "12", server.dsn(), nobodys, limiting.dsn(), str(directory) if has_journal else ""],
            cwd=ROOT,
            stdout=stdout,
            stderr=stderr,
        )
        try:
            code = program.wait(EVERYWHERE_SECONDS)
        finally:
            program.kill()
            program.wait()
        assert code == 0, what_matters(log.read_text())
        arrived = {event["event_id"] for event in server.events}
    told = json.loads(output.read_text())
    assert told["places"] > 500
    assert told["unaccounted"] == []
    if kind != "logging":  # whose handler gets vedette's own records, too: those captures are dropped, and counted
        assert told["dropped"] == {}
    missing = set(told["ids"]) - arrived
    assert missing == set(), {name: value for name, value in told.items() if name != "ids"}


def what_matters(log: str) -> str:
    """The end of what a program said, without vedette's hundreds of lines on what it left out."""
    return "\n".join(line for line in log.splitlines() if not line.startswith("[vedette] DEBUG"))[-8000:]
