from __future__ import annotations

import gc
import gzip
import json
import os
import threading
import time
import tracemalloc
from datetime import datetime, timedelta, timezone

import pytest

import vedette
from tests.servers import Answer, RecordingServer, unused_port
from tests.waiting import wait_until
from vedette._protocol.categories import DataCategory, DiscardReason
from vedette._protocol.dsn import BadDsn
from vedette._protocol.envelope import Envelope, Item, PayloadRef
from vedette._protocol.version import VERSION
from vedette._transport.delivery import Delivery, Outcome
from vedette._transport.http import HttpTransport

BODY = b'{}\n{"type":"event","length":2}\n{}\n'
LIMITS = "X-Sentry-Rate-Limits"


def reason_of(delivery: Delivery) -> DiscardReason | None:
    assert (delivery.outcome is Outcome.LOST) == (delivery.reason is not None)
    return delivery.reason


@pytest.mark.spec("TRN-01", "AUTH-09", "AUTH-20", "AUTH-21", "AUTH-24", "AUTH-25", "CMP-02", "ENV-102")
def test_an_envelope_is_one_post_with_exactly_these_headers(server, transport):
    assert transport.deliver(BODY, timeout=5) == Delivery(Outcome.DELIVERED, status=200)
    (request,) = server.requests
    assert (request.method, request.target, request.version) == ("POST", "/api/7/envelope/", "HTTP/1.1")
    assert request.headers == {
        "host": f"127.0.0.1:{server.port}",
        "content-type": "application/x-sentry-envelope",
        "content-encoding": "gzip",
        "content-length": str(len(request.raw_body)),
        "user-agent": f"vedette.python/{VERSION}",
        "x-sentry-auth": f"Sentry sentry_version=7, sentry_client=vedette.python/{VERSION}, sentry_key=abc",
    }
    assert request.body == BODY


@pytest.mark.spec("AUTH-05", "AUTH-08", "AUTH-15")
def test_secret_and_path_prefix_of_the_dsn_are_used(server):
    dsn = f"http://abc:hush@127.0.0.1:{server.port}/sentry/eu/007"
    HttpTransport({"dsn": dsn}).deliver(BODY, timeout=5)
    (request,) = server.requests
    assert request.target == "/sentry/eu/api/007/envelope/"
    assert request.headers["x-sentry-auth"].endswith(", sentry_key=abc, sentry_secret=hush")


@pytest.mark.spec("AUTH-22", "AUTH-25", "AUTH-28", "AUTH-29", "AUTH-30")
def test_the_user_agent_says_no_more_than_every_envelope_does(server):
    vedette.init(server.dsn(), server_name="secret-host", release="secret@1")
    vedette.capture_message("hello")
    vedette.flush(5)
    (request,) = server.requests
    sdk = request.envelope.headers["sdk"]
    assert request.headers["user-agent"] == f"{sdk['name']}/{sdk['version']}"
    assert f"sentry_client={request.headers['user-agent']}" in request.headers["x-sentry-auth"]


USUAL = {"host", "user-agent", "content-type", "content-length"}
PERMITTED = {  # transport.md, AUTH-23
    *("x-sentry-auth", "x-requested-with", "x-forwarded-for", "origin", "referer", "accept", "authentication"),
    *("authorization", "content-encoding", "transfer-encoding"),
}


@pytest.mark.spec("AUTH-20", "AUTH-22", "AUTH-23")
@pytest.mark.parametrize("body", [BODY, Envelope({}, [Item(os.urandom(3_000_000), type="attachment")])], ids=type)
@pytest.mark.parametrize("compression", ["gzip", "br", "zstd"])
def test_no_header_but_the_permitted_ones_is_sent(server, body, compression):
    transport = HttpTransport({"dsn": server.dsn(), "compression": compression})
    transport.deliver(body, timeout=10)
    assert set(server.requests[0].headers) <= USUAL | PERMITTED
    assert {"content-type", "user-agent"} <= set(server.requests[0].headers)
    transport.kill()


