"""Through which proxy envelopes go, with real proxies: forwarding, tunnels, TLS to the proxy, SOCKS; and no_proxy."""

from __future__ import annotations

import base64
import importlib
import socket
import ssl
import threading
import time

import pytest

from tests.servers import Listener, RecordingProxy, unused_port
from tests.socks_servers import SocksServer
from vedette._protocol.categories import DiscardReason
from vedette._transport.delivery import Outcome
from vedette._transport.http import HttpTransport
from vedette._transport.proxies import proxy_for

BODY = b'{}\n{"type":"event","length":2}\n{}\n'


@pytest.mark.spec("TRN-19", "TRN-24")
def test_an_http_server_is_reached_through_the_proxy(server, proxy):
    transport = HttpTransport({"dsn": server.dsn(), "http_proxy": proxy.url})
    for _ in range(3):
        assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    transport.kill()
    assert [(r.method, r.target) for r in proxy.asked] == [("POST", server.url + "/api/7/envelope/")] * 3
    assert [r.body for r in server.requests] == [BODY] * 3
    assert "sentry_key=abc" in server.requests[0].headers["x-sentry-auth"]


@pytest.mark.spec("TRN-19", "TRN-24")
def test_an_https_server_is_reached_through_a_tunnel(secure_server, proxy, ca_file, deliver):
    delivery = deliver(secure_server.dsn(), https_proxy=proxy.url, ca_certs=ca_file)
    assert delivery.outcome is Outcome.DELIVERED
    (asked,) = proxy.asked
    assert (asked.method, asked.target) == ("CONNECT", f"127.0.0.1:{secure_server.port}")
    assert "x-sentry-auth" not in asked.headers
    assert secure_server.requests[0].body == BODY


@pytest.mark.spec("TRN-26", "TRN-27", "PAIN-22")
def test_the_proxy_itself_may_be_https_and_ask_for_user_and_password(
    server, secure_server, server_context, ca_file, deliver
):
    with RecordingProxy(server_context) as proxy:
        url = proxy.url.replace("://", "://user:pw@")
        for target in (secure_server, server):
            assert deliver(target.dsn(), proxy=url, ca_certs=ca_file).outcome is Outcome.DELIVERED
            assert target.requests[0].body == BODY
        assert [r.method for r in proxy.asked] == ["CONNECT", "POST"]
        expected = "Basic " + base64.b64encode(b"user:pw").decode()
        assert [r.headers["proxy-authorization"] for r in proxy.asked] == [expected] * 2


