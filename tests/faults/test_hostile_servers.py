"""Servers and proxies that answer slowly, endlessly or with nonsense: bounded by the deadline, and in memory."""

from __future__ import annotations

import gc
import gzip
import itertools
import os
import socket
import threading
import time
import tracemalloc

import hypothesis
import hypothesis.strategies as st
import pytest

from tests.servers import Listener, read_request
from tests.waiting import wait_until
from vedette._protocol.categories import DataCategory, DiscardReason
from vedette._transport.delivery import Outcome
from vedette._transport.http import HttpTransport

BODY = b'{}\n{"type":"event","length":2}\n{}\n'
SECONDS = 0.3
SLACK = 1.0  # for a busy machine; what is not bounded goes on for 10 s and more
OK = b"HTTP/1.1 200 OK\r\n"
PLEASANT = OK + b"Content-Length: 0\r\n\r\n"
MANY = 10_000_000


class HostileServer(Listener):
    """Sends what it likes, piece by piece, to whoever connects; with ``read_first``, as an answer to each request.

    ``pleasant_first``: the first request of all has a proper answer, and the next one on its connection has not.
    """

    def __init__(self, pieces, *, pause=0.0, read_first=False, half_close=False, pleasant_first=False):
        super().__init__()
        self._pieces = pieces
        self._pause = pause
        self._read_first = read_first
        self._half_close = half_close
        self._pleasant_first = pleasant_first
        self.answered = 0

    def dsn(self, scheme="http"):
        return f"{scheme}://abc@127.0.0.1:{self.port}/7"

    def _serve(self, sock, reader, number):
        if self._pleasant_first and number == 1:
            read_request(reader, number)
            sock.sendall(PLEASANT)
            reader.peek(1)
        while self._read_first and reader.peek(1):
            read_request(reader, number)
            if not self._sent(sock):
                return
        if self._sent(sock):
            self._closing.wait(10)

    def _sent(self, sock):
        for piece in self._pieces():
            sock.sendall(piece)
            if self._closing.wait(self._pause):
                return False
        if self._half_close:
            sock.shutdown(socket.SHUT_WR)
        self.answered += 1
        return True


def endless(piece):
    return lambda: itertools.repeat(piece)


def once(data):
    return lambda: [data]


def dripping(data):
    """Byte by byte, and on and on."""
    return lambda: (bytes([byte]) for byte in itertools.chain(data, itertools.repeat(data[-1])))


def behind(head, piece):
    return lambda: itertools.chain([head], itertools.repeat(piece))


def bounded_delivery(transport, body=BODY, seconds=SECONDS):
    """What became of it; fails where that took much longer, or much memory."""
    transport.ensure_imported()
    gc.collect()
    tracemalloc.start()
    started = time.monotonic()
    try:
        delivery = transport.deliver(body, timeout=seconds)
        elapsed = time.monotonic() - started
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert elapsed < seconds + SLACK
    assert peak < 2 * len(body) + 8_000_000
    return delivery


