from __future__ import annotations

import base64
import os
import socket
import ssl
import threading
import time

import certifi
import pytest
import trustme

from tests.servers import RecordingProxy, RecordingServer, unused_port
from vedette._protocol.categories import DiscardReason
from vedette._transport.certificates import tls_context
from vedette._transport.delivery import Outcome
from vedette._transport.http import HttpTransport
from vedette._transport.proxies import proxy_for

BODY = b'{}\n{"type":"event","length":2}\n{}\n'


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="session")
def server_context(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def secure_server(server_context):
    with RecordingServer(server_context) as running:
        yield running


@pytest.fixture
def server():
    with RecordingServer() as running:
        yield running


@pytest.fixture
def proxy():
    with RecordingProxy() as running:
        yield running


def deliver(dsn, **options):
    transport = HttpTransport({"dsn": dsn, **options})
    try:
        return transport.deliver(BODY, timeout=5)
    finally:
        transport.kill()


# TLS


def without_ca_variables(monkeypatch):
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)


def test_a_private_authority_is_trusted_by_option(secure_server, ca_file):
    assert deliver(secure_server.dsn(), ca_certs=ca_file).outcome is Outcome.DELIVERED
    assert secure_server.requests[0].body == BODY


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_private_authority_is_trusted_by_environment(secure_server, ca_file, monkeypatch, variable):
    without_ca_variables(monkeypatch)
    monkeypatch.setenv(variable, ca_file)
    assert deliver(secure_server.dsn()).outcome is Outcome.DELIVERED


def test_an_environment_that_names_no_file_is_told_and_ignored(ca_file, monkeypatch, caplog):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
    assert len(tls_context({}).get_ca_certs()) == 1
    assert "SSL_CERT_FILE is ignored" in caplog.text


def test_without_settings_the_public_authorities_are_trusted(monkeypatch):
    without_ca_variables(monkeypatch)
    bundled = ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True)
    context = tls_context({})
    assert set(bundled) <= set(context.get_ca_certs(binary_form=True))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_an_unknown_authority_is_a_network_error_told_once_with_the_reason(secure_server, caplog):
    transport = HttpTransport({"dsn": secure_server.dsn()})
    for _ in range(2):
        delivery = transport.deliver(BODY, timeout=5)
        assert delivery.reason is DiscardReason.NETWORK_ERROR
        assert delivery.detail.startswith("TLS failed")
        assert "CERTIFICATE_VERIFY_FAILED" in delivery.detail
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING" and r.name == "vedette"]
    assert len(warnings) == 1
    assert "CERTIFICATE_VERIFY_FAILED" in warnings[0]
    assert secure_server.requests == []


def test_a_certificate_for_another_host_is_refused(authority, ca_file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example.org").configure_cert(context)
    with RecordingServer(context) as impostor:
        assert deliver(impostor.dsn(), ca_certs=ca_file).reason is DiscardReason.NETWORK_ERROR
        assert impostor.requests == []


def test_a_client_shows_its_certificate(authority, ca_file, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    mine = authority.issue_cert("client.example.org")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    mine.cert_chain_pems[0].write_to_path(cert)
    mine.private_key_pem.write_to_path(key)
    with RecordingServer(context) as strict:
        without = deliver(strict.dsn(), ca_certs=ca_file)
        assert without.reason is DiscardReason.NETWORK_ERROR
        shown = deliver(strict.dsn(), ca_certs=ca_file, cert_file=str(cert), key_file=str(key))
        assert shown.outcome is Outcome.DELIVERED


def test_tls_connections_are_kept_and_tried_once_more_when_stale(secure_server, ca_file):
    transport = HttpTransport({"dsn": secure_server.dsn(), "ca_certs": ca_file})
    for _ in range(5):
        assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    assert secure_server.connections == 1
    secure_server.answer(hang_up="after_reading")
    assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
    assert secure_server.connections == 2
    transport.kill()


def test_a_slow_handshake_leaves_less_time_for_sending(secure_server, ca_file):
    secure_server.handshake_gate = threading.Event()
    secure_server.answer(read_gate=threading.Event())
    transport = HttpTransport({"dsn": secure_server.dsn(), "ca_certs": ca_file})
    transport.ensure_imported()
    body = os.urandom(16_000_000)
    timer = threading.Timer(1.5, secure_server.handshake_gate.set)
    timer.start()
    started = time.monotonic()
    delivery = transport.deliver(body, timeout=2.0)
    assert delivery.reason is DiscardReason.NETWORK_ERROR
    assert time.monotonic() - started < 2.7  # not 1.5 s for the handshake and 2 s for a body that nobody reads
    timer.join()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ca_certs": "/nowhere"}, "option 'ca_certs' names a file that does not exist: '/nowhere'"),
        ({"cert_file": "/nowhere"}, "option 'cert_file' names a file that does not exist: '/nowhere'"),
        ({"key_file": __file__}, "option 'key_file' needs 'cert_file', the certificate that the key is for"),
        (
            {"http_proxy": "ftp://h"},
            "option 'http_proxy' must be an http://, https:// or socks5:// URL, got the scheme 'ftp'",
        ),
        (
            {"https_proxy": "h:80"},
            "option 'https_proxy' must be an http://, https:// or socks5:// URL, got the scheme ''",
        ),
    ],
)
def test_an_option_that_cannot_work_is_refused_at_once(options, message):
    with pytest.raises(ValueError, match="option") as raised:
        HttpTransport({"dsn": "https://k@h/1", **options})
    assert str(raised.value) == message


