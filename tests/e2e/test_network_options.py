"""The options for the network, from `init` to the server: proxies, certificates, IPv6, time-outs."""

from __future__ import annotations

import os
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest
import trustme

import vedette
from tests.programs import run_program
from tests.servers import RecordingProxy, RecordingServer
from tests.socks_servers import SocksServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def context_of(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def secure_server(authority: trustme.CA) -> Iterator[RecordingServer]:
    with RecordingServer(context_of(authority)) as running:
        yield running


def capture_and_flush() -> None:
    assert vedette.capture_message("hello")
    vedette.flush(10)


@pytest.mark.spec("PAIN-22", "TRN-19", "TRN-20", "TRN-26", "TRN-27")
def test_an_event_goes_through_an_https_proxy_with_auth_to_a_server_of_a_private_authority(
    secure_server: RecordingServer, authority: trustme.CA, ca_file: str
) -> None:
    with RecordingProxy(context_of(authority)) as proxy:
        url = proxy.url.replace("://", "://user:pw@")
        vedette.init(secure_server.dsn(), proxy=url, ca_certs=ca_file, proxy_headers={"X-Team": "7"})
        capture_and_flush()
        assert len(secure_server.events) == 1
        (asked,) = proxy.asked
        assert asked.headers["proxy-authorization"].startswith("Basic ")
        assert asked.headers["x-team"] == "7"


@pytest.mark.spec("PAIN-22", "TRN-21")
def test_a_program_finds_proxy_and_authority_in_its_environment(secure_server: RecordingServer, ca_file: str) -> None:
    program = """
        import sys, vedette
        vedette.init(sys.argv[1])
        vedette.capture_message("hello")
    """
    clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower() and "CA_B" not in name}
    with SocksServer() as socks:
        env = {**clean, "HTTPS_PROXY": f"socks5h://{socks.netloc}", "SSL_CERT_FILE": ca_file}
        ended = run_program(program, secure_server.dsn(), env=env)
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
        assert len(secure_server.events) == 1
        assert len(socks.asked) == 1
        ended = run_program(program, secure_server.dsn(), env={**env, "NO_PROXY": "127.0.0.0/8"})
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
        assert len(secure_server.events) == 2
        assert len(socks.asked) == 1


@pytest.mark.spec("PAIN-22")
def test_a_tls_failure_is_told_once_with_the_reason_and_counted(
    secure_server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    vedette.init(secure_server.dsn(), ssl_context=ssl.create_default_context())
    for _ in range(3):
        capture_and_flush()
    assert vedette.get_client().stats().dropped == {"error": {"network_error": 3}}
    (warning,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING" and "TLS" in r.getMessage()]
    assert "CERTIFICATE_VERIFY_FAILED" in warning


def test_a_dsn_may_name_an_ipv6_address() -> None:
    server = RecordingServer()
    server.host = "::1"
    try:
        server.start()
    except OSError:
        pytest.skip("this system has no IPv6")
    vedette.init(f"http://abc@[::1]:{server.port}/7")
    capture_and_flush()
    assert len(server.events) == 1
    server.close()


def test_a_request_takes_no_longer_than_it_may() -> None:
    with RecordingServer() as server:
        server.answer(gate=threading.Event())
        vedette.init(server.dsn(), request_timeout=0.3)
        started = time.monotonic()
        capture_and_flush()
        assert time.monotonic() - started < 5
        assert vedette.get_client().stats().dropped == {"error": {"network_error": 1}}
        capture_and_flush()
        assert len(server.events) == 2  # the first one had arrived, as the reason's text says


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"proxy": "ftp://h"}, "option 'proxy' must be an http://, https:// or socks5:// URL, got 'ftp://h'"),
        ({"request_timeout": 0}, "option 'request_timeout' must be a number from 0.1 to 30.0 (seconds), got 0"),
        ({"request_timeout": 31}, "option 'request_timeout' must be a number from 0.1 to 30.0 (seconds), got 31"),
        ({"ssl_context": True}, "option 'ssl_context' must be an ssl.SSLContext, got True"),
        ({"ca_certs": __file__, "ssl_context": ssl.create_default_context()}, "option 'ca_certs' has no effect beside"),
    ],
)
def test_an_option_that_cannot_work_raises_at_init_and_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(vedette.OptionError) as raised:
        vedette.init("https://key@errors.example.org/7", **options)  # type: ignore[arg-type]
    assert str(raised.value).startswith(message)