@pytest.mark.spec("AUTH-17", "ENV-36", "ENV-99", "ENV-100")
def test_one_header_is_all_the_authentication_there_is(server):
    """So no other way can disagree with it."""
    vedette.init(server.dsn(key="k3y"))
    vedette.capture_message("hello")
    vedette.flush(5)
    (request,) = server.requests
    assert request.target == "/api/7/envelope/"  # no query
    assert "authorization" not in request.headers
    fields = dict(field.split("=") for field in request.headers["x-sentry-auth"].removeprefix("Sentry ").split(", "))
    assert set(fields) == {"sentry_key", "sentry_version", "sentry_client"}  # no sentry_timestamp
    assert "dsn" not in request.envelope.headers
    assert "sent_at" in request.envelope.headers
    assert request.envelope.headers["trace"]["public_key"] == fields["sentry_key"] == "k3y"


@pytest.mark.spec("TRN-03", "CMP-01", "CMP-02", "ENV-13", "ENV-14")
@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate"])
def test_the_envelope_is_compressed_as_a_whole_and_plain_inside(server, encoding):
    envelope = Envelope({"a": 1}, [Item(b"x" * 5000, type="attachment", filename="f"), Item(b"{}", type="event")])
    transport = HttpTransport({"dsn": server.dsn(), "compression": encoding})
    transport.deliver(envelope, timeout=5)
    (request,) = server.requests
    assert request.headers["content-encoding"] == encoding
    assert len(request.raw_body) < 500
    assert request.body == envelope.serialize()
    assert [item.payload for item in request.envelope.items] == [b"x" * 5000, b"{}"]
    transport.kill()


def test_another_url_than_the_dsns_gets_no_authentication(server):
    sidecar = HttpTransport({}, url=server.url + "/stream")
    assert sidecar.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    (request,) = server.requests
    assert request.target == "/stream"
    assert "x-sentry-auth" not in request.headers


@pytest.mark.spec("TRN-06", "OFF-02", "OFF-03", "OFF-04", "CR-11", "CR-14")
@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "delivered"), (201, "delivered"), (202, "delivered"), (204, "delivered"), (299, "delivered")]
    + [(status, "send_error") for status in (300, 304, 400, 401, 403, 404, 413, 418, 500, 502, 503, 599)]
    + [(429, "refused")],
)
def test_the_status_decides_what_became_of_the_envelope(server, transport, status, outcome):
    server.answer(status=status, body=b"")
    delivery = transport.deliver(BODY, timeout=5)
    assert (delivery.reason or delivery.outcome).value == outcome
    assert delivery.status == status
    assert delivery.too_large == (status == 413)
    assert len(server.requests) == 1


