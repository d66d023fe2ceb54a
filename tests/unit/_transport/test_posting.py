"""Requests over connections that are open already: as the server sees them, and what becomes of its answers."""

from __future__ import annotations

import socket

import pytest

from tests.servers import Answer, RecordingProxy, RecordingServer
from vedette._transport.delivery import Outcome
from vedette._transport.http import HttpTransport

BODY = b'{}\n{"type":"event","length":2}\n{}\n'
HOSTS = ["errors.example", "Errors.Example:80", "errors.example:8000", "[::1]", "[::1]:80", "[::1]:9000", "127.0.0.1"]


def heads(requests):
    return [(each.method, each.target, each.version, each.headers) for each in requests]


@pytest.mark.spec("TRN-01", "AUTH-20")
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/7", "/with/a%2Fpr%C3%a9fix/7"])
def test_each_request_has_the_head_of_the_first(server, monkeypatch, host, path):
    address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: [address])
    transport = HttpTransport({"dsn": f"http://abc:hush@{host}{path}"})
    for _ in range(3):
        assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    transport.kill()
    first, second, third = heads(server.requests)
    assert first == second == third
    assert server.connections == 1


def test_over_tls_too(secure_server, ca_file):
    transport = HttpTransport({"dsn": secure_server.dsn(), "ca_certs": ca_file})
    for _ in range(3):
        assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    transport.kill()
    first, second, third = heads(secure_server.requests)
    assert first == second == third
    assert secure_server.connections == 1


@pytest.mark.parametrize("to_the_proxy", ["http", "https"])
def test_through_a_tunnel_too(secure_server, server_context, ca_file, to_the_proxy):
    with RecordingProxy(server_context if to_the_proxy == "https" else None) as proxy:
        options = {"dsn": secure_server.dsn(), "ca_certs": ca_file, "proxy": proxy.url}
        transport = HttpTransport(options)
        for _ in range(3):
            assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
        secure_server.answer(hang_up="after_reading")
        assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED  # over another connection
        transport.kill()
        assert [each.method for each in proxy.asked] == ["CONNECT", "CONNECT"]
    first, *others = heads(secure_server.requests)
    assert others == [first] * 4


def test_a_proxy_that_forwards_is_asked_for_each(server, proxy):
    transport = HttpTransport({"dsn": server.dsn(), "proxy": proxy.url})
    for _ in range(3):
        assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    transport.kill()
    assert [each.target for each in proxy.asked] == [f"{server.url}/api/7/envelope/"] * 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Transfer-Encoding": "identity"},
        {"Connection": "Keep-Alive"},
        {"X_Odd": "name"},
        {"X-Folded": "one\r\n two"},
        {"X-Latin": "caf\xe9"},
        {"X-Tab": "a\tb"},
    ],
)
@pytest.mark.parametrize("status", [200, 413, 429, 503])
@pytest.mark.parametrize("body", [b"", b"why not", bytes(30_000)])
def test_an_answer_means_the_same_whichever_request_it_is_for(server, transport, status, headers, body):
    answer = Answer(status=status, headers=(*headers.items(), ("X-Sentry-Rate-Limits", "60:session")), body=body)
    server.answer(answer, times=3)
    first, second, third = (transport.deliver(BODY, timeout=5) for _ in range(3))
    assert first == second == third
    assert first.status == status
    assert server.connections == 1


def test_what_is_said_in_several_lines_counts_in_full(server, transport):
    transport.deliver(BODY, timeout=5)
    server.answer(headers=(("X-Sentry-Rate-Limits", "60:session"), ("x-sentry-rate-limits", "60:error")))
    transport.deliver(BODY, timeout=5)
    assert {category.value for category in transport.rate_limits.active() if category is not None} == {
        "session",
        "error",
    }


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_is_not_waited_for(server, transport, status, monkeypatch):
    transport.deliver(BODY, timeout=5)
    monkeypatch.setattr(Answer, "head", lambda _: f"HTTP/1.1 {status} Because\r\n\r\n".encode())
    server.answer(body=b"", times=2)
    assert [transport.deliver(BODY, timeout=5).status for _ in range(2)] == [status, status]
    assert server.connections == 1


def test_a_connection_that_the_server_says_it_closes_is_not_used_again(server, transport):
    transport.deliver(BODY, timeout=5)
    server.answer(headers=(("Connection", "close"),), hang_up="after_answer")
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    assert [each.connection for each in server.requests] == [1, 1, 2]


def test_what_comes_over_an_idle_connection_is_no_answer():
    """A server that grows tired of waiting says so (408) and hangs up: that is about no envelope."""

    class Tired(RecordingServer):
        def _give(self, sock, answer):
            super()._give(sock, answer)
            sock.sendall(Answer(status=408).head())
            return False

    with Tired() as server:
        transport = HttpTransport({"dsn": server.dsn()})
        for _ in range(2):
            assert transport.deliver(BODY, timeout=5).status == 200
            server.wait_for_no_connections()
        transport.kill()


def test_after_a_kill_nothing_is_left_open(server, transport):
    for _ in range(2):
        transport.deliver(BODY, timeout=5)
    transport.kill()
    server.wait_for_no_connections()
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    assert server.connections == 2
