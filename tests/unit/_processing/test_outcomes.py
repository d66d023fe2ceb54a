"""Accounts: what was captured and what became of it."""

from __future__ import annotations

import threading

import pytest

from vedette._processing.outcomes import CAPTURED, DELIVERED, REFUSED, Outcomes
from vedette._protocol.categories import DataCategory, DiscardReason

ERROR = DataCategory.ERROR


@pytest.mark.spec("CR-03", "CR-52", "CR-54")
def test_losses_are_added_up_by_reason_and_category_and_taken_once() -> None:
    outcomes = Outcomes()
    outcomes.count(DiscardReason.SAMPLE_RATE, ERROR)
    outcomes.count(DiscardReason.SAMPLE_RATE, ERROR, 2)
    outcomes.count(DiscardReason.SAMPLE_RATE, DataCategory.TRANSACTION)
    assert outcomes.take_losses() == {
        (DiscardReason.SAMPLE_RATE, ERROR): 3,
        (DiscardReason.SAMPLE_RATE, DataCategory.TRANSACTION): 1,
    }
    assert outcomes.take_losses() == {}


@pytest.mark.spec("CR-12", "CR-21")
def test_what_was_delivered_or_refused_by_the_server_is_no_loss() -> None:
    outcomes = Outcomes()
    outcomes.count(DELIVERED, ERROR)
    outcomes.count(REFUSED, ERROR)
    assert not outcomes.has_losses()


def test_the_snapshot_shows_each_fate_and_cannot_be_changed() -> None:
    outcomes = Outcomes()
    outcomes.count(CAPTURED, ERROR, 5)
    outcomes.count(DELIVERED, ERROR, 2)
    outcomes.count(REFUSED, ERROR)
    outcomes.count(DiscardReason.BEFORE_SEND, ERROR)
    stats = outcomes.snapshot({ERROR: 1, DataCategory.TRANSACTION: 0}, {DataCategory.FEEDBACK: 2, ERROR: 0})
    assert stats.captured == {"error": 5}
    assert stats.delivered == {"error": 2}
    assert stats.refused == {"error": 1}
    assert stats.dropped == {"error": {"before_send": 1}}
    assert stats.waiting == {"error": 1}
    assert stats.kept == {"feedback": 2}
    with pytest.raises(AttributeError, match="snapshot"):
        stats.captured = {}
    with pytest.raises(TypeError):
        stats.captured["error"] = 7  # type: ignore[index]


@pytest.mark.spec("CR-53")
def test_many_threads_count_exactly_while_others_read() -> None:
    outcomes = Outcomes()
    taken: list[int] = []

    def count() -> None:
        for _ in range(5000):
            outcomes.count(DiscardReason.SAMPLE_RATE, ERROR)

    def read() -> None:
        for _ in range(200):
            taken.extend(outcomes.take_losses().values())

    threads = [threading.Thread(target=job) for job in (count, count, count, read, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) + sum(outcomes.take_losses().values()) == 15_000
    assert outcomes.snapshot({}, {}).dropped == {"error": {"sample_rate": 15_000}}


def test_a_report_that_did_not_arrive_is_told_with_the_next() -> None:
    outcomes = Outcomes()
    outcomes.count(DiscardReason.SAMPLE_RATE, ERROR, 2)
    losses = outcomes.take_losses()
    outcomes.count(DiscardReason.SAMPLE_RATE, ERROR)
    outcomes.give_back(losses)
    assert outcomes.take_losses() == {(DiscardReason.SAMPLE_RATE, ERROR): 3}


def test_counting_without_anyone_who_reads_stays_bounded() -> None:
    outcomes = Outcomes()
    for _ in range(100_000):
        outcomes.count(DiscardReason.SAMPLE_RATE, ERROR)
    assert len(outcomes._entries) < 1000  # noqa: SLF001 - the memory that must not grow
    assert outcomes.snapshot({}, {}).dropped == {"error": {"sample_rate": 100_000}}
