"""The last look at an outgoing envelope."""

from __future__ import annotations

import threading
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.servers import RecordingServer
from vedette.envelope import Envelope, Item, PayloadRef
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DSN = "https://key@errors.example.org/7"


def client_with(callback: Callable[[Envelope], object], **options: Any) -> tuple[vedette.Client, MemoryTransport]:
    transport = MemoryTransport()
    client = vedette.Client(DSN, transport=transport, default_integrations=False, **options)
    client.on("before_envelope", callback)
    return client, transport


def on_the_wire(transport: MemoryTransport) -> list[Envelope]:
    """The envelopes, as their bytes say."""
    return [Envelope.deserialize(envelope.serialize()) for envelope in transport.envelopes]


@pytest.mark.spec("HOOK-09", "HOOK-11")
def test_what_it_changes_is_what_is_sent() -> None:
    def change(envelope: Envelope) -> None:
        envelope.headers["by"] = "hook"
        event: Any = envelope.get_event()
        event["extra"] = {"password": "kept: nothing changes it after the hook"}
        envelope.add_item(Item(b"more", type="attachment", filename="more.txt"))

    client, transport = client_with(change)
    client.capture_message("hello")
    (envelope,) = on_the_wire(transport)
    assert envelope.headers["by"] == "hook"
    assert [item.type for item in envelope.items] == ["event", "attachment"]
    event: Any = envelope.get_event()
    assert event["extra"] == {"password": "kept: nothing changes it after the hook"}


@pytest.mark.spec("HOOK-09")
def test_it_sees_the_envelope_scrubbed_and_with_the_client_report() -> None:
    seen: list[dict[str, Any]] = []

    def look(envelope: Envelope) -> None:
        seen.append(
            {str(item.type): PayloadRef(bytes=item.get_bytes()).get_bytes().decode() for item in envelope.items}
        )

    with RecordingServer() as server:
        client = vedette.Client(server.dsn(), before_send=lambda event, hint: None if "drop" in hint else event)
        client.on("before_envelope", look)
        client.capture_event({"message": "dropped"}, {"drop": True})
        client.capture_event({"message": "kept", "extra": {"password": "hunter2"}})
        client.flush(5)
        requests = server.wait_for(1)
        merged = {name: text for each in seen for name, text in each.items()}
        assert len(seen) == len(requests)
    assert '"before_send"' in merged["client_report"]
    assert "hunter2" not in merged["event"]
    assert "password" in merged["event"]


def test_bytes_put_in_win_over_the_json_that_was_there() -> None:
    def change(envelope: Envelope) -> None:
        envelope.items[0].payload.bytes = b'{"message":"by bytes"}'

    client, transport = client_with(change)
    client.capture_message("hello")
    assert on_the_wire(transport)[0].get_event() == {"message": "by bytes"}


def test_it_runs_on_the_thread_that_sends() -> None:
    threads: list[int] = []
    with RecordingServer() as server:
        client = vedette.Client(server.dsn())
        client.on("before_envelope", lambda _envelope: threads.append(threading.get_ident()))
        client.capture_message("hello")
        client.flush(5)
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


@pytest.mark.spec("HOOK-10")
def test_it_replaces_no_other_hook() -> None:
    calls: list[str] = []

    def note(name: str) -> Callable[..., Any]:
        def hook(item: Any, *_: object) -> Any:
            calls.append(name)
            return item

        return hook

    client, _ = client_with(note("before_envelope"), before_send=note("before_send"))
    with vedette.new_scope() as scope:
        scope.add_event_processor(note("processor"))
        client.capture_message("hello")
    assert calls == ["processor", "before_send", "before_envelope"]


def spoil_event(envelope: Envelope) -> None:
    event: Any = envelope.get_event()
    event["extra"] = object()


def spoil_items(envelope: Envelope) -> None:
    envelope.items.append(5)  # type: ignore[arg-type]


