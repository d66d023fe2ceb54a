"""Celery workers in processes of their own: each failure arrives once, wherever `init` is called."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.integrations.celery.workers import worker
from tests.programs import side_by_side
from tests.servers import RecordingServer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform == "win32", reason="needs fork"),
    pytest.mark.timeout(120),
]

FORKS = ["--pool", "prefork", "--concurrency", "2"]
POOLS = {
    "prefork": FORKS,
    "recycled": [*FORKS, "--max-tasks-per-child", "1"],
    "threads": ["--pool", "threads", "--concurrency", "2"],
    "solo": ["--pool", "solo"],
    "gevent": ["--pool", "gevent", "--concurrency", "2"],
}


def failures(server: RecordingServer) -> Counter[tuple[str, str]]:
    """Type and text of what arrived."""
    return Counter(
        (value["type"], value["value"]) for event in server.events for value in event["exception"]["values"][-1:]
    )


def the_event(server: RecordingServer) -> Any:
    (event,) = server.events
    return event


@pytest.mark.spec("PAIN-11", "PAIN-14", "PAIN-07", "FW-celery-02")
@pytest.mark.parametrize(
    ("init", "pools"),
    [
        ("module", list(POOLS)),
        ("celeryd_init", list(POOLS)),
        ("worker_init", list(POOLS)),
        ("worker_process_init", ["prefork", "recycled"]),
        ("celeryd_init worker_process_init", ["prefork", "recycled"]),
    ],
)
def test_each_failure_arrives_once_whatever_runs_the_tasks(init: str, pools: list[str], tmp_path: Path) -> None:
    def run(pool: str) -> list[tuple[str, str, str]]:
        folder = tmp_path / pool
        folder.mkdir()
        return _three_failures(pool, init, folder)

    expected = sorted((f"failure {number}", str(number), "shop.fail") for number in range(3))
    assert side_by_side(run, pools) == dict.fromkeys(pools, expected)


def _three_failures(pool: str, init: str, folder: Path) -> list[tuple[str, str, str]]:
    """Text, tag and transaction of what arrives."""
    with RecordingServer() as server:
        with worker(folder, server.dsn(), *POOLS[pool], init=init) as celery:
            celery.queue("for number in range(3): fail.delay(number)")
            celery.until(lambda: len(server.events) >= 3)
            celery.stop()
        return sorted(
            (event["exception"]["values"][-1]["value"], event["tags"]["number"], event["transaction"])
            for event in server.events
        )


@pytest.mark.spec("PAIN-11", "PAIN-02")
@pytest.mark.parametrize("pool", ["prefork", "recycled"])
def test_what_a_process_captured_arrives_though_it_ends_at_once(pool: str, tmp_path: Path) -> None:
    with RecordingServer() as server:
        with worker(tmp_path, server.dsn(), *POOLS[pool]) as celery:
            celery.queue("for number in range(3): say.delay(number)")
            celery.until(lambda: celery.running.stderr.count(" succeeded in ") == 3)
            celery.stop()
        assert Counter(event["logentry"]["formatted"] for event in server.events) == {
            f"said {number}": 1 for number in range(3)
        }


@pytest.mark.spec("PAIN-11")
@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "sys.exit(4)"])
def test_a_lost_process_is_an_event_of_its_task(end: str, tmp_path: Path) -> None:
    app = f"""
    @app.task(name="shop.vanish")
    def vanish(order):
        {end}
    """
    with RecordingServer() as server:
        with worker(tmp_path, server.dsn(), *FORKS, app=app) as celery:
            celery.queue("vanish.delay(7)")
            celery.until(lambda: server.events)
            celery.stop()
        event = the_event(server)
        (value,) = event["exception"]["values"]
        assert value["type"] == "WorkerLostError"
        assert event["transaction"] == "shop.vanish"
        assert event["fingerprint"] == ["celery", "WorkerLostError", "shop.vanish"]
        assert event["contexts"]["celery-job"]["args"] == [7]


SLOW = """
@app.task(name="shop.wait", soft_time_limit={soft}, time_limit={hard})
def wait():
    time.sleep(60)
