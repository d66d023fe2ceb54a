"""Several requests at once: how many, when, of what; and that whoever flushes waits for all of them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.servers import Answer, RecordingServer
from tests.waiting import wait_until
from vedette._processing import outbox
from vedette._processing.hands import Hands
from vedette._protocol.categories import DataCategory

if TYPE_CHECKING:
    from tests.servers import Request


class Counting:
    """Answers after a while, and notes how many requests were there at the same time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, _request: Request) -> Answer:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        threading.Event().wait(self.seconds)
        with self._lock:
            self._now -= 1
        return Answer()


def seconds_for(server: RecordingServer, events: int, **options: Any) -> float:
    client = vedette.Client(server.dsn(), **options)
    client.capture_message("the first, which also imports what sending needs")
    client.flush(10)
    started = time.monotonic()
    for number in range(events):
        client.capture_message(f"event {number}")
    client.flush(30)
    taken = time.monotonic() - started
    assert client.stats().delivered == {"error": events + 1}
    assert not client.stats().waiting
    client.close(5)
    return taken


@pytest.mark.long
def test_a_server_that_takes_50_ms_gets_four_requests_at_once_which_is_three_and_a_half_times_as_fast() -> None:
    with RecordingServer() as server:
        server.default = counting = Counting(0.05)
        several = seconds_for(server, 100)
        assert counting.most == 4
        counting.most = 0
        one_by_one = seconds_for(server, 50, max_connections=1)
        assert counting.most == 1
    assert one_by_one / 50 >= 3.5 * several / 100


@pytest.mark.parametrize("most", [1, 2, 7])
def test_there_are_never_more_requests_at_once_than_max_connections(most: int) -> None:
    with RecordingServer() as server:
        server.default = counting = Counting(0.03)
        client = vedette.Client(server.dsn(), max_connections=most)

        def capture() -> None:
            for _ in range(10):
                client.capture_message("hello")
                client.capture_feedback({"message": "slow"})

        threads = [threading.Thread(target=capture) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.flush(30)
        assert client.stats().delivered == {"error": 40, "feedback": 40}
        assert counting.most == most


def test_a_quick_server_gets_one_request_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "SLOW_SECONDS", 5.0)  # however busy this machine is
    with RecordingServer() as server:
        server.default = counting = Counting(0.01)
        seconds_for(server, 30)
        assert counting.most == 1


def test_who_flushes_has_others_sent_while_the_first_request_has_no_answer() -> None:
    gate = threading.Event()
    with RecordingServer() as server:
        server.default = Answer(gate=gate)
        client = vedette.Client(server.dsn())
        for _ in range(6):
            client.capture_message("hello")
        thread = threading.Thread(target=client.flush, args=(20,))
        thread.start()
        server.wait_for(4)
        gate.set()
        thread.join(20)
        assert client.stats().delivered == {"error": 6}
        client.close(5)


def test_who_flushes_waits_for_what_is_on_its_way_elsewhere() -> None:
    """The worker finds nothing more to do while a hand still waits for its answer."""
    slow = threading.Event()
    with RecordingServer() as server:

        def answer(request: Request) -> Answer:
            items = request.envelope.items_of("event")
            is_slow = items and items[0].json["logentry"]["formatted"].startswith("slow")
            return Answer(gate=slow) if is_slow else Counting(0.03)(request)

        server.default = answer
        client = vedette.Client(server.dsn())
        for number in range(20):
            client.capture_message("slow" if number == 3 else "quick")
        flushed = threading.Event()
        thread = threading.Thread(target=lambda: (client.flush(20), flushed.set()))
        thread.start()
        wait_until(lambda: client.stats().delivered == {"error": 19}, timeout=10)
        assert client.stats().waiting == {"error": 1}
        assert not flushed.wait(0.2)
        slow.set()
        thread.join(10)
        assert flushed.is_set()
        assert client.stats().delivered == {"error": 20}
        client.close(5)


@pytest.mark.parametrize(
    ("category", "item_type"), [(DataCategory.SESSION, "session"), (DataCategory.MONITOR, "check_in")]
)
def test_sessions_and_check_ins_arrive_in_their_order_beside_a_backlog_of_errors(
    category: DataCategory, item_type: str
) -> None:
    with RecordingServer() as server:
        server.default = Counting(0.03)
        client = vedette.Client(server.dsn())
        for number in range(12):
            for _ in range(4):
                client.capture_message("error")
            client.processor.add(category, {"number": number})
        client.flush(30)
        assert [item.json["number"] for item in server.items(item_type)] == list(range(12))
        assert len(server.items("event")) == 48
        client.close(5)


def test_a_users_transport_is_called_by_one_thread_at_a_time() -> None:
    counting = Counting(0.02)

    class Slow(vedette.Transport):
        def capture_envelope(self, envelope: Any) -> None:
            counting(envelope)

    client = vedette.Client("http://key@127.0.0.1:9/1", transport=Slow())
    for _ in range(20):
        client.capture_message("hello")
    client.flush(10)
    assert counting.most == 1
    assert client.stats().delivered == {"error": 20}


def test_where_threads_are_refused_the_worker_goes_on_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with RecordingServer() as server:
        server.default = counting = Counting(0.02)
        client = vedette.Client(server.dsn())
        client.capture_message("starts the worker")
        client.flush(10)

        def refuse(*_arguments: object) -> int:
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr("vedette._host.os_threads.start_new_thread", refuse)
        for _ in range(10):
            client.processor.add(DataCategory.ERROR, {"event_id": "0" * 32})
        client.flush(10)
        monkeypatch.undo()
        assert client.stats().waiting == {}
        assert counting.most == 1
        client.close(5)


def test_hands_are_out_until_the_last_of_them_has_nothing_left() -> None:
    go_on, ended = threading.Event(), threading.Semaphore(0)
    hands = Hands(2, lambda: bool(go_on.wait(5)) and None, ended.release)
    assert not hands.are_out()
    hands.call(5)
    assert hands.are_out()
    hands.call(5)
    go_on.set()
    assert ended.acquire(timeout=5)
    assert ended.acquire(timeout=5)
    assert not hands.are_out()
    assert not ended.acquire(timeout=0.05)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_in_a_hand_is_told_of_and_ends_only_that(caplog: pytest.LogCaptureFixture) -> None:
    ended = threading.Event()

    def fail() -> None:
        raise ValueError("a bug of ours")

    hands = Hands(1, fail, ended.set)
    hands.call(1)
    assert ended.wait(5)
    assert "please report it" in caplog.text
    assert not hands.are_out()
