"""What programs do around a fork: become a daemon, fork hooks of their own, subprocesses, several clients."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.programs import run_forking_program
from tests.servers import RecordingServer, never, slowly
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Answer, Request

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

START = "import os, sys, time, vedette\nclient = vedette.init(sys.argv[1])\n"


def texts(server: RecordingServer) -> Counter[str]:
    return Counter(event["logentry"]["formatted"] for event in server.events)


@pytest.mark.spec("PAIN-02")
@pytest.mark.parametrize("fork", ["os.fork", "ctypes.PyDLL(None).fork"], ids=["os.fork", "fork of C code"])
def test_a_program_that_becomes_a_daemon_after_init_delivers(fork: str) -> None:
    """Two forks, a new session, all descriptors closed. What is opened later must not be closed by us."""
    source = (
        START
        + f"import ctypes; fork = {fork}"
        + """
import gc
vedette.capture_message("parent")
vedette.flush(5)
if fork(): os._exit(0)
os.setsid()
if fork(): os._exit(0)
os.closerange(3, 256)
mine = [os.pipe() for _ in range(8)]
vedette.capture_message("daemon")
vedette.flush(5)
gc.collect()
for reading, writing in mine:
    os.write(writing, b"x")
    assert os.read(reading, 1) == b"x"
vedette.capture_message("daemon, after")
"""
    )
    with RecordingServer() as server:
        ended = run_forking_program(source, server.dsn())
        assert (ended.code, ended.stderr) == (0, "")
        wait_until(lambda: len(server.events) == 3, 10)  # it has a session of its own: nobody waits for its end
        assert texts(server) == {"parent": 1, "daemon": 1, "daemon, after": 1}


@pytest.mark.spec("PAIN-02", "PAIN-18")
@pytest.mark.parametrize("registered", ["before", "after"])
def test_captures_in_the_programs_own_fork_hooks_arrive(registered: str) -> None:
    """Registered before vedette's, the child's hook runs while vedette still has the parent's things."""
    hooks = """
import os
def tell(where):
    if "vedette" in globals() and vedette.is_initialized():
        vedette.capture_message(where)
os.register_at_fork(
    before=lambda: tell("before"),
    after_in_parent=lambda: tell("in the parent"),
    after_in_child=lambda: tell("in the child"),
)
"""
    work = """
vedette.capture_message("parent")
vedette.flush(5)
pid = os.fork()
if not pid:
    vedette.capture_message("child")
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
"""
    source = (hooks + START if registered == "before" else START + hooks) + work
    with RecordingServer() as server:
        # A capture in a `before` hook that runs after ours starts the worker once more: the program's own doing.
        ended = run_forking_program(source, server.dsn(), warnings="ignore")
        assert (ended.code, ended.stderr) == (0, "")
        assert texts(server) == dict.fromkeys(["parent", "before", "in the parent", "in the child", "child"], 1)


@pytest.mark.spec("PAIN-02")
def test_subprocesses_with_and_without_a_function_to_run_first_work_as_ever() -> None:
    source = (
        START
        + """
import subprocess
for number in range(10):
    vedette.capture_message(str(number))
    done = subprocess.run([sys.executable, "-S", "-c", "print(7)"], capture_output=True, text=True,
                          preexec_fn=(lambda: None) if number % 2 else None)
    assert (done.returncode, done.stdout, done.stderr) == (0, "7\\n", ""), done
    assert os.system("true") == 0
"""
    )
    with RecordingServer() as server:
        ended = run_forking_program(source, server.dsn())
        assert (ended.code, ended.stderr) == (0, "")
        assert texts(server) == dict.fromkeys(map(str, range(10)), 1)


