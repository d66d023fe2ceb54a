"""Programs that fork: each process delivers what it captured itself, once, and the fork is the program's own affair.

The programs print their warnings, so a worker that still lives at a fork is seen on stderr (3.12+).
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.programs import run_forking_program, side_by_side
from tests.servers import Answer, RecordingServer

if TYPE_CHECKING:
    from tests.servers import Request

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

START = """
import os, sys, time, vedette
client = vedette.init(sys.argv[1])

def forked(work):
    pid = os.fork()
    if not pid:
        work()
        sys.exit(0)
    return pid

def ended(pid, seconds=15):
    deadline = time.monotonic() + seconds
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(pid, 9)
            sys.exit(f"{pid} hung")
        time.sleep(0.005)
"""


def texts(server: RecordingServer) -> Counter[str]:
    return Counter(event["logentry"]["formatted"] for event in server.events)


def hold_parents(gate: threading.Event):
    """Answer what children captured; what the parent did, only once the gate is open."""

    def answer(request: Request) -> Answer:
        return Answer(gate=gate) if b'"parent' in request.body else Answer()

    return answer


LEAVES = {
    "sys.exit": "vedette.capture_message('child'); sys.exit(0)",
    "sys.exit in a thread's target": """
    import threading
    thread = threading.Thread(target=vedette.capture_message, args=("child",))
    thread.start()
    thread.join()
    sys.exit(0)""",
    "os._exit after flush": "vedette.capture_message('child'); vedette.flush(5); os._exit(0)",
    "os._exit after close": "vedette.capture_message('child'); client.close(5); os._exit(0)",
}


@pytest.mark.spec("PAIN-02", "PAIN-04")
@pytest.mark.parametrize("before", ["nothing", "delivered", "just captured"])
def test_a_forked_child_delivers_however_it_leaves_and_whatever_the_parent_did_before(before: str) -> None:
    lead = {
        "nothing": "",
        "delivered": "vedette.capture_message('parent'); vedette.flush(5)",
        "just captured": "vedette.capture_message('parent')",
    }[before]

    cold = before == "just captured"

    def run(leave: str) -> None:
        source = f"""{START}
def work():
    stats = client.stats()
    assert not (stats.captured or stats.delivered or stats.dropped or stats.waiting), stats
    {leave}
{lead}
ended(forked(work))
vedette.capture_message("parent, after")
vedette.flush(5)
print(dict(client.stats().captured))
"""
        with RecordingServer() as server:
            # The worker is seen at a fork while it imports what sending needs, which takes longer than 50 ms.
            ended = run_forking_program(source, server.dsn(), warnings="ignore" if cold else "always")
            assert (ended.code, ended.stderr) == (0, "")
            parents = {"parent": 1} if lead else {}
            assert texts(server) == {"child": 1, "parent, after": 1, **parents}
        assert ended.stdout == str({"error": 1 + bool(lead)}) + "\n"

    side_by_side(run, LEAVES.values())


@pytest.mark.spec("PAIN-02")
def test_an_uncaught_error_of_a_forked_child_arrives() -> None:
    source = START + "vedette.capture_message('parent')\nended(forked(lambda: 1 / 0))"
    with RecordingServer() as server:
        ended = run_forking_program(source, server.dsn())
        assert ended.code == 0
        assert ended.stderr.endswith("ZeroDivisionError: division by zero\n")
        assert ended.stderr.count("Traceback") == 1
        kinds = [event["exception"]["values"][0]["type"] for event in server.events if "exception" in event]
        assert kinds == ["ZeroDivisionError"]
        assert len(server.events) == 2


@pytest.mark.long
@pytest.mark.spec("PAIN-02")
def test_what_waits_or_is_in_flight_at_a_fork_stays_the_parents() -> None:
    source = (
        START
        + """
for number in range(5):
    vedette.capture_message(f"parent {number}")
deadline = time.monotonic() + 10
while "urllib3" not in sys.modules and time.monotonic() < deadline:
    time.sleep(0.001)

def work():
    assert not client.stats().waiting, client.stats()
    for number in range(3):
        vedette.capture_message(f"child {number}")

