"""The ways in which a program can end: the last event arrives, nothing is printed, the exit status is the program's."""

from __future__ import annotations

import signal
import sys
import threading

import pytest

from tests.programs import Running, run_program, side_by_side, start_program
from tests.servers import Answer, RecordingServer, never, slowly

INIT = "import sys, vedette; client = vedette.init(sys.argv[1])\n"

SILENT_ENDS = {
    "the end of the file": "vedette.capture_message('hello')",
    "sys.exit": "vedette.capture_message('hello'); sys.exit(0)",
    "raise SystemExit in a function": """
def main():
    vedette.capture_message("hello")
    raise SystemExit
main()""",
    "at exit": "import atexit; atexit.register(vedette.capture_message, 'hello')",
    "at exit, without a worker": """
import atexit, _thread
def refuse(*_): raise RuntimeError("can't create new thread at interpreter shutdown")
atexit.register(vedette.capture_message, "hello")
_thread.start_new_thread = refuse""",
    "at exit, of a child thread that main does not wait for": """
import threading
def work():
    threading.main_thread().join()
    vedette.capture_message("hello")
threading.Thread(target=work).start()""",
    "in a thread of an executor": """
from concurrent.futures import ThreadPoolExecutor
ThreadPoolExecutor(2).submit(vedette.capture_message, "hello")""",
    "after an event that was sent": """
vedette.capture_message("before"); vedette.flush(5)
vedette.capture_message("hello")""",
    "in a finalizer": """
import weakref
class Thing: pass
thing = Thing()
weakref.finalize(thing, vedette.capture_message, "hello")""",
    "with a client of its own": "vedette.Client(sys.argv[1]).capture_message('hello')",
}


@pytest.mark.spec("PAIN-04", "PAIN-16", "TP-30", "FW-atexit-02")
@pytest.mark.parametrize("end", SILENT_ENDS)
def test_the_last_event_arrives_and_nothing_is_printed(end: str) -> None:
    with RecordingServer() as server:
        ended = run_program(INIT + SILENT_ENDS[end], server.dsn())
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
        texts = [event["logentry"]["formatted"] for event in server.events]
    assert texts[-1:] == ["hello"]
    assert len(texts) == len(set(texts))


@pytest.mark.spec("PAIN-04", "PAIN-16")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import weakref", ""),  # before vedette
        ("", ""),
        ("", "vedette.capture_message('first'); vedette.flush()"),  # the worker is the first to import it
    ],
)
def test_pythons_finalizers_run_once_the_worker_has_nothing_more_to_do(before: str, after: str) -> None:
    """Else it may be making one, as urllib3 does for each server, while Python goes through them: a traceback."""
    source = f"""{before}
{INIT}
{after}
import weakref
class Thing: pass
thing = Thing()
weakref.finalize(thing, lambda: print(client.stats().waiting, client.stats().delivered))
vedette.capture_message("hello")
"""
    with RecordingServer() as server:
        ended = run_program(source, server.dsn())
        arrived = 2 if after else 1
        assert (ended.code, ended.stdout, ended.stderr) == (0, f"{{}} {{'error': {arrived}}}\n", "")


FAILING_ENDS = {
    "raise as the last statement": "raise ValueError('boom')",
    "raised in main": "def main(): raise ValueError('boom')\nmain()",
    "raised in a thread after main": """
import threading
def work():
    threading.main_thread().join()
    raise ValueError("boom")
threading.Thread(target=work).start()""",
    "raised while something waits": "for n in range(20): vedette.capture_message(str(n))\nraise ValueError('boom')",
}


@pytest.mark.spec("PAIN-04")
@pytest.mark.parametrize("end", FAILING_ENDS)
def test_an_error_that_ends_a_program_or_its_last_thread_arrives_and_is_printed_once_by_python(end: str) -> None:
    with RecordingServer() as server:
        ended = run_program(INIT + FAILING_ENDS[end], server.dsn())
        assert ended.code == (0 if "thread" in end else 1)
        assert ended.stderr.endswith("ValueError: boom\n")
        assert ended.stderr.count("Traceback") == 1
        assert "vedette/_" not in ended.stderr
        failures = [event for event in server.events if "exception" in event]
        assert [each["exception"]["values"][-1]["value"] for each in failures] == ["boom"]
        assert len(server.events) == (21 if "waits" in end else 1)


