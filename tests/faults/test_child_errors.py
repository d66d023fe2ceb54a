"""What ends a child process is one event of that child, which prints and exits as it does without us (PAIN-19)."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.programs import run_forking_program, run_program
from tests.servers import RecordingServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.programs import Ended

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

LONG = pytest.mark.long
METHODS = ["fork", pytest.param("spawn", marks=LONG), pytest.param("forkserver", marks=LONG)]

# A child that is not forked imports this file, and has a client of its own.
UNGUARDED = """
import sys, vedette
if len(sys.argv) > 1:
    vedette.init(sys.argv[1])
"""
# Here it has none, unless vedette brings it about.
GUARDED = """
import sys, vedette
from vedette.integrations.multiprocessing import MultiprocessingIntegration

def configure():
    vedette.init(sys.argv[1], integrations=[MultiprocessingIntegration(child_init=configure)])

if __name__ == "__main__":
    configure()
"""
WORK = """
def fail(message):
    vedette.set_tag("child", message)
    raise ZeroDivisionError(message)

def end(code):
    vedette.capture_message("before the end")
    sys.exit(code)

def interrupt():
    raise KeyboardInterrupt
"""
MAIN = """
if __name__ == "__main__":
    import multiprocessing
    context = multiprocessing.get_context("{method}")
    {run}
"""


def run(source: str, folder: Path, **options: Any) -> tuple[Ended, list[dict[str, Any]]]:
    with RecordingServer() as server:
        ended = run_forking_program(source, server.dsn(), file=folder / "program.py", timeout=40, **options)
        return ended, server.events


def ends(events: list[dict[str, Any]]) -> Counter[tuple[str, str, str, bool]]:
    """Type, value and mechanism of what ended."""
    found: Counter[tuple[str, str, str, bool]] = Counter()
    for event in events:
        value = event["exception"]["values"][-1]
        mechanism = value["mechanism"]
        found[value["type"], value["value"], mechanism["type"], mechanism["handled"]] += 1
    return found


def of_child(message: str) -> tuple[str, str, str, bool]:
    return "ZeroDivisionError", message, "multiprocessing", False


@pytest.mark.spec("PAIN-19", "ERR-36", "ERR-41")
@pytest.mark.parametrize("method", METHODS)
def test_what_ends_a_child_is_one_event_with_its_data_and_output_and_exit_code_are_as_ever(
    method: str, tmp_path: Path
) -> None:
    process = """
    for target, args, code in ((fail, ("boom",), 1), (end, (3,), 3), (interrupt, (), 1)):
        child = context.Process(target=target, args=args, name="shop")
        child.start()
        child.join(20)
        assert child.exitcode == code, child.exitcode
"""
    source = WORK + MAIN.format(method=method, run=process)
    ended, events = run(UNGUARDED + source, tmp_path)
    messages = [event for event in events if "logentry" in event]
    assert [event["logentry"]["formatted"] for event in messages] == ["before the end"]
    [event] = [event for event in events if "logentry" not in event]
    assert ends([event]) == {of_child("boom"): 1}
    assert event["tags"] == {"child": "boom"}
    frames = [frame["function"] for frame in event["exception"]["values"][-1]["stacktrace"]["frames"]]
    assert [name.rpartition(".")[2] for name in frames] == ["_bootstrap", "run", "fail"]
    plain = run_without_us(source, tmp_path)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", plain.stderr)
    assert plain.stderr.count("Process shop:\n") == 2


def run_without_us(source: str, folder: Path) -> Ended:
    """The same program, at the same lines, with nothing in the place of vedette."""
    nothing = """
