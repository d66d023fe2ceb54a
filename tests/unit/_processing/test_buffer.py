"""Buffers: bounded in items and bytes, oldest out first, nothing unaccounted."""

from __future__ import annotations

import json
import threading

import pytest

from vedette._processing.buffer import Buffer, Item, Ledger
from vedette._processing.kinds import KINDS
from vedette._protocol.categories import DataCategory


def buffer_of(capacity: int, limit: int = 10**9) -> tuple[Buffer, list[DataCategory]]:
    lost: list[DataCategory] = []
    kind = KINDS[DataCategory.ERROR]
    return Buffer(
        DataCategory.ERROR, kind, capacity, Ledger(limit), lambda category, _item: lost.append(category)
    ), lost


def numbers_in(buffer: Buffer) -> list[object]:
    return [item.payload["number"] for batch in iter(buffer.take, []) for item in batch]


@pytest.mark.spec("TP-18", "TP-79", "TP-14")
def test_at_capacity_the_oldest_leave_and_are_counted() -> None:
    buffer, lost = buffer_of(3)
    for number in range(5):
        buffer.append(Item({"number": number}))
    assert len(buffer) == 3
    assert lost == [DataCategory.ERROR, DataCategory.ERROR]
    assert numbers_in(buffer) == [2, 3, 4]


def test_bytes_are_bounded_too_and_the_newest_always_stays() -> None:
    buffer, lost = buffer_of(1000, limit=100_000)
    for number in range(100):
        buffer.append(Item({"number": number, "text": "x" * 10_000}))
    assert len(buffer) < 40
    assert len(buffer) + len(lost) == 100
    assert numbers_in(buffer)[-1] == 99


def test_one_item_above_the_byte_limit_is_kept_alone() -> None:
    buffer, _ = buffer_of(1000, limit=1000)
    for number in range(30):
        buffer.append(Item({"number": number, "text": "x" * 10_000}))
    assert numbers_in(buffer)[-1] == 29


def test_the_byte_count_starts_anew_when_the_buffer_was_empty() -> None:
    ledger = Ledger(10**9)
    buffer = Buffer(DataCategory.ERROR, KINDS[DataCategory.ERROR], 1000, ledger, lambda _category, _item: None)
    for number in range(50):
        buffer.append(Item({"number": number, "text": "x" * 1000}))
    assert ledger.held > 0
    numbers_in(buffer)
    assert ledger.held == 0


def test_threads_together_lose_nothing_uncounted() -> None:
    buffer, lost = buffer_of(50)
    taken: list[Item] = []
    start = threading.Barrier(5)

    def add() -> None:
        start.wait()
        for number in range(500):
            buffer.append(Item({"number": number}))

    def take() -> None:
        start.wait()
        for _ in range(500):
            taken.extend(buffer.take())

    threads = [threading.Thread(target=job) for job in (add, add, add, take, take)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) + len(lost) + len(buffer) == 1500


def test_what_waits_comes_out_as_it_was() -> None:
    payload = {"text": "ä\ud800", "numbers": [1, -(2**70), 0.5, True, None], "nested": {"a": {"b": []}}}
    buffer, _ = buffer_of(1000)
    for _ in range(50):
        buffer.append(Item(dict(payload)))
    assert [item.payload for batch in iter(buffer.take, []) for item in batch] == [payload] * 50


def test_two_thousand_errors_of_ten_frames_fit_into_the_memory_for_events() -> None:
    frame = {"filename": "shop.py", "function": "total", "context_line": "x" * 60, "vars": {"order": "Order(17)" * 5}}
    event = {
        "exception": {"values": [{"type": "KeyError", "stacktrace": {"frames": [dict(frame) for _ in range(10)]}}]}
    }
    buffer, lost = buffer_of(10_000, limit=16 * 1024 * 1024)
    for _ in range(2_000):
        buffer.append(Item(json.loads(json.dumps(event))))
    assert (len(buffer), lost) == (2_000, [])


def test_what_cannot_be_packed_waits_as_it_is_and_is_bounded_too() -> None:
    deep: dict[str, object] = {}
    node = deep
    for _ in range(10_000):
        node["next"] = {}
        node = node["next"]  # type: ignore[assignment]
    buffer, lost = buffer_of(1000, limit=10_000_000)
    for _ in range(100):
        buffer.append(Item(deep))
    assert 0 < len(buffer) < 60
    assert len(buffer) + len(lost) == 100
    assert buffer.take()[0].payload is deep
