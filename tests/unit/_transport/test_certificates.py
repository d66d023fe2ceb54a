"""Whom vedette trusts and how it shows who it is, against servers with certificates of a private authority."""

from __future__ import annotations

import os
import pty
import select
import shutil
import ssl
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone

import certifi
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.servers import RecordingServer
from vedette._protocol.categories import DiscardReason
from vedette._transport.connections import tls_context
from vedette._transport.delivery import Outcome
from vedette._transport.http import HttpTransport

BODY = b'{}\n{"type":"event","length":2}\n{}\n'


def warnings_in(caplog):
    return [r.getMessage() for r in caplog.records if r.levelname == "WARNING" and r.name == "vedette"]


@pytest.fixture
def ca_folder(ca_file, tmp_path):
    """As `c_rehash` makes it: the file is named by the hash of its subject."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the command openssl")
    done = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", ca_file], capture_output=True, text=True, check=True
    )
    (tmp_path / f"{done.stdout.strip()}.0").symlink_to(ca_file)
    return str(tmp_path)


@pytest.mark.spec("PAIN-22")
def test_a_private_authority_is_trusted_by_option(secure_server, ca_file, ca_folder, deliver):
    assert deliver(secure_server.dsn(), ca_certs=ca_file).outcome is Outcome.DELIVERED
    assert deliver(secure_server.dsn(), ca_certs=ca_folder).outcome is Outcome.DELIVERED
    assert secure_server.requests[0].body == BODY


@pytest.mark.spec("PAIN-22")
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_private_authority_is_trusted_by_environment(secure_server, ca_file, environment, variable, deliver):
    environment({variable: ca_file})
    assert deliver(secure_server.dsn()).outcome is Outcome.DELIVERED


@pytest.mark.spec("PAIN-22")
@pytest.mark.parametrize(
    "others", [{}, {"SSL_CERT_FILE": certifi.where()}, {"REQUESTS_CA_BUNDLE": certifi.where()}], ids=str
)
def test_folders_of_the_environment_are_trusted_beside_the_rest(secure_server, ca_folder, environment, others, deliver):
    environment({"SSL_CERT_DIR": os.pathsep.join(["/etc", ca_folder]), **others})
    assert deliver(secure_server.dsn()).outcome is Outcome.DELIVERED


def test_the_option_is_all_that_is_trusted(secure_server, ca_file, ca_folder, environment, deliver):
    environment({"SSL_CERT_DIR": ca_folder, "SSL_CERT_FILE": ca_file})
    delivery = deliver(secure_server.dsn(), ca_certs=certifi.where())
    assert delivery.reason is DiscardReason.NETWORK_ERROR


def test_an_environment_that_names_no_file_is_told_and_ignored(ca_file, environment, caplog):
    environment({"SSL_CERT_FILE": "/nowhere/ca.pem", "SSL_CERT_DIR": "/nowhere", "REQUESTS_CA_BUNDLE": ca_file})
    assert len(tls_context({}).get_ca_certs()) == 1
    assert "SSL_CERT_FILE is ignored" in caplog.text
    assert "SSL_CERT_DIR is ignored" in caplog.text


@pytest.mark.spec("PAIN-22")
def test_without_settings_the_system_and_the_public_authorities_are_trusted(environment):
    bundled = ssl.create_default_context(cafile=certifi.where()).get_ca_certs(binary_form=True)
    system = ssl.create_default_context().get_ca_certs(binary_form=True)
    context = tls_context({})
    assert {*bundled, *system} <= set(context.get_ca_certs(binary_form=True))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.spec("PAIN-22")
def test_an_unknown_authority_is_a_network_error_told_once_with_the_reason(secure_server, caplog):
    transport = HttpTransport({"dsn": secure_server.dsn()})
    for _ in range(2):
        delivery = transport.deliver(BODY, timeout=5)
        assert delivery.reason is DiscardReason.NETWORK_ERROR
        assert delivery.detail.startswith("TLS failed")
        assert "CERTIFICATE_VERIFY_FAILED" in delivery.detail
    (warning,) = warnings_in(caplog)
    assert "CERTIFICATE_VERIFY_FAILED" in warning
    assert secure_server.requests == []


@pytest.mark.spec("PAIN-22")
def test_an_expired_certificate_is_told_once_with_the_reason(authority, ca_file, caplog):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    authority.issue_cert("127.0.0.1", not_before=yesterday - timedelta(days=9), not_after=yesterday).configure_cert(
        context
    )
    with RecordingServer(context) as expired:
        transport = HttpTransport({"dsn": expired.dsn(), "ca_certs": ca_file})
        for _ in range(2):
            assert transport.deliver(BODY, timeout=5).reason is DiscardReason.NETWORK_ERROR
        assert expired.requests == []
    (warning,) = warnings_in(caplog)
    assert "certificate has expired" in warning


def test_a_certificate_for_another_host_is_refused(authority, ca_file, deliver):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example.org").configure_cert(context)
    with RecordingServer(context) as impostor:
        assert deliver(impostor.dsn(), ca_certs=ca_file).reason is DiscardReason.NETWORK_ERROR
        assert impostor.requests == []


@pytest.fixture
def strict_server(authority):
    """Wants to see a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with RecordingServer(context) as running:
        yield running


