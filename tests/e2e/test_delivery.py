"""From a capture to a real server over real HTTP, and what becomes of an event when the server says no."""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Any

import pytest

import vedette
from tests.servers import RecordingServer, unused_port
from tests.threads import os_threads
from tests.waiting import wait_until


def stats() -> Any:
    return vedette.get_client().stats()


def reasons() -> dict[str, int]:
    return dict(stats().dropped.get("error", {}))


def reported(server: RecordingServer) -> dict[tuple[str, str], int]:
    """What the server was told of losses."""
    told: dict[tuple[str, str], int] = {}
    for item in server.items("client_report"):
        for record in item.json["discarded_events"]:
            key = (record["reason"], record["category"])
            told[key] = told.get(key, 0) + record["quantity"]
    return told


def assert_all_accounted_for() -> None:
    now = stats()
    for category, captured in now.captured.items():
        known = now.delivered.get(category, 0) + now.refused.get(category, 0) + now.waiting.get(category, 0)
        assert captured == known + sum(now.dropped.get(category, {}).values())


@pytest.mark.spec("TP-01", "ENV-37", "ENV-40", "ENV-29", "ENV-30", "EVT-08", "AUTH-11", "TRN-01")
def test_an_event_arrives_in_an_envelope_of_its_own() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn(key="abc", project="7"), release="shop@1", environment="dev")
        event_id = vedette.capture_message("hello")
        vedette.flush(5)
        (request,) = server.wait_for(1)
        assert request.target == "/api/7/envelope/"
        assert "sentry_key=abc" in request.headers["x-sentry-auth"]
        assert request.headers["content-encoding"] == "gzip"
        envelope = request.envelope
        assert [item.type for item in envelope.items] == ["event"]
        (event,) = server.events
        assert envelope.headers["event_id"] == event["event_id"] == event_id
        assert envelope.headers["sent_at"].endswith("Z")
        assert envelope.headers["sdk"] == {"name": "vedette.python", "version": vedette.VERSION}
        assert envelope.headers["trace"] == {
            "trace_id": event["contexts"]["trace"]["trace_id"],
            "public_key": "abc",
            "release": "shop@1",
            "environment": "dev",
        }
        assert stats().delivered == {"error": 1}


@pytest.mark.spec("TRN-16", "TP-82")
def test_the_caller_never_waits_for_the_server() -> None:
    gate = threading.Event()
    with RecordingServer() as server:
        server.answer(gate=gate)
        vedette.init(server.dsn())
        for number in range(10):
            vedette.capture_message(f"message {number}")
        server.wait_for(1)
        assert stats().waiting == {"error": 10}  # nine in memory, one in flight
        gate.set()
        vedette.flush(5)
        assert len(server.events) == 10
        assert {event["logentry"]["formatted"] for event in server.events} == {f"message {n}" for n in range(10)}
        assert_all_accounted_for()


@pytest.mark.spec("TP-63", "TP-88")
def test_when_the_server_is_slow_the_oldest_make_room_and_are_reported() -> None:
    gate = threading.Event()
    with RecordingServer() as server:
        server.answer(gate=gate)
        vedette.init(server.dsn(), transport_queue_size=5)
        vedette.capture_message("in flight")
        server.wait_for(1)
        for number in range(20):
            vedette.capture_message(f"message {number}")
        gate.set()
        vedette.flush(5)
        texts = [event["logentry"]["formatted"] for event in server.events]
        assert sorted(texts) == [
            "in flight",
            *(f"message {number}" for number in range(15, 20)),
        ]  # several send at once
        assert reasons() == {"buffer_overflow": 15}
        assert reported(server) == {("buffer_overflow", "error"): 15}
        assert_all_accounted_for()


@pytest.mark.spec("CR-01", "CR-02", "CR-03", "CR-04", "CR-65", "TP-62", "CR-57", "ENV-76")
def test_a_loss_rides_along_with_the_next_envelope() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn(), before_send=lambda event, _hint: None if event["level"] == "debug" else event)
        vedette.capture_message("dropped", level="debug")
        vedette.capture_message("arrives")
        vedette.flush(5)
        (request, *_) = server.wait_for(1)
        assert [item.type for item in request.envelope.items] == ["event", "client_report"]
        (report,) = server.items("client_report")
        assert report.json["discarded_events"] == [{"reason": "before_send", "category": "error", "quantity": 1}]
        assert isinstance(report.json["timestamp"], float)


