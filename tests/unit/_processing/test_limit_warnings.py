"""What a rate limit costs is said once for each category and window."""

from __future__ import annotations

import logging
import re

import pytest

import vedette
from tests.servers import RecordingServer
from vedette._processing.limit_warnings import LimitWarnings
from vedette._protocol.categories import DataCategory

ERROR, FEEDBACK = DataCategory.ERROR, DataCategory.FEEDBACK


class Limited:
    """Limits and losses as a test wants them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.until: dict[DataCategory, float] = {}
        self.lost: dict[DataCategory, int] = {}
        self.warnings = LimitWarnings(
            lambda category: max(0.0, self.until.get(category, 0.0) - self.now),
            lambda category: self.lost[category],
            lambda: self.now,
        )

    def lose(self, category: DataCategory, quantity: int = 1) -> None:
        for _ in range(quantity):
            self.lost[category] = self.lost.get(category, 0) + 1
            self.warnings.note(category)


def said(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


@pytest.mark.spec("PAIN-44")
def test_a_window_is_warned_of_once_however_often_the_server_makes_it_longer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limited = Limited()
    limited.until[ERROR] = 160.0
    limited.lose(ERROR, 3)
    limited.until[ERROR] = 190.0
    limited.lose(ERROR)
    limited.now = 175.0
    limited.lose(ERROR)
    (warning,) = said(caplog, logging.WARNING)
    assert re.fullmatch(
        r"rate limit: the server takes nothing of category 'error' until \d\d:\d\d:\d\d UTC \(for 60 s\); "
        r"lost to rate limits so far: 1, and so will be what is captured until then",
        warning,
    )


@pytest.mark.spec("PAIN-44")
def test_the_next_window_and_another_category_are_warned_of_anew(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vedette")
    limited = Limited()
    limited.until = {ERROR: 160.0, FEEDBACK: 170.0}
    limited.lose(ERROR, 17)
    limited.lose(FEEDBACK)
    limited.now, limited.until[ERROR] = 200.0, 230.0
    limited.lose(ERROR, 2)
    assert [re.findall(r"'(\w+)'.*so far: (\d+)", warning) for warning in said(caplog, logging.WARNING)] == [
        [("error", "1")],
        [("feedback", "1")],
        [("error", "18")],
    ]
    limited.now = 240.0
    limited.warnings.settle()
    limited.warnings.settle()
    assert said(caplog, logging.INFO) == [
        "the rate limit on category 'error' has cost 17",
        "the rate limit on category 'error' has cost 2",
        "the rate limit on category 'feedback' has cost 1",
    ]


def test_a_refusal_that_names_no_time_for_the_category_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    limited = Limited()
    limited.lose(ERROR, 2)
    assert said(caplog, logging.WARNING) == ["the server refused an item of category 'error' (429)"]


def test_a_warning_that_is_answered_with_a_loss_does_not_recur(caplog: pytest.LogCaptureFixture) -> None:
    limited = Limited()
    limited.until[ERROR] = 160.0

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            limited.lose(ERROR)

    handler = Handler(logging.WARNING)
    logging.getLogger("vedette").addHandler(handler)
    try:
        limited.lose(ERROR)
    finally:
        logging.getLogger("vedette").removeHandler(handler)
    assert limited.lost == {ERROR: 2}
    assert len(said(caplog, logging.WARNING)) == 1


@pytest.mark.spec("PAIN-44")
def test_a_server_that_asks_for_silence_is_one_warning_with_the_count_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "vedette")
    with RecordingServer() as server:
        server.answer(status=429, headers=(("X-Sentry-Rate-Limits", "60:error:organization"),))
        client = vedette.Client(server.dsn())
        client.capture_message("refused")
        client.flush(5)
        for _ in range(4):
            client.capture_message("dropped")
        client.flush(5)
        stats = client.stats()
        client.close(5)
        assert len(server.events) == 1
    assert stats.refused == {"error": 1}
    assert stats.dropped == {"error": {"ratelimit_backoff": 4}}
    assert len(said(caplog, logging.WARNING)) == 1
    assert said(caplog, logging.INFO) == ["the rate limit on category 'error' has cost 5"]


def test_limits_on_what_the_program_does_not_send_are_no_news(caplog: pytest.LogCaptureFixture) -> None:
    with RecordingServer() as server:  # as each answer of Bugsink has it
        limits = (("X-Sentry-Rate-Limits", "86400:transaction;span:organization"),)
        server.answer(headers=limits, times=3)
        client = vedette.Client(server.dsn())
        for _ in range(3):
            client.capture_message("taken")
        client.close(5)
        assert len(server.events) == 3
    assert said(caplog, logging.WARNING) == []


@pytest.mark.spec("PAIN-44")
def test_attachments_that_the_server_takes_none_of_are_warned_of_by_number(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "vedette")
    with RecordingServer() as server:
        server.answer(headers=(("X-Sentry-Rate-Limits", "60:attachment:organization"),))
        client = vedette.Client(server.dsn())
        client.capture_message("first")
        client.flush(5)
        scope = vedette.Scope()
        scope.add_attachment(bytes=b"12345", filename="one.txt")
        scope.add_attachment(bytes=b"67890", filename="two.txt")
        client.capture_message("second", scope=scope)
        client.close(5)
        assert len(server.events) == 2
    (warning,) = said(caplog, logging.WARNING)
    assert "takes nothing of category 'attachment' until" in warning
    assert "lost to rate limits so far: 1," in warning
    assert said(caplog, logging.INFO) == ["the rate limit on category 'attachment' has cost 2"]
