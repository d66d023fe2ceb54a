"""What a journal promises to the one process that uses it, and to the next one."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.journals import DSN_ID, bytes_on_disk, errors, files, leave, look, open_journal, segments, take_all
from vedette._protocol.categories import DataCategory

ERROR, MONITOR, SESSION = DataCategory.ERROR, DataCategory.MONITOR, DataCategory.SESSION


@pytest.fixture
def journal(tmp_path):
    opened = open_journal(tmp_path)
    yield opened
    opened.close(keep_appending=False)


@pytest.mark.spec("OFF-18")
def test_what_was_appended_is_in_the_file_at_once(tmp_path, journal):
    (entry,) = errors(journal, b"the body")
    assert entry.category is ERROR
    assert entry.size > len(b"the body")
    assert b"the body" in segments(tmp_path)[0].read_bytes()


def test_bodies_come_back_in_any_order(journal):
    bodies = [os.urandom(size) for size in (0, 1, 10, 100_000, 3)]
    entries = errors(journal, *bodies)
    assert look(journal, *reversed(entries)) == bodies[::-1]


def test_what_was_settled_is_gone_for_all(tmp_path, journal):
    first, second = errors(journal, b"first", b"second")
    assert journal.settle(first) is True
    assert journal.read(first) is None
    assert look(journal, second) == [b"second"]
    journal.close(keep_appending=False)
    assert take_all(tmp_path) == [b"second"]


def test_only_the_first_who_settles_an_entry_counts_it(journal):
    (entry,) = errors(journal, b"x")
    assert [journal.settle(entry), journal.settle(entry)] == [True, False]


def test_kept_counts_what_is_live_by_category(journal):
    assert (journal.kept(), journal.is_idle()) == ({}, True)
    first, _ = errors(journal, b"1", b"2")
    session = journal.append(SESSION, b"3")
    assert (journal.kept(), journal.is_idle()) == ({ERROR: 2, SESSION: 1}, False)
    journal.settle(first)
    journal.settle(session)
    assert journal.kept() == {ERROR: 1}


def test_the_next_process_finds_what_was_left_oldest_first(tmp_path):
    clock = iter(range(1_700_000_000, 1_700_000_100))
    for bodies in ((b"1", b"2"), (b"3",), (b"4", b"5")):
        journal = open_journal(tmp_path, wall_clock=lambda: float(next(clock)))
        errors(journal, *bodies)
        journal.close(keep_appending=False)
    journal = open_journal(tmp_path, wall_clock=lambda: 1_700_000_100.0)
    adopted = journal.adopt()
    assert look(journal, *adopted) == [b"1", b"2", b"3", b"4", b"5"]
    assert {entry.category for entry in adopted} == {ERROR}
    assert journal.kept() == {ERROR: 5}
    assert journal.adopt() == []
    journal.close(keep_appending=False)


def test_a_category_of_a_later_version_is_not_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "vedette._transport.journal.segment._NAMES",
        {**{each: each.value.encode() for each in DataCategory}, ERROR: b"telepathy"},
    )
    leave(tmp_path, b"x")
    journal = open_journal(tmp_path)
    (entry,) = journal.adopt()
    assert (entry.category, journal.read(entry)) == (DataCategory.DEFAULT, b"x")
    journal.close(keep_appending=False)


def test_adopted_entries_are_settled_for_good(tmp_path):
    leave(tmp_path, b"1", b"2")
    journal = open_journal(tmp_path)
    first, second = journal.adopt()
    journal.settle(first)
    journal.close(keep_appending=False)
    assert take_all(tmp_path) == [b"2"]
    journal = open_journal(tmp_path)
    journal.settle(journal.adopt()[0])
    assert second.category is ERROR
    journal.close(keep_appending=False)
    assert files(tmp_path) == []


def test_no_file_is_left_where_nothing_is_left(tmp_path):
    journal = open_journal(tmp_path)
    for entry in errors(journal, b"1", b"2"):
        journal.settle(entry)
    journal.close(keep_appending=False)
    assert files(tmp_path) == []


def test_a_process_that_delivers_everything_for_ever_needs_little_disk(tmp_path, journal):
    most = 0
    for _ in range(400):
        (entry,) = errors(journal, bytes(10_000))
        assert journal.read(entry) is not None
        journal.settle(entry)
        most = max(most, bytes_on_disk(tmp_path))
    assert most < 300_000
    assert len(files(tmp_path)) == 2


def test_an_entry_that_waits_among_thousands_that_are_delivered_keeps_no_disk_from_being_freed(tmp_path):
    journal = open_journal(tmp_path, max_bytes=1_000_000)
    waiting = []
    for number in range(2_000):
        entry = journal.append(ERROR, bytes(5_000))
        if number % 100 == 0:
            waiting.append((journal.append(SESSION, b"%d" % number), b"%d" % number))
        assert journal.settle(entry) is True
        assert bytes_on_disk(tmp_path) < 1_010_000
    assert journal.kept() == {SESSION: 20}
    assert look(journal, *(entry for entry, _ in waiting)) == [body for _, body in waiting]
    journal.close(keep_appending=False)
    assert take_all(tmp_path) == [body for _, body in waiting]


def test_two_clients_of_one_process_share_a_directory(tmp_path, journal):
    other = open_journal(tmp_path)
    errors(journal, b"mine")
    errors(other, b"the other's")
    assert (journal.adopt(), other.adopt()) == ([], [])
    other.close(keep_appending=False)
    assert look(journal, *journal.adopt()) == [b"the other's"]
    assert journal.kept() == {ERROR: 2}


def test_after_close_an_append_is_kept_for_the_next_process(tmp_path):
    journal = open_journal(tmp_path)
    errors(journal, b"before")
    journal.close(keep_appending=True)
    errors(journal, b"after", b"later")
    assert journal.kept() == {ERROR: 3}
    journal.close(keep_appending=False)
    assert errors(journal, b"too late") == [None]
    assert take_all(tmp_path) == [b"before", b"after", b"later"]


def test_what_is_being_sent_while_it_is_closed_can_still_be_settled_or_kept(tmp_path):
    journal = open_journal(tmp_path)
    sent, unsent, waiting = errors(journal, b"sent", b"unsent", b"waiting")
    assert (journal.read(sent), journal.read(unsent)) == (b"sent", b"unsent")
    journal.close(keep_appending=False)
    assert waiting.category is ERROR
    assert take_all(tmp_path) == []  # not while it may yet be settled
    assert journal.settle(sent) is True
    journal.keep(unsent)
    assert take_all(tmp_path) == [b"unsent", b"waiting"]
    assert journal.kept() == {ERROR: 2}


def test_a_body_that_no_journal_holds_is_refused(tmp_path):
    journal = open_journal(tmp_path, max_bytes=10_000)
    assert errors(journal, bytes(10_001)) == [None]
    assert journal.is_idle()
    journal.close(keep_appending=False)


@pytest.mark.spec("PAIN-12")
def test_a_directory_deleted_meanwhile_is_made_anew(tmp_path, journal):
    (before,) = errors(journal, b"before")
    shutil.rmtree(tmp_path / f"journal-{DSN_ID}")
    (after,) = errors(journal, b"after")
    assert b"after" in segments(tmp_path)[0].read_bytes()
    assert (journal.read(before), journal.read(after)) == (b"before", b"after")  # this process still has both
    assert (journal.settle(before), journal.settle(after)) == (True, True)
    assert journal.adopt() == []


def test_a_file_deleted_meanwhile_costs_the_next_process_that_file_only(tmp_path, journal):
    errors(journal, b"deleted")
    segments(tmp_path)[0].unlink()
    errors(journal, b"kept")
    journal.close(keep_appending=False)
    assert take_all(tmp_path) == [b"kept"]


def test_a_segment_whose_lock_file_was_deleted_is_found_all_the_same(tmp_path):
    leave(tmp_path, b"x")
    files(tmp_path, ".lock")[0].unlink()
    assert take_all(tmp_path) == [b"x"]


def test_a_lock_file_without_a_segment_is_cleared_away(tmp_path):
    leave(tmp_path, b"x")
    segments(tmp_path)[0].unlink()
    assert take_all(tmp_path) == []
    assert files(tmp_path) == []


def test_a_compaction_that_was_killed_leaves_the_segment_as_it_was(tmp_path):
    leave(tmp_path, b"1", b"2")
    (segment,) = segments(tmp_path)
    scratch = segment.with_name(segment.name.replace(".journal", ".tmp"))
    scratch.write_bytes(segment.read_bytes()[:50])
    assert take_all(tmp_path) == [b"1", b"2"]
    assert not scratch.exists()
