"""Alarms that go off at any byte code of a capture: what they raise is the program's, and the accounts stay right."""

from __future__ import annotations

import pytest

from tests.programs import run_program
from tests.servers import RecordingServer

PROGRAM = """
import random, signal, sys, time, vedette

def hook(item, hint):
    return item

client = vedette.init(
    sys.argv[1], before_send=hook, before_breadcrumb=hook, error_sampler=lambda event, hint: True,
    transport_queue_size=100_000,
)
vedette.get_isolation_scope().add_event_processor(hook)

class Alarm(Exception): pass

def handler(*_):
    raise Alarm

signal.signal(signal.SIGALRM, handler)
calls = alarms = 0
deadline = time.monotonic() + 2
while time.monotonic() < deadline:
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 5e-3))
        try:
            for _ in range(20):
                calls += 1
                vedette.add_breadcrumb(message="hello")
                try:
                    raise ValueError("boom")
                except ValueError as error:
                    vedette.capture_exception(error)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Alarm:
        alarms += 1
assert alarms > 50, alarms
last = vedette.capture_message("after all of them")
assert last, "the guard against recursion was left behind"
client.flush(20)
stats = client.stats()
captured = stats.captured["error"]
known = stats.delivered["error"] + sum(stats.dropped["error"].values()) + sum(stats.waiting.values())
assert abs(captured - known) <= alarms // 50, (stats, alarms)  # the counting itself has a few byte codes to be hit at
assert captured <= calls + 1, stats
reasons = {"internal_sdk_error", "sample_rate", "before_send", "event_processor", "buffer_overflow"}
assert set(stats.dropped["error"]) <= reasons, stats
print(last)
"""


@pytest.mark.spec("PAIN-18", "PAIN-21")
def test_an_alarm_at_any_point_of_a_capture_goes_through_and_captures_stay_accounted_for() -> None:
    with RecordingServer() as server:
        ended = run_program(PROGRAM, server.dsn(), timeout=40.0)
        ids = {event["event_id"] for event in server.events}
    assert ended.code == 0, ended.stderr
    assert ended.stdout.strip() in ids
