"""Children of ``multiprocessing`` and its like: they leave by ``os._exit``; what they captured arrives all the same.

The server takes its time, so that each child has something left to send when its work is done.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.programs import run_forking_program
from tests.servers import RecordingServer, never, slowly

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

CAPTURES = 40

# A child that is not forked imports this file, and has a client of its own.
PROGRAM = """
import sys, vedette
client = vedette.init(sys.argv[1])

def task(number):
    vedette.capture_message(f"task {{number}}")

def tasks(numbers):
    for number in numbers:
        task(number)

def processes(context):
    children = [context.Process(target=tasks, args=(range(first, 40, 4),)) for first in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(20)
        assert child.exitcode == 0, child.exitcode

def pool(context, **options):
    pool = context.Pool(4, **options)
    pool.map(task, range(40), chunksize=2)
    pool.close()
    pool.join()

def executor(context):
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(4, mp_context=context) as executor:
        list(executor.map(task, range(40)))

if __name__ == "__main__":
    vedette.capture_message("parent")
    vedette.flush(10)
    {run}
    vedette.capture_message("parent, after")
"""

EVERYTHING = dict.fromkeys(["parent", "parent, after", *(f"task {number}" for number in range(CAPTURES))], 1)


def arrived(server: RecordingServer) -> Counter[str]:
    return Counter(event["logentry"]["formatted"] for event in server.events)


def run(program: str, folder: Path, *, warnings: str = "always") -> Counter[str]:
    """What arrives of a program that must end well and say nothing."""
    with RecordingServer() as server:
        server.default = slowly(0.05)
        ended = run_forking_program(program, server.dsn(), warnings=warnings, file=folder / "program.py", timeout=40)
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
        return arrived(server)


@pytest.mark.spec("PAIN-02", "PAIN-19")
@pytest.mark.parametrize("work", ["processes", "pool", "executor"])
@pytest.mark.parametrize(
    "method", ["fork", *(pytest.param(method, marks=pytest.mark.long) for method in ("forkserver", "spawn"))]
)
def test_children_of_multiprocessing_deliver_everything(method: str, work: str, tmp_path: Path) -> None:
    source = PROGRAM.format(run=f"import multiprocessing; {work}(multiprocessing.get_context({method!r}))")
    assert run(source, tmp_path) == EVERYTHING


@pytest.mark.spec("PAIN-19")
def test_children_that_do_one_task_each_deliver_it(tmp_path: Path) -> None:
    context = "import multiprocessing; context = multiprocessing.get_context('fork')"
    source = PROGRAM.format(run=f"{context}; pool(context, maxtasksperchild=1)")
    assert run(source, tmp_path, warnings="ignore") == EVERYTHING  # the pool forks beside threads of its own


@pytest.mark.spec("PAIN-02", "PAIN-19")
@pytest.mark.parametrize("work", ["processes", "pool"])
def test_children_of_billiard_deliver_everything(work: str, tmp_path: Path) -> None:
    source = PROGRAM.format(run=f"import billiard; {work}(billiard.get_context('fork'))")
    assert run(source, tmp_path, warnings="ignore") == EVERYTHING  # billiard's own warnings


@pytest.mark.long
@pytest.mark.spec("PAIN-19")
def test_children_of_joblib_deliver_everything(tmp_path: Path) -> None:
    source = PROGRAM.format(
        run="""
    import joblib

    def in_a_client_of_its_own(number, dsn):
        if not vedette.get_client().is_active():
            vedette.init(dsn)
        vedette.capture_message(f"task {number}")

    run = joblib.delayed(in_a_client_of_its_own)
    joblib.Parallel(n_jobs=2)(run(number, sys.argv[1]) for number in range(40))
"""
    )
    assert run(source, tmp_path, warnings="ignore") == EVERYTHING


@pytest.mark.spec("PAIN-19")
def test_a_manager_beside_a_client_does_not_hang(tmp_path: Path) -> None:
    source = """
import multiprocessing, sys, vedette

def task(shared):
    vedette.capture_message("task")
    shared.append(1)

if __name__ == "__main__":
    vedette.init(sys.argv[1])
    vedette.capture_message("parent")
    vedette.flush(10)
    with multiprocessing.get_context("fork").Manager() as manager:
        shared = manager.list()
        child = multiprocessing.get_context("fork").Process(target=task, args=(shared,))
        child.start()
        child.join(20)
        assert list(shared) == [1]
"""
    assert run(source, tmp_path) == {"parent": 1, "task": 1}


@pytest.mark.spec("PAIN-16", "PAIN-19")
def test_a_child_whose_server_never_answers_leaves_within_shutdown_timeout(tmp_path: Path) -> None:
    source = """
import multiprocessing, sys, time, vedette

def task():
    vedette.capture_message("task")

if __name__ == "__main__":
    vedette.init(sys.argv[1], shutdown_timeout=0.5)
    child = multiprocessing.get_context("fork").Process(target=task)
    start = time.monotonic()
    child.start()
    child.join(20)
    assert child.exitcode == 0, child.exitcode
    print(time.monotonic() - start)
"""
    with RecordingServer() as server:
        server.default = never()
        ended = run_forking_program(source, server.dsn(), file=tmp_path / "program.py")
        assert (ended.code, ended.stderr) == (0, "")
    assert 0.4 < float(ended.stdout) < 0.5 + 0.3 + 0.5, "half a second more: the child forks and imports, too"
