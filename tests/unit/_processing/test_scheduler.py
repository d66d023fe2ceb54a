"""Which buffer comes next."""

from __future__ import annotations

from collections import Counter

import pytest

from vedette._processing.buffer import Buffer, Item, Ledger
from vedette._processing.scheduler import WEIGHTS, Scheduler
from vedette._protocol.categories import DataCategory


def buffers_of(*categories: DataCategory) -> dict[DataCategory, Buffer]:
    ledger = Ledger(10**9)
    return {each: Buffer(each, 1000, ledger, lambda _category, _item: None) for each in categories}


@pytest.mark.spec("TP-53", "TP-72", "TP-83", "TP-84")
def test_full_buffers_are_served_by_their_weights() -> None:
    buffers = buffers_of(DataCategory.ERROR, DataCategory.TRANSACTION)
    for buffer in buffers.values():
        for _ in range(100):
            buffer.append(Item({}))
    scheduler = Scheduler(buffers)
    served = Counter[DataCategory]()
    for _ in range(80):
        buffer = scheduler.next_buffer()
        assert buffer is not None
        buffer.take()
        served[buffer.category] += 1
    assert served == {DataCategory.ERROR: 50, DataCategory.TRANSACTION: 30}


@pytest.mark.spec("TP-76")
def test_errors_weigh_most_and_empty_buffers_are_passed_over() -> None:
    assert WEIGHTS[DataCategory.ERROR] == 5
    assert WEIGHTS[DataCategory.TRANSACTION] == 3
    buffers = buffers_of(*WEIGHTS)
    scheduler = Scheduler(buffers)
    assert scheduler.next_buffer() is None
    buffers[DataCategory.TRANSACTION].append(Item({}))
    assert scheduler.next_buffer() is buffers[DataCategory.TRANSACTION]
