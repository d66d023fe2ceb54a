"""What the server is told of what was lost: by everything that loses, together, once, and nothing else."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.judging import Garbage
from tests.programs import run_program
from tests.servers import Answer, RecordingServer
from vedette._protocol.categories import DataCategory
from vedette.transport import HttpTransport

if TYPE_CHECKING:
    from pathlib import Path

    from vedette.envelope import Envelope


def told(server: RecordingServer) -> dict[tuple[str, str], int]:
    """What all reports together say, by category and reason."""
    found: dict[tuple[str, str], int] = {}
    for report in server.items("client_report"):
        for loss in report.json["discarded_events"]:
            key = (loss["category"], loss["reason"])
            found[key] = found.get(key, 0) + loss["quantity"]
    return found


def before_send(event: Any, hint: Any) -> Any:
    return None if "unwanted" in event["logentry"]["formatted"] else event


def lose_in_many_ways(client: vedette.Client, server: RecordingServer) -> None:
    """By hook, by processor, by scope, by the server's answer: each in another room of the house."""
    scope = vedette.Scope()
    scope.add_event_processor(lambda event, hint: None)
    client.capture_message("unwanted")
    client.capture_message("unwanted, too")
    client.capture_message("processed away", scope=scope)
    client.capture_feedback({"message": ""})
    server.answer(status=500)
    client.capture_message("refused")


@pytest.mark.spec("CR-48", "CR-50", "CR-60", "CR-62", "TP-66")
def test_what_is_lost_anywhere_is_added_up_in_one_place_and_told_once() -> None:
    with RecordingServer() as server:
        client = vedette.Client(server.dsn(), before_send=before_send, max_connections=1)
        lose_in_many_ways(client, server)
        client.capture_message("arrives")
        client.flush(5)
        refused, envelope = server.envelopes
        assert [item.type for item in refused.items] == ["event", "client_report"]
        assert [item.type for item in envelope.items] == ["event", "client_report"]
        del server.requests[0]
        assert told(server) == {
            ("error", "before_send"): 2,
            ("error", "event_processor"): 1,
            ("feedback", "invalid"): 1,
            ("error", "send_error"): 1,
        }
        client.capture_message("nothing was lost since")
        client.close(5)
        assert [item.type for item in server.envelopes[-1].items] == ["event"]


@pytest.mark.spec("TP-65", "CR-55")
def test_losses_are_counted_where_they_happen_before_anything_is_sent_and_outlive_the_transport() -> None:
    client = vedette.Client("http://key@127.0.0.1:9/7", sample_rate=0.0)
    for _ in range(3):
        client.capture_message("sampled out")
    assert client.stats().dropped == {"error": {"sample_rate": 3}}
    client.transport.kill()
    assert client.stats().dropped == {"error": {"sample_rate": 3}}


@pytest.mark.spec("CR-56", "TP-07")
def test_the_capturing_thread_sends_neither_events_nor_reports() -> None:
    senders: list[tuple[str | None, int]] = []

    class Watched(HttpTransport):
        def capture_envelope(self, envelope: Envelope) -> None:
            senders.extend((item.type, threading.get_ident()) for item in envelope.items)
            super().capture_envelope(envelope)

    with RecordingServer() as server:
        client = vedette.Client(server.dsn(), transport=Watched, before_send=before_send)
        client.capture_message("unwanted")
        client.capture_message("arrives")
        client.flush(5)
        client.capture_message("unwanted")
        client.close(5)
        assert told(server) == {("error", "before_send"): 2}
    assert {item_type for item_type, _ in senders} == {"event", "client_report"}
    assert threading.get_ident() not in {ident for _, ident in senders}


@pytest.mark.spec("CR-47")
def test_a_users_transport_is_given_no_reports_and_the_losses_are_in_stats() -> None:
    taken: list[str | None] = []

    class Mine(vedette.Transport):
        def capture_envelope(self, envelope: Envelope) -> None:
            taken.extend(item.type for item in envelope.items)

    client = vedette.Client("https://key@errors.example.org/7", transport=Mine(), before_send=before_send)
    client.capture_message("unwanted")
    client.capture_message("arrives")
    client.close(5)
    assert taken == ["event"]
    assert client.stats().dropped == {"error": {"before_send": 1}}


