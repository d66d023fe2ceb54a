"""Processes that end without ``atexit``: children of ``multiprocessing`` deliver nevertheless."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.servers import RecordingServer

if TYPE_CHECKING:
    from pathlib import Path

JOBS = """
import multiprocessing, sys
import vedette

def job(url, number):
    if vedette.get_client().dsn is None:
        vedette.init(url)  # of a child that was not forked
    vedette.capture_message(f"child {number}")

if __name__ == "__main__":
    vedette.init(sys.argv[1])
    vedette.capture_message("parent")
    context = multiprocessing.get_context(sys.argv[2])
    processes = [context.Process(target=job, args=(sys.argv[1], number)) for number in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    with context.Pool(2) as pool:
        pool.starmap(job, [(sys.argv[1], number) for number in range(2, 6)])
        pool.close()
        pool.join()
    assert all(process.exitcode == 0 for process in processes)
"""


@pytest.mark.spec("PAIN-19", "PAIN-02")
@pytest.mark.parametrize(
    "method",
    [
        pytest.param("fork", marks=pytest.mark.skipif(sys.platform == "win32", reason="needs fork")),
        pytest.param("spawn", marks=pytest.mark.long),
        pytest.param("forkserver", marks=pytest.mark.long),
    ],
)
def test_children_of_multiprocessing_deliver_at_their_end(tmp_path: Path, method: str) -> None:
    script = tmp_path / "program.py"
    script.write_text(JOBS)
    with RecordingServer() as server:
        ended = subprocess.run(
            [sys.executable, str(script), server.dsn(), method], capture_output=True, text=True, timeout=60, check=False
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        found = sorted(event["logentry"]["formatted"] for event in server.events)
        assert found == [*(f"child {number}" for number in range(6)), "parent"]