@pytest.mark.spec("CR-44", "CR-61", "CR-63", "CR-66", "ENV-76")
@pytest.mark.parametrize("method", ["flush", "close"])
def test_a_loss_with_nothing_else_to_send_goes_alone_on_flush_and_close(method: str) -> None:
    with RecordingServer() as server:
        client = vedette.init(server.dsn(), sample_rate=0.0)
        for _ in range(3):
            vedette.capture_message("sampled out")
        getattr(client, method)(5)
        (request,) = server.wait_for(1)
        assert [item.type for item in request.envelope.items] == ["client_report"]
        assert "event_id" not in request.envelope.headers
        assert reported(server) == {("sample_rate", "error"): 3}


@pytest.mark.spec("CR-46", "CR-51")
def test_reports_can_be_switched_off() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn(), sample_rate=0.0, send_client_reports=False)
        vedette.capture_message("sampled out")
        vedette.flush(5)
        assert server.envelopes == []
        assert reasons() == {"sample_rate": 1}


@pytest.mark.spec("OFF-03", "OFF-04", "CR-13", "CR-14", "TRN-11", "TRN-12", "TRN-06", "TRN-07")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502, 503])
def test_an_error_of_the_server_loses_the_event_once_and_it_is_reported(status: int) -> None:
    with RecordingServer() as server:
        server.answer(status=status)
        vedette.init(server.dsn())
        vedette.capture_message("lost")
        vedette.capture_message("arrives")
        vedette.flush(5)
        assert [event["logentry"]["formatted"] for event in server.events] == ["lost", "arrives"]
        assert reasons() == {"send_error": 1}
        assert reported(server) == {("send_error", "error"): 1}
        assert_all_accounted_for()


@pytest.mark.spec("OFF-11", "OFF-12", "OFF-13", "CR-19", "CR-20", "CR-21", "CR-22", "TRN-09")
def test_429_stops_the_category_and_is_not_reported_by_us() -> None:
    with RecordingServer() as server:
        server.answer(status=429, headers=(("X-Sentry-Rate-Limits", "60:error:key"),))
        vedette.init(server.dsn())
        vedette.capture_message("refused")
        vedette.flush(5)
        assert vedette.capture_message("not even built") is None
        vedette.flush(5)
        assert stats().refused == {"error": 1}
        assert reasons() == {"ratelimit_backoff": 1}
        assert reported(server) == {("ratelimit_backoff", "error"): 1}
        assert len(server.events) == 1
        assert_all_accounted_for()


@pytest.mark.spec("RATE-02", "RATE-33", "TP-60", "TP-61", "CR-23", "TP-12", "TP-13", "TP-69")
def test_a_limit_that_comes_with_a_success_stops_what_is_already_buffered() -> None:
    gate = threading.Event()
    with RecordingServer() as server:
        server.answer(gate=gate, headers=(("X-Sentry-Rate-Limits", "60:error:key"),))
        vedette.init(server.dsn())
        vedette.capture_message("first")
        server.wait_for(1)
        vedette.capture_message("buffered")
        gate.set()
        vedette.flush(5)
        assert [event["logentry"]["formatted"] for event in server.events] == ["first"]
        assert stats().delivered == {"error": 1}
        assert reasons() == {"ratelimit_backoff": 1}
        assert_all_accounted_for()


@pytest.mark.spec("RATE-35", "TRN-04")
def test_under_a_limit_on_everything_reports_wait_too() -> None:
    with RecordingServer() as server:
        server.answer(status=429, headers=(("Retry-After", "60"),))
        vedette.init(server.dsn())
        vedette.capture_message("refused")
        vedette.flush(5)
        vedette.capture_message("dropped")
        vedette.flush(5)
        assert len(server.envelopes) == 1
        assert reasons() == {"ratelimit_backoff": 1}


