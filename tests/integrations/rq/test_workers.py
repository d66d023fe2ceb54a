"""RQ workers whose jobs run in work horses, which end by ``os._exit``: what they captured arrives all the same."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.programs import run_forking_program
from tests.servers import RecordingServer, slowly

if TYPE_CHECKING:
    from pathlib import Path

rq = pytest.importorskip("rq")

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform == "win32", reason="needs fork")]

PROGRAM = """
import sys, redis, rq, vedette
from tests.integrations.rq import jobs

if __name__ == "__main__":
    vedette.init(sys.argv[1])
    connection = redis.Redis(host="127.0.0.1", port=int(sys.argv[2]))
    queue = rq.Queue("orders", connection=connection)
    {enqueue}
    rq.{worker}([queue], connection=connection).work(burst=True, logging_level="CRITICAL")
"""
THREE = "for number in range(3): queue.enqueue(jobs.{job}, number)"


def run(connection, enqueue: str, folder: Path, worker: str = "Worker") -> list[dict]:
    """The events that arrive of a worker that runs these jobs."""
    port = connection.connection_pool.connection_kwargs["port"]
    source = "import sys; sys.path.insert(0, '.')\n" + PROGRAM.format(enqueue=enqueue, worker=worker)
    with RecordingServer() as server:
        server.default = slowly(0.05)
        file = folder / "program.py"
        ended = run_forking_program(source, server.dsn(), str(port), file=file, timeout=60, warnings="ignore")
        assert ended.code == 0, ended.stderr
        return list(server.events)


@pytest.mark.spec("FW-rq-03", "PAIN-02")
def test_each_failure_arrives_once(connection, tmp_path: Path) -> None:
    events = run(connection, THREE.format(job="fail"), tmp_path)
    assert Counter(event["exception"]["values"][-1]["value"] for event in events) == {
        f"failure {number}": 1 for number in range(3)
    }
    for event in events:
        assert event["exception"]["values"][-1]["value"] == f"failure {event['tags']['number']}"


def test_so_does_what_a_job_captured_that_went_well(connection, tmp_path: Path) -> None:
    events = run(connection, 'for word in ("one", "two"): queue.enqueue(jobs.say, word)', tmp_path)
    assert Counter(event["logentry"]["formatted"] for event in events) == {"one": 1, "two": 1}


@pytest.mark.skipif(not hasattr(rq.Worker, "handle_work_horse_killed"), reason="RQ tells of it from 1.13 on")
def test_a_work_horse_that_is_lost_is_an_event_of_its_job(connection, tmp_path: Path) -> None:
    (event,) = run(connection, "queue.enqueue(jobs.vanish)", tmp_path)
    (value,) = event["exception"]["values"]
    assert value["type"] == "WorkHorseLost"
    assert "signal 9" in value["value"]
    assert event["transaction"] == "tests.integrations.rq.jobs.vanish"
    assert event["fingerprint"] == ["rq", "WorkHorseLost", "tests.integrations.rq.jobs.vanish"]


SPAWNED = """
import os, vedette
vedette.init(os.environ["TEST_DSN"])

def fail(number):
    raise ValueError(f"failure {number}")
"""


@pytest.mark.skipif(not hasattr(rq, "SpawnWorker"), reason="not in this RQ")
def test_a_work_horse_that_is_not_forked_delivers_if_the_module_of_its_job_calls_init(connection, tmp_path) -> None:
    (tmp_path / "spawned.py").write_text(SPAWNED)
    enqueue = "import os; os.environ['TEST_DSN'] = sys.argv[1]; queue.enqueue('spawned.fail', 7)"
    (event,) = run(connection, enqueue, tmp_path, worker="SpawnWorker")
    assert event["exception"]["values"][-1]["value"] == "failure 7"
    assert event["transaction"] == "spawned.fail"
