"""Servers, proxies and certificates for the tests of the transport."""

from __future__ import annotations

import ssl

import pytest
import trustme

from tests.servers import RecordingProxy, RecordingServer
from vedette._transport.http import HttpTransport

BODY = b'{}\n{"type":"event","length":2}\n{}\n'
PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy", "REQUEST_METHOD")
CA_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


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


@pytest.fixture
def transport(server):
    made = HttpTransport({"dsn": server.dsn()})
    yield made
    made.kill()


@pytest.fixture
def environment(monkeypatch):
    """Sets variables for proxies and certificates, after removing those of the machine."""
    for name in (*PROXY_VARIABLES, *CA_VARIABLES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def set_variables(variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


@pytest.fixture
def deliver():
    """Sends one envelope to a DSN with these options, and says what became of it."""

    def send(dsn, *, timeout=5, **options):
        transport = HttpTransport({"dsn": dsn, **options})
        try:
            return transport.deliver(BODY, timeout=timeout)
        finally:
            transport.kill()

    return send