begin = time.monotonic()
pid = forked(work)
seconds = time.monotonic() - begin
ended(pid)
print(seconds, flush=True)
vedette.flush(10)
"""
    )
    gate = threading.Event()
    with RecordingServer() as server:
        server.default = hold_parents(gate)
        opening = threading.Timer(3.0, gate.set)
        opening.start()
        # A request in flight cannot leave within the 50 ms that a fork waits: here the warning may come.
        ended = run_forking_program(source, server.dsn(), warnings="ignore")
        opening.cancel()
        assert (ended.code, ended.stderr) == (0, "")
        assert texts(server) == dict.fromkeys(
            [f"parent {number}" for number in range(5)] + [f"child {number}" for number in range(3)], 1
        )
    assert float(ended.stdout) < 1.5, "the fork waits for the worker at most 50 ms, for its imports 1 s"


@pytest.mark.spec("PAIN-02")
def test_children_of_children_and_children_forked_by_threads_deliver() -> None:
    source = (
        START
        + """
import threading

def grandchild():
    vedette.capture_message("grandchild")

def child():
    vedette.capture_message("child")
    ended(forked(grandchild))
    vedette.capture_message("child, after")

vedette.capture_message("parent")
ended(forked(child))

def in_a_thread():
    pid = os.fork()
    if not pid:
        vedette.capture_message("child of a thread")
        vedette.flush(5)
        os._exit(0)
    ended(pid)

thread = threading.Thread(target=in_a_thread)
thread.start()
thread.join()
"""
    )
    with RecordingServer() as server:
        ended = run_forking_program(source, server.dsn(), warnings="ignore")  # the program has a thread itself
        assert (ended.code, ended.stderr) == (0, "")
        assert texts(server) == {
            "parent": 1,
            "child": 1,
            "child, after": 1,
            "grandchild": 1,
            "child of a thread": 1,
        }


@pytest.mark.spec("PAIN-02")
def test_a_child_forked_by_c_code_without_pythons_hooks_delivers_and_starts_at_zero() -> None:
    """As uWSGI and embedding programs fork. ``PyDLL`` keeps the interpreter lock, so the child has it."""
    source = (
        START
        + """
import ctypes
vedette.capture_message("parent")
vedette.flush(5)
pid = ctypes.PyDLL(None).fork()
if not pid:
    assert not client.stats().captured, client.stats()
    vedette.capture_message("child")
    assert client.stats().captured == {"error": 1}, client.stats()
    vedette.flush(5)
    assert client.stats().delivered == {"error": 1}, client.stats()
    os._exit(0)
ended(pid)
print(client.stats().captured["error"])
"""
    )
    with RecordingServer() as server:
        ended = run_forking_program(source, server.dsn())
        assert (ended.code, ended.stdout, ended.stderr) == (0, "1\n", "")
        assert texts(server) == {"parent": 1, "child": 1}


@pytest.mark.spec("PAIN-02", "PAIN-13")
def test_a_duplicate_counts_in_the_process_that_saw_it_twice_however_it_was_forked() -> None:
    source = (
        START
        + """
import ctypes
error = ValueError("seen by both")
vedette.capture_exception(error)
vedette.capture_exception(error)
for fork in (os.fork, ctypes.PyDLL(None).fork):
    pid = fork()
    if not pid:
        for expected in ({}, {"event_processor": 1}, {"event_processor": 2}):
            vedette.capture_exception(error)
            stats = client.stats()
            assert dict(stats.dropped.get("error", {})) == expected, stats
        assert stats.captured == {"error": 3}, stats
        os._exit(0)
    ended(pid)
stats = client.stats()
print(stats.captured["error"], dict(stats.dropped["error"]))
"""
    )
    with RecordingServer() as server:
        ended = run_forking_program(source, server.dsn())
        assert (ended.code, ended.stdout, ended.stderr) == (0, "2 {'event_processor': 1}\n", "")


@pytest.mark.spec("PAIN-02", "PAIN-44")
def test_a_rate_limit_is_known_in_a_forked_child_but_its_cost_is_not_the_childs() -> None:
    source = (
        START
        + """
vedette.capture_message("parent")
vedette.flush(5)
assert client.stats().refused == {"error": 1}, client.stats()

def work():
    assert not client.stats().refused
    vedette.capture_message("child")
    vedette.flush(5)
    stats = client.stats()
    print({category: dict(reasons) for category, reasons in stats.dropped.items()}, flush=True)

