"""Nothing is printed unless it was asked for, whatever goes wrong; a program that logs hears of every loss."""

from __future__ import annotations

import os

import pytest

from tests.programs import run_program
from tests.servers import RecordingServer, unused_port

WRONG_ENVIRONMENT = {
    "SENTRY_SAMPLE_RATE": "a lot",
    "SENTRY_DEBUG": "maybe",
    "SENTRY_RELEASE": "feature/cart",
    "SENTRY_ENVIRONMENT": "None",
    "SENTRY_TRACES_SAMPLE_RATE": "7",
    "SENTRY_PROFILES_SAMPLE_RATE": "x",
    "SENTRY_SPOTLIGHT": "no url",
    "SENTRY_KEEP_ALIVE": "perhaps",
    "CLIENT_CERT_FILE": "/no/such/file",
    "CLIENT_KEY_FILE": "/no/such/file",
    "VEDETTE_DIAGNOSTIC_LEVEL": "loud",
    "SSL_CERT_FILE": "/no/such/file",
    "http_proxy": "socks9://nowhere",
}

PASSED_OR_NOT_USED = {"SENTRY_TRACES_SAMPLE_RATE", "SENTRY_SPOTLIGHT", "CLIENT_KEY_FILE", "SSL_CERT_FILE"}

PROGRAM = """
import sys, vedette
def broken(*args): raise ValueError("a hook that fails")
dsn, *more = sys.argv[1:]
LOGGING
vedette.init(dsn, before_breadcrumb=broken, traces_sample_rate=0.5, spotlight=more[0].replace('key@', ''))
vedette.get_isolation_scope().add_event_processor(lambda event, hint: 7 if event.get("level") == "debug" else event)
vedette.add_breadcrumb(message="lost")
vedette.capture_message("dropped by a processor", level="debug")
vedette.capture_message("large", level="error")
vedette.capture_event({"message": "cut", "extra": {str(n): "x" * 8000 for n in range(400)}})
vedette.flush()
vedette.capture_message("limited")
with vedette.Client(dsn, before_send=broken) as other:
    other.capture_message("dropped by a hook")
with vedette.Client(more[0]) as other:
    other.capture_message("nobody is there")
with vedette.Client(more[1], ca_certs=__import__("os").devnull) as other:
    other.capture_message("certificates that are none")
with vedette.Client(dsn, sample_rate=0.0) as other:
    other.capture_message("sampled out")
    assert other.stats().dropped == {"error": {"sample_rate": 1}}
"""


def run(program: str, **environment: str):
    with RecordingServer() as server, RecordingServer() as other:
        limit = (("X-Sentry-Rate-Limits", "60:error:organization"),)
        server.answer()
        server.answer(headers=limit)
        dead = f"http://key@127.0.0.1:{unused_port()}/1"
        tls = other.dsn().replace("http://", "https://")
        return run_program(program, server.dsn(), dead, tls, env={**os.environ, **environment})


@pytest.mark.spec("PAIN-16", "CFG-41", "CFG-57")
def test_not_a_byte_is_printed_whatever_goes_wrong() -> None:
    ended = run(PROGRAM.replace("LOGGING", ""), **WRONG_ENVIRONMENT)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.spec("PAIN-44", "CFG-45")
def test_a_program_that_logs_hears_of_each_kind_of_loss() -> None:
    logging = "import logging; logging.basicConfig(format='%(name)s %(levelname)s %(message)s')"
    ended = run(PROGRAM.replace("LOGGING", logging), **WRONG_ENVIRONMENT)
    assert (ended.code, ended.stdout) == (0, "")
    lines = [line for line in ended.stderr.splitlines() if line.startswith("vedette ")]
    assert all(line.startswith("vedette WARNING ") for line in lines)
    said = [line.removeprefix("vedette WARNING ") for line in lines]
    starts = (
        "before_breadcrumb (__main__.broken) raised; the breadcrumb is dropped",
        "an event processor (__main__.<lambda>) must return the event or None; the event is dropped",
        "before_send (__main__.broken) raised; the event is dropped",
        "rate limit: the server takes nothing of category 'error' until ",
        "nothing can be sent: the certificates cannot be loaded: ",
        "an event of ",
        "Spotlight at http://127.0.0.1:",
    )
    for start in starts:
        assert len([line for line in said if line.startswith(start)]) == 1, (start, said)
    for variable in WRONG_ENVIRONMENT.keys() - PASSED_OR_NOT_USED:
        assert len([line for line in said if variable in line]) == 1, (variable, said)
    assert "a hook that fails" in ended.stderr  # with its traceback


@pytest.mark.spec("CFG-43")
def test_debug_mode_says_all_of_it_on_stderr() -> None:
    ended = run(PROGRAM.replace("LOGGING", ""), SENTRY_DEBUG="1", VEDETTE_DIAGNOSTIC_LEVEL="debug")
    assert (ended.code, ended.stdout) == (0, "")
    for part in (
        "WARNING: before_breadcrumb (__main__.broken) raised",
        "WARNING: rate limit: the server takes nothing of category 'error'",
        "INFO: the rate limit on category 'error' has cost ",
        "DEBUG: option 'traces_sample_rate' is accepted, but has no effect: vedette has no tracing yet",
        "DEBUG: sending failed: no connection",
    ):
        assert f"[vedette] {part}" in ended.stderr


def test_what_is_sent_at_exit_after_an_earlier_delivery_leaves_no_connection_open() -> None:
    program = """
    import sys, vedette
    vedette.init(sys.argv[1])
    vedette.capture_message("first")
    vedette.flush()
    vedette.capture_message("last")
    """
    with RecordingServer() as server:
        ended = run_program(program, server.dsn())  # its warnings are errors, ResourceWarning too
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
        assert len(server.events) == 2
