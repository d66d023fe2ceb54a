"""A journal stays within its bounds; the oldest go first, and are counted once."""

from __future__ import annotations

import pytest

from tests.journals import Evictions, bytes_on_disk, errors, files, leave, look, open_journal, segments, take_all
from vedette._protocol.categories import DataCategory

ERROR, SESSION = DataCategory.ERROR, DataCategory.SESSION
DAY = 86_400.0
NOW = 1_800_000_000.0


class Time:
    """A clock that goes as it is told."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.mark.spec("OFF-01")
def test_past_the_number_of_items_the_oldest_goes(tmp_path):
    evicted = Evictions()
    journal = open_journal(tmp_path, max_items=3, on_evicted=evicted)
    journal.append(SESSION, b"0")
    entries = errors(journal, b"1", b"2", b"3", b"4")
    assert evicted == [("session", 1), ("error", 1)]
    assert look(journal, *entries) == [None, b"2", b"3", b"4"]
    assert journal.settle(entries[0]) is False  # counted already
    assert journal.kept() == {ERROR: 3}
    journal.close(keep_appending=False)
    assert take_all(tmp_path) == [b"2", b"3", b"4"]


@pytest.mark.spec("OFF-01")
@pytest.mark.parametrize("size", [100, 3_000, 40_000])
def test_past_the_number_of_bytes_the_oldest_go_and_their_disk_is_freed(tmp_path, size):
    evicted = Evictions()
    journal = open_journal(tmp_path, max_bytes=100_000, on_evicted=evicted)
    number = 300_000 // size
    for each in range(number):
        errors(journal, b"%d" % each + bytes(size))
        assert bytes_on_disk(tmp_path) <= 100_000
    kept = journal.kept()[ERROR]
    assert len(evicted) + kept == number
    assert kept * size > 35_000  # not more than needed
    journal.close(keep_appending=False)
    left = [(body or b"").rstrip(b"\0") for body in take_all(tmp_path)]
    assert left == [b"%d" % each for each in range(number - kept, number)]


@pytest.mark.spec("OFF-01")
def test_adopted_entries_count_and_being_older_they_go_first(tmp_path):
    leave(tmp_path, b"1", b"2")
    leave(tmp_path, b"3")
    evicted = Evictions()
    journal = open_journal(tmp_path, max_items=3, on_evicted=evicted)
    own = errors(journal, b"4", b"5")
    assert look(journal, *journal.adopt()) == [None, None, b"3"]  # the evicted ones count as adopted, too
    assert look(journal, *own) == [b"4", b"5"]
    assert evicted == [("error", 1), ("error", 1)]
    journal.close(keep_appending=False)


def test_what_is_being_sent_is_not_evicted(tmp_path):
    evicted = Evictions()
    journal = open_journal(tmp_path, max_items=2, on_evicted=evicted)
    first, second = errors(journal, b"1", b"2")
    assert journal.read(first) == b"1"
    errors(journal, b"3")
    assert journal.read(second) is None
    journal.keep(first)
    errors(journal, b"4")
    assert journal.settle(first) is False
    assert len(evicted) == 2
    assert journal.kept() == {ERROR: 2}
    journal.close(keep_appending=False)


def test_what_is_too_old_goes(tmp_path):
    wall = Time(NOW)
    journal = open_journal(tmp_path, wall_clock=wall)
    errors(journal, b"old")
    wall.now += 10 * DAY
    errors(journal, b"new")
    journal.close(keep_appending=False)
    evicted = Evictions()
    wall.now += 5 * DAY
    journal = open_journal(tmp_path, wall_clock=wall, on_evicted=evicted)
    assert look(journal, *journal.adopt()) == [None, b"new"]
    assert evicted == [("error", 1)]
    journal.close(keep_appending=False)


def test_a_process_that_lives_long_drops_what_became_too_old_in_it(tmp_path):
    clock = Time(1_000.0)
    evicted = Evictions()
    journal = open_journal(tmp_path, clock=clock, max_age=60.0, on_evicted=evicted)
    errors(journal, b"x")
    clock.now += 59
    assert (journal.adopt(), evicted) == ([], [])
    clock.now += 2
    assert (journal.adopt(), evicted) == ([], [("error", 1)])
    journal.close(keep_appending=False)


@pytest.mark.parametrize("jump", [50 * 365 * DAY, -30 * DAY], ids=["forward", "back"])
def test_a_jump_of_the_wall_clock_makes_nothing_old(tmp_path, jump):
    wall = Time(NOW)
    evicted = Evictions()
    journal = open_journal(tmp_path, wall_clock=wall, on_evicted=evicted)
    errors(journal, b"before")
    wall.now += jump
    errors(journal, b"after")
    journal.adopt()
    assert (evicted, journal.kept()) == ([], {ERROR: 2})
    journal.close(keep_appending=False)


@pytest.mark.parametrize("then", [NOW + 400 * DAY, 5.0], ids=["of the future", "of a clock that was not set"])
def test_records_whose_time_cannot_be_are_new(tmp_path, then):
    journal = open_journal(tmp_path, wall_clock=lambda: then)
    errors(journal, b"x")
    journal.close(keep_appending=False)
    assert take_all(tmp_path, wall_clock=lambda: NOW) == [b"x"]


def test_what_a_thousand_crashed_processes_left_is_taken_bit_by_bit(tmp_path):
    for number in range(100):
        leave(tmp_path, b"%d" % number)
    journal = open_journal(tmp_path)
    found = set()
    while adopted := journal.adopt():
        assert len(adopted) <= 32
        for entry in adopted:
            found.add(journal.read(entry))
            journal.settle(entry)
    assert found == {b"%d" % number for number in range(100)}
    journal.close(keep_appending=False)
    assert files(tmp_path) == []


@pytest.mark.spec("OFF-01")
@pytest.mark.parametrize("bounds", [{"max_items": 50}, {"max_bytes": 55_000}], ids=["items", "bytes"])
def test_the_bounds_hold_at_once_for_what_a_thousand_crashed_processes_left(tmp_path, bounds):
    clock = iter(range(1_700_000_000, 1_700_001_000))
    for number in range(100):
        journal = open_journal(tmp_path, wall_clock=lambda: float(next(clock)))
        errors(journal, b"%d:" % number + bytes(1_000))
        journal.close(keep_appending=False)
    evicted = Evictions()
    journal = open_journal(tmp_path, on_evicted=evicted, wall_clock=lambda: 1_700_001_000.0, **bounds)
    adopted = journal.adopt()
    assert 48 <= len(evicted) <= 52
    assert len(segments(tmp_path)) == 100 - len(evicted) + 1  # its own
    assert len(evicted) < len(adopted) <= 16 + len(evicted)  # what was evicted counts as adopted, too
    oldest = next(body for body in look(journal, *adopted) if body is not None)
    assert oldest.startswith(b"%d:" % len(evicted))
    journal.close(keep_appending=False)