import sys, types
vedette = types.SimpleNamespace(set_tag=print, capture_message=lambda _: None)
vedette.set_tag = lambda *_: None
"""
    ended = run_forking_program(nothing + source, file=folder / "program.py", timeout=40)
    assert ended.code == 0
    return ended


@pytest.mark.spec("PAIN-19")
@pytest.mark.parametrize("method", METHODS)
def test_what_is_handed_back_to_the_parent_is_no_event_of_the_child(method: str, tmp_path: Path) -> None:
    pools = """
    from concurrent.futures import ProcessPoolExecutor
    with context.Pool(1) as pool:
        waiting = pool.apply_async(fail, ("pool",))
        try:
            waiting.get(20)
        except ZeroDivisionError as error:
            vedette.capture_exception(error)
        pool.close()
        pool.join()
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        vedette.capture_exception(executor.submit(fail, "executor").exception(20))
"""
    ended, events = run(UNGUARDED + WORK + MAIN.format(method=method, run=pools), tmp_path)
    assert (ended.code, ended.stderr) == (0, "")
    assert ends(events) == {("ZeroDivisionError", each, "generic", True): 1 for each in ("pool", "executor")}


@pytest.mark.spec("PAIN-19")
def test_a_worker_of_a_pool_that_cannot_begin_is_an_event(tmp_path: Path) -> None:
    """Nobody else would hear of it. The pool goes on to start new ones; each is an event."""
    pool = """
    pool = context.Pool(1, initializer=fail, initargs=("initializer",))
    pool._pool[0].join(20)
    pool.terminate()
    pool.join()
"""
    _, events = run(UNGUARDED + WORK + MAIN.format(method="fork", run=pool), tmp_path)
    found = ends(events)
    assert set(found) == {of_child("initializer")}


@pytest.mark.long
@pytest.mark.spec("PAIN-19")
def test_a_client_that_begins_in_the_child_hears_of_its_end(tmp_path: Path) -> None:
    source = """
import multiprocessing, sys, vedette

def work(dsn):
    vedette.init(dsn)
    raise ZeroDivisionError("boom")

if __name__ == "__main__":
    for method in ("fork", "spawn"):
        child = multiprocessing.get_context(method).Process(target=work, args=(sys.argv[1],))
        child.start()
        child.join(20)
"""
    _, events = run(source, tmp_path)
    assert ends(events) == {of_child("boom"): 2}


@pytest.mark.spec("PAIN-19")
def test_children_of_children_are_heard_of_once_each(tmp_path: Path) -> None:
    source = """
def outer():
    child = context.Process(target=fail, args=("inner",))
    child.start()
    child.join(20)
    raise ZeroDivisionError("outer")
"""
    main = """
    child = context.Process(target=outer)
    child.start()
    child.join(20)
    raise ZeroDivisionError("main")
"""
    ended, events = run(UNGUARDED + WORK + source + MAIN.format(method="fork", run=main), tmp_path)
    assert ended.code == 1
    found = ends(events)
    assert found == {
        of_child("inner"): 1,
        of_child("outer"): 1,
        ("ZeroDivisionError", "main", "auto.python.excepthook", False): 1,
    }


@pytest.mark.spec("PAIN-19")
def test_what_ends_a_child_of_billiard_is_an_event(tmp_path: Path) -> None:
    source = """
if __name__ == "__main__":
    import billiard
    child = billiard.get_context("fork").Process(target=fail, args=("boom",))
    child.start()
    child.join(20)
    assert child.exitcode == 1, child.exitcode
"""
    _, events = run(UNGUARDED + WORK + source, tmp_path, warnings="ignore")  # billiard's own warnings
    assert ends(events) == {of_child("boom"): 1}


@pytest.mark.spec("PAIN-19")
def test_after_close_and_without_the_integration_nothing_is_captured(tmp_path: Path) -> None:
    source = """
import multiprocessing, sys, vedette
from vedette.integrations.multiprocessing import MultiprocessingIntegration

def fail():
    raise ZeroDivisionError

def start():
    child = multiprocessing.get_context("fork").Process(target=fail)
    child.start()
    child.join(20)

if __name__ == "__main__":
    vedette.init(sys.argv[1], disabled_integrations=[MultiprocessingIntegration()])
    start()
    client = vedette.init(sys.argv[1])
    client.close()
    start()