def spoil_headers(envelope: Envelope) -> None:
    envelope.headers["by"] = object()


def raise_half_way(envelope: Envelope) -> None:
    envelope.headers["half"] = True
    raise ValueError


@pytest.mark.spec("HOOK-64", "HOOK-65")
@pytest.mark.parametrize("spoil", [spoil_event, spoil_items, spoil_headers, raise_half_way])
def test_one_that_fails_or_spoils_the_envelope_does_not_keep_it_from_being_sent(
    spoil: Callable[[Envelope], None], caplog: pytest.LogCaptureFixture
) -> None:
    client, transport = client_with(spoil)
    client.capture_message("hello")
    client.capture_message("again")
    texts = [envelope.get_event()["logentry"]["formatted"] for envelope in on_the_wire(transport)]  # type: ignore[index, typeddict-item]
    assert texts == ["hello", "again"]
    assert client.stats().delivered == {"error": 2}
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1


def test_an_envelope_that_it_empties_is_not_sent_and_its_event_is_counted() -> None:
    client, transport = client_with(lambda envelope: envelope.items.clear())
    client.capture_message("hello")
    assert transport.envelopes == []
    assert client.stats().dropped == {"error": {"before_send": 1}}


def test_what_it_takes_out_is_counted_and_the_rest_is_sent() -> None:
    def take_out(envelope: Envelope) -> None:
        gone.append(envelope.items.pop(0 if len(gone) else 1))

    gone: list[Item] = []
    client, transport = client_with(take_out)
    with vedette.new_scope() as scope:
        scope.add_attachment(b"12345", "a.txt")
        client.capture_message("without its attachment")
        client.capture_message("an attachment without its event")
    assert [item.type for item in gone] == ["attachment", "event"]
    assert [[item.type for item in each.items] for each in on_the_wire(transport)] == [["event"], ["attachment"]]
    stats = client.stats()
    assert stats.delivered == {"error": 1}
    assert {name: dict(reasons) for name, reasons in stats.dropped.items()} == {
        "error": {"before_send": 1},
        "attachment": {"before_send": 10},
        "attachment_item": {"before_send": 2},
    }


def test_files_are_not_read_for_it_and_a_spoiled_envelope_still_has_them(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(b"x" * 3_000_000)
    sizes: list[int] = []

    def spoil(envelope: Envelope) -> None:
        tracemalloc.start()
        envelope.items[1].headers["filename"] = object()

    with RecordingServer() as server:
        client = vedette.Client(server.dsn(), default_integrations=False)
        client.on("before_envelope", spoil)
        client.on("before_envelope", lambda envelope: sizes.append(envelope.items[1].payload.size()))
        with vedette.new_scope() as scope:
            scope.add_attachment(path=str(path))
            client.capture_message("hello")
        client.flush(20)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        (attachment,) = server.items("attachment")
    assert attachment.headers["filename"] == "large.bin"
    assert len(attachment.payload) == sizes[0] == 3_000_000
    assert client.stats().delivered["error"] == 1
    assert peak < 9_000_000  # the server holds it, too


def test_a_file_that_it_puts_in_and_that_cannot_be_read_costs_nothing_but_itself() -> None:
    def put_in(envelope: Envelope) -> None:
        envelope.add_item(Item(PayloadRef(path="/nowhere/at/all"), type="attachment", filename="gone.txt"))

    with RecordingServer() as server:
        client = vedette.Client(server.dsn(), default_integrations=False)
        client.on("before_envelope", put_in)
        client.capture_message("hello")
        client.flush(20)
        assert [event["logentry"]["formatted"] for event in server.events] == ["hello"]


def test_a_capture_from_inside_is_dropped_and_counted() -> None:
    client, transport = client_with(lambda _envelope: client.capture_message("from inside"))
    client.capture_message("hello")
    assert len(transport.envelopes) == 1
    assert client.stats().dropped == {"error": {"internal_sdk_error": 1}}