@pytest.mark.spec("CR-26", "PAIN-36")
def test_a_dead_server_loses_events_with_the_reason_and_nothing_raises() -> None:
    vedette.init(f"http://key@127.0.0.1:{unused_port()}/1")
    assert vedette.capture_message("hello")
    vedette.flush(5)
    assert reasons() == {"network_error": 1}
    assert_all_accounted_for()


def test_a_server_that_hangs_up_loses_the_event_with_the_reason() -> None:
    with RecordingServer() as server:
        server.answer(hang_up="after_reading", times=5)
        vedette.init(server.dsn())
        vedette.capture_message("hello")
        vedette.flush(5)
        assert reasons() == {"network_error": 1}
        assert_all_accounted_for()


def test_losses_of_a_report_that_did_not_arrive_are_told_again() -> None:
    with RecordingServer() as server:
        server.answer(status=500)
        vedette.init(server.dsn(), before_send=lambda event, _hint: None if event["level"] == "debug" else event)
        vedette.capture_message("dropped", level="debug")
        vedette.capture_message("lost")
        vedette.capture_message("arrives")
        vedette.flush(5)
        last = server.envelopes[-1].items_of("client_report")[-1].json["discarded_events"]
        told = {(record["reason"], record["quantity"]) for record in last}
        assert told == {("before_send", 1), ("send_error", 1)}


# --- size ------------------------------------------------------------------------------------------------


@pytest.mark.spec("ENV-33")
def test_an_envelope_is_stamped_when_it_is_sent_and_not_when_its_event_was_captured() -> None:
    gate = threading.Event()
    with RecordingServer() as server:
        server.answer(gate=gate)
        vedette.init(server.dsn())
        vedette.capture_message("in flight")
        server.wait_for(1)
        vedette.capture_message("waits")
        captured = time.time()
        wait_until(lambda: time.time() > captured + 0.3)
        gate.set()
        vedette.flush(5)
        waited = server.envelopes[1]
        (event,) = waited.items_of("event")
        sent = datetime.fromisoformat(waited.headers["sent_at"].replace("Z", "+00:00")).timestamp()
        assert event.json["timestamp"] <= captured
        assert captured + 0.3 <= sent <= time.time()


@pytest.mark.spec("PAIN-03")
def test_an_event_that_is_far_too_large_arrives_shrunken_and_says_what_was_cut() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn())
        with vedette.new_scope() as scope:
            for number in range(100):
                scope.set_extra(f"extra {number}", ["x" * 1000] * 100)
            vedette.capture_message("large")
        vedette.flush(10)
        (request,) = server.wait_for(1)
        assert len(request.body) < 1_048_576
        (event,) = server.events
        assert event["logentry"]["formatted"] == "large"
        assert "extra" in event["_meta"]


@pytest.mark.spec("PAIN-03")
def test_a_message_of_fifty_megabytes_arrives_shrunken() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn())
        vedette.capture_message("x" * 50_000_000)
        vedette.flush(10)
        (event,) = server.events
        assert len(event["logentry"]["formatted"]) == 8192
        assert event["_meta"]["logentry"]["formatted"][""]["len"] == 50_000_000


def fail_with(message: str, huge: list[str]) -> None:
    raise ValueError(message)


def raising_frame(event: dict[str, Any]) -> dict[str, Any]:
    frame: dict[str, Any] = event["exception"]["values"][-1]["stacktrace"]["frames"][-1]
    return frame


