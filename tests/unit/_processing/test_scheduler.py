"""Which buffer comes next."""

from __future__ import annotations

from collections import Counter

import pytest

from vedette._processing.buffer import Buffer, Item, Ledger
from vedette._processing.kinds import KINDS
from vedette._processing.scheduler import Scheduler
from vedette._protocol.categories import DataCategory

ALL = tuple(KINDS)


def buffers_of(*categories: DataCategory) -> dict[DataCategory, Buffer]:
    ledger = Ledger(10**9)
    return {each: Buffer(each, KINDS[each], 1000, ledger, lambda _category, _item: None) for each in categories}


def served(buffers: dict[DataCategory, Buffer], turns: int) -> Counter[DataCategory]:
    scheduler = Scheduler(buffers.values())
    found = Counter[DataCategory]()
    for _ in range(turns):
        buffer = scheduler.next_buffer()
        assert buffer is not None
        buffer.take()
        found[buffer.category] += 1
    return found


@pytest.mark.spec("TP-09", "TP-53", "TP-72", "TP-83", "TP-84")
def test_full_buffers_are_served_by_their_weights() -> None:
    buffers = buffers_of(DataCategory.ERROR, DataCategory.TRANSACTION)
    for buffer in buffers.values():
        for _ in range(100):
            buffer.append(Item({}))
    assert served(buffers, 80) == {DataCategory.ERROR: 50, DataCategory.TRANSACTION: 30}


@pytest.mark.spec("TP-76", "TP-57", "TP-90")
def test_a_round_gives_each_kind_of_data_its_share() -> None:
    buffers = buffers_of(*ALL)
    for buffer in buffers.values():
        for _ in range(1000):
            buffer.append(Item({}))
    assert served(buffers, 25) == {
        DataCategory.ERROR: 5,
        DataCategory.FEEDBACK: 5,
        DataCategory.SESSION: 4,
        DataCategory.MONITOR: 4,
        DataCategory.TRANSACTION: 3,
        DataCategory.LOG_ITEM: 2,
        DataCategory.TRACE_METRIC: 2,
    }


def test_empty_buffers_are_passed_over() -> None:
    buffers = buffers_of(*ALL)
    scheduler = Scheduler(buffers.values())
    assert scheduler.next_buffer() is None
    buffers[DataCategory.TRANSACTION].append(Item({}))
    assert scheduler.next_buffer() is buffers[DataCategory.TRANSACTION]


@pytest.mark.spec("TP-85", "TP-89")
def test_an_incomplete_batch_is_passed_over_unless_all_is_flushed() -> None:
    buffers = buffers_of(DataCategory.LOG_ITEM)
    scheduler = Scheduler(buffers.values())
    buffers[DataCategory.LOG_ITEM].append(Item({}))
    assert scheduler.next_buffer() is None
    seconds = scheduler.seconds_to_ready()
    assert seconds is not None
    assert 4.0 < seconds <= 5.0
    assert scheduler.next_buffer(flushing=True) is buffers[DataCategory.LOG_ITEM]
