"""Who does what on the way out: the client hands over, the processor decides, the transport sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.servers import RecordingServer
from vedette._processing.buffer import Buffer, Item, Ledger
from vedette._processing.kinds import Kind
from vedette._processing.scheduler import Scheduler
from vedette._protocol.categories import DataCategory
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from vedette.envelope import Envelope

DSN = "https://key@errors.example.org/7"


@pytest.mark.spec("TP-03", "TP-81")
def test_the_processor_takes_items_flushes_and_closes() -> None:
    transport = MemoryTransport()
    client = vedette.Client(DSN, transport=transport)
    processor = client.processor
    processor.add(DataCategory.ERROR, {"event_id": "0" * 31 + "1", "message": "one"})
    processor.flush(5.0)
    assert [event["message"] for event in transport.events] == ["one"]
    processor.add(DataCategory.ERROR, {"event_id": "0" * 31 + "2", "message": "two"})
    processor.close(5.0)
    assert [event["message"] for event in transport.events] == ["one", "two"]
    processor.add(DataCategory.ERROR, {"event_id": "0" * 31 + "3", "message": "too late"})
    processor.flush(5.0)
    assert len(transport.events) == 2


@pytest.mark.spec("TP-27", "TP-29", "CLI-26")
def test_close_sends_all_that_is_buffered_then_flushes_the_transport_then_ends_it() -> None:
    calls: list[str] = []

    class Ordered(vedette.Transport):
        def capture_envelope(self, envelope: Envelope) -> None:
            calls.append("envelope")

        def flush(self, timeout: float, callback: object = None) -> None:
            calls.append("flush")

        def kill(self) -> None:
            calls.append("kill")

    client = vedette.Client(DSN, transport=Ordered())
    for _ in range(20):
        client.capture_message("hello")
    client.close(5)
    assert calls == [*["envelope"] * 20, "flush", "kill"]
    assert not client.is_active()


@pytest.mark.spec("TP-04", "TP-55", "TP-56")
def test_a_transport_that_can_only_send_gets_whole_envelopes_and_none_that_was_dropped() -> None:
    class OnlySends(vedette.Transport):
        def __init__(self) -> None:  # not even the base class's own
            self.taken: list[dict[str, Any]] = []

        def capture_envelope(self, envelope: Envelope) -> None:
            self.taken.append({**envelope.headers, "items": [item.type for item in envelope.items]})

    transport = OnlySends()
    client = vedette.Client(DSN, transport=transport, transport_queue_size=1)
    for _ in range(50):
        client.capture_message("hello")
    client.close(5)
    stats = client.stats()
    assert stats.delivered["error"] == len(transport.taken)
    assert stats.delivered["error"] + stats.dropped.get("error", {}).get("buffer_overflow", 0) == 50
    assert {tuple(each["items"]) for each in transport.taken} == {("event",)}
    assert all({"event_id", "sent_at"} <= each.keys() for each in transport.taken)


@pytest.mark.spec("TP-70", "TP-69")
def test_the_transport_tells_what_the_server_said_and_the_processor_decides_by_it() -> None:
    with RecordingServer() as server:
        client = vedette.Client(server.dsn())
        processor = client.processor
        server.answer(headers=(("X-Sentry-Rate-Limits", "60:error:key"),))
        client.capture_message("takes the limit")
        client.flush(5)
        assert processor.is_limited(DataCategory.ERROR)
        assert not processor.is_limited(DataCategory.FEEDBACK)
        client.capture_feedback({"message": "goes"})
        client.capture_message("is dropped")
        client.close(5)
        assert (len(server.items("event")), len(server.items("feedback"))) == (1, 1)


@pytest.mark.spec("TP-77")
def test_weights_are_a_setting_of_each_kind() -> None:
    def shares(error: int, session: int) -> tuple[int, int]:
        ledger = Ledger(10**9)
        kinds = {DataCategory.ERROR: Kind("event", error), DataCategory.SESSION: Kind("session", session)}
        buffers = [Buffer(each, kind, 100, ledger, lambda _c, _i: None) for each, kind in kinds.items()]
        for buffer in buffers:
            for _ in range(100):
                buffer.append(Item({}))
        scheduler = Scheduler(buffers)
        for _ in range(60):
            buffer = scheduler.next_buffer()
            assert buffer is not None
            buffer.take()
        return 100 - len(buffers[0]), 100 - len(buffers[1])

    assert shares(5, 1) == (50, 10)
    assert shares(1, 1) == (30, 30)
    assert shares(1, 2) == (20, 40)
