"""What piled up while nothing could be sent goes out with pauses; what is new does not wait for it (OFF-20, OFF-21)."""

from __future__ import annotations

import itertools
import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.programs import run_program
from tests.servers import Answer
from tests.unit._processing.test_journaling import Restarting, balance
from tests.waiting import wait_until
from vedette._processing import backoff, journaling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers import Request

DISTANCE = 0.08
"""The least between two arrivals: 100 ms between two departures, on machines that are busy with other things."""
LIMIT_OF_A_SECOND = (("X-Sentry-Rate-Limits", "1:error:key"),)


class Arrivals(Restarting):
    """What arrived when, at a server that comes and goes at one port."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[float, str]] = []
        self.answer: Callable[[str], Answer] = lambda _: Answer()
        self.server.default = self.note

    def note(self, request: Request) -> Answer:
        for item in request.envelope.items_of("event"):
            text = item.json["logentry"]["formatted"]
            self.seen.append((time.monotonic(), text))
            return self.answer(text)
        return Answer()

    def texts(self, kind: str) -> list[str]:
        return [text for _, text in self.seen if text.startswith(kind)]

    def times(self, kind: str) -> list[float]:
        return [when for when, text in self.seen if text.startswith(kind)]

    def least_distance(self, kind: str) -> float:
        return min(later - earlier for earlier, later in itertools.pairwise(self.times(kind)))


@pytest.fixture
def arrivals() -> Iterator[Arrivals]:
    arrivals = Arrivals()
    yield arrivals
    arrivals.stop()


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least of their kind, again and again: 0.1 s without a network, 1 s after a 5xx."""
    monkeypatch.setattr(backoff, "_random", lambda: 0.0)


def client_of(arrivals: Arrivals, folder: Path, **options: Any) -> vedette.Client:
    return vedette.Client(arrivals.server.dsn(), cache_dir=str(folder), shutdown_timeout=5, **options)


def capture(client: vedette.Client, kind: str, count: int) -> list[str]:
    texts = [f"{kind} {number}" for number in range(count)]
    for text in texts:
        client.capture_message(text)
    return texts


def go_away(arrivals: Arrivals, client: vedette.Client) -> None:
    """Have the client know that the server cannot be reached."""
    arrivals.stop()
    client.capture_message("tried")
    client.flush(0.3)
    assert client.stats().kept == {"error": 1}


@pytest.mark.spec("OFF-20", "OFF-21")
@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(0.0, id="a quick server"),
        pytest.param(0.05, id="a slow server, to which several send", marks=pytest.mark.long),
    ],
)
def test_what_piled_up_while_the_server_was_away_keeps_a_distance_and_what_is_new_does_not_wait(
    arrivals: Arrivals, tmp_path: Path, seconds: float
) -> None:
    pause = threading.Event()

    def take_time(_: str) -> Answer:
        pause.wait(seconds)
        return Answer()

    arrivals.answer = take_time
    client = client_of(arrivals, tmp_path)
    capture(client, "before", 3)
    client.flush(5)
    go_away(arrivals, client)
    old = capture(client, "old", 18)  # more than keep their payload in memory
    arrivals.start()
    wait_until(lambda: len(arrivals.texts("old")) > 1)  # it has answered, and is known to be back
    new = capture(client, "new", 10)
    client.flush(20)
    assert client.stats().delivered == {"error": 32}
    assert arrivals.texts("old") == old
    assert sorted(arrivals.texts("new")) == sorted(new)
    assert arrivals.least_distance("old") > DISTANCE
    assert max(arrivals.times("new")) < arrivals.times("old")[-5]
    assert balance(client) == {}
    client.close(5)


@pytest.mark.spec("OFF-20", "OFF-21", "OFF-22")
@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize("first", [Answer(headers=LIMIT_OF_A_SECOND), Answer(status=503)], ids=["limit", "5xx"])
def test_what_piled_up_under_a_limit_or_after_a_5xx_keeps_a_distance(
    arrivals: Arrivals, tmp_path: Path, first: Answer
) -> None:
    arrivals.answer = lambda text: first if text == "first" else Answer()
    client = client_of(arrivals, tmp_path)
    client.capture_message("first")
    client.flush(5)
    old = capture(client, "old", 12)
    client.flush(5)
    assert client.stats().kept == {"error": 12}
    assert arrivals.texts("old") == []
    wait_until(lambda: len(arrivals.texts("old")) > 1)
    capture(client, "new", 5)
    client.flush(20)
    assert arrivals.texts("old") == old
    assert arrivals.least_distance("old") > DISTANCE
    assert max(arrivals.times("new")) < arrivals.times("old")[-3]
    assert client.stats().kept == {}
    assert balance(client) == {}
    client.close(5)


@pytest.mark.spec("OFF-20", "OFF-21")
def test_what_is_captured_before_the_server_has_answered_that_it_is_back_keeps_a_distance(
    arrivals: Arrivals, tmp_path: Path
) -> None:
    client = client_of(arrivals, tmp_path)
    go_away(arrivals, client)
    gate = threading.Event()
    arrivals.answer = lambda text: Answer(gate=gate) if text == "tried" else Answer()
    arrivals.start()
    wait_until(lambda: bool(arrivals.texts("tried")), timeout=20)
    capture(client, "old", 6)
    gate.set()
    wait_until(lambda: client.stats().delivered == {"error": 7})
    assert arrivals.least_distance("old") > DISTANCE
    client.close(5)