"""
    _, events = run(source, tmp_path)
    assert events == []


# --- children that are not forked, and would have no client ------------------------------------------------

EVERY_KIND = """
    from concurrent.futures import ProcessPoolExecutor
    child = context.Process(target=fail, args=("process",))
    child.start()
    assert "_vedette_child_init" not in vars(child)
    child.join(20)
    with context.Pool(1) as pool:
        pool.map(vedette.capture_message, ["pool"])
        pool.close()
        pool.join()
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        executor.submit(vedette.capture_message, "executor").result(20)
"""


@pytest.mark.spec("PAIN-19")
@pytest.mark.parametrize("method", ["spawn", *(pytest.param(each, marks=LONG) for each in ("fork", "forkserver"))])
def test_child_init_gives_a_client_to_children_that_have_none(method: str, tmp_path: Path) -> None:
    _, events = run(GUARDED + WORK + MAIN.format(method=method, run=EVERY_KIND), tmp_path)
    messages = [event["logentry"]["formatted"] for event in events if "logentry" in event]
    assert sorted(messages) == ["executor", "pool"]
    assert ends([event for event in events if "logentry" not in event]) == {of_child("process"): 1}


@pytest.mark.long
@pytest.mark.spec("PAIN-19")
def test_child_init_gives_a_client_to_the_workers_of_joblib(tmp_path: Path) -> None:
    source = """
if __name__ == "__main__":
    import joblib
    joblib.Parallel(n_jobs=2)(joblib.delayed(vedette.capture_message)(f"task {n}") for n in range(4))
"""
    _, events = run(GUARDED + source, tmp_path, warnings="ignore")  # joblib's own warnings
    assert sorted(event["logentry"]["formatted"] for event in events) == [f"task {n}" for n in range(4)]


@pytest.mark.long
def test_without_it_they_have_none(tmp_path: Path) -> None:
    """What the test above would see if it proved nothing."""
    source = GUARDED.replace("child_init=configure", "")
    _, events = run(source + WORK + MAIN.format(method="spawn", run=EVERY_KIND), tmp_path)
    assert events == []


@pytest.mark.long
@pytest.mark.spec("PAIN-19", "PAIN-33")
def test_a_child_init_that_raises_is_warned_of_and_the_child_does_its_work(tmp_path: Path) -> None:
    source = """
import logging, multiprocessing, sys, vedette
from vedette.integrations.multiprocessing import MultiprocessingIntegration
logging.basicConfig(format="%(levelname)s %(message)s")

def configure():
    raise ZeroDivisionError("no client")

def work():
    print("done", flush=True)

if __name__ == "__main__":
    vedette.init(sys.argv[1], integrations=[MultiprocessingIntegration(child_init=configure)])
    child = multiprocessing.get_context("spawn").Process(target=work)
    child.start()
    child.join(20)
    assert child.exitcode == 0, child.exitcode
"""
    ended, events = run(source, tmp_path)
    assert (ended.code, ended.stdout, events) == (0, "done\n", [])
    assert "WARNING child_init (__mp_main__.configure) raised" in ended.stderr


def test_nothing_of_multiprocessing_is_imported_by_init() -> None:
    source = """
import sys, vedette
from vedette.testing import MemoryTransport
client = vedette.init("http://key@localhost/1", transport=MemoryTransport())
assert not any(name.partition(".")[0] == "multiprocessing" for name in sys.modules)
assert client.get_integration("multiprocessing") is None
import multiprocessing
assert client.get_integration("multiprocessing") is not None
assert "multiprocessing.util" not in sys.modules
"""
    assert run_program(source).stderr == ""


def test_the_end_of_a_process_costs_no_traceback_where_its_finalizers_are_run_by_hand() -> None:
    source = """
import multiprocessing.util, vedette
from vedette.testing import MemoryTransport
transport = MemoryTransport()
vedette.init("http://key@localhost/1", transport=transport)
multiprocessing.util._exit_function()
assert transport.events == []
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, timeout=30, check=True)
    assert done.stderr == b""