@pytest.mark.spec("PAIN-22")
def test_a_proxy_with_a_certificate_that_nobody_trusts_is_told_once_with_the_reason(
    secure_server, server_context, ca_file, caplog
):
    untrusting = ssl.create_default_context()
    with RecordingProxy(server_context) as proxy:
        transport = HttpTransport({"dsn": secure_server.dsn(), "proxy": proxy.url, "ssl_context": untrusting})
        for _ in range(2):
            assert transport.deliver(BODY, timeout=5).reason is DiscardReason.NETWORK_ERROR
        assert proxy.asked == []
    (warning,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING" and r.name == "vedette"]
    assert warning.startswith("nothing can be sent: TLS with the proxy failed")
    assert "CERTIFICATE_VERIFY_FAILED" in warning


@pytest.mark.spec("TRN-20", "TRN-24")
def test_one_option_is_for_all_servers(server, secure_server, proxy, ca_file, deliver):
    assert deliver(server.dsn(), proxy=proxy.url).outcome is Outcome.DELIVERED
    assert deliver(secure_server.dsn(), proxy=proxy.url, ca_certs=ca_file).outcome is Outcome.DELIVERED
    assert [r.method for r in proxy.asked] == ["POST", "CONNECT"]


@pytest.mark.spec("TRN-26")
def test_user_and_password_of_the_proxy_go_to_the_proxy_only(server, secure_server, proxy, ca_file, deliver):
    url = proxy.url.replace("://", "://user%40home:p%3Aw@")
    assert deliver(server.dsn(), http_proxy=url, proxy_headers={"X-Team": "7"}).outcome is Outcome.DELIVERED
    assert deliver(secure_server.dsn(), https_proxy=url, ca_certs=ca_file).outcome is Outcome.DELIVERED
    expected = "Basic " + base64.b64encode(b"user@home:p:w").decode()
    assert [r.headers["proxy-authorization"] for r in proxy.asked] == [expected] * 2
    assert proxy.asked[0].headers["x-team"] == "7"
    assert "proxy-authorization" not in secure_server.requests[0].headers


def test_a_proxy_that_refuses_or_is_not_there_is_a_network_error(secure_server, ca_file, deliver):
    with RecordingProxy(refuse_with=407) as proxy:
        delivery = deliver(secure_server.dsn(), https_proxy=proxy.url, ca_certs=ca_file)
        assert delivery.reason is DiscardReason.NETWORK_ERROR
    url = f"http://user:hush@127.0.0.1:{unused_port()}"
    delivery = deliver(secure_server.dsn(), https_proxy=url, ca_certs=ca_file)
    assert delivery.reason is DiscardReason.NETWORK_ERROR
    assert delivery.detail.startswith("the proxy failed")
    assert "hush" not in delivery.detail
    assert secure_server.requests == []


A, B, C, D = "http://a:1", "http://b:2", "http://c:3", "http://d:4"


@pytest.mark.spec("TRN-20", "TRN-21", "TRN-22", "TRN-23", "TRN-25")
@pytest.mark.parametrize(
    ("scheme", "options", "variables", "proxy"),
    [
        ("https", {}, {}, None),
        ("https", {"https_proxy": A, "http_proxy": B}, {"https_proxy": C, "http_proxy": D}, A),
        ("https", {"http_proxy": B}, {"https_proxy": C, "http_proxy": D}, B),
        ("https", {}, {"https_proxy": C, "http_proxy": D}, C),
        ("https", {}, {"HTTPS_PROXY": C}, C),
        ("https", {}, {"http_proxy": D}, D),
        ("http", {"https_proxy": A}, {"https_proxy": C}, None),
        ("http", {"https_proxy": A, "http_proxy": B}, {"http_proxy": D}, B),
        ("http", {}, {"https_proxy": C, "http_proxy": D}, D),
        ("https", {}, {"https_proxy": "c:3"}, C),
        ("https", {"https_proxy": ""}, {"https_proxy": C}, None),
        ("https", {"https_proxy": A}, {"no_proxy": "other.org, errors.example.org"}, None),
        ("https", {"https_proxy": A}, {"NO_PROXY": ".example.org"}, None),
        ("https", {"https_proxy": A}, {"no_proxy": "*"}, None),
        ("https", {"https_proxy": A}, {"no_proxy": "example.com"}, A),
        ("https", {}, {"https_proxy": C, "no_proxy": "example.org"}, None),
        ("https", {"proxy": A, "https_proxy": B}, {"https_proxy": C}, A),
        ("http", {"proxy": A, "http_proxy": B}, {"http_proxy": C}, A),
        ("https", {"proxy": "", "https_proxy": B}, {"https_proxy": C}, None),
        ("https", {"proxy": A}, {"no_proxy": "errors.example.org"}, None),
        ("https", {"proxy": "socks5h://u:p@a:1"}, {}, "socks5h://u:p@a:1"),
        ("https", {}, {"https_proxy": "socks5://a:1"}, "socks5://a:1"),
    ],
)
def test_which_proxy_is_taken(environment, scheme, options, variables, proxy):
    environment(variables)
    assert proxy_for(scheme, "errors.example.org:443", options) == proxy


@pytest.mark.spec("TRN-23", "TRN-25", "PAIN-22")
@pytest.mark.parametrize(
    ("netloc", "no_proxy", "proxy"),
    [
        ("10.1.2.3:9000", "10.0.0.0/8", None),
        ("10.1.2.3", "10.0.0.0/8", None),
        ("11.1.2.3:9000", "10.0.0.0/8, 192.168.0.0/16", A),
        ("[fd00::1]:9000", "fd00::/8", None),
        ("errors.example.org", "10.0.0.0/8", A),
        ("10.1.2.3", "10.0.0.0/99", A),
        ("10.1.2.3:9000", "10.1.2.3", None),
        ("10.1.2.3:9000", "10.1.2.3:9000", None),
        ("10.1.2.3:9000", "10.1.2.3:9001", A),
        ("10.1.2.3", "10.1.2.3:80", None),
        ("errors.example.org:9000", "errors.example.org:9000, x", None),
        ("errors.example.org:9000", "errors.example.org:80", A),
        ("errors.example.org", ".example.org:80", None),
        ("[fd00::1]:9000", "fd00::1", None),
        ("[fd00::1]", "FD00:0:0:0::1", None),
        ("[fd00::1]:9000", "[fd00::1]", None),
        ("[fd00::1]:9000", "[fd00::1]:9000", None),
        ("[fd00::1]:9000", "[fd00::1]:80", A),
        ("[fd00::1]", "[fd00::1]:80", None),
        ("[fd00::1]:9000", "fd01::1, ::1, [::", A),
        ("10.1.2.3", "::/0, a:b, /, ,", A),
    ],
)
def test_no_proxy_may_name_addresses_networks_and_ports(environment, netloc, no_proxy, proxy):
    environment({"no_proxy": no_proxy})
    assert proxy_for("http", netloc, {"http_proxy": A}) == proxy


@pytest.mark.parametrize("unusable", ["socks9://user:hush@h:1", "http://user:hush@x y", "http://user:hush@h:99999"])
def test_a_proxy_variable_that_cannot_work_is_told_and_ignored(environment, caplog, unusable):
    environment({"https_proxy": unusable, "http_proxy": D})
    assert proxy_for("https", "h", {}) == D
    assert "https_proxy is ignored" in caplog.text
    assert "hush" not in caplog.text


def test_no_proxy_is_obeyed_on_the_wire(server, proxy, environment, deliver):
    environment({"no_proxy": "127.0.0.1"})
    assert deliver(server.dsn(), http_proxy=proxy.url).outcome is Outcome.DELIVERED
    assert (len(server.requests), proxy.asked) == (1, [])


def test_time_that_the_tunnel_took_is_not_granted_once_more(secure_server, ca_file):
    class SlowProxy(Listener):
        def _serve(self, sock, reader, number):
            while reader.readline() != b"\r\n":
                pass
            self._closing.wait(0.7)
            with socket.create_connection(("127.0.0.1", secure_server.port)) as upstream:
                sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=carry, args=(upstream, sock))
                back.start()
                carry(sock, upstream)
                upstream.shutdown(socket.SHUT_RDWR)
                back.join()

    def carry(source, target):
        try:
            while data := source.recv(65_536):
                target.sendall(data)
        except OSError:
            return

    secure_server.answer(gate=threading.Event())
    with SlowProxy() as proxy:
        options = {"dsn": secure_server.dsn(), "ca_certs": ca_file, "proxy": f"http://127.0.0.1:{proxy.port}"}
        transport = HttpTransport(options)
        transport.ensure_imported()
        started = time.monotonic()
        assert transport.deliver(BODY, timeout=1.0).reason is DiscardReason.NETWORK_ERROR
        assert 0.95 < time.monotonic() - started < 1.4  # not 0.7 s for the tunnel, and 1 s more for the answer
        assert len(secure_server.requests) == 1
        transport.kill()