ended(forked(work))
"""
    )
    with RecordingServer() as server:
        server.answer(status=429, headers=(("Retry-After", "60"),))
        ended = run_forking_program(source, server.dsn())
        assert (ended.code, ended.stderr) == (0, "")
        assert texts(server) == {"parent": 1}
    assert ended.stdout == "{'error': {'ratelimit_backoff': 1}}\n"


IMPORTED_BY_THE_WORKER = ("msgspec", "urllib3", "urllib3.connection", "ssl", "certifi", "http.client")


@pytest.mark.long
@pytest.mark.spec("PAIN-02")
def test_a_fork_in_the_middle_of_the_workers_imports_leaves_a_child_that_works() -> None:
    def run(module: str) -> None:
        source = f"""{START}
sys.setswitchinterval(1e-5)
vedette.capture_message("parent")
deadline = time.monotonic() + 10
while {module!r} not in sys.modules and time.monotonic() < deadline:
    pass
ended(forked(lambda: vedette.capture_message("child")))
"""
        with RecordingServer() as server:
            ended = run_forking_program(source, server.dsn(), warnings="ignore")  # the worker may be seen
            assert (ended.code, ended.stderr) == (0, ""), module
            assert texts(server) == {"parent": 1, "child": 1}

    side_by_side(run, IMPORTED_BY_THE_WORKER, most=2)


@pytest.mark.spec("PAIN-02")
@pytest.mark.parametrize(
    "module",
    [
        "urllib3.poolmanager",
        *(pytest.param(module, marks=pytest.mark.long) for module in ("msgspec", "urllib3", "urllib3.util")),
    ],
)
def test_imports_that_take_longer_than_a_fork_waits_leave_a_child_that_works(module: str) -> None:
    """A slow loader stands in for a slow disk, or a busy machine. The child has to do these imports anew."""
    source = f"""
import importlib.machinery, os, sys, threading
at_it = threading.Event()
class Slow:
    def find_spec(self, name, path, target=None):
        if name != {module!r} or at_it.is_set():
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module
        def load_slowly(module):
            at_it.set()
            threading.Event().wait(2.5)
            load(module)
        spec.loader.exec_module = load_slowly
        return spec
{START}
sys.meta_path.insert(0, Slow())
vedette.capture_message("parent")
assert at_it.wait(10)
begin = time.monotonic()
pid = forked(lambda: vedette.capture_message("child"))
print(time.monotonic() - begin, flush=True)
ended(pid)
vedette.flush(10)
"""
    with RecordingServer() as server:
        ended = run_forking_program(source, server.dsn(), warnings="ignore")
        assert (ended.code, ended.stderr) == (0, "")
        assert texts(server) == {"parent": 1, "child": 1}
    assert float(ended.stdout) < 1.5, "a fork waits for 1 s at most"


@pytest.mark.spec("PAIN-02")
def test_a_fork_right_after_a_capture_does_not_warn_of_our_thread() -> None:
    """But for the few that a busy machine leaves no turn within the 50 ms that a fork may wait for it."""
    source = (
        START
        + """
vedette.capture_message("first")
vedette.flush(5)
for number in range(40):
    vedette.capture_message(str(number))
    time.sleep(number * 0.0002)
    pid = os.fork()
    if not pid:
        os._exit(0)
    ended(pid)
vedette.flush(10)
"""
    )
    with RecordingServer() as server:
        ended = run_forking_program(source, server.dsn())
        assert ended.code == 0
        noise = [line for line in ended.stderr.splitlines() if "fork()" not in line]
        assert noise == []
        assert ended.stderr.count("multi-threaded") <= 10, "of 40"
        assert texts(server) == dict.fromkeys(["first", *map(str, range(40))], 1)


@pytest.mark.spec("PAIN-02")
def test_a_fork_right_after_the_first_capture_waits_for_the_imports_of_our_thread_so_as_not_to_warn() -> None:
    """As with gunicorn's ``--preload`` and a capture at import. Once: a machine may be too busy at any one time."""
    source = START + "vedette.capture_message('first')\nended(forked(lambda: os._exit(0)))"

    def run(_: int) -> str:
        with RecordingServer() as server:
            ended = run_forking_program(source, server.dsn())
            assert ended.code == 0
            assert texts(server) == {"first": 1}
            return ended.stderr

    assert "" in side_by_side(run, range(4), most=1).values()