# Proxies


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
def test_an_https_server_is_reached_through_a_tunnel(secure_server, proxy, ca_file):
    delivery = deliver(secure_server.dsn(), https_proxy=proxy.url, ca_certs=ca_file)
    assert delivery.outcome is Outcome.DELIVERED
    (asked,) = proxy.asked
    assert (asked.method, asked.target) == ("CONNECT", f"127.0.0.1:{secure_server.port}")
    assert "x-sentry-auth" not in asked.headers
    assert secure_server.requests[0].body == BODY


@pytest.mark.spec("TRN-27")
def test_the_proxy_itself_may_be_https(secure_server, server_context, ca_file):
    with RecordingProxy(server_context) as proxy:
        delivery = deliver(secure_server.dsn(), https_proxy=proxy.url, ca_certs=ca_file)
        assert delivery.outcome is Outcome.DELIVERED
        assert [r.method for r in proxy.asked] == ["CONNECT"]


@pytest.mark.spec("TRN-26")
def test_user_and_password_of_the_proxy_go_to_the_proxy_only(server, secure_server, proxy, ca_file):
    url = proxy.url.replace("://", "://user%40home:p%3Aw@")
    assert deliver(server.dsn(), http_proxy=url, proxy_headers={"X-Team": "7"}).outcome is Outcome.DELIVERED
    assert deliver(secure_server.dsn(), https_proxy=url, ca_certs=ca_file).outcome is Outcome.DELIVERED
    expected = "Basic " + base64.b64encode(b"user@home:p:w").decode()
    assert [r.headers["proxy-authorization"] for r in proxy.asked] == [expected] * 2
    assert proxy.asked[0].headers["x-team"] == "7"
    assert "proxy-authorization" not in secure_server.requests[0].headers


def test_a_proxy_that_refuses_or_is_not_there_is_a_network_error(secure_server, ca_file):
    with RecordingProxy(refuse_with=407) as proxy:
        delivery = deliver(secure_server.dsn(), https_proxy=proxy.url, ca_certs=ca_file)
        assert delivery.reason is DiscardReason.NETWORK_ERROR
    url = f"http://user:hush@127.0.0.1:{unused_port()}"
    delivery = deliver(secure_server.dsn(), https_proxy=url, ca_certs=ca_file)
    assert delivery.reason is DiscardReason.NETWORK_ERROR
    assert delivery.detail.startswith("the proxy failed")
    assert "hush" not in delivery.detail
    assert secure_server.requests == []


@pytest.fixture
def environment(monkeypatch):
    """Sets proxy variables, after removing those of the machine."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def set_variables(variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


A, B, C, D = "http://a:1", "http://b:2", "http://c:3", "http://d:4"


@pytest.mark.spec("TRN-21", "TRN-22", "TRN-23", "TRN-25")
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
    ],
)
def test_which_proxy_is_taken(environment, scheme, options, variables, proxy):
    environment(variables)
    assert proxy_for(scheme, "errors.example.org:443", options) == proxy


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
    ],
)
def test_no_proxy_may_name_networks(environment, netloc, no_proxy, proxy):
    environment({"no_proxy": no_proxy})
    assert proxy_for("http", netloc, {"http_proxy": A}) == proxy


@pytest.mark.parametrize("unusable", ["socks5://user:hush@h:1", "http://user:hush@x y", "http://user:hush@h:99999"])
def test_a_proxy_variable_that_cannot_work_is_told_and_ignored(environment, caplog, unusable):
    environment({"https_proxy": unusable, "http_proxy": D})
    assert proxy_for("https", "h", {}) == D
    assert "https_proxy is ignored" in caplog.text
    assert "hush" not in caplog.text


def test_no_proxy_is_obeyed_on_the_wire(server, proxy, environment):
    environment({"no_proxy": "127.0.0.1"})
    assert deliver(server.dsn(), http_proxy=proxy.url).outcome is Outcome.DELIVERED
    assert (len(server.requests), proxy.asked) == (1, [])


# Sockets


def test_connections_are_kept_alive_unless_told_otherwise(server, monkeypatch):
    made = []
    real = socket.socket.connect

    def connect(sock, address):
        made.append(sock)
        return real(sock, address)

    monkeypatch.setattr(socket.socket, "connect", connect)

    def option_of(name, **options):
        transport = HttpTransport({"dsn": server.dsn(), **options})
        assert transport.deliver(BODY, timeout=5).outcome is Outcome.DELIVERED
        value = made[-1].getsockopt(socket.SOL_SOCKET, name)
        transport.kill()
        return value

    assert option_of(socket.SO_KEEPALIVE) != 0
    assert option_of(socket.SO_KEEPALIVE, keep_alive=True) != 0
    assert option_of(socket.SO_KEEPALIVE, keep_alive=False) == 0
    given = [(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)]
    assert option_of(socket.SO_OOBINLINE) == 0
    assert option_of(socket.SO_OOBINLINE, socket_options=given) != 0


@pytest.mark.spec("PAIN-22")
def test_certificates_that_are_none_are_told_once_with_the_reason(secure_server, tmp_path, caplog):
    path = tmp_path / "ca.pem"
    path.write_text("no certificate")
    transport = HttpTransport({"dsn": secure_server.dsn(), "ca_certs": str(path)})
    transport.ensure_imported()
    for _ in range(2):
        delivery = transport.deliver(BODY, timeout=5)
        assert (delivery.outcome, delivery.reason) == (Outcome.LOST, DiscardReason.NETWORK_ERROR)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning.startswith("nothing can be sent: the certificates cannot be loaded: [X509")
    assert secure_server.requests == []
