"""A program's own transport: what counts as delivered, and what it says was lost, at once or later."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.servers import RecordingServer
from tests.waiting import wait_until
from vedette.transport import HttpTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from vedette.envelope import Envelope

DSN = "https://key@errors.example.org/7"


class Telling(vedette.Transport):
    """Hands each envelope to a function of the test."""

    def __init__(self, take: Callable[[Telling, Envelope], None]) -> None:
        super().__init__()
        self.take = take
        self.told_of: list[str] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.take(self, envelope)

    def record_lost_event(self, reason: str, *args: Any, **kwargs: Any) -> None:
        self.told_of.append(reason)
        super().record_lost_event(reason, *args, **kwargs)


def stats_after_one(transport: vedette.Transport, **attached: bytes) -> Any:
    client = vedette.Client(DSN, transport=transport)
    scope = vedette.Scope()
    for name, content in attached.items():
        scope.add_attachment(bytes=content, filename=name)
    client.capture_event({"message": "hello"}, scope=scope)
    client.flush(5)
    return client.stats()


def assert_all_accounted_for(stats: Any) -> None:
    for category, captured in stats.captured.items():
        known = stats.delivered.get(category, 0) + stats.waiting.get(category, 0)
        assert captured == known + sum(stats.dropped.get(category, {}).values())


@pytest.mark.spec("CR-02")
def test_what_a_transport_says_was_lost_is_counted_by_its_reason() -> None:
    def lose(transport: Telling, envelope: Envelope) -> None:
        for item in envelope.items:
            transport.record_lost_event("network_error", item=item)

    stats = stats_after_one(Telling(lose), note=b"12345")
    assert stats.delivered == {}
    assert stats.dropped == {
        "error": {"network_error": 1},
        "attachment": {"network_error": 5},
        "attachment_item": {"network_error": 1},
    }
    assert_all_accounted_for(stats)


def test_a_transport_that_took_an_envelope_over_may_lose_it_later_from_a_thread_of_its_own() -> None:
    held: list[Envelope] = []
    transport = Telling(lambda _transport, envelope: held.append(envelope))
    client = vedette.Client(DSN, transport=transport)
    client.capture_message("first")
    client.capture_message("second")
    client.flush(5)
    assert client.stats().delivered == {"error": 2}

    def give_up() -> None:
        transport.record_lost_event("queue_overflow", item=held[0].items[0])

    thread = threading.Thread(target=give_up)
    thread.start()
    thread.join()
    client.capture_message("third")
    client.flush(5)
    stats = client.stats()
    assert stats.delivered == {"error": 2}
    assert stats.dropped == {"error": {"queue_overflow": 1}}
    assert_all_accounted_for(stats)
    give_up()  # on the thread of the program, between two captures
    transport.record_lost_event("send_error", "error")
    stats = client.stats()
    assert (stats.delivered, stats.dropped) == ({}, {"error": {"queue_overflow": 2, "send_error": 1}})
    assert_all_accounted_for(stats)


def test_a_late_loss_while_another_envelope_is_being_sent_is_not_taken_for_its_own() -> None:
    held: list[Envelope] = []
    entered, go_on = threading.Event(), threading.Event()

    def take(_transport: Telling, envelope: Envelope) -> None:
        held.append(envelope)
        if len(held) == 2:
            entered.set()
            go_on.wait(10)

    transport = Telling(take)
    client = vedette.Client(DSN, transport=transport)
    client.capture_message("lost later")
    wait_until(lambda: client.stats().delivered)
    client.capture_message("arrives")
    assert entered.wait(10)
    transport.record_lost_event("network_error", item=held[0].items[0])
    go_on.set()
    client.flush(5)
    stats = client.stats()
    assert (stats.delivered, stats.dropped) == ({"error": 1}, {"error": {"network_error": 1}})


def test_reasons_and_categories_that_nobody_knows_are_counted_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    def lose(transport: Telling, _envelope: Envelope) -> None:
        transport.record_lost_event("my disk is full", "error")
        transport.record_lost_event("network_error", "parcels", quantity=3)

    client = vedette.Client(DSN, transport=Telling(lose))
    for _ in range(2):
        client.capture_message("hello")
        client.flush(5)
    assert client.stats().dropped["error"] == {"send_error": 2}
    (warning,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert warning == "the transport's reason 'my disk is full' is unknown: counted as send_error"


def test_a_transport_is_not_told_of_what_is_dropped_before_it() -> None:
    transport = Telling(lambda _transport, _envelope: None)
    client = vedette.Client(DSN, transport=transport, before_send=lambda _event, _hint: None)
    client.capture_message("dropped by the hook")
    client.flush(5)
    assert client.stats().dropped == {"error": {"before_send": 1}}
    assert transport.told_of == []


@pytest.mark.spec("CR-02", "CR-57")
def test_late_losses_of_an_http_transport_with_a_thread_of_its_own_are_reported_to_the_server() -> None:
    class InBackground(HttpTransport):
        """Sends on threads of its own, as a program that wants several at a time would do."""

        def capture_envelope(self, envelope: Envelope) -> None:
            threading.Thread(target=super().capture_envelope, args=(envelope,)).start()

    with RecordingServer() as server:
        server.answer(status=500)
        client = vedette.Client(server.dsn(), transport=InBackground)
        client.capture_message("lost")
        wait_until(lambda: client.stats().dropped)
        assert client.stats().dropped == {"error": {"send_error": 1}}
        assert client.stats().delivered == {}
        client.capture_message("arrives")
        client.flush(5)
        server.wait_for(2)
        (report,) = server.items("client_report")
        assert report.json["discarded_events"] == [{"reason": "send_error", "category": "error", "quantity": 1}]


def test_a_function_gets_events_and_what_else_there_is_counts_as_lost() -> None:
    events: list[Any] = []
    with pytest.warns(DeprecationWarning, match="a function as 'transport' is deprecated"):
        client = vedette.Client(DSN, transport=events.append)
    scope = vedette.Scope()
    scope.add_attachment(bytes=b"12345", filename="note")
    client.capture_event({"message": "hello"}, scope=scope)
    client.capture_feedback({"message": "nice"})
    client.flush(5)
    (event,) = events
    assert type(event) is dict
    assert event["logentry"]["formatted"] == "hello"
    stats = client.stats()
    assert stats.delivered == {"error": 1}
    lost = {"feedback": {"send_error": 1}, "attachment": {"send_error": 5}, "attachment_item": {"send_error": 1}}
    assert stats.dropped == lost
    assert_all_accounted_for(stats)


def test_a_function_that_raises_loses_the_event_and_it_is_counted() -> None:
    def fail(_event: Any) -> None:
        message = "no"
        raise RuntimeError(message)

    with pytest.warns(DeprecationWarning, match="a function as 'transport' is deprecated"):
        client = vedette.Client(DSN, transport=fail)
    client.capture_message("hello")
    client.flush(5)
    assert client.stats().dropped == {"error": {"internal_sdk_error": 1}}
    assert client.stats().delivered == {}