@pytest.mark.long
@pytest.mark.spec("PAIN-02")
def test_a_child_forked_while_other_threads_hold_our_locks_can_use_everything() -> None:
    """Threads that change scopes, capture, flush and ask; the children do the same, under a watchdog."""
    source = """
import faulthandler, os, sys, threading, time, vedette
client = vedette.init(sys.argv[1], transport_queue_size=10_000, max_breadcrumbs=10)
stopped = threading.Event()
scope = vedette.get_global_scope()

def use_everything(name):
    scope.set_tag("name", name)
    scope.set_context("name", {"of": name})
    vedette.add_breadcrumb(message=name)
    with vedette.isolation_scope() as isolation:
        isolation.set_user({"id": name})
        isolation.set_extra("name", name)
        vedette.get_client().stats()
        if name == "child":
            vedette.capture_message(name)
        else:
            client.stats()

def work():
    while not stopped.is_set():
        use_everything("parent")

vedette.capture_message("parent")
vedette.flush(5)
sys.setswitchinterval(1e-4)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for number in range(40):
    pid = os.fork()
    if not pid:
        faulthandler.dump_traceback_later(10, exit=True)
        use_everything("child")
        vedette.flush(8)
        if client.stats().delivered != {"error": 1}:
            print(client.stats(), flush=True)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        break
stopped.set()
for thread in threads:
    thread.join()
scope.clear()
print(code)
"""
    with RecordingServer() as server:
        ended = run_forking_program(source, server.dsn(), warnings="ignore", timeout=40)
        assert (ended.code, ended.stdout, ended.stderr) == (0, "0\n", "")
        assert texts(server) == {"parent": 1, "child": 40}


UNDER_LOAD = """
import faulthandler, os, sys, threading, time, vedette
client = vedette.init(sys.argv[1], transport_queue_size=100_000, shutdown_timeout=20)
forks, at_once = int(sys.argv[2]), 8
stopped = threading.Event()
captured = [0] * 4

def work(index):
    while not stopped.wait(0.02):
        vedette.capture_message(f"parent {index} {captured[index]}")
        captured[index] += 1

def reap(children, most):
    while len(children) > most:
        pid, status = os.waitpid(-1, 0)
        children.remove(pid)
        codes[os.waitstatus_to_exitcode(status)] = codes.get(os.waitstatus_to_exitcode(status), 0) + 1

vedette.capture_message("parent")
vedette.flush(10)
threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
for thread in threads:
    thread.start()
codes, children = {}, []
for number in range(forks):
    pid = os.fork()
    if not pid:
        faulthandler.dump_traceback_later(25, exit=True)
        assert not client.stats().captured, client.stats()
        vedette.capture_message(f"child {number}")
        if number % 4:
            client.close()
            os._exit(0)
        sys.exit(0)
    children.append(pid)
    reap(children, at_once - 1)
reap(children, 0)
stopped.set()
for thread in threads:
    thread.join()
vedette.flush(20)
print(codes, sum(captured) + 1, dict(client.stats().delivered))
"""


@pytest.mark.parametrize("forks", [10, pytest.param(500, marks=[pytest.mark.long, pytest.mark.timeout(180)])])
@pytest.mark.spec("PAIN-02")
def test_forks_while_four_threads_capture(forks: int) -> None:
    """No child hangs, nothing arrives twice, everything arrives."""
    with RecordingServer() as server:
        ended = run_forking_program(UNDER_LOAD, server.dsn(), str(forks), warnings="ignore", timeout=170)
        assert (ended.code, ended.stderr) == (0, "")
        arrived = texts(server)
    codes, captured, delivered = ended.stdout.strip().replace("} ", "}|").replace(" {", "|{").split("|")
    assert codes == f"{{0: {forks}}}"
    assert delivered == f"{{'error': {captured}}}"
    assert max(arrived.values()) == 1
    assert sum(text.startswith("child") for text in arrived) == forks
    assert sum(text.startswith("parent") for text in arrived) == int(captured)
