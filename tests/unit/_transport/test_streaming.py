"""Bodies that are made while they are sent."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.servers import decoded, parsed_envelope
from tests.waiting import wait_until
from vedette._protocol.categories import DiscardReason
from vedette._protocol.envelope import Envelope, Item, PayloadRef
from vedette._protocol.files import look_at
from vedette._transport.compression import ENCODINGS, compressed
from vedette._transport.delivery import Outcome
from vedette._transport.http import HttpTransport
from vedette._transport.streaming import LARGE_BYTES, Stream, body_of

if TYPE_CHECKING:
    from pathlib import Path

NEVER = time.monotonic() + 1e9


def envelope_with(path: Path) -> Envelope:
    payload = PayloadRef(path=str(path))
    found = look_at(str(path), 1 << 40)
    assert not isinstance(found, bytes)
    payload.file = found
    return Envelope({"event_id": "1" * 32}, [Item(b"{}", type="event"), Item(payload, type="attachment", filename="f")])


@pytest.fixture
def random_file(tmp_path: Path) -> Path:
    path = tmp_path / "random.bin"
    path.write_bytes(os.urandom(LARGE_BYTES * 3))
    return path


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("pieces", [[], [b""], [b"x"], [b"abc" * 100_000, b"", os.urandom(200_000)]], ids=len)
def test_data_in_pieces_is_compressed_to_what_servers_unpack(encoding, pieces):
    packed = list(compressed(pieces, encoding))
    assert all(packed)  # an empty piece would end a chunked body
    assert decoded(b"".join(packed), encoding) == b"".join(pieces)


@pytest.mark.spec("CMP-08", "CMP-09", "CMP-10")
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_large_body_is_sent_in_chunks_and_arrives_whole(server, random_file, encoding):
    transport = HttpTransport({"dsn": server.dsn(), "compression": encoding})
    delivery = transport.deliver(envelope_with(random_file), timeout=10)
    transport.kill()
    assert delivery.outcome is Outcome.DELIVERED
    (request,) = server.requests
    assert request.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in request.headers
    assert [item.payload for item in request.envelope.items] == [b"{}", random_file.read_bytes()]


@pytest.mark.spec("CMP-08")
def test_what_is_small_when_compressed_is_sent_with_its_length(server, transport, tmp_path):
    path = tmp_path / "zeros.log"
    path.write_bytes(b"0" * LARGE_BYTES * 3)
    transport.deliver(envelope_with(path), timeout=10)
    (request,) = server.requests
    assert "transfer-encoding" not in request.headers
    assert request.headers["content-length"] == str(len(request.raw_body))
    assert request.envelope.items[1].payload == path.read_bytes()


def test_many_bytes_in_memory_are_sent_in_chunks_too(server, transport):
    content = os.urandom(LARGE_BYTES * 3)
    items = [Item(b"{}", type="event"), Item(content, type="attachment", filename="f")]
    transport.deliver(Envelope({}, items), timeout=10)
    assert server.requests[0].headers["transfer-encoding"] == "chunked"
    assert server.requests[0].envelope.items[1].payload == content


def test_a_body_can_be_made_a_second_time(random_file):
    body = body_of(envelope_with(random_file), "gzip", NEVER)
    assert isinstance(body, Stream)
    first, second = b"".join(body), b"".join(body)
    assert first == second
    assert parsed_envelope(decoded(first, "gzip")).items[1].payload == random_file.read_bytes()


def test_it_is_sent_again_when_a_pooled_connection_had_died(server, transport, random_file):
    transport.deliver(b"{}\n", timeout=5)
    server.answer(hang_up="before_reading")
    delivery = transport.deliver(envelope_with(random_file), timeout=10)
    assert delivery.outcome is Outcome.DELIVERED
    assert server.requests[-1].envelope.items[1].payload == random_file.read_bytes()


def test_a_server_that_stops_taking_bytes_does_not_outlast_the_time_out(server, transport, tmp_path):
    path = tmp_path / "huge.bin"
    path.write_bytes(os.urandom(LARGE_BYTES) * 30)
    gate = threading.Event()
    server.answer(read_gate=gate)
    started = time.monotonic()
    delivery = transport.deliver(envelope_with(path), timeout=0.5)
    assert time.monotonic() - started < 5
    assert delivery.reason is DiscardReason.NETWORK_ERROR
    gate.set()


def test_a_server_that_stops_taking_bytes_is_not_waited_for_as_long_as_a_large_body_may_take(
    server, transport, tmp_path, monkeypatch
):
    monkeypatch.setattr(HttpTransport, "TIMEOUT", 0.5)
    path = tmp_path / "huge.bin"
    path.write_bytes(os.urandom(LARGE_BYTES) * 30)
    gate = threading.Event()
    server.answer(read_gate=gate)
    started = time.monotonic()
    delivery = transport.deliver(envelope_with(path), timeout=60)
    assert time.monotonic() - started < 10
    assert delivery.reason is DiscardReason.NETWORK_ERROR
    gate.set()


def test_a_file_that_shrinks_while_it_is_sent_is_named_and_the_server_gets_no_envelope(server, transport, tmp_path):
    path = tmp_path / "shrinks.bin"
    path.write_bytes(os.urandom(LARGE_BYTES) * 30)
    envelope = envelope_with(path)
    gate = threading.Event()
    server.answer(read_gate=gate)
    deliveries = []
    thread = threading.Thread(target=lambda: deliveries.append(transport.deliver(envelope, timeout=20)))
    thread.start()
    wait_until(lambda: server.connections == 1)
    os.truncate(path, LARGE_BYTES)
    gate.set()
    thread.join(10)
    (delivery,) = deliveries
    assert delivery.unreadable is envelope.items[1]
    server.wait_for_no_connections()
    assert server.requests == []
    assert transport.deliver(b"{}\n", timeout=5).outcome is Outcome.DELIVERED


def test_a_refusal_in_the_middle_of_the_body_counts(server, transport, random_file):
    server.default = server.default.__class__(status=413)
    delivery = transport.deliver(envelope_with(random_file), timeout=10)
    assert delivery.too_large


@pytest.mark.spec("ENV-97")
def test_capture_envelope_sends_the_rest_when_a_file_cannot_be_read(server, transport, random_file):
    losses = []
    transport.loss_recorder = lambda reason, category, n: losses.append((str(reason), category.value, n))
    envelope = envelope_with(random_file)
    os.truncate(random_file, 5)
    transport.capture_envelope(envelope)
    assert [item.type for item in server.envelopes[0].items] == ["event"]
    assert losses == [
        ("internal_sdk_error", "attachment", LARGE_BYTES * 3),
        ("internal_sdk_error", "attachment_item", 1),
    ]
