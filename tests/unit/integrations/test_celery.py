"""Celery in this process: its real tracer and a real worker in a thread, but no process of its own."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
import weakref
from typing import Any

import celery
import pytest
from celery import signals
from celery.app.trace import trace_task
from celery.contrib.testing.worker import start_worker
from celery.exceptions import Ignore, Reject, SoftTimeLimitExceeded

import vedette
from vedette.integrations.celery import CeleryIntegration
from vedette.testing import MemoryTransport

# Celery 5.2 on Python 3.10:
pytestmark = pytest.mark.filterwarnings("ignore:SelectableGroups dict interface is deprecated:DeprecationWarning")

DSN = "http://key@localhost/1"
SPOKEN = (
    "before_task_publish",
    "task_prerun",
    "task_postrun",
    "task_failure",
    "task_internal_error",
    "worker_process_shutdown",
    "beat_init",
    "beat_embedded_init",
)


def start(**options: Any) -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, **options)
    return transport


@pytest.fixture
def transport() -> MemoryTransport:
    return start()


class Shop(celery.Celery):
    """An app that keeps its tasks to itself."""

    def task(self, *args: Any, **options: Any) -> Any:
        return super().task(*args, **{"shared": False, **options})


@pytest.fixture
def app():
    app = Shop("shop", broker="memory://", backend="cache+memory://", set_as_current=False)
    app.conf.broker_connection_retry_on_startup = True

    def leave_it(**_: Any) -> None:
        """As long as somebody listens to this signal, Celery leaves the loggers of the process alone."""

    signals.setup_logging.connect(leave_it)
    yield app
    signals.setup_logging.disconnect(leave_it)
    app.close()


@pytest.fixture
def sent(app) -> list[dict[str, Any]]:
    """The headers of what is published, as others see them."""
    found: list[dict[str, Any]] = []

    def remember(headers: dict[str, Any], **_: Any) -> None:
        found.append(headers)

    signals.after_task_publish.connect(remember, weak=False, dispatch_uid="sent")
    yield found
    signals.after_task_publish.disconnect(dispatch_uid="sent")


def run(task: Any, *args: Any, headers: dict[str, Any] | None = None, task_id: str = "id-1", **kwargs: Any) -> Any:
    """Run a task as a worker does, in this thread."""
    request = {"id": task_id, "args": args, "kwargs": kwargs, "is_eager": False, "delivery_info": {}, **(headers or {})}
    return trace_task(task, task_id, args, kwargs, request, app=task.app)


def failing(app: celery.Celery, error: BaseException | None = None, **options: Any) -> Any:
    @app.task(name="shop.fail", **options)
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ValueError("no such order") if error is None else error

    return fail


# --- failures ----------------------------------------------------------------------------------------------


@pytest.mark.spec("FW-celery-01", "FW-celery-02", "FW-celery-03", "FW-celery-04", "PAIN-11")
def test_a_task_that_fails_in_a_worker_is_one_event_that_tells_of_it(transport, app) -> None:
    fail = failing(app)
    with start_worker(app, pool="solo", perform_ping_check=False):
        result = fail.delay()
        with pytest.raises(ValueError, match="no such order"):
            result.get(timeout=20)
    (event,) = transport.events
    (exception,) = event["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("ValueError", "no such order")
    assert {"type": "celery", "handled": False}.items() <= exception["mechanism"].items()
    assert (event["transaction"], event["transaction_info"]) == ("shop.fail", {"source": "task"})
    assert event["tags"] == {"celery_task_id": result.id}
    assert event["contexts"]["celery-job"] == {
        "task_name": "shop.fail",
        "id": result.id,
        "retries": 0,
        "args": [],
        "kwargs": {},
    }
    assert exception["stacktrace"]["frames"][-1]["function"].endswith("fail")


@pytest.mark.parametrize("error", [Ignore(), Reject("no", requeue=False)], ids=["Ignore", "Reject"])
def test_what_a_task_says_to_celery_by_raising_is_no_failure(transport, app, error) -> None:
    run(failing(app, error))
    assert transport.events == []


def test_what_a_task_announced_that_it_throws_is_no_failure(transport, app) -> None:
    run(failing(app, throws=(ValueError,)))
    assert transport.events == []


def test_a_task_that_is_tried_again_fails_when_it_is_not(transport, app) -> None:
    @app.task(name="shop.try", bind=True, max_retries=2)
    def attempt(self: Any) -> None:
        try:
            raise ValueError("still no order")
        except ValueError as error:
            raise self.retry(exc=error, countdown=0) from None

    for tries in range(3):
        assert transport.events == []
        run(attempt, headers={"retries": tries})
    (event,) = transport.events
    assert event["contexts"]["celery-job"]["retries"] == 2


def test_a_soft_time_limit_is_grouped_by_its_task(transport, app) -> None:
    run(failing(app, SoftTimeLimitExceeded()))
    (event,) = transport.events
    assert event["fingerprint"] == ["celery", "SoftTimeLimitExceeded", "shop.fail"]


def test_of_an_exception_that_cannot_be_pickled_the_original_is_sent(transport, app) -> None:
    class Unpicklable(Exception):
        pass

    run(failing(app, Unpicklable("here")))
    (event,) = transport.events
    (exception,) = event["exception"]["values"]
    assert (exception["type"], exception["value"], exception["module"]) == ("Unpicklable", "here", __name__)


def test_a_task_that_began_before_init_is_captured_as_well(app) -> None:
    transports = []

    @app.task(name="shop.late")
    def late() -> None:
        transports.append(start())
        raise ValueError("late")

    run(late)
    (event,) = transports[0].events
    assert event["transaction"] == "shop.late"
    assert event["contexts"]["celery-job"]["id"] == "id-1"


@pytest.mark.filterwarnings("ignore:Exception raised outside body")
def test_where_celery_cannot_store_a_failure_both_are_one_event(transport, app, monkeypatch) -> None:
    def break_down(*args: Any, **kwargs: Any) -> None:
        raise OSError("the backend is gone")

    fail = failing(app)
    monkeypatch.setattr(fail.backend, "mark_as_failure", break_down)
    run(fail)
    (event,) = transport.events
    assert [value["value"] for value in event["exception"]["values"]] == ["no such order", "the backend is gone"]
    assert event["transaction"] == "shop.fail"


def mechanisms(transport: MemoryTransport) -> list[str]:
    return [event["exception"]["values"][-1]["mechanism"]["type"] for event in transport.events]


def errors_of_celery(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name.startswith("celery") and record.levelno >= logging.ERROR]


@pytest.mark.spec("PAIN-17")
@pytest.mark.parametrize("base", [Exception, SoftTimeLimitExceeded])
def test_what_celery_logs_of_a_failure_is_known_to_repeat_it_and_is_no_second_event(
    transport, app, caplog, base
) -> None:
    class Unpicklable(base):
        pass

    run(failing(app, Unpicklable("here")))
    integration = vedette.get_client().get_integration(CeleryIntegration)
    assert [integration.repeats(record) for record in errors_of_celery(caplog)] == [True]
    assert len(transport.events) == 1


@pytest.mark.filterwarnings("ignore:Exception raised outside body")
def test_what_celery_logs_besides_is_not_known_to_repeat_anything(transport, app, caplog) -> None:
    class Proud(celery.Task):
        def on_success(self, *args: Any, **kwargs: Any) -> None:
            raise ValueError("too proud")

    @app.task(base=Proud)
    def succeed() -> None:
        pass

    run(succeed)
    integration = vedette.get_client().get_integration(CeleryIntegration)
    repeated = {integration.repeats(record) for record in errors_of_celery(caplog)}
    assert repeated == {"celery" in mechanisms(transport)}  # before Celery 5.7 it is signalled
    assert len(transport.events) <= 1


# --- scopes ------------------------------------------------------------------------------------------------


@pytest.mark.spec("PAIN-07")
def test_each_task_has_a_scope_of_its_own_without_the_breadcrumbs_of_before(transport, app) -> None:
    @app.task
    def say(word: str) -> None:
        vedette.set_tag("word", word)
        vedette.add_breadcrumb(message=word)
        vedette.capture_message(word)

    vedette.add_breadcrumb(message="boot")
    vedette.set_tag("boot", "yes")
    for number, word in enumerate(["one", "two"]):
        run(say, word, task_id=str(number))
    vedette.capture_message("after")
    one, two, after = transport.events
    for event, word in ((one, "one"), (two, "two")):
        assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == [word]
        assert (event["tags"]["word"], event["tags"]["boot"]) == (word, "yes")
    assert [crumb["message"] for crumb in after["breadcrumbs"]["values"]] == ["boot"]
    assert after["tags"] == {"boot": "yes"}
    assert len({event["contexts"]["trace"]["trace_id"] for event in transport.events}) == 3


@pytest.mark.spec("PAIN-07")
def test_tasks_that_run_beside_each_other_never_mix(transport, app) -> None:
    meeting = threading.Barrier(2)

    @app.task(name="shop.meet")
    def meet(word: str) -> None:
        vedette.set_tag("word", word)
        meeting.wait(10)
        vedette.add_breadcrumb(message=word)
        meeting.wait(10)
        raise ValueError(word)

    threads = [threading.Thread(target=run, args=(meet, word), kwargs={"task_id": word}) for word in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(transport.events) == 2
    for event in transport.events:
        word = event["exception"]["values"][0]["value"]
        assert event["tags"] == {"word": word, "celery_task_id": word}
        assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == [word]


@pytest.mark.parametrize(
    "error",
    [Ignore(), Reject("no"), ValueError("x"), SoftTimeLimitExceeded(), SystemExit(1), KeyboardInterrupt(), None],
)
def test_the_scope_is_left_whatever_ends_the_task(transport, app, error) -> None:
    @app.task(bind=True)
    def end(self: Any) -> None:
        if error is not None:
            raise error
        raise self.retry(countdown=60)

    before = vedette.get_isolation_scope()
    try:
        run(end)
    except (Reject, SystemExit, KeyboardInterrupt):
        pass
    assert vedette.get_isolation_scope() is before


def test_a_scope_whose_end_was_missed_is_left_before_the_next_task(transport, app) -> None:
    @app.task
    def say(word: str) -> None:
        vedette.set_tag(word, "yes")
        vedette.capture_message(word)

    before = vedette.get_isolation_scope()
    signals.task_postrun.disconnect(dispatch_uid="vedette.task_postrun")
    run(say, "one")
    vedette.get_client().close()
    transport = start()
    run(say, "two")
    (event,) = transport.events
    assert "one" not in event["tags"]
    assert vedette.get_isolation_scope() is before


def test_a_task_called_in_place_belongs_to_who_called_it(transport, app) -> None:
    class Request:
        def describe(self, event: Any, client: Any) -> None:
            event.setdefault("request", {"url": "http://shop/orders"})

    with vedette.isolation_scope() as scope:
        scope.work = Request()
        vedette.add_breadcrumb(message="asked")
        failing(app).apply(task_id="id-2")
        vedette.capture_message("answered")
        assert scope.work is not None
    failure, answer = transport.events
    assert failure["transaction"] == "shop.fail"
    assert failure["request"] == answer["request"] == {"url": "http://shop/orders"}
    assert [crumb["message"] for crumb in failure["breadcrumbs"]["values"]] == ["asked"]
    assert failure["contexts"]["trace"]["trace_id"] == answer["contexts"]["trace"]["trace_id"]
    assert "celery-job" not in answer["contexts"]


def test_what_a_task_called_in_place_raises_to_its_caller_is_the_callers_to_handle(transport, app) -> None:
    with pytest.raises(ValueError, match="no such order"):
        failing(app).apply(throw=True)
    assert transport.events == []


def test_a_name_that_the_task_chose_wins(transport, app) -> None:
    @app.task
    def named() -> None:
        vedette.set_transaction_name("nightly")
        vedette.capture_message("m")

    run(named)
    (event,) = transport.events
    assert event["transaction"] == "nightly"


@pytest.mark.spec("PAIN-01")
def test_nothing_of_a_task_is_kept_after_its_end(transport, app) -> None:
    class Order:
        pass

    kept = []

    @app.task
    def hold(order: Order) -> None:
        kept.append(vedette.get_isolation_scope())
        vedette.capture_message("m")

    order = Order()
    gone = weakref.ref(order)
    run(hold, order)
    del order
    gc.collect()
    assert kept
    assert gone() is None


# --- what is told of a task --------------------------------------------------------------------------------


def arguments(transport: MemoryTransport) -> tuple[Any, Any]:
    (event,) = transport.events
    job = event["contexts"]["celery-job"]
    return job.get("args"), job.get("kwargs")


def log_in(app: celery.Celery) -> None:
    @app.task(bind=True)
    def log_in(self: Any, user: str, password: str, *rest: Any, api_key: str = "", order: Any = None) -> None:
        vedette.capture_message("m")

    run(log_in, "ann", "hunter2", 7, api_key="k-123", order={"id": 3, "token": "t"})


@pytest.mark.spec("DAT-122")
def test_arguments_are_sent_with_secrets_filtered(transport, app) -> None:
    log_in(app)
    assert arguments(transport) == (
        ["ann", "[Filtered]", 7],
        {"api_key": "[Filtered]", "order": {"id": 3, "token": "[Filtered]"}},
    )


@pytest.mark.spec("DAT-123")
def test_arguments_are_not_sent_where_bodies_are_not(app) -> None:
    transport = start(data_collection={"user_info": True})
    log_in(app)
    assert arguments(transport) == (None, None)
    assert "hunter2" not in str(transport.events)


def test_no_code_of_an_argument_runs(transport, app) -> None:
    class Touchy:
        def __repr__(self) -> str:
            raise AssertionError("it was touched")

        __str__ = __len__ = __iter__ = __bool__ = __eq__ = __repr__  # type: ignore[assignment]
        __hash__ = object.__hash__

    @app.task
    def take(it: Touchy) -> None:
        vedette.capture_message("m")

    run(take, Touchy())
    assert "Touchy" in str(arguments(transport)[0])


# --- traces ------------------------------------------------------------------------------------------------


@pytest.mark.spec("FW-celery-03", "FW-celery-07", "FW-celery-08")
def test_the_errors_of_a_task_are_linked_to_the_code_that_queued_it(transport, app, sent) -> None:
    fail = failing(app)
    with vedette.isolation_scope() as scope:
        scope.set_new_propagation_context()
        vedette.capture_message("queued")
        fail.delay()
    (headers,) = sent
    run(fail, headers=headers)
    queued, failure = (event["contexts"]["trace"] for event in transport.events)
    assert failure["trace_id"] == queued["trace_id"]
    assert failure["parent_span_id"] == queued["span_id"]


@pytest.mark.spec("FW-celery-05", "FW-celery-06")
@pytest.mark.parametrize(
    ("option", "header", "linked"),
    [(True, None, True), (False, None, False), (True, False, False), (False, True, True)],
)
def test_whether_traces_are_propagated_is_said_by_the_option_or_for_one_task(app, sent, option, header, linked) -> None:
    transport = start(integrations=[CeleryIntegration(propagate_traces=option)])
    fail = failing(app)
    vedette.capture_message("queued")
    fail.apply_async(headers={} if header is None else {"sentry-propagate-traces": header})
    (headers,) = sent
    assert ("sentry-trace" in headers, "baggage" in headers) == (linked, linked)
    run(fail, headers=headers)
    queued, failure = (event["contexts"]["trace"]["trace_id"] for event in transport.events)
    assert (failure == queued) == linked


def test_a_task_does_not_continue_a_trace_that_it_is_not_to(app) -> None:
    transport = start(integrations=[CeleryIntegration(propagate_traces=False)])
    trace_id = "771a43a4192642f0b136d5159a501700"
    run(failing(app), headers={"sentry-trace": f"{trace_id}-1234567890abcdef"})
    assert transport.events[0]["contexts"]["trace"]["trace_id"] != trace_id


def test_baggage_of_others_stays(transport, app, sent) -> None:
    failing(app).apply_async(headers={"baggage": "vendor=1"})
    assert sent[0]["baggage"].startswith("vendor=1,sentry-trace_id=")


def test_a_trace_that_the_program_gave_stays(transport, app, sent) -> None:
    failing(app).apply_async(headers={"sentry-trace": "0" * 31 + "1-" + "0" * 15 + "1"})
    assert sent[0]["sentry-trace"] == "0" * 31 + "1-" + "0" * 15 + "1"
    assert "baggage" not in sent[0]


def test_what_beat_schedules_is_not_one_trace(transport, app, sent) -> None:
    failing(app).apply_async(headers={"celery_beat_task": True})
    assert "sentry-trace" not in sent[0]


# --- life --------------------------------------------------------------------------------------------------


def receivers() -> dict[str, int]:
    """How many of ours each signal has."""
    return {
        name: sum("vedette" in str(key) for key, _ in getattr(signals, name).receivers)
        for name in signals.__all__
        if any("vedette" in str(key) for key, _ in getattr(signals, name).receivers)
    }


@pytest.mark.spec("INT-06")
def test_celery_is_listened_to_once_and_not_at_all_when_the_last_client_is_closed(app) -> None:
    first, second = (vedette.Client(DSN, transport=MemoryTransport()) for _ in range(2))
    assert receivers() == dict.fromkeys(SPOKEN, 1)
    first.close()
    assert receivers() == dict.fromkeys(SPOKEN, 1)
    second.close()
    assert receivers() == {}


@pytest.mark.spec("PAIN-34")
def test_init_imports_nothing_of_celery() -> None:
    program = f"""
import sys, vedette
vedette.init({DSN!r})
assert not {{"celery", "kombu", "billiard", "vedette.integrations.celery"}} & sys.modules.keys()
import celery
assert "celery" not in vedette.get_client().integrations
celery.Celery
assert "celery" in vedette.get_client().integrations
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_options_of_check_ins_are_taken_and_said_to_do_nothing(caplog) -> None:
    with caplog.at_level(logging.DEBUG, "vedette"):
        start(integrations=[CeleryIntegration(monitor_beat_tasks=True, exclude_beat_tasks=["nightly"])])
    assert "monitor_beat_tasks has no effect yet" in caplog.text


def test_without_the_integration_nothing_is_captured_or_sent_along(app, sent) -> None:
    transport = start(disabled_integrations=[CeleryIntegration()])
    fail = failing(app)
    fail.delay()
    run(fail)
    assert "celery" not in mechanisms(transport)
    assert "sentry-trace" not in sent[0]