@pytest.mark.spec("PAIN-22")
def test_a_client_shows_its_certificate(strict_server, authority, ca_file, tmp_path, deliver):
    mine = authority.issue_cert("client.example.org")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    mine.cert_chain_pems[0].write_to_path(cert)
    mine.private_key_pem.write_to_path(key)
    assert deliver(strict_server.dsn(), ca_certs=ca_file).reason is DiscardReason.NETWORK_ERROR
    shown = deliver(strict_server.dsn(), ca_certs=ca_file, cert_file=str(cert), key_file=str(key))
    assert shown.outcome is Outcome.DELIVERED


def test_a_key_with_a_password_is_told_and_never_asked_for_on_the_terminal(secure_server, authority, ca_file, tmp_path):
    """On a terminal of its own, where OpenSSL would ask, and wait."""
    mine = authority.issue_cert("client.example.org")
    key = load_pem_private_key(mine.private_key_pem.bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (tmp_path / "key.pem").write_bytes(locked)
    mine.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    program = """
import logging, sys, vedette
logging.basicConfig(stream=sys.stdout)
dsn, ca, folder = sys.argv[1:]
vedette.init(dsn, ca_certs=ca, cert_file=folder + "/cert.pem", key_file=folder + "/key.pem")
vedette.capture_message("hello")
vedette.flush(5)
print(vedette.get_client().stats().dropped)
"""
    command = [sys.executable, "-c", program, secure_server.dsn(), ca_file, str(tmp_path)]
    said = said_on_terminal(command)
    assert "pass phrase" not in said
    assert "nothing can be sent: the certificates cannot be loaded: cert_file: " in said
    assert "a key with a password needs ssl_context" in said
    assert "'network_error': 1" in said


def said_on_terminal(command):
    """What a program says to a terminal that nobody sits at; it is ended where it waits for an answer."""
    terminal, its_end = pty.openpty()
    program = subprocess.Popen(command, stdin=its_end, stdout=its_end, stderr=its_end, start_new_session=True)
    os.close(its_end)
    said = b""
    try:
        while select.select([terminal], [], [], 20)[0]:
            said += os.read(terminal, 65_536)
    except OSError:  # as Linux tells that it was closed
        pass
    program.kill()
    program.wait()
    os.close(terminal)
    return said.decode()


# A context of the program's own


@pytest.mark.spec("PAIN-22")
def test_a_context_of_the_programs_own_decides_whom_to_trust_and_what_to_show(strict_server, authority, deliver):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    assert deliver(strict_server.dsn(), ssl_context=context).reason is DiscardReason.NETWORK_ERROR
    authority.issue_cert("client.example.org").configure_cert(context)
    assert deliver(strict_server.dsn(), ssl_context=context).outcome is Outcome.DELIVERED


def test_it_wins_over_the_environment(secure_server, ca_file, environment, deliver):
    context = ssl.create_default_context()
    environment({"SSL_CERT_FILE": ca_file})
    assert deliver(secure_server.dsn(), ssl_context=context).reason is DiscardReason.NETWORK_ERROR


def test_a_context_that_verifies_nothing_is_used_without_a_word(secure_server, deliver, recwarn, capfd):
    careless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    careless.check_hostname, careless.verify_mode = False, ssl.CERT_NONE
    assert deliver(secure_server.dsn(), ssl_context=careless).outcome is Outcome.DELIVERED
    assert (list(recwarn), capfd.readouterr()) == ([], ("", ""))


def test_what_has_no_effect_beside_it_is_told(ca_file, caplog):
    with pytest.raises(ValueError, match="option 'ca_certs' has no effect beside 'ssl_context'"):
        HttpTransport({"dsn": "https://k@h/1", "ca_certs": ca_file, "ssl_context": ssl.create_default_context()})
    tls_context({"ssl_context": ssl.create_default_context(), "cert_file": ca_file})  # by CLIENT_CERT_FILE, it may be
    assert "cert_file is not used" in caplog.text


# Connections


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


@pytest.mark.spec("PAIN-22")
def test_certificates_that_are_none_are_told_once_with_the_reason(secure_server, tmp_path, caplog):
    path = tmp_path / "ca.pem"
    path.write_text("no certificate")
    transport = HttpTransport({"dsn": secure_server.dsn(), "ca_certs": str(path)})
    transport.ensure_imported()
    for _ in range(2):
        delivery = transport.deliver(BODY, timeout=5)
        assert (delivery.outcome, delivery.reason) == (Outcome.LOST, DiscardReason.NETWORK_ERROR)
    (warning,) = warnings_in(caplog)
    assert warning.startswith("nothing can be sent: the certificates cannot be loaded: [X509")
    assert secure_server.requests == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ca_certs": "/nowhere"}, "option 'ca_certs' names a file that does not exist: '/nowhere'"),
        ({"cert_file": "/nowhere"}, "option 'cert_file' names a file that does not exist: '/nowhere'"),
        ({"key_file": __file__}, "option 'key_file' needs 'cert_file', the certificate that the key is for"),
    ],
)
def test_an_option_that_cannot_work_is_refused_at_once(options, message):
    with pytest.raises(ValueError, match="option") as raised:
        HttpTransport({"dsn": "https://k@h/1", **options})
    assert str(raised.value) == message
