"""The pool of connections: socket options, addresses, IPv6."""

from __future__ import annotations

import socket
import ssl
import threading
import time

import pytest

from tests.servers import RecordingProxy, RecordingServer, unused_port
from vedette._protocol.categories import DiscardReason
from vedette._transport.delivery import Outcome
from vedette._transport.http import HttpTransport

BODY = b'{}\n{"type":"event","length":2}\n{}\n'


@pytest.fixture
def sockets(monkeypatch):
    """Those that were connected."""
    made = []
    real = socket.socket.connect

    def connect(sock, address):
        made.append(sock)
        return real(sock, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return made


def option_of(server, sockets, level, name, **options):
    transport = HttpTransport({"dsn": server.dsn(), **options})
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    value = sockets[-1].getsockopt(level, name)
    transport.kill()
    return value


def test_connections_are_kept_alive_unless_told_otherwise(server, sockets):
    keep_alive = (socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert option_of(server, sockets, *keep_alive) != 0
    assert option_of(server, sockets, *keep_alive, keep_alive=True) != 0
    assert option_of(server, sockets, *keep_alive, keep_alive=False) == 0


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="this system names them otherwise")
@pytest.mark.parametrize(
    ("name", "value"), [("TCP_KEEPIDLE", 45), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6), ("TCP_NODELAY", 1)]
)
def test_a_dead_connection_is_found_within_two_minutes(server, sockets, name, value):
    assert option_of(server, sockets, socket.IPPROTO_TCP, getattr(socket, name)) == value


def test_socket_options_of_the_programs_own_are_set_behind_ours(server, sockets):
    mark = (socket.SOL_SOCKET, socket.SO_OOBINLINE)
    assert option_of(server, sockets, *mark) == 0
    assert option_of(server, sockets, *mark, socket_options=[(*mark, 1)]) != 0
    delay = (socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert option_of(server, sockets, *delay, socket_options=[(*delay, 0)]) == 0


# IPv6


@pytest.fixture
def ipv6_server():
    running = RecordingServer()
    running.host = "::1"
    try:
        running.start()
    except OSError:
        pytest.skip("this system has no IPv6")
    yield running
    running.close()


def test_a_server_with_an_ipv6_address_is_reached(ipv6_server, deliver):
    assert deliver(ipv6_server.dsn()).outcome is Outcome.DELIVERED
    (request,) = ipv6_server.requests
    assert request.headers["host"] == f"[::1]:{ipv6_server.port}"
    assert request.target == "/api/7/envelope/"


def test_it_is_reached_through_a_proxy_too_and_the_proxy_may_have_one(ipv6_server, server, deliver):
    with RecordingProxy() as proxy:
        assert deliver(ipv6_server.dsn(), proxy=proxy.url).outcome is Outcome.DELIVERED
    proxy = RecordingProxy()
    proxy.host = "::1"
    with proxy:
        assert deliver(server.dsn(), proxy=proxy.url).outcome is Outcome.DELIVERED
        assert len(proxy.asked) == 1


def test_a_tunnel_leads_to_an_ipv6_address(ipv6_server, authority, ca_file, deliver):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("::1").configure_cert(context)
    ipv6_server.close()
    secure = RecordingServer(context)
    secure.host = "::1"
    with secure, RecordingProxy() as proxy:
        assert deliver(secure.dsn(), proxy=proxy.url, ca_certs=ca_file).outcome is Outcome.DELIVERED
        assert [request.target for request in proxy.asked] == [f"[::1]:{secure.port}"]
        assert deliver(secure.dsn(), ca_certs=ca_file).outcome is Outcome.DELIVERED


# A host with several addresses


def address(port, host="127.0.0.1"):
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))


@pytest.fixture
def black_hole():
    """A port that takes no more connections, and does not refuse them: the first SYN too many is dropped."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        fillers = []
        while True:
            filler = socket.socket()
            filler.settimeout(0.2)
            fillers.append(filler)
            try:
                filler.connect(("127.0.0.1", port))
            except TimeoutError:
                break
            assert len(fillers) < 50
        yield port
        for filler in fillers:
            filler.close()


def test_an_address_that_does_not_answer_leaves_time_for_the_next(server, black_hole, monkeypatch, deliver):
    found = [address(black_hole), address(server.port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: found)
    started = time.monotonic()
    assert deliver("http://abc@errors.invalid/7", timeout=2).outcome is Outcome.DELIVERED
    assert 0.9 < time.monotonic() - started < 1.9


def test_addresses_that_do_not_answer_share_the_time_that_there_is(black_hole, monkeypatch, deliver):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: [address(black_hole)] * 5)
    started = time.monotonic()
    delivery = deliver("http://abc@errors.invalid/7", timeout=1)
    assert delivery.reason is DiscardReason.NETWORK_ERROR
    assert delivery.detail.startswith("no connection in time")
    assert 0.9 < time.monotonic() - started < 1.5


def test_a_refused_address_costs_nothing_and_the_last_reason_is_told(server, monkeypatch, deliver):
    found = [address(unused_port()), address(server.port)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: found)
    assert deliver("http://abc@errors.invalid/7").outcome is Outcome.DELIVERED
    del found[1]
    assert "refused" in deliver("http://abc@errors.invalid/7").detail
    found.clear()
    assert "no address" in deliver("http://abc@errors.invalid/7").detail


# Many at a time


def test_as_many_connections_are_kept_as_may_be_in_flight(server, caplog):
    transport = HttpTransport({"dsn": server.dsn(), "max_connections": 8})
    gate = threading.Event()
    for _ in range(2):
        server.answer(gate=gate, times=8)
        threads = [threading.Thread(target=transport.deliver, args=(BODY,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        server.wait_for(8)
        gate.set()
        for thread in threads:
            thread.join()
        server.clear()
    assert server.connections == 8
    assert "pool is full" not in caplog.text
    transport.kill()