LATE = {
    "an exit handler that was registered before init": """
import atexit, sys, vedette
def late():
    vedette.capture_message("late")
atexit.register(late)
""",
    "several of them, after a flush": """
import atexit, sys, vedette
def late():
    vedette.flush()
    vedette.capture_message("late")
atexit.register(vedette.flush)
atexit.register(late)
""",
    "a finalizer": """
import sys, vedette, weakref
def late():
    vedette.capture_message("late")
weakref.finalize(late, late)
""",
}
TOO_LATE = {
    "an exit handler that was registered before the import of vedette": """
import atexit, sys
@atexit.register
def late():
    vedette.capture_message("late")
    tell(client.stats())
import vedette
client = vedette.init(sys.argv[1])
""",
    "a destructor at finalization": """
import sys, vedette
class Late:
    def __init__(self): self.client, self.tell = client, tell
    def __del__(self):
        self.client.capture_message("late")
        self.tell(self.client.stats())
client = vedette.init(sys.argv[1])
late = Late()
""",
}
TELL = """
def tell(stats, sum=sum, print=print):
    print(stats.captured["error"], stats.delivered["error"], sum(stats.dropped.get("error", {}).values()))
"""


@pytest.mark.spec("PAIN-04", "TRN-17")
@pytest.mark.parametrize("late", LATE)
def test_what_other_exit_handlers_capture_arrives(late: str) -> None:
    with RecordingServer() as server:
        source = LATE[late] + "client = vedette.init(sys.argv[1])\nvedette.capture_message('hello')"
        ended = run_program(source, server.dsn())
        assert (ended.code, ended.stderr) == (0, "")
        assert [event["logentry"]["formatted"] for event in server.events] == ["hello", "late"]


@pytest.mark.spec("PAIN-04", "PAIN-16")
@pytest.mark.parametrize("late", TOO_LATE)
def test_a_capture_after_the_drain_at_exit_is_accounted_for_and_not_a_word_is_said(late: str) -> None:
    """Vedette is closed by then (design decision 12); what was captured before has arrived."""
    with RecordingServer() as server:
        ended = run_program(TELL + TOO_LATE[late] + "vedette.capture_message('hello')", server.dsn())
        assert (ended.code, ended.stderr) == (0, "")
        texts = [event["logentry"]["formatted"] for event in server.events]
    captured, delivered, dropped = map(int, ended.stdout.split())
    assert captured == 2 == delivered + dropped
    assert texts == ["hello", "late"][:delivered]


DAEMONS = """
import threading, time
vedette.capture_message("the machine may be busy: all that sending needs is imported now")
vedette.flush(10)
started = threading.Barrier(5)
def work():
    started.wait()
    while True:
        try:
            raise ValueError("from a daemon")
        except ValueError:
            vedette.capture_exception()
            vedette.add_breadcrumb(message="from a daemon")
        time.sleep(0.001)
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
started.wait()
print(time.monotonic(), flush=True)
"""


@pytest.mark.long
@pytest.mark.spec("PAIN-04", "PAIN-16")
@pytest.mark.parametrize("debug", [False, True], ids=["silent", "debug mode"])
def test_daemon_threads_that_capture_while_the_program_ends_neither_crash_it_nor_hold_it_up(debug: bool) -> None:
    """In debug mode the worker prints: it must not be caught with the lock of stderr at finalization."""
    with RecordingServer() as server:
        source = f"import sys, vedette; vedette.init(sys.argv[1], debug={debug}, shutdown_timeout=0.5)\n{DAEMONS}"

        def run(_: int) -> tuple[int, str, float]:
            with start_program(source, server.dsn()) as running:
                ended = running.end(20)
                return ended.code, ended.stderr, ended.at - float(ended.stdout)

        runs = side_by_side(run, range(6), most=2)
        assert server.events
    for code, stderr, seconds in runs.values():
        assert code == 0, stderr[-2000:]
        assert "Fatal" not in stderr
        assert "Traceback" not in stderr
        assert debug or stderr == ""
        assert seconds < 0.5 + 0.3 + 0.7, "the threads that go on want the processor, too"


WAITING = """
print("ready", flush=True)
import time
while True: time.sleep(0.05)
"""


def ended_by(running: Running, number: int) -> tuple[int, float]:
    """Exit status, and seconds from the signal to the end."""
    running.wait_for("ready")
    sent = running.send_signal(number)
    ended = running.end(20)
    return ended.code, ended.at - sent