@pytest.mark.spec("CR-10")
def test_reports_go_though_the_server_limits_every_category_by_name() -> None:
    names = ";".join(category.value for category in DataCategory if category is not DataCategory.INTERNAL)
    with RecordingServer() as server:
        server.answer(headers=(("X-Sentry-Rate-Limits", f"60:{names}:organization"),))
        client = vedette.Client(server.dsn())
        client.capture_message("arrives")
        client.flush(5)
        client.capture_message("is limited")
        client.close(5)
        assert told(server) == {("error", "ratelimit_backoff"): 1}


@pytest.mark.spec("CR-05")
def test_a_fault_that_loses_nothing_is_no_matter_for_reports(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("a fault inside the SDK")

    with RecordingServer() as server:
        client = vedette.Client(server.dsn())
        client.add_before_sending("modules", fail)
        client.capture_exception(ValueError())
        client.close(5)
        (event,) = server.events
        assert "modules" not in event
        assert told(server) == {}
    assert client.stats().dropped == {}
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.spec("CR-08")
def test_what_a_process_had_counted_and_not_told_ends_with_a_crash(tmp_path: Path) -> None:
    with RecordingServer() as server:
        ended = run_program(
            """
            import os, signal, sys, vedette
            vedette.init(sys.argv[1], cache_dir=sys.argv[2])
            scope = vedette.Scope()
            scope.add_event_processor(lambda event, hint: None)
            vedette.capture_message("unwanted", scope=scope)
            os.kill(os.getpid(), signal.SIGKILL)
            """,
            server.dsn(),
            str(tmp_path),
        )
        assert ended.code == -signal.SIGKILL
        client = vedette.Client(server.dsn(), cache_dir=str(tmp_path))
        client.capture_message("of the next process")
        client.close(5)
        assert len(server.events) == 1
        assert told(server) == {}


@pytest.mark.spec("CR-46", "CR-51", "CR-69")
def test_a_server_that_is_too_old_for_reports_is_spared_them() -> None:
    with RecordingServer() as server:
        client = vedette.Client(server.dsn(), send_client_reports=False, before_send=before_send)
        lose_in_many_ways(client, server)
        client.capture_message("arrives")
        client.close(5)
        assert {item.type for envelope in server.envelopes for item in envelope.items} == {"event"}
    assert client.stats().dropped["error"] == {"before_send": 2, "event_processor": 1, "send_error": 1}


@pytest.mark.spec("CR-54")
@pytest.mark.parametrize("taken", ["hung up", "no HTTP"])
def test_a_server_that_takes_requests_and_cannot_be_understood_is_told_of_a_loss_twice_not_with_each_request(
    taken: str,
) -> None:
    with RecordingServer() as server:
        server.default = Garbage() if taken == "no HTTP" else Answer(hang_up="after_reading")
        client = vedette.Client(server.dsn(), before_send=before_send, max_connections=1)
        client.capture_message("unwanted")
        for _ in range(20):
            client.capture_message("wanted")
        client.flush(5)
        assert len(server.events) == 20
        assert told(server) == {("error", "before_send"): 2, ("error", "network_error"): 20}  # with one, and alone

        server.default = Answer()
        server.clear()
        client.capture_message("it can be understood again")
        client.close(5)
        assert told(server) == {("error", "before_send"): 1, ("error", "network_error"): 20}


@pytest.mark.spec("CR-54")
def test_losses_ride_with_each_request_to_a_server_that_cannot_be_reached_until_one_arrives() -> None:
    with RecordingServer() as server:
        client = vedette.Client(server.dsn(), max_connections=1)
        server.close()
        for _ in range(3):
            client.capture_message("nobody is there")
        client.flush(5)
        server.start(server.port)
        client.capture_message("arrives")
        assert told_after(1, server) == {("error", "network_error"): 3}
        client.close(5)
        assert len(server.requests) == 1


def told_after(count: int, server: RecordingServer) -> dict[tuple[str, str], int]:
    server.wait_for(count)
    return told(server)
