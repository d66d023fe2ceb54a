"""RQ in this process: a worker that runs its jobs itself."""

from __future__ import annotations

import gc
import inspect
import logging
import subprocess
import sys
import weakref
from typing import Any

import pytest

import vedette
from tests.integrations.rq import jobs
from vedette.integrations.rq import RqIntegration
from vedette.testing import MemoryTransport

rq = pytest.importorskip("rq")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rq")  # of RQ 1 about itself

DSN = "http://key@localhost/1"
WRAPPED = [
    (owner, name)
    for name in ("perform_job", "handle_exception", "handle_work_horse_killed")
    for owner in rq.Worker.__mro__
    if name in owner.__dict__
]
UNPATCHED = [owner.__dict__[name] for owner, name in WRAPPED]


def start(**options: Any) -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, **options)
    return transport


@pytest.fixture
def transport() -> MemoryTransport:
    return start()


@pytest.fixture
def queue(connection):
    return rq.Queue("orders", connection=connection)


def work(queue: Any, logging_level: str = "CRITICAL", **options: Any) -> None:
    """Run what waits in a queue."""
    rq.SimpleWorker([queue], connection=queue.connection, **options).work(burst=True, logging_level=logging_level)


@pytest.mark.spec("FW-rq-01", "FW-rq-02", "FW-rq-03")
def test_a_job_that_fails_is_one_event_that_tells_of_it(transport, queue) -> None:
    job = queue.enqueue(jobs.fail, 7)
    work(queue)
    (event,) = transport.events
    (exception,) = event["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("ValueError", "failure 7")
    assert {"type": "rq", "handled": False}.items() <= exception["mechanism"].items()
    name = f"{jobs.__name__}.fail"
    assert (event["transaction"], event["transaction_info"]) == (name, {"source": "task"})
    assert event["tags"] == {"rq_job_id": job.id, "number": "7"}
    assert event["contexts"]["rq-job"] == {
        "job_id": job.id,
        "func": name,
        "queue": "orders",
        "args": [7],
        "kwargs": {},
    }
    assert job.get_status(refresh=True) == "failed"


def test_an_async_job_and_a_method_are_captured_as_well(transport, queue) -> None:
    queue.enqueue(jobs.fail_later)
    queue.enqueue(jobs.Shop().restock, 3)
    work(queue)
    assert [event["exception"]["values"][-1]["value"] for event in transport.events] == ["later", "no room for 3"]


@pytest.mark.parametrize("job", [jobs.handled, jobs.leave])
def test_what_the_job_handled_or_asked_for_is_no_failure(transport, queue, job) -> None:
    queue.enqueue(job)
    work(queue)
    assert transport.events == []


def test_a_job_that_is_tried_again_fails_when_it_is_not(transport, queue) -> None:
    queue.enqueue(jobs.fail, 1, retry=rq.Retry(max=2))
    work(queue)
    assert len(transport.events) == 1


def test_a_job_that_cannot_be_unpickled_is_captured(transport, queue, connection) -> None:
    job = queue.enqueue(jobs.fail)
    connection.hset(job.key, "data", b"no pickle")
    work(queue)
    (event,) = transport.events
    assert event["transaction"] == f"{jobs.__name__}.fail"  # as its description begins
    assert event["exception"]["values"][-1]["type"] in {
        "DeserializationError",
        "UnpicklingError",
    }  # from RQ 1.9 on; before


def test_a_job_that_takes_too_long_is_grouped_by_its_function(transport, queue) -> None:
    queue.enqueue(jobs.wait, job_timeout=1)
    work(queue)
    (event,) = transport.events
    assert event["fingerprint"] == ["rq", "JobTimeoutException", f"{jobs.__name__}.wait"]


@pytest.mark.spec("PAIN-07")
def test_each_job_has_a_scope_of_its_own_without_the_breadcrumbs_of_before(transport, queue) -> None:
    vedette.add_breadcrumb(message="boot")
    vedette.set_tag("boot", "yes")
    for word in ("one", "two"):
        queue.enqueue(jobs.say, word)
    work(queue)
    vedette.capture_message("after")
    *of_jobs, after = transport.events
    for event, word, other in zip(of_jobs, ("one", "two"), ("two", "one"), strict=True):
        messages = [crumb.get("message") for crumb in event["breadcrumbs"]["values"]]
        assert word in messages
        assert not {"boot", other} & set(messages)
        assert event["tags"][word] == event["tags"]["boot"] == "yes"
        assert other not in event["tags"]
    assert after["tags"] == {"boot": "yes"}
    assert len({event["contexts"]["trace"]["trace_id"] for event in transport.events}) == 3


def test_a_name_that_the_job_chose_wins(transport, queue) -> None:
    queue.enqueue(jobs.named)
    work(queue)
    assert transport.events[0]["transaction"] == "nightly"


@pytest.mark.spec("DAT-122")
def test_arguments_are_sent_with_secrets_filtered(transport, queue) -> None:
    queue.enqueue(jobs.log_in, "ann", "hunter2", 7, api_key="k-123")
    work(queue)
    told = transport.events[0]["contexts"]["rq-job"]
    assert (told["args"], told["kwargs"]) == (["ann", "[Filtered]", 7], {"api_key": "[Filtered]"})


@pytest.mark.spec("DAT-123")
def test_arguments_are_not_sent_where_bodies_are_not(queue) -> None:
    transport = start(data_collection={}, include_local_variables=False)
    queue.enqueue(jobs.log_in, "ann", "hunter2", 7, api_key="k-123")
    work(queue)
    assert "args" not in transport.events[0]["contexts"]["rq-job"]
    assert "hunter2" not in str(transport.events)
    assert "k-123" not in str(transport.events)


@pytest.mark.spec("PAIN-01")
def test_nothing_of_a_job_is_kept_after_its_end(transport, queue) -> None:
    seen = []

    def remember(job: Any, *exc_info: Any) -> None:
        seen.append((weakref.ref(job), vedette.get_isolation_scope()))

    queue.enqueue(jobs.fail)
    work(queue, exception_handlers=[remember])
    gc.collect()
    ((job, _scope),) = seen
    assert job() is None


def test_handlers_of_the_program_are_called_as_without_vedette(transport, queue) -> None:
    seen = []

    def stop(job: Any, kind: Any, error: Any, traceback: Any) -> bool:
        seen.append(error)
        return False

    queue.enqueue(jobs.fail, 1)
    work(queue, exception_handlers=[stop])
    assert [str(error) for error in seen] == ["failure 1"]
    assert len(transport.events) == 1


def test_what_rq_logs_of_it_is_known_to_repeat_it(transport, queue, caplog) -> None:
    queue.enqueue(jobs.fail, 1)
    work(queue, "ERROR")
    integration = vedette.get_client().get_integration(RqIntegration)
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR and record.name == "rq.worker"]
    assert errors
    assert all(integration.repeats(record) for record in errors)