# SOCKS


@pytest.mark.spec("TRN-19", "PAIN-22")
def test_a_socks_proxy_is_asked_with_user_and_password(server, deliver):
    with SocksServer(user="me:too", password="p w") as socks:
        url = f"socks5://me%3Atoo:p%20w@{socks.netloc}"
        assert deliver(server.dsn(), proxy=url).outcome is Outcome.DELIVERED
        assert socks.tried == [("me:too", "p w")]
        assert socks.asked == [("127.0.0.1", server.port)]
    assert server.requests[0].body == BODY
    assert "sentry_key=abc" in server.requests[0].headers["x-sentry-auth"]


@pytest.mark.parametrize("scheme", ["socks5h", "SOCKS5H"])
def test_a_socks5h_proxy_looks_the_name_up_itself(server, deliver, scheme):
    with SocksServer(names={"errors.invalid": "127.0.0.1"}) as socks:
        dsn = f"http://abc@errors.invalid:{server.port}/7"
        assert deliver(dsn, http_proxy=f"{scheme}://{socks.netloc}").outcome is Outcome.DELIVERED
        assert socks.asked == [("errors.invalid", server.port)]
    assert server.requests[0].headers["host"] == f"errors.invalid:{server.port}"


def test_tls_goes_through_a_socks_proxy_and_connections_are_kept(secure_server, ca_file, environment):
    with SocksServer() as socks:
        environment({"https_proxy": f"socks5://{socks.netloc}"})
        transport = HttpTransport({"dsn": secure_server.dsn(), "ca_certs": ca_file})
        for _ in range(3):
            assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
        assert len(socks.asked) == 1
        secure_server.answer(hang_up="after_reading")
        assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED  # a stale one is replaced here, too
        assert len(socks.asked) == 2
        transport.kill()


def test_a_socks_proxy_that_refuses_or_is_not_there_is_a_network_error(server, deliver):
    with SocksServer(user="me", password="hush") as socks:
        for url in (f"socks5://me:wrong-hush@{socks.netloc}", f"socks5://{socks.netloc}"):
            delivery = deliver(server.dsn(), proxy=url)
            assert delivery.reason is DiscardReason.NETWORK_ERROR
            assert "hush" not in delivery.detail
    assert deliver(f"http://abc@127.0.0.1:{unused_port()}/7", proxy=f"socks5://127.0.0.1:{unused_port()}").detail
    assert server.requests == []


def test_without_the_package_socks_is_refused_by_name(environment, monkeypatch, caplog):
    imported = importlib.import_module

    def missing(name, package=None):
        if name == "socks":
            raise ImportError(name)
        return imported(name, package)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ValueError, match=r"option 'proxy' needs a package for socks5: pip install 'vedette\[socks\]'"):
        HttpTransport({"dsn": "https://k@h/1", "proxy": "socks5://h:1"})
    environment({"https_proxy": "socks5://h:1"})
    assert proxy_for("https", "h", {}) is None
    assert "the proxy of https_proxy is ignored: SOCKS needs a package" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"http_proxy": "ftp://h"},
            "option 'http_proxy' must be an http://, https:// or socks5:// URL, got the scheme 'ftp'",
        ),
        (
            {"https_proxy": "h:80"},
            "option 'https_proxy' must be an http://, https:// or socks5:// URL, got the scheme ''",
        ),
        ({"proxy": "quic://h"}, "option 'proxy' must be an http://, https:// or socks5:// URL, got the scheme 'quic'"),
    ],
)
def test_an_option_that_cannot_work_is_refused_at_once(options, message):
    with pytest.raises(ValueError, match="option") as raised:
        HttpTransport({"dsn": "https://k@h/1", **options})
    assert str(raised.value) == message
