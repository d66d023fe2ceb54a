"""Programs with Spotlight beside their server: how they end, fork, and start, whatever the side-car does."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.programs import Running, run_forking_program, run_program, side_by_side, start_program
from tests.servers import RecordingServer, never, slowly, unused_port

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 6.0
SLACK = 2.0
"""For the first request, which imports urllib3, on a machine that runs other tests beside."""

ENDING = """
import sys, time, vedette
dsn, url = sys.argv[1:]
client = vedette.init(dsn or None, spotlight=url, shutdown_timeout=6.0)
for number in range(10): vedette.capture_message(str(number))
print(time.monotonic(), flush=True)
"""


def texts(server: RecordingServer) -> Counter[str]:
    return Counter(event["logentry"]["formatted"] for event in server.events)


def seconds_to_end(dsn: str, url: str) -> float:
    with start_program(ENDING, dsn, url) as running:
        ended = running.end(30)
        assert (ended.code, ended.stderr) == (0, ""), ended.stderr
        return ended.at - float(ended.stdout)


@pytest.mark.long
@pytest.mark.spec("INT-114", "INT-115", "INT-111", "INT-107")
def test_the_end_of_a_program_waits_a_quarter_of_its_time_for_spotlight_at_most() -> None:
    with RecordingServer() as server, RecordingServer() as hanging:
        hanging.default = never()
        dead = f"http://127.0.0.1:{unused_port()}/stream"
        cases = {dead: 0.0, hanging.url: SECONDS / 4}
        took = side_by_side(lambda url: seconds_to_end(server.dsn(), url), cases, most=2)
        for url, seconds in took.items():
            assert seconds < cases[url] + SLACK, took
        assert texts(server) == dict.fromkeys(map(str, range(10)), 2)


@pytest.mark.spec("INT-92", "INT-114")
@pytest.mark.long
def test_a_server_that_takes_all_the_time_leaves_spotlight_what_it_does_beside() -> None:
    with RecordingServer() as server, RecordingServer() as spotlight:
        server.default = never()
        assert seconds_to_end(server.dsn(), f"{spotlight.url}/stream") < SECONDS + SLACK
        assert texts(spotlight) == dict.fromkeys(map(str, range(10)), 1)


@pytest.mark.spec("CLI-15", "INT-75")
def test_an_uncaught_error_of_a_program_without_a_dsn_is_shown() -> None:
    program = "import sys, vedette\nvedette.init(spotlight=sys.argv[1], shutdown_timeout=20.0)\n1 / 0"
    with RecordingServer() as spotlight:
        ended = run_program(program, f"{spotlight.url}/stream")
        assert ended.code == 1
        assert ended.stderr.endswith("ZeroDivisionError: division by zero\n")
        (event,) = spotlight.events
        assert event["exception"]["values"][0]["mechanism"]["type"] == "auto.python.excepthook"


def test_the_variable_that_spotlights_own_runner_sets_is_enough() -> None:
    program = "import vedette\nvedette.init()\nvedette.capture_message('hello')"
    with RecordingServer() as spotlight:
        ended = run_program(program, env={"SENTRY_SPOTLIGHT": f"{spotlight.url}/stream"})
        assert (ended.code, ended.stderr) == (0, "")
        assert texts(spotlight) == {"hello": 1}


FORKING = """
import os, sys, time, vedette
dsn, url = sys.argv[1:]
client = vedette.init(dsn or None, spotlight=url)
def forked(work):
    pid = os.fork()
    if not pid:
        work()
        sys.exit(0)
    os.waitpid(pid, 0)
vedette.capture_message("parent")
vedette.flush(5)
forked(lambda: vedette.capture_message("child"))
vedette.capture_message("parent, after")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.parametrize("with_server", [True, False])
def test_a_forked_child_shows_what_it_captured_itself_and_nothing_is_warned_of(with_server: bool) -> None:
    with RecordingServer() as server, RecordingServer() as spotlight:
        ended = run_forking_program(FORKING, server.dsn() if with_server else "", f"{spotlight.url}/stream")
        assert (ended.code, ended.stderr) == (0, "")
        assert texts(spotlight) == {"parent": 1, "child": 1, "parent, after": 1}
        assert texts(server) == (texts(spotlight) if with_server else {})


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_fork_while_nobody_is_there_is_not_warned_of_either() -> None:
    with RecordingServer() as server:
        ended = run_forking_program(FORKING, server.dsn(), f"http://127.0.0.1:{unused_port()}/stream")
        assert (ended.code, ended.stderr) == (0, "")
        assert texts(server) == {"parent": 1, "child": 1, "parent, after": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_child_of_multiprocessing_shows_what_it_captured(tmp_path: Path) -> None:
    program = """
    import multiprocessing, sys, vedette
    vedette.init(spotlight=sys.argv[1], shutdown_timeout=20)
    if __name__ == "__main__":
        child = multiprocessing.get_context("fork").Process(target=vedette.capture_message, args=("child",))
        child.start()
        child.join()
    """
    with RecordingServer() as spotlight:
        spotlight.default = slowly(0.1)
        ended = run_forking_program(program, f"{spotlight.url}/stream", file=tmp_path / "program.py")
        assert (ended.code, ended.stderr) == (0, "")
        assert texts(spotlight) == {"child": 1}


@pytest.mark.skipif(sys.platform != "linux", reason="the limit counts threads on Linux only")
def test_where_no_thread_can_be_had_the_caller_shows_what_waits() -> None:
    program = """
    import sys, _thread
    def refuse(*_): raise RuntimeError("can't start new thread")
    _thread.start_new_thread = refuse
    import vedette._host.os_threads as os_threads
    os_threads.start_new_thread = refuse
    import vedette
    vedette.init(sys.argv[1], spotlight=sys.argv[2], shutdown_timeout=20)
    for number in range(5): vedette.capture_message(str(number))
    """
    with RecordingServer() as server, RecordingServer() as spotlight:
        ended = run_program(program, server.dsn(), f"{spotlight.url}/stream")
        assert (ended.code, ended.stderr) == (0, "")
        assert texts(spotlight) == texts(server) == dict.fromkeys(map(str, range(5)), 1)


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_captures_of_a_signal_handler_are_shown_too() -> None:
    program = """
    import signal, sys, time, vedette
    vedette.init(sys.argv[1], spotlight=sys.argv[2], transport_queue_size=10_000)
    count = 0
    def handler(*_):
        global count
        count += 1
        vedette.capture_message("signal")
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    deadline = time.monotonic() + 20
    others = 0
    while count < 100:
        assert time.monotonic() < deadline
        vedette.capture_message("loop")
        others += 1
        if others % 20 == 0:
            vedette.flush(10)
    signal.setitimer(signal.ITIMER_REAL, 0)
    vedette.flush(10)
    print(count, others)
    """
    with ExitStack() as stack:
        server, spotlight = (stack.enter_context(RecordingServer()) for _ in range(2))
        with Running(sys.executable, "-c", dedented(program), server.dsn(), f"{spotlight.url}/stream") as running:
            ended = running.end(60)
        assert (ended.code, ended.stderr) == (0, "")
        count, others = map(int, ended.stdout.split())
        assert texts(server) == {"signal": count, "loop": others}
        assert texts(spotlight)["signal"] > 0
        assert texts(spotlight)["loop"] > 0


def dedented(program: str) -> str:
    return program.replace("\n    ", "\n")