def test_a_client_that_comes_while_a_job_runs_captures_its_failure(queue, monkeypatch) -> None:
    transports = []

    def begin_and_fail(number: int) -> None:
        transports.append(start())
        raise ValueError("late")

    monkeypatch.setattr(jobs, "fail", begin_and_fail)
    queue.enqueue(f"{jobs.__name__}.fail", 1)
    work(queue)
    (event,) = transports[0].events
    assert event["transaction"] == f"{jobs.__name__}.fail"


@pytest.mark.spec("PAIN-33")
def test_its_methods_are_wrapped_once_look_the_same_and_come_back() -> None:
    first, second = (vedette.Client(DSN, transport=MemoryTransport()) for _ in range(2))
    for (owner, name), previous in zip(WRAPPED, UNPATCHED, strict=True):
        ours = owner.__dict__[name]
        assert ours.__wrapped__ is previous
        assert (ours.__qualname__, inspect.signature(ours)) == (previous.__qualname__, inspect.signature(previous))
    first.close()
    second.close()
    assert [owner.__dict__[name] for owner, name in WRAPPED] == UNPATCHED


@pytest.mark.spec("PAIN-34")
def test_init_does_not_import_it() -> None:
    program = f"""
import sys, vedette
vedette.init({DSN!r})
assert not {{"rq", "redis", "vedette.integrations.rq"}} & sys.modules.keys()
import rq
assert "rq" in vedette.get_client().integrations
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_without_the_integration_nothing_is_captured(queue) -> None:
    transport = start(disabled_integrations=[RqIntegration()])
    queue.enqueue(jobs.fail)
    work(queue)
    assert transport.events == []
