"""The processor: who sends, in which order, and what is accounted for. Delivery over HTTP is in tests/e2e."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.servers import Answer, RecordingServer
from tests.threads import os_threads
from tests.waiting import wait_until
from vedette._processing import dispatching
from vedette._protocol.categories import DataCategory, DiscardReason
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from vedette.envelope import Envelope

DSN = "https://key@errors.example.org/7"


class Gate(vedette.Transport):
    """Takes an envelope only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.types: list[str | None] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.entered.set()
        self.go_on.wait(10)
        self.types.extend(item.type for item in envelope.items)


@pytest.mark.spec("CR-44", "TP-64", "CR-42", "CR-43")
def test_a_loss_with_nothing_else_to_send_is_reported_after_a_while_in_one_envelope(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatching, "REPORT_SECONDS", 0.3)
    with RecordingServer() as server:
        vedette.init(server.dsn(), sample_rate=0.0)
        for _ in range(20):
            vedette.capture_message("sampled out")
        server.wait_for(1)
        (item,) = server.items("client_report")
        assert item.json["discarded_events"] == [{"reason": "sample_rate", "category": "error", "quantity": 20}]
        assert len(server.envelopes) == 1


@pytest.mark.spec("TP-53", "TP-81", "TP-87")
def test_errors_go_before_transactions_and_each_in_an_envelope_of_its_own() -> None:
    gate = Gate()
    client = vedette.Client(DSN, transport=gate)
    client.capture_message("the first, which holds the gate up")
    gate.entered.wait(5)
    for _ in range(10):
        client.capture_event({"type": "transaction", "transaction": "GET /", "contexts": {}})
    for _ in range(10):
        client.capture_message("error")
    gate.go_on.set()
    client.flush(10)
    assert sorted(filter(None, gate.types)) == ["event"] * 11 + ["transaction"] * 10
    first_half = gate.types[1:9]
    assert first_half.count("event") == 5


def test_feedback_is_as_urgent_as_errors() -> None:
    gate = Gate()
    client = vedette.Client(DSN, transport=gate)
    client.capture_message("the first, which holds the gate up")
    gate.entered.wait(5)
    for _ in range(8):
        client.capture_event({"type": "transaction", "transaction": "GET /", "contexts": {}})
    for _ in range(8):
        client.capture_feedback({"message": "slow"})
    for _ in range(8):
        client.capture_message("error")
    gate.go_on.set()
    client.flush(10)
    first = gate.types[1:14]
    assert (first.count("event"), first.count("feedback"), first.count("transaction")) == (5, 5, 3)


def test_a_synchronous_transport_gets_the_envelope_before_capture_returns() -> None:
    transport = MemoryTransport()
    client = vedette.Client(DSN, transport=transport)
    before = os_threads()
    client.capture_message("hello")
    assert len(transport.envelopes) == 1
    assert os_threads() <= before  # workers of earlier tests may end meanwhile


def test_a_synchronous_transport_loses_nothing_when_threads_capture_at_once() -> None:
    transport = MemoryTransport()
    client = vedette.Client(DSN, transport=transport)

    def work() -> None:
        for _ in range(100):
            client.capture_message("hello")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.flush(5)
    assert len(transport.envelopes) == 400
    assert client.stats().delivered == {"error": 400}


def test_two_flushes_at_once_both_return_when_all_is_sent() -> None:
    gate = Gate()
    client = vedette.Client(DSN, transport=gate)
    client.capture_message("hello")
    done: list[str] = []

    def flush(name: str) -> None:
        client.flush(10)
        done.append(name)

    threads = [threading.Thread(target=flush, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    gate.entered.wait(5)
    assert done == []
    gate.go_on.set()
    for thread in threads:
        thread.join(5)
    assert sorted(done) == ["one", "two"]


@pytest.mark.spec("CR-27", "CR-28", "OFF-16", "OFF-17")
def test_a_fault_while_an_event_is_packed_loses_that_event_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    transport = MemoryTransport()
    client = vedette.Client(DSN, transport=transport)

    def fault(*_arguments: Any) -> Any:
        message = "a bug of ours"
        raise RuntimeError(message)

    with monkeypatch.context() as patched:
        patched.setattr("vedette._processing.packing.shrink_event", fault)
        client.capture_message("lost")
    client.capture_message("arrives")
    assert [event["logentry"]["formatted"] for event in transport.events] == ["arrives"]
    assert client.stats().dropped == {"error": {"internal_sdk_error": 1}}
    assert "please report it" in caplog.text


@pytest.mark.spec("CR-49", "TP-67", "TP-68", "RATE-20", "PAIN-23")
def test_two_clients_share_neither_limits_nor_accounts() -> None:
    with RecordingServer() as one, RecordingServer() as other:
        one.answer(status=429, headers=(("X-Sentry-Rate-Limits", "60:error:key"),))
        limited, free = vedette.Client(one.dsn()), vedette.Client(other.dsn())
        limited.capture_message("refused")
        limited.flush(5)
        assert limited.capture_message("dropped") is None
        assert free.capture_message("arrives")
        free.flush(5)
        assert len(other.events) == 1
        assert free.stats().captured == {"error": 1}
        assert limited.stats().dropped == {"error": {"ratelimit_backoff": 1}}
        limited.close(0)
        assert free.capture_message("arrives, too")
        free.close(5)
        assert len(other.events) == 2


def test_the_thread_of_a_closed_client_ends() -> None:
    with RecordingServer() as server:
        before = os_threads()
        client = vedette.Client(server.dsn())
        client.capture_message("hello")
        client.close(5)
    wait_until(lambda: os_threads() <= before)


def test_the_thread_of_a_closed_client_ends_though_it_owes_a_report() -> None:
    with RecordingServer() as server:
        server.default = Answer(status=500)
        before = os_threads()
        client = vedette.Client(server.dsn())
        client.capture_message("lost")
        client.flush(5)
        client.processor.count_drop(DiscardReason.SAMPLE_RATE, DataCategory.ERROR)
        client.close(0)
        wait_until(lambda: not client.processor.threads())
    wait_until(lambda: os_threads() <= before)


def test_what_comes_in_while_a_client_is_closed_is_counted() -> None:
    with RecordingServer() as server:
        client = vedette.Client(server.dsn())
        client.close(0)
        client.processor.add(DataCategory.ERROR, {"event_id": "0" * 32})  # as a capture that had begun before
        assert client.stats().dropped == {"error": {"network_error": 1}}
        assert not client.processor.threads()