@pytest.mark.spec("OFF-20")
@pytest.mark.parametrize("failure", ["5xx", "away"])
def test_a_failure_that_is_over_slows_nothing_down(
    arrivals: Arrivals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    """Neither one after which nothing was captured, nor one whose pause a flush has ended."""
    monkeypatch.setattr(backoff, "_random", lambda: 0.0 if failure == "5xx" else 0.999)
    client = client_of(arrivals, tmp_path)
    if failure == "5xx":
        arrivals.answer = lambda text: Answer(status=503 if text == "first" else 200)
        client.capture_message("first")
        client.flush(5)
        threading.Event().wait(1.1)  # the pause after it
    else:
        go_away(arrivals, client)
        for _ in range(9):  # each makes the pause longer: a minute
            client.flush(0.3)
        arrivals.start()
        client.flush(5)
        assert client.stats().kept == {}
    started = time.monotonic()
    capture(client, "new", 20)
    client.flush(20)
    assert len(arrivals.texts("new")) == 20
    assert time.monotonic() - started < 1.9
    client.close(5)


@pytest.mark.spec("OFF-20", "OFF-21", "CLI-23", "CLI-24")
@pytest.mark.usefixtures("short_pauses")
def test_a_flush_sends_as_many_as_fit_in_its_time_and_a_close_leaves_the_rest_on_disk(
    arrivals: Arrivals, tmp_path: Path
) -> None:
    client = client_of(arrivals, tmp_path)
    go_away(arrivals, client)
    capture(client, "old", 25)
    arrivals.start()
    wait_until(lambda: bool(arrivals.texts("old")))
    started = time.monotonic()
    client.flush(0.55)
    assert 0.5 < time.monotonic() - started < 2
    assert 1 <= len(arrivals.texts("old")) <= 10
    client.close(0.55)
    assert time.monotonic() - started < 4
    stats = client.stats()
    assert (stats.waiting, stats.dropped) == ({}, {})
    assert stats.kept["error"] >= 10
    assert balance(client) == {}


@pytest.mark.spec("OFF-20")
@pytest.mark.usefixtures("short_pauses")
def test_the_more_piled_up_the_closer_it_goes_out_so_that_it_does_not_pile_up_for_ever(
    arrivals: Arrivals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journaling, "REPLAY_ALL_SECONDS", 1.0)  # so that ten are as many as 100 are else
    client = client_of(arrivals, tmp_path)
    go_away(arrivals, client)
    old = capture(client, "old", 60)
    arrivals.start()
    client.flush(20)
    assert arrivals.texts("old") == old
    times = arrivals.times("old")
    assert times[40] - times[0] < 40 * journaling.REPLAY_SECONDS
    assert min(later - earlier for earlier, later in itertools.pairwise(times[-8:])) > DISTANCE
    client.close(5)


@pytest.mark.spec("OFF-20", "CLI-23")
@pytest.mark.usefixtures("short_pauses")
def test_a_flush_ends_when_all_that_piled_up_was_sent(arrivals: Arrivals, tmp_path: Path) -> None:
    client = client_of(arrivals, tmp_path)
    go_away(arrivals, client)
    capture(client, "old", 8)
    arrivals.start()
    started = time.monotonic()
    client.flush(60)
    assert client.stats().delivered == {"error": 9}
    assert time.monotonic() - started < 5
    client.close(5)


@pytest.mark.spec("OFF-20", "CLI-23")
def test_a_transport_that_sends_at_once_sends_what_piled_up_in_a_flush(arrivals: Arrivals, tmp_path: Path) -> None:
    class AtOnce(vedette.Transport):
        synchronous = True
        is_away = True

        def capture_envelope(self, envelope: vedette.Envelope) -> None:
            if self.is_away:
                self.record_lost_event("network_error", item=envelope.items[0])

    client = client_of(arrivals, tmp_path, transport=AtOnce)
    capture(client, "old", 6)
    assert client.stats().kept == {"error": 6}
    transport: Any = client.transport
    transport.is_away = False
    started = time.monotonic()
    client.flush(20)
    assert client.stats().delivered == {"error": 6}
    assert 0.4 < time.monotonic() - started < 5
    client.close(5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system knows no fork")
@pytest.mark.spec("OFF-20", "OFF-22")
def test_a_forked_child_keeps_a_distance_after_the_limit_that_it_was_born_with(
    arrivals: Arrivals, tmp_path: Path
) -> None:
    arrivals.answer = lambda text: Answer(headers=LIMIT_OF_A_SECOND if text == "parent" else ())
    ended = run_program(
        """
        import os, sys, time, vedette
        client = vedette.init(sys.argv[1], cache_dir=sys.argv[2])
        vedette.capture_message("parent")
        client.flush(5)
        pid = os.fork()
        if pid == 0:
            for number in range(6):
                vedette.capture_message(f"old {number}")
            deadline = time.monotonic() + 20
            while client.stats().delivered != {"error": 6} and time.monotonic() < deadline:
                time.sleep(0.02)
            os._exit(client.stats().delivered != {"error": 6})
        assert os.waitpid(pid, 0)[1] == 0
        """,
        arrivals.server.dsn(),
        str(tmp_path),
        warnings="ignore",
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert len(arrivals.texts("old")) == 6
    assert arrivals.least_distance("old") > DISTANCE