"""


@pytest.mark.parametrize(("soft", "hard", "name"), [(1, 20, "SoftTimeLimitExceeded"), (None, 1, "TimeLimitExceeded")])
def test_a_time_limit_is_one_event_of_its_task(soft: int | None, hard: int, name: str, tmp_path: Path) -> None:
    with RecordingServer() as server:
        with worker(tmp_path, server.dsn(), *FORKS, app=SLOW.format(soft=soft, hard=hard)) as celery:
            celery.queue("wait.delay()")
            celery.until(lambda: server.events)
            celery.stop()
        event = the_event(server)
        assert event["exception"]["values"][-1]["type"] == name
        assert event["transaction"] == "shop.wait"
        assert event["fingerprint"] == ["celery", name, "shop.wait"]


def test_what_tasks_say_by_raising_is_no_failure(tmp_path: Path) -> None:
    app = """
    @app.task(name="shop.raise_it", bind=True, throws=(LookupError,), max_retries=1)
    def raise_it(self, name):
        if name == "Retry" and not self.request.retries:
            raise self.retry(countdown=0)
        if name == "Ignore":
            raise Ignore()
        if name == "Reject":
            raise Reject("no", requeue=False)
        if name == "KeyError":
            raise KeyError(name)
        vedette.capture_message(f"done {name}")
    """
    with RecordingServer() as server:
        with worker(tmp_path, server.dsn(), *FORKS, app=app) as celery:
            celery.queue("for name in ('Retry', 'Ignore', 'Reject', 'KeyError', 'None'): raise_it.delay(name)")
            celery.until(lambda: len(server.events) >= 2)
            celery.stop()
        assert sorted(event["logentry"]["formatted"] for event in server.events) == ["done None", "done Retry"]


@pytest.mark.spec("PAIN-11")
def test_init_after_the_fork_is_too_late_and_said_once(tmp_path: Path) -> None:
    with RecordingServer() as server, worker(tmp_path, server.dsn(), *FORKS, init="worker_ready") as celery:
        celery.running.wait_for("vedette.init was called in a Celery worker whose processes are running")
        celery.queue("fail.delay(1)")
        celery.running.wait_for("raised unexpected")
        celery.stop()
        assert celery.running.stderr.count("vedette.init was called") == 1


@pytest.mark.parametrize("init", ["module", "celeryd_init", "worker_init", "worker_process_init"])
def test_init_in_time_says_nothing(init: str, tmp_path: Path) -> None:
    with RecordingServer() as server, worker(tmp_path, server.dsn(), *FORKS, init=init) as celery:
        celery.queue("fail.delay(1)")
        celery.until(lambda: server.events)
        celery.stop()
        assert "vedette" not in celery.running.stderr


@pytest.mark.spec("FW-celery-03", "FW-celery-08")
def test_a_failure_belongs_to_the_trace_of_the_program_that_queued_the_task(tmp_path: Path) -> None:
    with RecordingServer() as server:
        with worker(tmp_path, server.dsn(), *FORKS) as celery:
            celery.queue("init()", "vedette.capture_message('queued')", "fail.delay(1)")
            celery.until(lambda: len(server.events) >= 2)
            celery.stop()
        queued, failure = sorted(server.events, key=lambda event: "exception" in event)
        assert failure["contexts"]["trace"]["trace_id"] == queued["contexts"]["trace"]["trace_id"]
        assert failure["contexts"]["trace"]["parent_span_id"] == queued["contexts"]["trace"]["span_id"]


@pytest.mark.spec("FW-celery-11")
@pytest.mark.parametrize("init", ["module", "beat_init celeryd_init"])
def test_tasks_of_beat_each_have_a_trace_of_their_own(init: str, tmp_path: Path) -> None:
    app = """
    app.conf.beat_schedule = {"fail": {"task": "shop.fail", "schedule": 0.5, "args": (1,)}}
    """
    with RecordingServer() as server:
        with worker(tmp_path, server.dsn(), *FORKS, app=app, init=init) as celery, celery.beat() as beat:
            celery.until(lambda: len(server.events) >= 3)
            assert "Traceback" not in beat.stderr
        traces = [event["contexts"]["trace"]["trace_id"] for event in server.events]
        assert len(set(traces)) == len(traces) >= 3


def test_cold_shutdown_delivers_what_was_captured(tmp_path: Path) -> None:
    with RecordingServer() as server:
        with worker(tmp_path, server.dsn(), "--pool", "threads", "--concurrency", "2") as celery:
            celery.queue("fail.delay(1)")
            celery.running.wait_for("raised unexpected")
            celery.stop()
        assert failures(server) == {("ValueError", "failure 1"): 1}