@pytest.mark.spec("PAIN-03", "ENV-103")
@pytest.mark.parametrize("what", ["extra", "extras", "message", "locals", "breadcrumbs", "exception", "all of it"])
def test_whatever_is_too_large_an_event_arrives_and_names_what_was_cut(what: str) -> None:
    fifty_megabytes, million = "x" * 50_000_000, "m" * 1_000_000
    with RecordingServer() as server:
        vedette.init(server.dsn())
        with vedette.new_scope() as scope:
            if what in ("extra", "all of it"):
                scope.set_extra("one text", fifty_megabytes)
            if what in ("extras", "all of it"):
                scope.set_extra("many", {f"part {number}": ["x" * 1000] * 500 for number in range(100)})
            if what in ("breadcrumbs", "all of it"):
                for number in range(100):
                    scope.add_breadcrumb(message=million, data={f"part {number}": million})
            if what in ("locals", "exception", "all of it"):
                try:
                    fail_with(million if what != "locals" else "short", [million] * 50)
                except ValueError:
                    vedette.capture_exception()
            else:
                vedette.capture_message(million if what == "message" else "short")
        vedette.flush(10)
        assert stats().delivered == {"error": 1}
        (request,) = server.wait_for(1)
        assert len(request.body) < 1_048_576
        (event,) = server.events
        if what == "locals":  # which say it in their text
            huge_text = raising_frame(event)["vars"]["huge"]
            assert huge_text.endswith("…]")
        for place in NAMED[what]:
            meta = event["_meta"]
            for part in place.split("."):
                assert part in meta, f"{place} is not in {event['_meta']}"
                meta = meta[part]


NAMED = {
    "extra": ["extra.one text"],
    "extras": ["extra.many"],
    "message": ["logentry.formatted"],
    "locals": [],
    "breadcrumbs": ["breadcrumbs.values.0.message", "breadcrumbs.values.0.data", "breadcrumbs.values."],
    "exception": ["exception.values.0.value"],
    "all of it": ["extra", "exception.values.0.value", "breadcrumbs"],
}


def test_413_is_answered_with_one_smaller_try() -> None:
    with RecordingServer() as server:
        server.answer(status=413)
        vedette.init(server.dsn())
        with vedette.new_scope() as scope:
            for number in range(10):
                scope.set_extra(f"extra {number}", ["x" * 1000] * 50)
            vedette.capture_message("large")
        vedette.flush(10)
        first, second = (len(request.body) for request in server.wait_for(2))
        assert second < first
        assert second <= 250_000
        assert stats().delivered == {"error": 1}
        assert_all_accounted_for()


@pytest.mark.spec("OFF-05", "OFF-06", "OFF-08", "CR-15", "CR-16", "CR-18", "CR-17")
def test_413_twice_loses_the_event_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with RecordingServer() as server:
        server.answer(status=413, times=2)
        vedette.init(server.dsn())
        vedette.capture_message("hello")
        vedette.flush(10)
        assert len(server.events) == 2
        assert reasons() == {"send_error": 1}
        assert "too large for the server, even when shrunk (413" in caplog.text


# --- threads ---------------------------------------------------------------------------------------------


@pytest.mark.spec("PAIN-40")
def test_no_thread_before_the_first_event_and_one_while_at_work() -> None:
    gate = threading.Event()
    with RecordingServer() as server:
        server.answer(gate=gate)
        before = os_threads()
        vedette.init(server.dsn())
        assert os_threads() == before
        for _ in range(50):
            vedette.capture_message("hello")
        server.wait_for(1)
        ours = os_threads() - before - 1  # the server has one for the connection
        assert ours == 1
        gate.set()
        vedette.flush(10)


@pytest.mark.spec("PAIN-04", "PAIN-40")
def test_where_no_thread_can_be_had_flush_sends_on_the_callers_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_arguments: object) -> int:
        message = "can't start new thread"
        raise RuntimeError(message)

    with RecordingServer() as server:
        vedette.init(server.dsn())
        with monkeypatch.context() as patched:
            patched.setattr("vedette._host.os_threads.start_new_thread", refuse)
            assert vedette.capture_message("hello")
            assert vedette.get_client().stats().waiting == {"error": 1}
            vedette.flush(5)
        assert len(server.events) == 1
        assert_all_accounted_for()


def test_many_threads_capture_and_everything_arrives_once() -> None:
    with RecordingServer() as server:
        client = vedette.init(server.dsn())

        def work(name: int) -> None:
            for number in range(25):
                client.capture_message(f"{name} {number}")

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        vedette.flush(20)
        wait_until(lambda: not stats().waiting)
        texts = [event["logentry"]["formatted"] for event in server.events]
        assert sorted(texts) == sorted(f"{name} {number}" for name in range(4) for number in range(25))
        assert_all_accounted_for()