@pytest.mark.spec("PAIN-02")
def test_several_clients_of_a_process_all_start_anew_in_its_child() -> None:
    source = (
        START
        + """
clients = [client, *(vedette.Client(sys.argv[1], server_name=str(n)) for n in range(3))]
closed = vedette.Client(sys.argv[1])
closed.close()
for each in clients:
    each.capture_message("parent")
    each.flush(10)
pid = os.fork()
if not pid:
    for each in clients:
        assert not each.stats().captured, each.stats()
        each.capture_message("child")
    closed.capture_message("closed")
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
for each in clients: each.capture_message("parent")
"""
    )
    with RecordingServer() as server:
        ended = run_forking_program(source, server.dsn())
        assert (ended.code, ended.stderr) == (0, "")
        assert texts(server) == {"parent": 8, "child": 4}


@pytest.mark.spec("PAIN-02")
def test_forks_while_several_requests_are_in_flight_lose_and_repeat_nothing() -> None:
    source = (
        START
        + """
for number in range(60): vedette.capture_message(f"parent {number}")
vedette_is_at_it = time.monotonic() + 10
while client.stats().delivered.get("error", 0) < 5 and time.monotonic() < vedette_is_at_it: time.sleep(0.005)
children = []
for number in range(5):
    pid = os.fork()
    if not pid:
        assert not client.stats().waiting, client.stats()
        for each in range(4): vedette.capture_message(f"child {number} {each}")
        sys.exit(0)
    children.append(pid)
assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 5
vedette.flush(20)
assert client.stats().delivered == {"error": 60}, client.stats()
"""
    )
    with RecordingServer() as server:
        server.default = slowly(0.1)
        # Requests that take longer than the 50 ms that a fork waits: it goes on beside them, and may warn.
        ended = run_forking_program(source, server.dsn(), warnings="ignore")
        assert (ended.code, ended.stderr) == (0, "")
        parents = [f"parent {number}" for number in range(60)]
        children = [f"child {number} {each}" for number in range(5) for each in range(4)]
        assert texts(server) == dict.fromkeys(parents + children, 1)


@pytest.mark.spec("PAIN-02")
def test_a_fork_waits_for_a_busy_worker_a_moment_only(tmp_path: Path) -> None:
    source = (
        START
        + """
vedette.capture_message("hello")
deadline = time.monotonic() + 10
while not os.path.exists(sys.argv[2]) and time.monotonic() < deadline: time.sleep(0.005)
begin = time.monotonic()
pid = os.fork()
if not pid: os._exit(0)
print(time.monotonic() - begin)
os.waitpid(pid, 0)
client.close(0)
"""
    )
    flag = tmp_path / "request-came"
    with RecordingServer() as server:
        answer = never()

        def tell_and_wait(request: Request) -> Answer:
            flag.touch()
            return answer

        server.default = tell_and_wait
        ended = run_forking_program(source, server.dsn(), str(flag), warnings="ignore")
        assert (ended.code, ended.stderr) == (0, "")
    assert float(ended.stdout) < 0.05 + 0.15


@pytest.mark.spec("PAIN-02", "PAIN-18")
def test_forks_in_a_signal_handler_at_any_point_of_a_capture_leave_children_that_work() -> None:
    source = (
        START
        + """
import faulthandler, random, signal
forks = 0
def handler(*_):
    global forks
    pid = os.fork()
    if not pid:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.dump_traceback_later(10, exit=True)
        vedette.capture_message("child")
        vedette.flush(8)
        os._exit(0 if client.stats().delivered == {"error": 1} else 7)
    assert os.waitpid(pid, 0)[1] == 0
    forks += 1
    signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-4, 4e-3))
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 1e-3)
captured = 0
deadline = time.monotonic() + 20
while forks < 40 and time.monotonic() < deadline:
    vedette.add_breadcrumb(message="hello")
    with vedette.new_scope() as scope:
        scope.set_tag("a", "b")
        if captured < 200:
            vedette.capture_message("parent")
            captured += 1
signal.setitimer(signal.ITIMER_REAL, 0)
vedette.flush(20)
print(forks, captured)
"""
    )
    with RecordingServer() as server:
        ended = run_forking_program(source, server.dsn(), warnings="ignore", timeout=50)
        assert (ended.code, ended.stderr) == (0, "")
        forks, captured = map(int, ended.stdout.split())
        assert forks >= 40
        assert texts(server) == {"child": forks, "parent": captured}
