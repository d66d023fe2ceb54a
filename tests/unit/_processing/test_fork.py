"""Processes that are forked: the child delivers by itself, the parent goes on, nobody hangs, nothing comes twice."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from tests.programs import run_program
from tests.servers import Answer, RecordingServer

pytestmark = pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system knows no fork")

# What each program starts with: `wait_for` kills a child that hangs, and says so.
PRELUDE = """
import os, signal, sys, threading, time
import vedette
def close(seconds):
    vedette.get_client().close(seconds)
def wait_for(pid, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "hung"
"""


def messages(server: RecordingServer) -> Counter[str]:
    return Counter(event["logentry"]["formatted"] for event in server.events)


@pytest.mark.spec("PAIN-02")
def test_a_child_delivers_and_counts_from_zero_and_its_parent_goes_on() -> None:
    with RecordingServer() as server:
        ended = run_program(
            PRELUDE
            + """
client = vedette.init(sys.argv[1])
vedette.capture_message("before")
vedette.flush(5)
pid = os.fork()
if pid == 0:
    assert not client.stats().captured, client.stats()
    vedette.capture_message("child")
    vedette.flush(5)
    assert client.stats().delivered == {"error": 1}, client.stats()
    os._exit(0)
assert wait_for(pid) == 0
vedette.capture_message("parent")
vedette.flush(5)
assert client.stats().delivered == {"error": 2}, client.stats()
""",
            server.dsn(),
        )
        assert (ended.code, ended.stderr) == (0, "")
        assert messages(server) == {"before": 1, "child": 1, "parent": 1}


def test_what_waits_in_the_parent_is_not_sent_by_the_child() -> None:
    with RecordingServer() as server:
        server.answer(Answer(drip=0.01))  # about one and a half seconds
        ended = run_program(
            PRELUDE
            + """
client = vedette.init(sys.argv[1])
for number in range(10):
    vedette.capture_message(f"waits {number}")
started = time.monotonic()
pid = os.fork()
if pid == 0:
    close(5)
    os._exit(0)
assert time.monotonic() - started < 1.5
assert wait_for(pid) == 0
close(10)
assert client.stats().delivered == {"error": 10}, client.stats()
""",
            server.dsn(),
            warnings="ignore",  # a request is on its way: CPython 3.12 warns of the thread that waits for the answer
        )
        assert (ended.code, ended.stderr) == (0, "")
        assert messages(server) == {f"waits {number}": 1 for number in range(10)}


FORKS_UNDER_LOAD = (
    PRELUDE
    + """
vedette.init(sys.argv[1], transport_queue_size=100_000)
forks, ended = int(sys.argv[2]), threading.Event()
sent = [0] * 4
def load(number):
    while not ended.is_set():
        vedette.capture_message("of a thread")
        sent[number] += 1
        time.sleep(0.02)
threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
pids = []
for number in range(forks):
    pid = os.fork()
    if pid == 0:
        vedette.capture_message(f"of child {number}")
        close(10)
        os._exit(0)
    pids.append(pid)
    time.sleep(0.01)
results = [wait_for(pid) for pid in pids]
ended.set()
for thread in threads:
    thread.join()
close(20)
assert results == [0] * forks, results
print(sum(sent))
"""
)


@pytest.mark.spec("PAIN-02")
@pytest.mark.parametrize("forks", [20, pytest.param(500, marks=pytest.mark.long)])
def test_forks_while_four_threads_capture_lose_nothing_and_send_nothing_twice(forks: int) -> None:
    with RecordingServer() as server:
        # The program has threads of its own: CPython 3.12 warns of them, as it should.
        ended = run_program(FORKS_UNDER_LOAD, server.dsn(), str(forks), warnings="ignore", timeout=110)
        assert (ended.code, ended.stderr) == (0, "")
        assert messages(server) == {
            "of a thread": int(ended.stdout),
            **{f"of child {number}": 1 for number in range(forks)},
        }


@pytest.mark.spec("PAIN-02")
def test_a_fork_in_the_middle_of_the_workers_imports_leaves_a_child_that_can_import() -> None:
    with RecordingServer() as server:
        ended = run_program(
            PRELUDE
            + """
importing = threading.Event()
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "urllib3.util" and threading.current_thread() is not threading.main_thread():
            importing.set()
            time.sleep(0.3)
sys.meta_path.insert(0, Slow())
vedette.init(sys.argv[1])
vedette.capture_message("parent")
assert importing.wait(5)
pid = os.fork()
if pid == 0:
    vedette.capture_message("child")
    close(5)
    os._exit(0)
assert wait_for(pid) == 0
close(5)
""",
            server.dsn(),
            warnings="ignore",
        )
        assert (ended.code, ended.stderr) == (0, "")
        assert messages(server) == {"parent": 1, "child": 1}


@pytest.mark.spec("PAIN-02")
def test_a_child_that_was_forked_past_pythons_hooks_delivers() -> None:
    with RecordingServer() as server:
        ended = run_program(
            PRELUDE
            + """
import ctypes
fork = ctypes.PyDLL(None).fork  # as uWSGI and C extensions do
client = vedette.init(sys.argv[1])
vedette.capture_message("parent")
vedette.flush(5)
time.sleep(0.2)  # past its hooks, CPython hangs in the child if a thread asks for the GIL just then: ours goes to rest
pid = fork()
if pid == 0:
    assert not client.stats().captured, client.stats()
    vedette.capture_message("child")
    close(5)
    os._exit(0)
assert wait_for(pid) == 0
close(5)
""",
            server.dsn(),
        )
        assert (ended.code, ended.stderr) == (0, "")
        assert messages(server) == {"parent": 1, "child": 1}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="CPython warns from 3.12 on")
@pytest.mark.spec("PAIN-02")
def test_the_programs_own_fork_does_not_warn_of_our_threads() -> None:
    with RecordingServer() as server:
        ended = run_program(
            PRELUDE
            + """
vedette.init(sys.argv[1])
for number in range(20):
    vedette.capture_message("parent")
    vedette.flush(5)  # the worker lives on for a while, and waits
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    assert wait_for(pid) == 0
close(5)
""",
            server.dsn(),
            warnings="always",
        )
        assert (ended.code, ended.stderr) == (0, "")
        assert messages(server) == {"parent": 20}


def test_a_fork_costs_next_to_nothing_while_nothing_was_captured() -> None:
    ended = run_program(
        PRELUDE
        + """
vedette.init("http://key@127.0.0.1:9/1")
from vedette._processing import fork
started = time.perf_counter()
for _ in range(1000):
    fork._before()
    fork._after_in_parent()
assert time.perf_counter() - started < 2.0  # a fork that waits for a thread takes 0.05
""",
    )
    assert (ended.code, ended.stderr) == (0, "")


def test_a_hook_of_the_programs_that_runs_before_a_fork_can_flush() -> None:
    """Such hooks of the program may run when ours has already sent the worker away."""
    with RecordingServer() as server:
        ended = run_program(
            PRELUDE
            + """
import logging  # which would be astonished to find itself imported between the hooks before and after a fork
os.register_at_fork(before=lambda: (vedette.capture_message("in the hook"), vedette.flush(5)))
client = vedette.init(sys.argv[1])
started = time.monotonic()
pid = os.fork()
if pid == 0:
    os._exit(0)
assert wait_for(pid) == 0
assert client.stats().delivered == {"error": 1}, client.stats()
assert time.monotonic() - started < 3
""",
            server.dsn(),
        )
        assert (ended.code, ended.stderr) == (0, "")
        assert messages(server) == {"in the hook": 1}