NO_ANSWER = {
    "slow status line": (dripping(OK[:-2]), {"pause": 0.02}),
    "slow headers": (dripping(OK + b"X: "), {"pause": 0.02}),
    "slow header lines": (behind(OK, b"X: y\r\n"), {"pause": 0.02}),
    "endless header lines": (behind(OK, b"X: y\r\n" * 1000), {}),
    "endless header line": (behind(OK + b"X: ", b"y" * 65_536), {}),
    "long header lines": (behind(OK, b"X: " + b"y" * 65_000 + b"\r\n"), {}),
    "flood of 100 Continue": (endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), {}),
    "flood of 100 Continue with headers": (endless(b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 1000), {}),
    "slow flood of 100 Continue": (endless(b"HTTP/1.1 100 Continue\r\n\r\n"), {"pause": 0.02}),
    "endless garbage": (endless(os.urandom(65_536)), {}),
    "endless zeros": (endless(bytes(65_536)), {}),
    "endless lines": (endless(b"\r\n" * 30_000), {}),
    "another protocol": (once(b"220 mail.example.org ESMTP\r\n"), {}),
    "HTTP/2": (once(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\r\n"), {}),
    "a status that is no number": (once(b"HTTP/1.1 2OO OK\r\n\r\n"), {}),
    "a status of five digits": (once(b"HTTP/1.1 20000 OK\r\n\r\n"), {}),
    "silence": (list, {}),
    "a half-closed connection": (list, {"half_close": True}),
    "half an answer, half-closed": (once(b"HTTP/1.1 2"), {"half_close": True}),
}


@pytest.mark.parametrize("is_open", [False, True], ids=["new connection", "open connection"])
@pytest.mark.parametrize("way", NO_ANSWER)
def test_what_is_no_answer_is_a_network_error_in_time(way, is_open):
    pieces, how = NO_ANSWER[way]
    with HostileServer(pieces, pleasant_first=is_open, **how) as hostile:
        transport = HttpTransport({"dsn": hostile.dsn()})
        assert not is_open or transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
        delivery = bounded_delivery(transport)
        assert (delivery.outcome, delivery.reason) == (Outcome.LOST, DiscardReason.NETWORK_ERROR)
        assert len(delivery.detail) <= 500
        transport.kill()


def test_what_an_answer_has_taken_to_begin_is_not_granted_to_its_rest_again():
    def late_and_slow():
        threading.Event().wait(1.4)
        return itertools.repeat(b"H")

    with HostileServer(late_and_slow, pause=0.02, pleasant_first=True) as hostile:
        transport = HttpTransport({"dsn": hostile.dsn()})
        assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
        assert bounded_delivery(transport, seconds=1.5).reason is DiscardReason.NETWORK_ERROR
        transport.kill()


class SayingServer(Listener):
    """Answers one request of each connection with the bytes that are set, and hangs up.

    ``pleasant``: how many requests of a connection have a proper answer before that.
    """

    said = b""
    pleasant = 0

    def _serve(self, sock, reader, number):
        for _ in range(self.pleasant):
            read_request(reader, number)
            sock.sendall(PLEASANT)
        if reader.peek(1):
            read_request(reader, number)
            sock.sendall(self.said)


ANSWERS = st.binary(max_size=300) | st.lists(
    st.sampled_from([OK, b"HTTP/1.1 429 No\r\n", b"HTTP/1.0 302 x\r\n", b"\r\n", b"\n", b"Content-Length: 5\r\n"])
    | st.sampled_from([b"Transfer-Encoding: chunked\r\n", b"X-Sentry-Rate-Limits: 1:error\r\n", b"Location: /\r\n"])
    | st.sampled_from(
        [b"Retry-After: 1\r\n", b"5\r\nhello\r\n", b"Connection: close\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"]
    )
    | st.binary(max_size=20),
    max_size=10,
).map(b"".join)


def test_any_bytes_as_an_answer_end_in_one_of_the_three_ways(caplog):
    with SayingServer() as server:

        @hypothesis.given(ANSWERS)
        @hypothesis.settings(max_examples=150)
        def check(answer):
            server.said = answer
            transport = HttpTransport({"dsn": f"http://abc@127.0.0.1:{server.port}/7"})
            delivery = transport.deliver(BODY, timeout=5)
            transport.kill()
            assert delivery.reason is not DiscardReason.INTERNAL_SDK_ERROR
            assert (delivery.outcome is Outcome.REFUSED) == (delivery.status == 429)
            assert (delivery.outcome is Outcome.DELIVERED) == (
                delivery.status is not None and 200 <= delivery.status < 300
            )

        check()
    assert not [record for record in caplog.records if record.name == "vedette" and record.levelname == "WARNING"]


FIELDS = [
    *(b"Server: x", b"X-Sentry-Error:  why", b"X-Sentry-Rate-Limits: 60:session", b"Retry-After: 60", b"Content-Type:"),
    *(b"Connection: close", b"connection: Keep-Alive", b"Content-Encoding: gzip", b" folded", b"bare\nline"),
    *(b"X: \xff", b"X : y", b"X: \0", b": y"),
]
FRAMING = [b"Content-Length: 5", b"Content-Length: 0", b"content-length:05", b"Transfer-Encoding: chunked", b"None: 0"]
PLAUSIBLE = st.builds(
    lambda status, fields, body: b"HTTP/1.1 %d x\r\n%b\r\n\r\n%b" % (status, b"\r\n".join(fields), body),
    st.sampled_from([100, 200, 204, 304, 413, 429, 503]),
    st.lists(st.sampled_from(FIELDS), max_size=6).flatmap(
        lambda fields: st.sampled_from(FRAMING).map(lambda framing: [*fields, framing])
    ),
    st.sampled_from([b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n"]),
)


def test_an_answer_over_an_open_connection_means_what_it_means_over_a_new_one():
    def answered(server, pleasant):
        server.pleasant = pleasant
        transport = HttpTransport({"dsn": f"http://abc@127.0.0.1:{server.port}/7"})
        delivery = [transport.deliver(BODY, timeout=5) for _ in range(pleasant + 1)][-1]
        limits = set(transport.rate_limits.active())
        transport.kill()
        return delivery, limits

    with SayingServer() as server:

        @hypothesis.given(PLAUSIBLE | ANSWERS)
        @hypothesis.settings(max_examples=150)
        def check(answer):
            server.said = answer
            over_new, over_open = answered(server, 0), answered(server, 1)
            if over_new[0].status is not None:
                assert over_open == over_new
            else:  # no answer: an open connection may have been closed meanwhile, and is replaced by one that is new
                assert over_open[0].outcome is Outcome.DELIVERED or over_open == over_new

        check()


BOMB = gzip.compress(bytes(20_000_000))
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BODIES = {
    "endless": (behind(OK + b"\r\n", b"x" * 65_536), {}),
    "endless chunks": (behind(CHUNKED, b"ffff\r\n" + b"x" * 65_535 + b"\r\n"), {}),
    "endless chunk header": (behind(CHUNKED, b"f" * 65_536), {}),
    "a chunk of negative size": (once(CHUNKED + b"-5\r\nxxxxx\r\n"), {}),
    "chunks that are none": (once(CHUNKED + b"what?\r\n"), {}),
    "endless trailers": (behind(CHUNKED + b"0\r\n", b"X: y\r\n" * 1000), {}),
    "slow": (behind(OK + b"Content-Length: 100000\r\n\r\n", b"x"), {"pause": 0.01}),
    "slow trailers": (behind(CHUNKED + b"0\r\nX: ", b"y"), {"pause": 0.01}),
    "silent": (once(OK + b"Content-Length: 5\r\n\r\n"), {}),
    "announced as huge": (once(OK + b"Content-Length: 99999999999999999999\r\n\r\nx"), {}),
    "of a length that is none": (once(OK + b"Content-Length: many\r\n\r\nx"), {}),
    "of a negative length": (once(OK + b"Content-Length: -1\r\n\r\nx"), {}),
    "a compression bomb": (once(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB), {}),
    "a bomb in chunks": (once(CHUNKED[:-2] + b"Content-Encoding: gzip\r\n\r\n%x\r\n" % len(BOMB) + BOMB + b"\r\n"), {}),
}


@pytest.mark.spec("TRN-06", "TRN-08")
@pytest.mark.parametrize("body", BODIES)
def test_a_success_is_one_whatever_its_body_is_like(body):
    pieces, how = BODIES[body]
    with HostileServer(pieces, read_first=True, **how) as hostile:
        transport = HttpTransport({"dsn": hostile.dsn()})
        assert bounded_delivery(transport).outcome is Outcome.DELIVERED
        assert bounded_delivery(transport).outcome is Outcome.DELIVERED  # over whatever connection
        transport.kill()


def test_a_long_answer_about_rate_limits_costs_little():
    line = b"X-Sentry-Rate-Limits: 60:error" + b",1:metric_bucket:::n" * 3000 + b"\r\n"
    with HostileServer(once(OK + line * 4 + b"Content-Length: 0\r\n\r\n"), read_first=True) as hostile:
        transport = HttpTransport({"dsn": hostile.dsn()})
        assert bounded_delivery(transport, seconds=3.0).outcome is Outcome.DELIVERED
        assert transport.rate_limits.is_limited(DataCategory.ERROR)
        transport.kill()


@pytest.mark.long
def test_an_answer_to_a_question_that_was_not_asked_is_not_taken_for_the_next_one():
    """A second answer on the same connection would tell of an envelope that was not sent yet."""
    ok, lie = (b"HTTP/1.1 %d Because\r\nContent-Length: 0\r\n\r\n" % status for status in (200, 500))
    for pieces, pause in ([ok + lie], 0.0), ([ok, lie], 0.05):
        with HostileServer(lambda pieces=pieces: pieces, pause=pause, read_first=True) as hostile:
            transport = HttpTransport({"dsn": hostile.dsn()})
            for number in (1, 2, 3):
                assert bounded_delivery(transport).outcome is Outcome.DELIVERED
                wait_until(lambda number=number: hostile.answered == number)
            transport.kill()


def test_an_answer_that_comes_before_the_body_was_read_counts():
    with HostileServer(once(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"), half_close=True) as hostile:
        transport = HttpTransport({"dsn": hostile.dsn()})
        assert bounded_delivery(transport).too_large
        transport.kill()


def test_a_server_that_stops_reading_and_hangs_up_is_a_network_error_in_time():
    class Rude(Listener):
        def _serve(self, sock, reader, number):
            reader.read(1000)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not a goodbye

    with Rude() as rude:
        transport = HttpTransport({"dsn": f"http://abc@127.0.0.1:{rude.port}/7"})
        delivery = bounded_delivery(transport, os.urandom(MANY), seconds=5)
        assert delivery.reason is DiscardReason.NETWORK_ERROR
        transport.kill()


def test_the_rest_of_an_answer_is_not_waited_for_as_long_as_the_answer_itself():
    with HostileServer(once(OK + b"Content-Length: 5\r\n\r\n"), read_first=True) as hostile:
        transport = HttpTransport({"dsn": hostile.dsn()})
        transport.ensure_imported()
        started = time.monotonic()
        assert transport.deliver(BODY, timeout=20).outcome is Outcome.DELIVERED
        assert time.monotonic() - started < 5
        transport.kill()


# TLS


@pytest.mark.parametrize(
    ("pieces", "pause"),
    [(list, 0.0), (endless(os.urandom(65_536)), 0.0), (dripping(b"\x16\x03\x03\x40\x00\x02"), 0.02)],
    ids=["silence", "garbage", "slow handshake"],
)
def test_a_handshake_that_does_not_end_is_a_network_error_in_time(pieces, pause):
    with HostileServer(pieces, pause=pause) as hostile:
        transport = HttpTransport({"dsn": hostile.dsn("https")})
        assert bounded_delivery(transport).reason is DiscardReason.NETWORK_ERROR
        transport.kill()


# Proxies

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n"


@pytest.mark.parametrize(
    ("pieces", "pause"),
    [
        (list, 0.0),
        (dripping(ESTABLISHED), 0.02),
        (behind(ESTABLISHED, b"X: y\r\n"), 0.02),
        (behind(ESTABLISHED, b"X: y\r\n" * 1000), 0.0),
        (endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), 0.0),
        (once(ESTABLISHED + b"\r\n"), 0.0),
    ],
    ids=["silence", "slow status", "slow headers", "endless headers", "100 Continue", "nobody behind it"],
)
def test_a_proxy_that_does_not_make_the_tunnel_is_a_network_error_in_time(pieces, pause):
    with HostileServer(pieces, pause=pause, read_first=True) as hostile:
        transport = HttpTransport({"dsn": "https://abc@errors.invalid/7", "proxy": f"http://127.0.0.1:{hostile.port}"})
        assert bounded_delivery(transport).reason is DiscardReason.NETWORK_ERROR
        transport.kill()


@pytest.mark.parametrize("silent_at", [b"", b"\5\0"])
def test_a_socks_proxy_that_falls_silent_is_a_network_error_in_time(silent_at):
    with HostileServer(once(silent_at)) as hostile:
        transport = HttpTransport({"dsn": "http://abc@127.0.0.1:9/7", "proxy": f"socks5://127.0.0.1:{hostile.port}"})
        assert bounded_delivery(transport).reason is DiscardReason.NETWORK_ERROR
        transport.kill()
