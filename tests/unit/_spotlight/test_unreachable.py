"""Spotlight that is not there, hangs or refuses: said once, tried now and then, and nobody else is the worse for it."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import pytest

import vedette
from tests.servers import Answer, RecordingServer, never, unused_port
from tests.threads import os_threads
from tests.waiting import wait_until
from vedette._protocol.categories import DiscardReason
from vedette._spotlight.reach import SILENT_SECONDS, Reach
from vedette._transport.delivery import Delivery, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILED = Delivery(Outcome.LOST, reason=DiscardReason.NETWORK_ERROR, detail="no connection: refused", met_nobody=True)
ARRIVED = Delivery(Outcome.DELIVERED, status=200)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as started:
        yield started


def said(caplog: pytest.LogCaptureFixture, least: int = logging.INFO) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= least and record.name == "vedette"]


# --- how often it is tried and said, with a clock of the test's ---------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.spec("INT-110")
def test_pauses_double_from_one_second_to_a_minute_and_end_with_an_answer() -> None:
    clock = Clock()
    reach = Reach("http://localhost:8969/stream", clock)
    pauses: list[float] = []
    for _ in range(9):
        reach.note(FAILED)
        pauses.append(reach.seconds_left())
        clock.now += pauses[-1]
        assert reach.seconds_left() == 0.0
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    reach.note(ARRIVED)
    assert reach.seconds_left() == 0.0
    reach.note(FAILED)
    assert reach.seconds_left() == 1.0


@pytest.mark.spec("INT-108", "INT-109", "INT-112", "INT-113")
def test_a_failure_that_lasts_is_said_once_in_ten_minutes(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vedette")
    clock = Clock()
    reach = Reach("http://localhost:8969/stream", clock)
    for _ in range(100):
        reach.note(FAILED)
        clock.now += (SILENT_SECONDS - 1.0) / 100
    assert said(caplog, logging.WARNING) == [
        "Spotlight at http://localhost:8969/stream cannot be reached; it is tried now and then: no connection: refused"
    ]
    clock.now += 2.0
    reach.note(FAILED)
    assert len(said(caplog, logging.WARNING)) == 2
    reach.note(ARRIVED)
    assert said(caplog)[2:] == ["Spotlight at http://localhost:8969/stream can be reached again"]
    reach.note(FAILED)
    assert len(said(caplog, logging.WARNING)) == 3


# --- over real sockets ----------------------------------------------------------------------------------------------


@pytest.mark.spec("INT-107", "INT-108", "INT-109", "INT-111", "INT-115", "INT-116")
def test_nobody_there_costs_nothing_but_one_warning(server: RecordingServer, caplog: pytest.LogCaptureFixture) -> None:
    url = f"http://127.0.0.1:{unused_port()}/stream"
    with vedette.Client(server.dsn(), spotlight=url) as client:
        for number in range(20):
            assert client.capture_message(str(number)) is not None
            client.flush()
        assert client.stats().delivered == {"error": 20}
        (line,) = said(caplog, logging.WARNING)
        assert line.startswith(f"Spotlight at {url} cannot be reached")
        start = time.monotonic()
        client.flush(5.0)  # while it is known to be away nobody waits for it
        assert time.monotonic() - start < 1.0
    assert len(server.events) == 20


@pytest.mark.spec("INT-110")
def test_what_was_captured_while_it_was_away_is_shown_once_it_is_there(
    server: RecordingServer, caplog: pytest.LogCaptureFixture
) -> None:
    port = unused_port()
    with (
        vedette.Client(server.dsn(), spotlight=f"http://127.0.0.1:{port}/stream") as client,
        RecordingServer() as elsewhere,
    ):
        for number in range(3):
            client.capture_message(str(number))
        wait_until(lambda: said(caplog, logging.WARNING))
        elsewhere.close()
        elsewhere.start(port)
        elsewhere.wait_for(3)
        assert [event["logentry"]["formatted"] for event in elsewhere.events] == ["0", "1", "2"]


def test_of_what_waits_the_newest_hundred_are_kept(server: RecordingServer, caplog: pytest.LogCaptureFixture) -> None:
    port = unused_port()
    with (
        vedette.Client(server.dsn(), spotlight=f"http://127.0.0.1:{port}/stream") as client,
        RecordingServer() as elsewhere,
    ):
        client.capture_message("first")
        wait_until(lambda: said(caplog, logging.WARNING))  # it is in hand by now
        for number in range(300):
            client.capture_message(str(number))
        elsewhere.close()
        elsewhere.start(port)
        elsewhere.wait_for(101)
        texts = [event["logentry"]["formatted"] for event in elsewhere.events]
    assert texts == ["first", *map(str, range(200, 300))]


def test_attachments_that_wait_are_bounded_in_bytes(
    server: RecordingServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vedette._spotlight.outbox.ATTACHED_BYTES", 25_000)
    port = unused_port()
    with (
        vedette.Client(server.dsn(), spotlight=f"http://127.0.0.1:{port}/stream") as client,
        vedette.new_scope() as scope,
        RecordingServer() as elsewhere,
    ):
        scope.add_attachment(bytes=b"x" * 10_000, filename="data.bin")
        client.capture_message("0")
        wait_until(lambda: said(caplog, logging.WARNING))
        for number in range(1, 5):
            client.capture_message(str(number))
        elsewhere.close()
        elsewhere.start(port)
        elsewhere.wait_for(5)
        client.flush()
        client.capture_message("there is room again")
        client.flush()
    counts = [len(envelope.items_of("attachment")) for envelope in elsewhere.envelopes]
    assert counts == [1, 1, 0, 0, 0, 1]
    (note,) = elsewhere.events[2]["contexts"]["attachments"]["left_out"]
    assert note.startswith("data.bin: too much is waiting for Spotlight")
    assert len(server.items("attachment")) == 6


@pytest.mark.spec("INT-114", "INT-115", "INT-116", "INT-111")
def test_one_that_never_answers_holds_up_nobody(server: RecordingServer) -> None:
    with RecordingServer() as hanging:
        hanging.default = never()
        client = vedette.Client(server.dsn(), spotlight=f"{hanging.url}/stream", shutdown_timeout=1.0)
        start = time.monotonic()
        for number in range(50):
            client.capture_message(str(number))
        captured = time.monotonic()
        assert captured - start < 1.0
        server.wait_for(50)
        hanging.wait_for(1)
        client.close()
        assert time.monotonic() - captured < 2.0
        assert client.stats().delivered == {"error": 50}


@pytest.mark.long
def test_what_it_may_have_got_is_sent_once_more_and_then_no_longer(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vedette._spotlight.outbox.REQUEST_SECONDS", 0.2)
    with RecordingServer() as hanging:
        hanging.default = never()
        with vedette.Client(server.dsn(), spotlight=f"{hanging.url}/stream") as client:
            client.capture_message("unlucky")
            hanging.wait_for(1)
            client.capture_message("next")
            hanging.wait_for(2)
            hanging.default = Answer()
            hanging.wait_for(3, timeout=10)
    texts = [event["logentry"]["formatted"] for event in hanging.events]
    assert texts == ["unlucky", "unlucky", "next"]


@pytest.mark.parametrize("status", [400, 403, 404, 413, 500, 503])
@pytest.mark.spec("INT-97", "INT-107", "INT-109")
def test_what_it_refuses_is_said_once_and_not_sent_again(
    server: RecordingServer, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    with RecordingServer() as refusing:
        refusing.default = Answer(status=status, body=b"no, thanks")
        with vedette.Client(server.dsn(), spotlight=f"{refusing.url}/stream") as client:
            for number in range(5):
                client.capture_message(str(number))
            refusing.wait_for(5)
        (line,) = said(caplog, logging.WARNING)
        assert line.endswith(f"did not take what was captured: status {status}: no, thanks")
        assert len(refusing.requests) == 5
    assert len(server.events) == 5


@pytest.mark.spec("INT-97")
def test_its_rate_limits_are_kept(server: RecordingServer) -> None:
    with RecordingServer() as limiting:
        limiting.answer(status=429, headers=(("Retry-After", "60"),))
        with vedette.Client(server.dsn(), spotlight=f"{limiting.url}/stream") as client:
            client.capture_message("limited")
            client.flush()
            client.capture_message("later")
            client.flush()
        assert len(limiting.requests) == 1
    assert len(server.events) == 2


def test_no_thread_lives_before_the_first_capture_nor_after_the_close(server: RecordingServer) -> None:
    with RecordingServer() as spotlight:
        before = os_threads()
        client = vedette.Client(spotlight=f"{spotlight.url}/stream", default_integrations=False)
        assert os_threads() <= before
        client.capture_message("one")
        client.flush()
        client.close()
        spotlight.close()
        wait_until(lambda: os_threads() <= before)
    assert server.requests == []


def test_many_threads_capture_at_once(server: RecordingServer) -> None:
    with RecordingServer() as spotlight:
        client = vedette.Client(server.dsn(), spotlight=f"{spotlight.url}/stream")

        def capture(name: str) -> None:
            for number in range(10):
                client.capture_message(f"{name}{number}")

        threads = [threading.Thread(target=capture, args=(name,)) for name in "abcdefgh"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.flush(10)
        client.close()
        assert len({event["event_id"] for event in spotlight.events}) == 80
        assert {event["event_id"] for event in spotlight.events} == {event["event_id"] for event in server.events}