@pytest.mark.spec("PAIN-21")
def test_sigterm_ends_a_program_at_once_as_ever() -> None:
    """By the signal, without a drain: what was not sent yet is lost, unless there is a journal."""
    with RecordingServer() as server:
        server.default = never()
        source = INIT + "vedette.capture_message('in flight'); vedette.capture_message('waiting')" + WAITING
        with start_program(source, server.dsn()) as running:
            running.wait_for("ready")
            server.wait_for(1)
            code, seconds = ended_by(running, signal.SIGTERM)
            assert (code, running.stderr) == (-signal.SIGTERM, "")
            assert seconds < 0.3
        assert {event["logentry"]["formatted"] for event in server.events} <= {"in flight", "waiting"}


@pytest.mark.spec("PAIN-04", "PAIN-21")
def test_after_a_handler_of_sigterm_that_exits_everything_arrives() -> None:
    source = f"""{INIT}
import signal
def stop(*_):
    vedette.capture_message("from the handler")
    sys.exit(3)
signal.signal(signal.SIGTERM, stop)
for number in range(10): vedette.capture_message(str(number))
{WAITING}"""
    with RecordingServer() as server:
        server.default = slowly(0.02)
        with start_program(source, server.dsn()) as running:
            code, seconds = ended_by(running, signal.SIGTERM)
            assert (code, running.stderr) == (3, "")
            assert seconds < 2.3
        assert len(server.events) == 11


@pytest.mark.spec("PAIN-04", "PAIN-21")
def test_ctrl_c_ends_the_program_as_ever_and_what_it_captured_arrives() -> None:
    with RecordingServer() as server:
        with start_program(
            INIT + "vedette.capture_message('hello'); vedette.flush(5)" + WAITING, server.dsn()
        ) as running:
            code, _ = ended_by(running, signal.SIGINT)
            assert code == -signal.SIGINT
            assert running.stderr.count("Traceback") == 1
            assert "vedette" not in running.stderr
        assert len(server.events) == 1


DRAINS = {
    "by the worker": "vedette.capture_message('hello')",
    "alone": """
import _thread
def refuse(*_): raise RuntimeError("can't start new thread")
_thread.start_new_thread = refuse
vedette.capture_message("hello")""",
    "of many events": "for _ in range(50): vedette.capture_message('hello')",
}


@pytest.mark.spec("PAIN-16", "PAIN-21")
@pytest.mark.parametrize("drain", DRAINS)
def test_ctrl_c_during_the_drain_ends_it_at_once_without_a_traceback(drain: str) -> None:
    source = f"""
import sys, vedette
from vedette.integrations.atexit import AtexitIntegration
tell = AtexitIntegration(callback=lambda pending, timeout: print("ready", flush=True))
vedette.init(sys.argv[1], shutdown_timeout=15, integrations=[tell])
{DRAINS[drain]}
"""
    gate = threading.Event()
    with RecordingServer() as server:
        server.default = Answer(gate=gate)
        with start_program(source, server.dsn()) as running:
            running.wait_for("ready")
            server.wait_for(1)  # it is in the middle of a request now
            code, seconds = ended_by(running, signal.SIGINT)
            assert running.stderr == ""
            assert code in (0, -signal.SIGINT, 128 + signal.SIGINT)
            assert seconds < 0.5
        gate.set()


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.spec("PAIN-16")
def test_closing_by_hand_before_the_end_leaves_nothing_for_the_end() -> None:
    source = INIT + "vedette.capture_message('hello'); client.close(); import time; print(time.monotonic(), flush=True)"
    with RecordingServer() as server, start_program(source, server.dsn()) as running:
        ended = running.end()
        assert (ended.code, ended.stderr) == (0, "")
        assert ended.at - float(ended.stdout) < 0.3
        assert len(server.events) == 1


FLUSHES = """
import sys, time, vedette, vedette.transport

class Quick(vedette.transport.Transport):
    def capture_envelope(self, envelope): time.sleep(0.0005)

client = vedette.init("http://key@127.0.0.1:9/1", transport=Quick)
sys.setswitchinterval(1e-6)
early = 0
for number in range(6000):
    client.capture_message("hello")
    for _ in range(number % 40): pass
    client.flush(5)
    early += client.stats().delivered != {"error": number + 1}
print(early)
"""


@pytest.mark.long
@pytest.mark.spec("TP-26", "CLI-23")
def test_a_flush_just_when_the_worker_takes_the_item_waits_for_it() -> None:
    """Before ``os._exit`` that makes the difference between delivered and lost; it went wrong once in 1 500 times."""
    ended = run_program(FLUSHES, timeout=50)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "0\n", "")
