"""Debug mode: when it is on, how much it says, and that it leaves the host's logging as it was."""

from __future__ import annotations

import io
import logging
import sys
from typing import Any

import pytest

import vedette
from tests.waiting import wait_until
from vedette._host import log
from vedette.testing import MemoryTransport

DSN = "https://key@errors.example.org/7"
LEVELS = ("debug", "info", "warning", "error", "fatal")


def heard(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().err.splitlines()


def speak_at_all_levels() -> None:
    logger = logging.getLogger("vedette")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        logger.log(level, "hello")


@pytest.mark.spec("CFG-40", "CFG-42", "CFG-46", "CFG-47", "CFG-48", "CFG-49")
@pytest.mark.parametrize("level", [None, *LEVELS])
def test_the_diagnostic_level_is_the_least_that_debug_mode_says(level: Any, capfd: pytest.CaptureFixture[str]) -> None:
    options: dict[str, Any] = {} if level is None else {"diagnostic_level": level}
    client = vedette.Client(DSN, debug=True, **options)
    heard(capfd)
    speak_at_all_levels()
    names = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    least = 0 if level is None else LEVELS.index(level)
    assert heard(capfd) == [f"[vedette] {name}: hello" for name in names[least:]]
    client.close()
    speak_at_all_levels()
    assert heard(capfd) == []


@pytest.mark.spec("CFG-10", "CFG-41", "CFG-55")
@pytest.mark.parametrize("debug", [False, None])
def test_debug_that_is_off_stays_off_whatever_the_environment_says(
    debug: bool | None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SENTRY_DEBUG", "1")
    vedette.Client(DSN, debug=debug)
    speak_at_all_levels()
    assert heard(capfd) == []
    client = vedette.Client(DSN)
    speak_at_all_levels()
    assert "[vedette] DEBUG: hello" in heard(capfd)
    client.close()


@pytest.mark.spec("CFG-43")
def test_debug_mode_tells_misconfigurations_of_its_own_client(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SENTRY_SAMPLE_RATE", "a lot")
    with vedette.Client(debug=True):
        warning, start, *_ = heard(capfd)
    assert warning.startswith("[vedette] WARNING: option 'sample_rate' must be a number from 0.0 to 1.0, got 'a lot'")
    assert "sends to nobody: it has no DSN, as release None in environment 'production'" in start


@pytest.mark.spec("PAIN-23")
def test_debug_mode_is_on_while_any_client_asks_for_it_at_the_lowest_level(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def lowest() -> str:
        heard(capfd)
        speak_at_all_levels()
        return (heard(capfd) or ["nothing"])[0]

    quiet, loud = vedette.Client(DSN), vedette.Client(DSN, debug=True, diagnostic_level="error")
    assert lowest() == "[vedette] ERROR: hello"
    louder = vedette.Client(DSN, debug=True, diagnostic_level="info")
    assert lowest() == "[vedette] INFO: hello"
    quiet.close()
    assert lowest() == "[vedette] INFO: hello"
    louder.close()
    assert lowest() == "[vedette] ERROR: hello"
    loud.close()
    loud.close()
    assert lowest() == "nothing"


def test_init_without_debug_ends_the_debug_mode_of_the_client_that_it_replaces(
    capfd: pytest.CaptureFixture[str],
) -> None:
    vedette.init(DSN, debug=True)
    vedette.init(DSN)
    heard(capfd)
    speak_at_all_levels()
    assert heard(capfd) == []


def test_a_client_that_sends_nothing_has_a_debug_mode_too(capfd: pytest.CaptureFixture[str]) -> None:
    client = vedette.Client(debug=True)
    assert heard(capfd) != []
    client.close()
    speak_at_all_levels()
    assert heard(capfd) == []


def test_a_client_that_could_not_be_made_leaves_no_debug_mode(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(vedette.OptionError):
        vedette.Client(DSN, debug=True, sample_rate=7)
    with pytest.raises(vedette.OptionError):
        vedette.Client(DSN, debug=True, transport=dict)  # type: ignore[arg-type]  # what is tested
    speak_at_all_levels()
    assert heard(capfd) == []


def test_the_hosts_level_of_the_logger_is_put_back() -> None:
    logger = logging.getLogger("vedette")
    logger.setLevel(logging.ERROR)
    try:
        first = vedette.Client(DSN, debug=True)
        second = vedette.Client(DSN, debug=True, diagnostic_level="fatal")
        assert logger.level == logging.DEBUG
        first.close()
        assert logger.level == logging.CRITICAL
        second.close()
        assert logger.level == logging.ERROR
    finally:
        logger.setLevel(logging.NOTSET)


def test_a_level_that_the_host_sets_meanwhile_stays() -> None:
    logger = logging.getLogger("vedette")
    with vedette.Client(DSN, debug=True):
        logger.setLevel(logging.ERROR)
    level = logger.level
    logger.setLevel(logging.NOTSET)
    assert level == logging.ERROR


def test_messages_go_to_the_stderr_of_the_moment_or_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with vedette.Client(DSN, debug=True):
        later = io.StringIO()
        for stream in (Broken(), None, later):
            monkeypatch.setattr(sys, "stderr", stream)
            speak_at_all_levels()
    assert "[vedette] CRITICAL: hello" in later.getvalue()


@pytest.mark.spec("CFG-45")
def test_a_fault_of_vedettes_own_is_heard_by_a_program_that_logs_without_debug_mode(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError

    client = vedette.Client(DSN, transport=MemoryTransport())
    monkeypatch.setattr(client, "is_active", broken)
    assert client.capture_message("hello") is None
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "internal error in vedette - please report it")
    ]
    assert heard(capfd) == []


def test_what_is_said_once_in_debug_mode_waits_until_it_is_heard(capfd: pytest.CaptureFixture[str]) -> None:
    log.debug_once("key", "said")
    with vedette.Client(DSN, debug=True):
        heard(capfd)
        log.debug_once("key", "said")
        log.debug_once("key", "said")
        assert heard(capfd) == ["[vedette] DEBUG: said"]


def test_debug_mode_says_what_it_does_when_a_client_is_made_and_when_sending_fails(
    capfd: pytest.CaptureFixture[str],
) -> None:
    errors: list[str] = []

    def has_failed() -> bool:
        errors.extend(heard(capfd))
        return any("sending failed" in line for line in errors)

    with vedette.Client("http://key@127.0.0.1:9/7", debug=True, release="shop@1", environment="test") as client:
        line, *_ = heard(capfd)
        assert line.endswith("sends to 127.0.0.1, as release 'shop@1' in environment 'test'")
        client.capture_message("hello")
        wait_until(has_failed)