@pytest.mark.spec("TRN-12", "TRN-13", "OFF-07", "OFF-13")
@pytest.mark.parametrize("status", [413, 429, 500, 503])
def test_an_answer_is_never_an_invitation_to_send_again(server, transport, status):
    server.answer(status=status, headers=(("Retry-After", "0"),))
    transport.deliver(BODY, timeout=5)
    transport.deliver(b"{}\n", timeout=5)
    assert [request.body for request in server.requests] == [BODY, b"{}\n"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(server, transport, status):
    with RecordingServer() as elsewhere:
        server.answer(status=status, headers=(("Location", elsewhere.url + "/api/7/envelope/"),))
        delivery = transport.deliver(BODY, timeout=5)
        assert reason_of(delivery) is DiscardReason.SEND_ERROR
        assert (len(server.requests), elsewhere.requests) == (1, [])


@pytest.mark.spec("TRN-14", "TRN-15", "OFF-10")
def test_what_the_server_says_is_shortened_and_not_needed(server, transport):
    server.answer(status=400, headers=(("X-Sentry-Error", "bad " * 1000),), body=b"\xff not json")
    assert transport.deliver(BODY, timeout=5).detail == ("bad " * 1000)[:500]
    server.answer(status=400, body=b"")
    assert transport.deliver(BODY, timeout=5).detail == ""


@pytest.mark.spec("TRN-14", "TRN-15", "OFF-10")
@pytest.mark.parametrize(
    ("body", "headers", "detail"),
    [
        (
            b'{"detail": "bad envelope",\n "causes": ["no items"]}',
            (),
            '{"detail": "bad envelope", "causes": ["no items"]}',
        ),
        (b"\x1b[2Jgone\x00\r\nX: y\xff\t", (), "[2Jgone X: y\ufffd"),
        ("é" * 5000, (), "é" * 500),
        (gzip.compress(b"x"), (("Content-Encoding", "gzip"),), ""),
        (b"body", (("X-Sentry-Error", "header\x1b[2J"),), "header [2J"),
        (b"", (), ""),
    ],
    ids=["json", "no text", "long", "compressed", "header", "nothing"],
)
def test_what_the_server_says_in_the_body_is_shown_if_it_says_nothing_in_the_header(
    server, transport, body, headers, detail
):
    server.answer(status=400, body=body.encode() if isinstance(body, str) else body, headers=headers)
    assert transport.deliver(BODY, timeout=5).detail == detail


@pytest.mark.spec("RATE-03", "RATE-33", "RATE-16", "TRN-09")
def test_limits_of_any_answer_are_kept(server, transport):
    assert transport.is_healthy()
    server.answer(status=200, headers=((LIMITS, "60:span:key"), (LIMITS, "90:session")))
    transport.deliver(BODY, timeout=5)
    assert set(transport.rate_limits.active()) == {DataCategory.SPAN, DataCategory.SESSION}
    server.answer(status=500, headers=((LIMITS, "60:error:key"),))
    transport.deliver(BODY, timeout=5)
    assert transport.rate_limits.is_limited(DataCategory.ERROR)
    assert not transport.is_healthy()
    server.answer(status=429, headers=(("Retry-After", "30"),))
    transport.deliver(BODY, timeout=5)
    assert 25 < transport.rate_limits.active()[None] <= 30


def test_many_sends_share_one_connection(server, transport):
    for _ in range(20):
        assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    server.answer(status=400, body=b"x" * 60_000)
    for _ in range(5):
        transport.deliver(BODY, timeout=5)
    assert len(server.requests) == 25
    assert server.connections == 1


def test_threads_have_a_connection_each_and_keep_them(server, transport):
    gate = threading.Event()
    server.answer(gate=gate, times=4)
    outcomes = []

    def send():
        outcomes.extend(transport.deliver(BODY, timeout=10).outcome for _ in range(5))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    server.wait_for(4)
    gate.set()
    for thread in threads:
        thread.join()
    assert outcomes == [Outcome.DELIVERED] * 20
    assert server.connections == 4


def test_a_connection_that_the_server_closed_meanwhile_costs_nothing(server, transport):
    transport.deliver(BODY, timeout=5)
    server.cut_connections()
    server.wait_for_no_connections()
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    assert (len(server.requests), server.connections) == (2, 2)


@pytest.mark.spec("OFF-15")
@pytest.mark.parametrize("way", ["before_reading", "after_reading"])
def test_a_pooled_connection_that_dies_without_an_answer_is_tried_once_more(server, transport, way):
    transport.deliver(BODY, timeout=5)
    server.answer(hang_up=way)
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    assert server.connections == 2


@pytest.mark.parametrize("way", ["before_reading", "after_reading", "in_answer"])
def test_a_stale_connection_is_tried_exactly_once_more(server, transport, way):
    transport.deliver(BODY, timeout=5)
    server.answer(hang_up="after_reading")
    server.answer(hang_up=way, times=3)
    delivery = transport.deliver(BODY, timeout=5)
    assert reason_of(delivery) is DiscardReason.NETWORK_ERROR
    assert delivery.detail.startswith("the connection broke without a proper answer")
    assert server.connections == 2


def test_the_second_try_takes_a_new_connection_though_others_are_idle(server, transport):
    gate = threading.Event()
    server.answer(gate=gate, times=3)
    threads = [threading.Thread(target=transport.deliver, args=(BODY,), kwargs={"timeout": 5}) for _ in range(3)]
    for thread in threads:
        thread.start()
    server.wait_for(3)
    gate.set()
    for thread in threads:
        thread.join()
    idle = {1, 2, 3}

    def hang_up_on_idle_ones(request):
        return Answer(hang_up="after_reading" if request.connection in idle else None)

    server.default = hang_up_on_idle_ones
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    assert [request.connection for request in server.requests[3:]][1:] == [4]


@pytest.mark.parametrize("way", ["before_reading", "after_reading", "in_answer"])
def test_a_new_connection_that_dies_is_not_tried_again(server, transport, way):
    server.answer(hang_up=way)
    assert reason_of(transport.deliver(BODY, timeout=5)) is DiscardReason.NETWORK_ERROR
    assert server.connections == 1


def test_a_connection_opened_anew_in_the_place_of_a_dropped_one_is_new(server, transport):
    transport.deliver(BODY, timeout=5)
    server.cut_connections()
    server.wait_for_no_connections()
    server.answer(hang_up="after_reading", times=2)
    assert reason_of(transport.deliver(BODY, timeout=5)) is DiscardReason.NETWORK_ERROR
    assert server.connections == 2


def test_there_is_no_third_try_even_if_the_second_connection_seems_stale_too(server, transport, monkeypatch):
    monkeypatch.setattr("vedette._transport.http.sockets.is_stale", lambda error: True)
    server.answer(hang_up="after_reading", times=5)
    assert reason_of(transport.deliver(BODY, timeout=5)) is DiscardReason.NETWORK_ERROR
    assert server.connections == 2


@pytest.mark.spec("CR-26")
def test_nobody_listening_is_a_network_error():
    transport = HttpTransport({"dsn": f"http://abc@127.0.0.1:{unused_port()}/7"})
    delivery = transport.deliver(BODY, timeout=5)
    assert reason_of(delivery) is DiscardReason.NETWORK_ERROR
    assert delivery.status is None
    assert delivery.detail.startswith("no connection")


def test_a_host_without_an_address_is_a_network_error(monkeypatch):
    def unknown(*args, **kwargs):
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    delivery = HttpTransport({"dsn": "http://abc@errors.invalid/7"}).deliver(BODY, timeout=5)
    assert reason_of(delivery) is DiscardReason.NETWORK_ERROR


@pytest.mark.parametrize("status_line", [b"HTTP/1.1 2OO what\r\n\r\n", b"SSH-2.0-OpenSSH\r\n", b"\x00" * 90_000])
def test_an_answer_that_is_no_http_is_a_network_error(server, transport, status_line, monkeypatch):
    monkeypatch.setattr(Answer, "head", lambda self: status_line)
    server.answer(hang_up="after_answer", body=b"")
    assert reason_of(transport.deliver(BODY, timeout=5)) is DiscardReason.NETWORK_ERROR


def elapsed_of(transport, timeout):
    started = time.monotonic()
    delivery = transport.deliver(BODY, timeout=timeout)
    return time.monotonic() - started, delivery


def test_no_answer_in_time_is_a_network_error(server, transport):
    server.answer(gate=threading.Event())
    elapsed, delivery = elapsed_of(transport, 0.3)
    assert reason_of(delivery) is DiscardReason.NETWORK_ERROR
    assert delivery.detail.startswith("no answer in time")
    assert 0.29 < elapsed < 2
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED  # over a new connection


def test_an_answer_that_drips_does_not_outlast_the_time_out(server, transport):
    server.answer(drip=0.05, headers=(("X-Long", "x" * 200),))
    elapsed, delivery = elapsed_of(transport, 0.4)
    assert reason_of(delivery) is DiscardReason.NETWORK_ERROR
    assert elapsed < 2  # each byte by itself comes in time; all of them would take 15 s


@pytest.mark.parametrize("slow", ["gate", "read_gate"])
def test_a_reused_connection_has_the_time_out_of_its_own_request(server, transport, slow):
    transport.deliver(BODY, timeout=0.2)
    gate = threading.Event()
    server.answer(Answer(**{slow: gate}))
    timer = threading.Timer(0.5, gate.set)
    timer.start()
    more_than_any_socket_buffer = os.urandom(16_000_000)
    assert transport.deliver(more_than_any_socket_buffer, timeout=10).outcome is Outcome.DELIVERED
    assert server.connections == 1
    timer.join()


def test_a_server_that_takes_no_bytes_does_not_outlast_the_time_out(server, transport):
    class NeverRead(RecordingServer):
        def _serve(self, sock, reader, number):
            self._closing.wait(10)

    with NeverRead() as deaf:
        blocked = HttpTransport({"dsn": deaf.dsn()})
        started = time.monotonic()
        delivery = blocked.deliver(os.urandom(20_000_000), timeout=0.5)
        assert reason_of(delivery) is DiscardReason.NETWORK_ERROR
        assert time.monotonic() - started < 5


def test_once_the_status_is_there_the_envelope_counts_whatever_becomes_of_the_body(server, transport):
    server.answer(body_gate=threading.Event())
    assert transport.deliver(BODY, timeout=0.3).outcome is Outcome.DELIVERED
    server.answer(body=b"short", announced_length=1000, hang_up="after_answer")
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED


def test_a_huge_answer_is_not_read(server, transport):
    transport.deliver(BODY, timeout=5)
    server.answer(status=500, body=b"x" * 50_000_000)
    gc.collect()
    tracemalloc.start()
    try:
        delivery = transport.deliver(BODY, timeout=5)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reason_of(delivery) is DiscardReason.SEND_ERROR
    assert peak < 3_000_000
    server.wait_for_no_connections()
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED


def test_an_answer_with_a_compression_bomb_is_not_unpacked(server, transport):
    bomb = gzip.compress(bytes(50_000_000))
    server.answer(status=500, body=bomb, headers=(("Content-Encoding", "gzip"),))
    tracemalloc.start()
    try:
        transport.deliver(BODY, timeout=5)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


def test_an_answer_before_the_body_was_sent_counts(server, transport):
    server.answer(status=100, body=b"", hang_up=None, headers=())
    delivery = transport.deliver(BODY, timeout=0.5)
    assert delivery.outcome is Outcome.LOST  # 100 is no answer: nothing else came


@pytest.mark.spec("OFF-16", "OFF-17", "CR-28")
def test_a_fault_of_our_own_is_counted_as_one(server, transport, monkeypatch, caplog):
    def broken(*args):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("vedette._transport.http.compression.compress", broken)
    for _ in range(2):
        delivery = transport.deliver(BODY, timeout=5)
        assert reason_of(delivery) is DiscardReason.INTERNAL_SDK_ERROR
        assert "ZeroDivisionError" in delivery.detail
    assert [record.levelname for record in caplog.records if record.name == "vedette"].count("WARNING") == 1


def test_killing_closes_connections_and_may_be_repeated(server, transport):
    transport.deliver(BODY, timeout=5)
    transport.kill()
    transport.kill()
    server.wait_for_no_connections()


def test_everything_can_be_imported_and_set_up_before_the_first_send(server, transport):
    transport.ensure_imported()
    assert server.connections == 0
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED


def test_without_a_dsn_there_is_nowhere_to_send_to():
    with pytest.raises(ValueError, match="HttpTransport needs a DSN"):
        HttpTransport({})
    with pytest.raises(BadDsn):
        HttpTransport({"dsn": "https://h/1"})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_uses_a_connection_of_its_own(server, transport):
    transport.deliver(BODY, timeout=5)
    child = os.fork()
    if child == 0:
        delivered = transport.deliver(b'{"child":1}\n', timeout=5).outcome is Outcome.DELIVERED
        os._exit(0 if delivered else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    transport.deliver(BODY, timeout=5)
    assert [(r.connection, r.body) for r in server.requests] == [(1, BODY), (2, b'{"child":1}\n'), (1, BODY)]


@pytest.mark.parametrize("status", [400, 415])
def test_gzip_takes_over_when_the_first_body_of_another_encoding_is_refused(server, status):
    transport = HttpTransport({"dsn": server.dsn(), "compression": "zstd"})
    server.answer(status=status)
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    transport.deliver(BODY, timeout=5)
    assert [r.headers["content-encoding"] for r in server.requests] == ["zstd", "gzip", "gzip"]
    assert [r.body for r in server.requests] == [BODY] * 3


def test_an_encoding_that_was_taken_once_is_kept(server):
    transport = HttpTransport({"dsn": server.dsn(), "compression": "br"})
    transport.deliver(BODY, timeout=5)
    server.answer(status=400)
    assert reason_of(transport.deliver(BODY, timeout=5)) is DiscardReason.SEND_ERROR
    transport.deliver(BODY, timeout=5)
    assert [r.headers["content-encoding"] for r in server.requests] == ["br"] * 3


def test_gzip_has_nothing_to_fall_back_on(server, transport):
    server.answer(status=400)
    assert reason_of(transport.deliver(BODY, timeout=5)) is DiscardReason.SEND_ERROR
    assert len(server.requests) == 1


def test_an_unknown_compression_is_refused_at_once():
    with pytest.raises(ValueError, match="unknown compression 'lzma'"):
        HttpTransport({"dsn": "https://k@h/1", "compression": "lzma"})


@pytest.mark.parametrize("how", ["request_timeout", "TIMEOUT"])
def test_users_may_set_how_long_one_request_may_take(how):
    class Quick(HttpTransport):
        TIMEOUT = 0.3

    with RecordingServer() as server:
        server.answer(gate=threading.Event(), times=2)
        if how == "TIMEOUT":
            transport = Quick({"dsn": server.dsn(), "request_timeout": None})
        else:
            transport = HttpTransport({"dsn": server.dsn(), "request_timeout": 0.3})
        for timeout in (None, 30):
            started = time.monotonic()
            assert transport.deliver(BODY, timeout=timeout).reason is DiscardReason.NETWORK_ERROR
            assert 0.25 < time.monotonic() - started < 2
        transport.kill()


# capture_envelope


@pytest.fixture
def losses(transport):
    seen: list[tuple[str, str, int]] = []
    transport.loss_recorder = lambda reason, category, n: seen.append((str(reason), category.value, n))
    return seen


def envelope_of(*items: Item) -> Envelope:
    return Envelope({"event_id": "1" * 32}, list(items))


@pytest.mark.spec("ENV-30", "ENV-31", "ENV-32")
def test_an_envelope_is_sent_with_the_time_of_sending(server, transport, losses):
    envelope = envelope_of(Item(b"{}", type="event"))
    transport.capture_envelope(envelope)
    (sent,) = server.envelopes
    assert sent.headers["event_id"] == "1" * 32
    sent_at = datetime.fromisoformat(sent.headers["sent_at"])
    assert sent_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(timezone.utc) - sent_at) < timedelta(seconds=60)
    assert "sent_at" not in envelope.headers  # the caller's envelope is left alone
    envelope.headers["sent_at"] = "2026-03-01T12:00:00+00:00"
    transport.capture_envelope(envelope)
    assert server.envelopes[1].headers["sent_at"] == "2026-03-01T12:00:00+00:00"
    assert losses == []


@pytest.mark.spec("OFF-12", "CR-14", "CR-16", "CR-21", "CR-12")
def test_what_was_lost_is_recorded_for_each_item_but_not_after_a_429(server, transport, losses):
    items = [
        Item(b"{}", type="event"),
        Item(b"x" * 500, type="attachment"),
        Item(b"{}", type="client_report"),
    ]
    for status, expected in [
        (200, []),
        (400, [("send_error", "error", 1), ("send_error", "attachment", 500), ("send_error", "attachment_item", 1)]),
        (413, [("send_error", "error", 1), ("send_error", "attachment", 500), ("send_error", "attachment_item", 1)]),
        (429, []),
    ]:
        server.answer(status=status, headers=((LIMITS, "1:monitor"),))
        transport.capture_envelope(envelope_of(*items))
        assert losses == expected
        losses.clear()
    assert len(server.requests) == 4


@pytest.mark.spec("OFF-08", "OFF-09", "OFF-10", "CR-18")
@pytest.mark.parametrize(
    ("body", "said"), [(b'{"detail":"event: 1 MiB"}', '{"detail":"event: 1 MiB"}'), (b"", "no more was said")]
)
def test_a_413_is_told_at_a_level_that_is_seen_with_what_the_server_said(server, transport, caplog, body, said):
    server.answer(status=413, body=body)
    transport.capture_envelope(envelope_of(Item(b"{}", type="event")))
    (record,) = [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert record.getMessage().startswith("too large for the server (413), and lost: envelope with 1 items (event)")
    assert record.getMessage().endswith(said)


@pytest.mark.spec("RATE-02", "CR-23")
def test_what_a_limit_forbids_is_not_sent_but_recorded(server, transport, losses):
    transport.rate_limits.update(200, {LIMITS: "60:error:key"})
    transport.capture_envelope(
        envelope_of(Item(b"{}", type="event"), Item(b"x", type="attachment"), Item(b"{}", type="session"))
    )
    assert [item.type for item in server.envelopes[0].items] == ["session"]
    assert losses == [
        ("ratelimit_backoff", "error", 1),
        ("ratelimit_backoff", "attachment", 1),
        ("ratelimit_backoff", "attachment_item", 1),
    ]
    transport.rate_limits.update(429, {})
    transport.capture_envelope(envelope_of(Item(b"{}", type="session")))
    assert len(server.requests) == 1
    assert losses[3:] == [("ratelimit_backoff", "session", 1)]


@pytest.mark.spec("ENV-97")
def test_a_file_that_cannot_be_read_costs_only_its_own_item(server, transport, losses, tmp_path):
    (tmp_path / "there").write_bytes(b"content")
    transport.capture_envelope(
        envelope_of(
            Item(b"{}", type="event"),
            Item(PayloadRef(path=str(tmp_path / "gone")), type="attachment"),
            Item(PayloadRef(path=str(tmp_path / "there")), type="attachment", filename="there"),
        )
    )
    assert [item.payload for item in server.envelopes[0].items] == [b"{}", b"content"]
    assert losses == [("internal_sdk_error", "attachment", 1), ("internal_sdk_error", "attachment_item", 1)]


@pytest.mark.spec("ENV-10")
def test_an_envelope_without_items_is_not_sent(server, transport):
    transport.capture_envelope(Envelope({"a": 1}))
    assert server.requests == []


def test_an_envelope_that_cannot_be_written_is_recorded_as_our_fault(server, transport, losses):
    transport.capture_envelope(envelope_of(Item(PayloadRef(json={"x": object()}), type="event")))
    assert server.requests == []
    assert losses == [("internal_sdk_error", "error", 1)]


@pytest.mark.spec("ENV-18")
def test_an_event_arrives_as_it_was_given(server, transport):
    event = {"event_id": "1" * 32, "message": "é€😀 \n", "extra": {"n": 2**70, "deep": [[[]]]}}
    transport.capture_event(event)
    (sent,) = server.envelopes
    assert sent.items[0].json == event
    assert json.loads(sent.items[0].payload) == event


def test_waiting_for_the_suite_itself(server):
    """The recording server fails a test that waits in vain, and says how many requests came."""
    with pytest.raises(AssertionError, match="0 of 1 requests came"):
        server.wait_for(1, timeout=0.01)
    wait_until(lambda: server.port)
