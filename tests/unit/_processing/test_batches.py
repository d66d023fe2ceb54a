"""High-volume data travels in batches: how many, how long they wait, what is lost, and what else goes on meanwhile."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.servers import RecordingServer
from tests.waiting import wait_until
from vedette._processing import kinds
from vedette._processing.buffer import Buffer, Item, Ledger
from vedette._processing.kinds import KINDS
from vedette._protocol.categories import DataCategory

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGS, METRICS = DataCategory.LOG_ITEM, DataCategory.TRACE_METRIC
BATCHED = pytest.mark.parametrize(
    ("category", "item_type", "content_type"),
    [
        (LOGS, "log", "application/vnd.sentry.items.log+json"),
        (METRICS, "trace_metric", "application/vnd.sentry.items.trace-metric+json"),
    ],
)


class Clock:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


@pytest.fixture
def client(server: RecordingServer) -> Iterator[vedette.Client]:
    client = vedette.Client(server.dsn())
    yield client
    client.close(5)


@pytest.fixture
def short_wait(monkeypatch: pytest.MonkeyPatch) -> float:
    """Batches wait for half a second instead of five."""
    for kind in KINDS.values():
        if kind.seconds:
            monkeypatch.setattr(kind, "seconds", 0.5)
    return 0.5


def add(client: vedette.Client, category: DataCategory, numbers: range) -> None:
    for number in numbers:
        client.processor.add(category, {"number": number})


def sizes(server: RecordingServer, item_type: str) -> list[int]:
    return [item.headers["item_count"] for item in server.items(item_type)]


@BATCHED
@pytest.mark.spec("TP-86", "ENV-80", "ENV-81", "ENV-82", "ENV-83", "ENV-86", "TP-91", "TP-95")
def test_a_batch_is_one_item_that_tells_how_many_are_in_it(
    server: RecordingServer, client: vedette.Client, category: DataCategory, item_type: str, content_type: str
) -> None:
    add(client, category, range(3))
    client.flush(5)
    (envelope,) = server.envelopes
    (item,) = envelope.items
    assert (item.type, item.headers["item_count"], item.headers["content_type"]) == (item_type, 3, content_type)
    assert item.json == {"items": [{"number": 0}, {"number": 1}, {"number": 2}]}
    assert "trace" not in envelope.headers
    assert client.stats().delivered == {category.value: 3}


@BATCHED
@pytest.mark.spec("TP-19", "TP-20", "TP-23", "TP-24", "TP-25", "TP-92", "TP-78")
def test_a_full_batch_of_100_goes_at_once_and_none_is_larger(
    server: RecordingServer, client: vedette.Client, category: DataCategory, item_type: str, content_type: str
) -> None:
    add(client, category, range(99))
    assert not server.requests
    add(client, category, range(99, 100))
    server.wait_for(1, timeout=4)  # less than the five seconds of an incomplete one
    add(client, category, range(100, 350))
    server.wait_for(3, timeout=4)
    assert sizes(server, item_type) == [100, 100, 100]
    wait_until(lambda: client.stats().waiting == {category.value: 50})
    client.flush(5)
    assert sizes(server, item_type) == [100, 100, 100, 50]
    numbers = [each["number"] for item in server.items(item_type) for each in item.json["items"]]
    assert numbers == list(range(350))


def test_five_seconds_is_how_long_the_first_item_waits() -> None:
    assert kinds.BATCH_SECONDS == 5.0
    assert {kind.seconds for kind in KINDS.values()} == {0.0, 5.0}


@pytest.mark.spec("TP-16", "TP-17", "TP-85", "TP-74", "TP-75")
def test_an_incomplete_batch_goes_a_while_after_its_first_item_however_many_come_later(
    server: RecordingServer, client: vedette.Client, short_wait: float
) -> None:
    client.capture_message("so that what sending needs is imported")
    client.flush(5)
    server.clear()
    started = time.monotonic()
    ended = threading.Event()

    def add_again_and_again() -> None:
        for number in range(60):
            if ended.wait(0.02):
                return
            client.processor.add(LOGS, {"number": number})

    thread = threading.Thread(target=add_again_and_again)
    thread.start()
    server.wait_for(1, timeout=4)
    taken = time.monotonic() - started
    ended.set()
    thread.join()
    assert short_wait * 0.9 <= taken < 1.2  # the last item came after that
    assert 1 <= sizes(server, "log")[0] < 60
    wait_until(lambda: not client.stats().waiting, timeout=3)  # without a flush


def test_a_worker_that_waits_for_a_batch_sends_errors_at_once(server: RecordingServer, client: vedette.Client) -> None:
    add(client, LOGS, range(1))
    client.capture_message("urgent")
    server.wait_for(1, timeout=4)
    assert len(server.items("event")) == 1
    assert not server.items("log")
    client.close(5)  # TP-28: the rest goes now
    assert sizes(server, "log") == [1]


@BATCHED
@pytest.mark.spec("TP-80", "TP-93", "TP-94", "TP-96", "TP-14")
def test_of_what_comes_too_late_the_newest_is_dropped_and_counted(
    category: DataCategory, item_type: str, content_type: str
) -> None:
    lost: list[Item] = []
    buffer = Buffer(category, KINDS[category], 5000, Ledger(10**9), lambda _category, item: lost.append(item))
    for number in range(1200):
        buffer.append(Item({"number": number}))
    assert len(buffer) == 1000
    assert [item.payload["number"] for item in lost] == list(range(1000, 1200))
    assert [item.payload["number"] for item in buffer.take()] == list(range(100))


def test_the_option_for_the_queue_size_makes_that_less() -> None:
    buffer = Buffer(LOGS, KINDS[LOGS], 10, Ledger(10**9), lambda _category, _item: None)
    for number in range(20):
        buffer.append(Item({"number": number}))
    assert len(buffer) == 10


@pytest.mark.spec("TP-85")
def test_a_buffer_is_ready_when_it_holds_a_batch_or_its_first_item_waited_long_enough() -> None:
    clock = Clock()
    buffer = Buffer(LOGS, KINDS[LOGS], 1000, Ledger(10**9), lambda _category, _item: None, clock)
    assert buffer.seconds_to_ready() is None
    buffer.append(Item({}))
    assert buffer.seconds_to_ready() == 5.0
    clock.now += 4.9
    buffer.append(Item({}))
    assert buffer.seconds_to_ready() == pytest.approx(0.1)
    clock.now += 0.2
    assert buffer.seconds_to_ready() == 0.0
    assert len(buffer.take()) == 2
    assert buffer.seconds_to_ready() is None
    clock.now += 60.0
    for _ in range(150):
        buffer.append(Item({}))
    assert buffer.seconds_to_ready() == 0.0
    assert len(buffer.take()) == 100
    assert buffer.seconds_to_ready() == 5.0  # for those that stay


def test_whoever_sends_is_woken_for_the_first_of_a_batch_and_for_the_last() -> None:
    buffer = Buffer(LOGS, KINDS[LOGS], 1000, Ledger(10**9), lambda _category, _item: None)
    woken = [number for number in range(1, 251) if buffer.append(Item({}))]
    assert woken == [1, 100, 200]
    errors = Buffer(DataCategory.ERROR, KINDS[DataCategory.ERROR], 10, Ledger(10**9), lambda _category, _item: None)
    assert [errors.append(Item({})) for _ in range(3)] == [True, True, True]


@pytest.mark.spec("TP-60", "TP-61")
def test_a_batch_under_a_rate_limit_is_dropped_and_counted_by_items(
    server: RecordingServer, client: vedette.Client
) -> None:
    server.answer(headers=(("X-Sentry-Rate-Limits", "60:log_item:key"),))
    client.capture_message("which brings the limit")
    client.flush(5)
    add(client, LOGS, range(30))
    client.flush(5)
    assert not server.items("log")
    assert client.stats().dropped == {"log_item": {"ratelimit_backoff": 30}}
    reported = [each for item in server.items("client_report") for each in item.json["discarded_events"]]
    assert {"reason": "ratelimit_backoff", "category": "log_item", "quantity": 30} in reported


def test_a_batch_that_is_lost_is_lost_in_all_its_items(server: RecordingServer, client: vedette.Client) -> None:
    server.answer(status=500)
    add(client, LOGS, range(7))
    client.flush(5)
    assert client.stats().dropped == {"log_item": {"send_error": 7}}


@pytest.mark.spec("TP-53", "TP-78")
def test_a_flood_of_logs_holds_up_no_error(server: RecordingServer, client: vedette.Client) -> None:
    gate = threading.Event()
    server.answer(gate=gate)
    client.capture_message("the first, which holds the worker")
    server.wait_for(1)
    add(client, LOGS, range(1000))
    client.capture_message("urgent")
    gate.set()
    client.flush(10)
    types = [item.type for envelope in server.envelopes for item in envelope.items]
    assert types.index("event", 1) <= 2
    assert types.count("log") == 10


def test_each_kind_of_data_goes_as_its_own_type_of_item(server: RecordingServer, client: vedette.Client) -> None:
    payload: dict[str, Any] = {"sid": "1"}
    client.processor.add(DataCategory.SESSION, payload)
    client.processor.add(DataCategory.MONITOR, {"check_in_id": "2"})
    client.flush(5)
    found = [(item.type, item.json) for envelope in server.envelopes for item in envelope.items]
    assert sorted(found, key=str) == [("check_in", {"check_in_id": "2"}), ("session", {"sid": "1"})]
    assert len(server.envelopes) == 2
