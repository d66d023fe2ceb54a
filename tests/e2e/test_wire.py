"""What stands on the wire: one event of each kind, read by a server that knows nothing of vedette."""

from __future__ import annotations

import re
import sys
import time

import pytest

import vedette
from tests.servers import RecordingServer
from vedette._protocol.categories import DataCategory, DiscardReason

UUID4 = re.compile("[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}")


@pytest.mark.spec("EVT-01", "EVT-02", "EVT-03", "EVT-04", "EVT-05", "EVT-06", "EVT-07", "EVT-83")
def test_every_event_says_what_it_is_and_when_it_was_made() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn())
        before = time.time()
        vedette.capture_message("message")
        after = time.time()
        try:
            raise ValueError
        except ValueError:
            vedette.capture_exception()
        vedette.capture_event({"message": "by hand"})
        vedette.flush(5)
        assert len(server.events) == 3
        for event in server.events:
            assert UUID4.fullmatch(event["event_id"])
            assert event["platform"] == "python"
            assert isinstance(event["timestamp"], float)
            assert all(isinstance(context, dict) for context in event["contexts"].values())
        assert before <= server.events[0]["timestamp"] <= after


@pytest.mark.spec("EVT-22", "EVT-89", "EVT-90", "EVT-91", "EVT-101", "EVT-102", "EVT-103", "EVT-105")
def test_every_event_says_who_made_it_and_on_what() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn())
        vedette.capture_message("message")
        vedette.flush(5)
        (event,) = server.events
        assert event["sdk"]["name"] == "vedette.python"
        assert re.fullmatch(r"\d+\.\d+\.\d+", event["sdk"]["version"])
        assert {"argv", "atexit", "excepthook", "modules", "threading"} <= set(event["sdk"]["integrations"])
        assert event["sdk"]["packages"] == [{"name": "pypi:vedette", "version": vedette.VERSION}]
        assert set(event["contexts"]["runtime"]) == {"name", "version", "build"}
        assert event["modules"]["pytest"] == pytest.__version__
        assert re.fullmatch("[0-9a-f]{32}", event["contexts"]["trace"]["trace_id"])
        assert re.fullmatch("[0-9a-f]{16}", event["contexts"]["trace"]["span_id"])


@pytest.mark.spec("AUTH-01", "AUTH-02", "TRN-02", "ENV-101", "ENV-102", "AUTH-09", "AUTH-12", "AUTH-13")
def test_a_request_goes_to_the_project_with_the_key_of_the_dsn() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn(key="k3y", project="42"), release="shop@1")
        vedette.capture_message("message")
        vedette.flush(5)
        (request,) = server.wait_for(1)
        assert (request.method, request.target) == ("POST", "/api/42/envelope/")
        assert request.headers["content-type"] == "application/x-sentry-envelope"
        assert "sentry_key=k3y" in request.headers["x-sentry-auth"]
        assert "sentry_version=7" in request.headers["x-sentry-auth"]


@pytest.mark.spec("ENV-25", "ENV-60", "ENV-61", "TP-54", "TP-15", "EVT-08", "EVT-09")
def test_each_event_has_an_envelope_of_its_own_with_known_headers_only() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn())
        vedette.capture_message("message")
        vedette.capture_event({"type": "transaction", "transaction": "GET /", "contexts": {}})
        vedette.flush(5)
        assert sorted(item.type for envelope in server.envelopes for item in envelope.items) == ["event", "transaction"]
        assert all(request.target.endswith("/envelope/") for request in server.wait_for(2))
        for envelope in server.envelopes:
            assert len(envelope.items) == 1
            assert set(envelope.headers) <= {"event_id", "sent_at", "sdk", "trace", "dsn"}
            assert set(envelope.items[0].headers) <= {"type", "length", "content_type"}


@pytest.mark.spec("CR-59", "CR-64", "CR-67", "CR-58", "TP-71")
def test_reports_stay_small_hold_discarded_events_only_and_are_no_items_of_a_buffer() -> None:
    with RecordingServer() as server:
        client = vedette.init(server.dsn())
        for reason in DiscardReason:
            for category in DataCategory:
                client.processor.count_drop(reason, category, 1_000_000)
        assert client.stats().waiting == {}
        vedette.flush(5)
        reports = server.items("client_report")
        assert len(reports) > 1
        assert len(server.envelopes) == 1
        for report in reports:
            assert report.headers["length"] <= 4096
            assert set(report.json) == {"timestamp", "discarded_events"}
        told = {(each["reason"], each["category"]) for report in reports for each in report.json["discarded_events"]}
        assert len(told) == len(DiscardReason) * len(DataCategory)


@pytest.mark.spec("SCO-69", "SCO-72", "SCO-75", "ATTR-25", "BRC-14", "BRC-37", "SCO-01")
def test_top_level_setters_write_to_the_isolation_scope_and_nowhere_else() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn())
        with vedette.isolation_scope(), vedette.new_scope() as current:
            vedette.set_tag("from", "isolation")
            vedette.set_attributes({"from": "isolation"})
            vedette.add_breadcrumb(message="from isolation")
            vedette.capture_event({"message": "first"}, tags={"call": "1"})
            current.set_tag("from", "current")
            with vedette.new_scope():
                vedette.capture_event({"message": "second"})
        vedette.capture_event({"message": "outside"})
        vedette.flush(5)
        first, second, outside = server.events
        assert first["tags"] == {"from": "isolation", "call": "1"}
        assert second["tags"] == {"from": "current"}
        assert [crumb["message"] for crumb in second["breadcrumbs"]["values"]] == ["from isolation"]
        assert "tags" not in outside
        assert "breadcrumbs" not in outside


@pytest.mark.spec("CFG-04", "CFG-06", "EVT-16", "EVT-17", "EVT-15")
def test_release_and_environment_come_from_the_options_only() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn(), release="shop@1", dist="x", server_name="host1")
        assert not hasattr(vedette.Scope, "set_release")
        vedette.capture_message("message")
        vedette.flush(5)
        (event,) = server.events
        assert (event["release"], event["environment"], event["dist"]) == ("shop@1", "production", "x")
        assert event["server_name"] == "host1"


@pytest.mark.spec("ERR-32", "ERR-33", "ERR-40", "ERR-41")
def test_the_mechanism_tells_who_captured_and_whether_the_program_had_caught_it() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn())
        error = ValueError("boom")
        vedette.capture_exception(error)
        sys.excepthook(TypeError, TypeError("boom"), None)
        vedette.flush(5)
        mechanisms = [event["exception"]["values"][-1]["mechanism"] for event in server.events]
        assert [each["handled"] for each in mechanisms] == [True, False]
        assert [each["type"] for each in mechanisms] == ["generic", "auto.python.excepthook"]
