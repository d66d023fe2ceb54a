"""Where the system gives no thread, everything still arrives; where it does, vedette takes few, none before work."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter

import pytest

from tests.programs import Running, run_program
from tests.servers import RecordingServer, slowly

MOST_CONNECTIONS = 4
"""What ``max_connections`` is by default: the worker, and helpers while a backlog meets a slow server."""

REFUSED = """
import resource, sys, threading
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
try:
    threading.Thread(target=print).start()
except RuntimeError:
    pass
else:
    sys.exit("the limit does not bind")
import vedette
client = vedette.init(sys.argv[1])
for number in range(20):
    vedette.capture_message(str(number))
assert client.stats().waiting == {"error": 20}, client.stats()
"""
WAYS_OUT = {
    "flush": "vedette.flush(10); assert client.stats().delivered == {'error': 20}, client.stats()",
    "close": "client.close(10)",
    "exit": "",
}


def as_nobody() -> list[str]:
    """Root's threads are not counted: become another user, who may read root's files all the same."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root needs setpriv (util-linux) to become somebody with limits")
    reading = "+dac_override,+dac_read_search"
    return ["setpriv", "--reuid", "65534", "--clear-groups", f"--inh-caps=-all,{reading}", f"--ambient-caps={reading}"]


@pytest.mark.skipif(sys.platform != "linux", reason="the limit counts threads on Linux only")
@pytest.mark.spec("PAIN-04", "PAIN-40")
@pytest.mark.parametrize("way", WAYS_OUT)
def test_where_the_system_refuses_threads_everything_is_delivered_at_flush_close_or_exit(way: str) -> None:
    command = [*as_nobody(), sys.executable, "-W", "error", "-c", REFUSED + WAYS_OUT[way]]
    with RecordingServer() as server, Running(*command, server.dsn(), env={"PYTHONDONTWRITEBYTECODE": "1"}) as running:
        ended = running.end(30)
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
        assert Counter(event["logentry"]["formatted"] for event in server.events) == dict.fromkeys(
            map(str, range(20)), 1
        )


THREADS_COME_BACK = """
import _thread, sys, vedette
client = vedette.init(sys.argv[1])
start = _thread.start_new_thread
def refuse(*_): raise RuntimeError("can't start new thread")
_thread.start_new_thread = refuse
vedette.capture_message("refused")
assert client.stats().waiting == {"error": 1}, client.stats()
_thread.start_new_thread = start
vedette.capture_message("later")
import time
deadline = time.monotonic() + 10
while client.stats().delivered != {"error": 2} and time.monotonic() < deadline:
    time.sleep(0.01)
assert client.stats().delivered == {"error": 2}, client.stats()
"""


@pytest.mark.spec("PAIN-40")
def test_the_first_capture_after_threads_are_to_be_had_again_sends_what_waited() -> None:
    with RecordingServer() as server:
        ended = run_program(THREADS_COME_BACK, server.dsn())
        assert (ended.code, ended.stderr) == (0, "")
        assert len(server.events) == 2


COUNT_THREADS = """
import os, sys, threading, time, vedette

def threads():
    return len(os.listdir("/proc/self/task"))

client = vedette.init(sys.argv[1], transport_queue_size=100_000)
vedette.set_tag("a", "b")
vedette.add_breadcrumb(message="before")
with vedette.isolation_scope():
    client.stats()
vedette.flush(1)
assert threads() == 1, "none before the first event"

barrier = threading.Barrier(9)
def work(name):
    barrier.wait()
    for number in range(int(sys.argv[2])):
        vedette.capture_message(f"{name} {number}")
workers = [threading.Thread(target=work, args=(name,)) for name in range(8)]
for worker in workers:
    worker.start()
barrier.wait()
most = 0
deadline = time.monotonic() + 40
while time.monotonic() < deadline:
    of_the_program = sum(worker.is_alive() for worker in workers)  # first: they only become fewer
    alive = threads()
    if sum(worker.is_alive() for worker in workers) == of_the_program:
        most = max(most, alive - 1 - of_the_program)
    if not of_the_program and not client.stats().waiting:
        break
    time.sleep(0.001)
stats = client.stats()
print(most, stats.captured["error"], stats.delivered.get("error", 0), sum(stats.dropped.get("error", {}).values()),
      stats.waiting.get("error", 0))
"""


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.spec("PAIN-40")
def test_never_more_threads_than_connections_under_a_load_that_a_slow_server_cannot_take() -> None:
    with RecordingServer() as server:
        server.default = slowly(0.05)
        ended = run_program(COUNT_THREADS, server.dsn(), "25")
        assert (ended.code, ended.stderr) == (0, "")
        most, captured, delivered, dropped, waiting = map(int, ended.stdout.split())
        assert 1 < most <= MOST_CONNECTIONS
        assert (captured, delivered, dropped, waiting) == (200, 200, 0, 0)
        assert 1 < server.connections <= MOST_CONNECTIONS
        assert ended.seconds < 200 * 0.05 / 2, "requests were in flight beside each other"


BURST = """
import sys, threading, vedette
client = vedette.init(sys.argv[1], shutdown_timeout=10, transport_queue_size=1000)
barrier = threading.Barrier(8)
def work(name):
    barrier.wait()
    for number in range(1250):
        vedette.capture_message(f"{name} {number}")
        if number % 250 == 0:
            stats = client.stats()
            assert sum(stats.waiting.values()) <= 1000 + 4 + 8, stats
threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
vedette.flush(30)
stats = client.stats()
print(stats.captured["error"], stats.delivered["error"], stats.dropped.get("error", {}).get("buffer_overflow", 0))
assert not stats.waiting and not stats.refused and set(stats.dropped.get("error", {})) <= {"buffer_overflow"}, stats
"""


@pytest.mark.spec("PAIN-40", "PAIN-44", "CR-02")
def test_ten_thousand_captures_of_eight_threads_are_all_accounted_for() -> None:
    with RecordingServer() as server:
        ended = run_program(BURST, server.dsn(), timeout=50)
        assert (ended.code, ended.stderr) == (0, "")
        captured, delivered, overflowed = map(int, ended.stdout.split())
        assert captured == 10_000 == delivered + overflowed
        texts = Counter(event["logentry"]["formatted"] for event in server.events)
        assert len(texts) == delivered
        assert set(texts.values()) == {1}
        told = [each for report in server.items("client_report") for each in report.json["discarded_events"]]
        assert sum(each["quantity"] for each in told if each["category"] == "error") == overflowed
