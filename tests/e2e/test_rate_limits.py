"""Rate limits end to end: the server's own log shows that nothing was sent in the window, and the counts add up."""

from __future__ import annotations

import email.utils
import time
from typing import TYPE_CHECKING

import pytest

import vedette
from tests.judging import JudgingServer, Plan, name_sender
from tests.servers import Answer
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ALL = frozenset({"error", "feedback", "attachment"})


@pytest.fixture
def server() -> Iterator[JudgingServer]:
    with JudgingServer() as server:
        yield server


@pytest.fixture
def client(server: JudgingServer) -> Iterator[vedette.Client]:
    client = vedette.Client(server.dsn())
    name_sender(client, lambda: "client")
    yield client
    client.close(5)


def capture_of_each(client: vedette.Client, times: int = 1) -> None:
    scope = vedette.Scope()
    scope.add_attachment(bytes=b"x" * 10, filename="a.txt")
    for _ in range(times):
        client.capture_message("hello", scope=scope)
        client.capture_feedback({"message": "hello"})


def assert_all_accounted_for(client: vedette.Client, captured: dict[str, int]) -> None:
    stats = client.stats()
    assert stats.captured == captured
    for category, count in captured.items():
        fates = (stats.delivered, stats.refused, stats.waiting, stats.kept)
        known = sum(fate.get(category, 0) for fate in fates)
        assert known + sum(stats.dropped.get(category, {}).values()) == count


@pytest.mark.spec("PAIN-44", "RATE-02", "RATE-25", "RATE-26")
@pytest.mark.parametrize(
    ("header", "stopped"),
    [
        ("60:error:organization", {"error"}),
        ("60:error:project:quota_exceeded", {"error"}),
        ("60:feedback;martian:key:why", {"feedback"}),
        ("60:attachment:key:why:a;b:what else", {"attachment"}),
        ("60:error;feedback:key, 60:attachment:key", ALL),
        ("60::organization:all_of_it", ALL),
        ("60:martian;venusian:organization", set()),
        ("60:metric_bucket:organization:quota:custom;spans", set()),
        ("60:transaction;span;log_item:key, 0:error:key, x:error, -60:error", set()),
    ],
)
def test_in_a_window_nothing_of_its_categories_is_sent_and_everything_else_is(
    server: JudgingServer, client: vedette.Client, header: str, stopped: set[str]
) -> None:
    server.planned.append(Plan(Answer(headers=(("X-Sentry-Rate-Limits", header),))))
    client.capture_message("is answered with the limit")
    client.flush(5)
    server.clear()
    capture_of_each(client, times=3)
    client.flush(5)
    went = {item.type for envelope in server.envelopes for item in envelope.items} - {"client_report"}
    sent = {"event": "error", "feedback": "feedback", "attachment": "attachment"}
    expected = ALL - stopped - ({"attachment"} if "error" in stopped else set())  # which go with their event
    assert {sent[item_type] for item_type in went} == expected
    captured = {"error": 4, "feedback": 3, "attachment": 30, "attachment_item": 3}
    assert_all_accounted_for(client, captured)
    lost = {category: dict(reasons) for category, reasons in client.stats().dropped.items()}
    assert all(reasons.keys() == {"ratelimit_backoff"} for reasons in lost.values())
    assert lost.get("error", {}).get("ratelimit_backoff", 0) == (3 if "error" in stopped else 0)


RETRY_AFTERS: dict[str, Callable[[], str]] = {
    "seconds": lambda: "60",
    "a date": lambda: email.utils.formatdate(time.time() + 60, usegmt=True),
    "nonsense": lambda: "soon",
}


@pytest.mark.spec("PAIN-44", "RATE-16", "CR-23", "RATE-24")
@pytest.mark.parametrize("hours", [-48, 48])
@pytest.mark.parametrize("retry_after", RETRY_AFTERS)
def test_a_429_stops_everything_however_the_clock_of_the_system_jumps(
    server: JudgingServer, client: vedette.Client, monkeypatch: pytest.MonkeyPatch, retry_after: str, hours: int
) -> None:
    server.planned.append(Plan(Answer(429, headers=(("Retry-After", RETRY_AFTERS[retry_after]()),))))
    client.capture_message("is refused")
    client.flush(5)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + hours * 3600)
    capture_of_each(client, times=3)
    client.flush(5)
    assert len(server.requests) == 1
    stats = client.stats()
    assert stats.refused == {"error": 1}
    assert stats.dropped["error"] == stats.dropped["feedback"] == {"ratelimit_backoff": 3}
    assert_all_accounted_for(client, {"error": 4, "feedback": 3, "attachment": 30, "attachment_item": 3})


@pytest.mark.spec("PAIN-44", "RATE-23")
def test_after_the_window_all_goes_again_and_the_server_is_told_what_it_cost(
    server: JudgingServer, client: vedette.Client
) -> None:
    server.planned.append(Plan(Answer(headers=(("X-Sentry-Rate-Limits", "0.5::organization"),))))
    client.capture_message("is answered with the limit")
    client.flush(5)
    ends = time.monotonic() + 0.5
    captured = 1
    while time.monotonic() < ends:
        client.capture_message("in the window")
        captured += 1
    client.capture_message("after it")
    captured += 1
    client.flush(5)
    wait_until(lambda: client.flush(5) or server.books["client"].told)
    stats = client.stats()
    lost = stats.dropped["error"]["ratelimit_backoff"]
    assert server.books["client"].told == {("error", "ratelimit_backoff"): lost}
    assert server.books["client"].delivered["error"] == stats.delivered["error"] == captured - lost
    assert stats.delivered["error"] >= 2
