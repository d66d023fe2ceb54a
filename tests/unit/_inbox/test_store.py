from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.inboxes import EVENT_ID, envelope, exception, frame, item, new_event_id, order_failed
from vedette._inbox import grouping, recording, store
from vedette._inbox.arrival import read_store_body
from vedette._inbox.limits import Refused
from vedette._inbox.retention import Retention
from vedette._inbox.store import NoDatabaseError, Store, StoreError, default_path


@pytest.fixture
def database(tmp_path):
    return tmp_path / "state" / "inbox.db"


@pytest.fixture
def inbox(database):
    with Store(database) as opened:
        yield opened


def failing_in(function: str, **more: object) -> dict[str, object]:
    return {"exception": {"values": [exception("ValueError", "x", frame(function))]}, **more}


def add(inbox: Store, *events: dict[str, object]) -> list[str]:
    return [inbox.add_envelope("1", envelope(event)) for event in events]


# --- the file ---


def test_two_that_open_a_new_file_at_once_wait_for_each_other(tmp_path):
    path = tmp_path / "inbox.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        end = threading.Timer(0.2, other.execute, ["ROLLBACK"])
        end.start()
        Store(path).close()
        end.join()


def test_the_database_and_its_directory_are_the_owners_alone(inbox, database):
    add(inbox, order_failed())
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700
    for name in ("inbox.db", "inbox.db-wal", "inbox.db-shm"):
        assert stat.S_IMODE((database.parent / name).stat().st_mode) == 0o600


def test_events_stay_over_a_restart(database):
    with Store(database) as inbox:
        (event_id,) = add(inbox, order_failed())
    with Store(database) as inbox:
        assert inbox.event(event_id).data == order_failed()


def test_another_process_may_read_while_events_come_in(inbox, database):
    with Store(database, create=False) as reader:
        add(inbox, order_failed())
        assert reader.stats().events == 1


def test_without_a_database_reading_says_so_and_makes_none(database):
    with pytest.raises(NoDatabaseError, match="there is no inbox database at"):
        Store(database, create=False)
    assert not database.exists()


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_a_file_that_is_no_inbox_database_is_left_alone(tmp_path, content):
    path = tmp_path / "other.db"
    if content is None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE theirs (x)")
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"other\.db"):
        Store(path)
    assert path.read_bytes() == before


def test_a_database_of_a_newer_version_is_refused(database):
    Store(database).close()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
    with pytest.raises(StoreError, match=r"written by another version .*its schema is 99, this one reads 2"):
        Store(database)


def test_a_database_of_the_first_version_is_taken_over(database):
    body = envelope(order_failed(), event_id=EVENT_ID) + item(bytes(300_000), "attachment")
    with Store(database) as inbox:
        inbox.add_envelope("1", body)
    with closing(sqlite3.connect(database)) as connection, connection:  # as the first version had it: in one piece
        connection.execute("DROP TABLE pieces")
        connection.execute("DROP INDEX items_of_event")
        connection.execute("UPDATE envelopes SET body = ?", (body,))
        connection.execute("UPDATE meta SET value = '1' WHERE name = 'schema_version'")
    with Store(database) as inbox:
        assert inbox.envelope(EVENT_ID) == body
        assert inbox.item_payload(1) == bytes(300_000)
        inbox.add_envelope("1", body.replace(EVENT_ID.encode(), b"0" * 32))
        assert inbox.envelope("0" * 32) == body.replace(EVENT_ID.encode(), b"0" * 32)


def test_a_directory_that_cannot_be_written_is_said_to_be_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot open"):
        Store(tmp_path / "file" / "inbox.db")


def test_the_database_lies_in_the_users_state_directory(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    assert default_path({}) == Path("/home/ann/.local/state/vedette/inbox.db")
    assert default_path({"XDG_STATE_HOME": "/state"}) == Path("/state/vedette/inbox.db")
    assert default_path({"XDG_STATE_HOME": "relative"}) == Path("/home/ann/.local/state/vedette/inbox.db")
    assert default_path({"VEDETTE_INBOX_DB": "x.db", "XDG_STATE_HOME": "/state"}) == Path("x.db")


# --- issues and events ---


def test_an_issue_shows_its_newest_event_and_counts_all(inbox):
    add(inbox, order_failed(user="ann"), order_failed(user="bob"), order_failed(user="cid", release="2"))
    (issue,) = inbox.issues()
    assert (issue.id, issue.count, issue.release) == (1, 3, "2")
    assert issue.title == "CheckoutError: cannot price order A-17 for cid"
    assert (issue.root_type, issue.place) == ("KeyError", "shop/vat.py:7 in vat")
    assert issue.first_seen < issue.last_seen
    assert inbox.issue(1) == issue
    assert [event.number_in_issue for event in inbox.events_of_issue(1)] == [3, 2, 1]


def test_issues_come_newest_activity_first_a_page_at_a_time(inbox):
    add(inbox, *[failing_in(name) for name in ("a", "b", "c", "a")])
    first = inbox.issues(limit=2)
    rest = inbox.issues(limit=2, before=first[-1].newest_row)
    assert [issue.place for issue in first + rest] == [f"shop/{name}.py:7 in {name}" for name in ("a", "c", "b")]


def test_issues_since_a_moment(inbox):
    add(inbox, failing_in("a"), failing_in("b"))
    newest = inbox.issues()[0]
    assert inbox.issues(since=newest.last_seen) == [newest]


def test_search_finds_issues_by_any_of_their_events(inbox):
    add(inbox, order_failed(user="ann"), order_failed(user="bob", environment="prod"), failing_in("refund"))
    assert [issue.id for issue in inbox.issues("for ANN")] == [1]
    assert [issue.id for issue in inbox.issues("env:prod tag.tenant:acme")] == [1]
    assert [issue.id for issue in inbox.issues("refund.py level:error")] == [2]
    assert inbox.issues("for ann env:prod") == []  # no single event is both
    assert inbox.issues("tag.tenant:ac") == []
    assert inbox.issues("100%_' OR 1=1 --") == []


def test_events_are_found_by_id_prefix_and_position(inbox):
    ids = [f"{number:08x}" + "0" * 24 for number in (0xABCD0001, 0xABCD0002, 0xFFFF0000)]
    for event_id in ids:
        inbox.add_envelope("7", envelope(failing_in("a"), event_id=event_id))
    assert inbox.newest_event().event_id == ids[2]
    assert [event.event_id for event in inbox.find_event("ABCD")] == [ids[1], ids[0]]
    assert [event.event_id for event in inbox.find_event("ffff0000-0000")] == [ids[2]]
    assert [event.event_id for event in inbox.events_after(1)] == ids[1:]
    assert [event.event_id for event in inbox.latest_events(2)] == ids[1:]
    assert inbox.event(ids[0]).project == "7"
    assert inbox.event("0" * 32) is None


def test_the_envelope_is_kept_to_the_byte(inbox):
    body = envelope(order_failed(), event_id=EVENT_ID) + item(b"\x00\xff\r\n", "attachment", filename="a.bin")
    inbox.add_envelope("1", body)
    assert inbox.envelope(EVENT_ID) == body
    assert inbox.envelope("0" * 32) is None


def test_an_envelope_with_large_payloads_comes_back_to_the_byte(inbox):
    """Their ends are kept apart: whatever stands before, between and after them is found where it was."""
    large, larger = os.urandom(300_000), os.urandom(3 * 1024 * 1024 + 1)
    body = (
        b'{"event_id":"%s"}\n' % EVENT_ID.encode()
        + item(large, "attachment", filename="a")
        + item(b"small", "attachment", filename="b")
        + item(larger, "profile")
        + item(json.dumps(order_failed()).encode())
        + item(large[::-1], "attachment", filename="c")
    )
    inbox.add_envelope("1", body)
    assert inbox.envelope(EVENT_ID) == body
    assert max(map(len, inbox.envelope_parts(EVENT_ID))) <= 1024 * 1024
    assert inbox.event(EVENT_ID).data == order_failed()
    kept = {one.headers.get("filename"): one for one in inbox.items()}
    assert [kept[name].size for name in ("a", "b", None, "c")] == [300_000, 5, len(larger), 300_000]
    assert kept["b"].excerpt == "small"
    assert kept["c"].excerpt == large[::-1][:4096].decode("utf-8", "backslashreplace")
    for name, payload in (("a", large), ("b", b"small"), (None, larger), ("c", large[::-1])):
        assert inbox.item_payload(kept[name].row_id) == payload
    assert kept[None].excerpt == larger[:4096].decode("utf-8", "backslashreplace")


def test_a_large_envelope_that_is_removed_while_it_is_read_ends_with_an_error(inbox):
    inbox.add_envelope("1", envelope(order_failed(), event_id=EVENT_ID) + item(bytes(3_000_000), "attachment"))
    parts = inbox.envelope_parts(EVENT_ID)
    next(parts)
    inbox.clear()
    with pytest.raises(StoreError, match="removed while it was being read"):
        list(parts)


def test_large_payloads_count_and_go_with_their_envelope(inbox, database):
    for number in range(5):
        inbox.add_envelope(
            "1", envelope(failing_in("a"), event_id=f"{number:032x}") + item(bytes(1_000_000), "attachment")
        )
    inbox.retain(Retention(bytes=2_500_000))
    assert [int(event.event_id, 16) for event in inbox.latest_events(9)] == [0, 4]
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT envelope_id) FROM pieces").fetchone() == (2, 2)


def test_disk_space_of_a_large_envelope_is_given_back(inbox, database):
    log = database.parent / "inbox.db-wal"
    inbox.add_envelope("1", b"{}\n" + item(os.urandom(30_000_000), "attachment"))
    assert log.stat().st_size > 30_000_000
    inbox.tidy()
    assert log.stat().st_size == 0
    assert database.stat().st_size < 32_000_000
    inbox.clear()
    assert database.stat().st_size < 200_000


def test_the_same_event_again_is_counted_once(inbox):
    body = envelope(order_failed(), event_id=EVENT_ID) + item(b"x", "attachment")
    assert inbox.add_envelope("1", body) == EVENT_ID
    assert inbox.add_envelope("1", body) == EVENT_ID
    stats = inbox.stats()
    assert (stats.received, stats.stored, stats.duplicates, stats.events, stats.items) == (2, 1, 1, 1, 1)
    assert inbox.issue(1).count == 1


@pytest.mark.spec("ENV-41")
def test_the_envelope_headers_id_wins_and_dashes_go(inbox):
    body = envelope({"event_id": new_event_id(), "message": "m"}, event_id="5D0C6B7E-9F1A-4C3D-8E2B-7A6F5C4D3E2F")
    assert inbox.add_envelope("1", body) == EVENT_ID
    assert any("the envelope header's wins" in remark for remark in inbox.event(EVENT_ID).remarks)


def test_two_events_in_one_envelope_are_both_kept_with_a_remark(inbox):
    own = new_event_id()
    inbox.add_envelope("1", envelope({"message": "a", "event_id": own}, {"message": "b"}, event_id=EVENT_ID))
    first, second = inbox.latest_events(5)
    assert (first.event_id, second.event_id) == (own, EVENT_ID)
    assert all("2 events in one envelope: other servers drop them" in event.remarks for event in (first, second))


@pytest.mark.parametrize(
    ("payload", "remark"),
    [
        (b"{broken", "the event's payload is no JSON"),
        (b'["no object"]', "is no JSON object but ['no object']"),
        (b"", "is no JSON"),
        (b'{"a": NaN}', "NaN isn't JSON"),
    ],
)
def test_a_broken_event_is_kept_with_what_is_wrong_with_it(inbox, payload, remark):
    inbox.add_envelope("1", b'{"event_id":"%s"}\n' % EVENT_ID.encode() + item(payload))
    event = inbox.event(EVENT_ID)
    assert any(remark in one for one in event.remarks), event.remarks
    assert inbox.issue(event.issue_id).title == "(an event without exception and message)"


def test_an_event_of_no_bytes_is_kept_read_and_grouped_anew(inbox):
    """SQLite gives NULL for a slice of an empty body: page, list and the next start failed of it."""
    arrival = read_store_body("1", b"", [])
    inbox.record([arrival])
    event_id = arrival.event_id
    assert inbox.event(event_id).data == {}
    assert [event.event_id for event in inbox.latest_events(10)] == [event_id]
    with closing(sqlite3.connect(inbox.path)) as connection, connection:
        connection.execute("UPDATE meta SET value = '0' WHERE name = 'grouping_version'")
    assert inbox.regroup() == 1
    assert inbox.event(event_id).data == {}


def test_a_fault_of_ours_in_an_event_does_not_lose_it(inbox, monkeypatch):
    def faulty(event, exceptions, outermost):
        if event:
            raise RuntimeError("a bug")
        return "k" * 64, "because"

    monkeypatch.setattr("vedette._inbox.summary.key_of_chain", faulty)
    (event_id,) = add(inbox, order_failed())
    event = inbox.event(event_id)
    assert event.data == order_failed()
    assert (
        "a bug in vedette, please report it: it could not summarize this event (RuntimeError: 'a bug')" in event.remarks
    )


def test_an_event_over_a_mebibyte_is_refused_and_its_beginning_kept(inbox):
    with pytest.raises(Refused, match="an event of 1048591 bytes: the limit is 1048576") as refusal:
        add(inbox, {"message": "x" * (1024 * 1024)})
    assert refusal.value.status == 413
    (kept,) = inbox.items("refused")
    assert (kept.status, len(kept.excerpt)) == (413, 4096)
    assert kept.size > 1024 * 1024
    assert inbox.stats().refused == {"event_too_large": 1}


def test_the_last_hundred_refusals_are_kept_and_all_are_counted(inbox):
    for number in range(103):
        with pytest.raises(Refused):
            inbox.add_envelope("1", b"garbage %d" % number)
    kept = inbox.items("refused", limit=200)
    assert [item.excerpt for item in kept] == [f"garbage {number}" for number in range(102, 2, -1)]
    assert inbox.stats().refused == {"malformed": 103}
    assert inbox.stats().received == 103


# --- other items ---


def test_what_is_no_event_is_kept_as_an_item(inbox):
    kinds = ["session", "check_in", "client_report", "attachment", "transaction", "no_such_thing"]
    body = b"{}\n" + b"".join(item(b'{"n":1}', kind, filename="x") for kind in kinds)
    assert inbox.add_envelope("3", body) == ""
    found = inbox.items()
    assert [one.type for one in found] == kinds[::-1]
    assert [one.type for one in inbox.items("session")] == ["session"]
    assert (found[0].project, found[0].size, found[0].excerpt) == ("3", 7, '{"n":1}')
    assert found[0].headers == {"type": "no_such_thing", "length": 7, "filename": "x"}
    assert [one.type for one in inbox.items(limit=2, before=found[1].row_id)] == ["attachment", "client_report"]


def test_an_envelope_without_items_is_not_invisible(inbox):
    inbox.add_envelope("1", b'{"sdk":{}}\n')
    (found,) = inbox.items()
    assert (found.type, found.remarks) == ("empty", ["an envelope without items"])


def test_client_reports_are_added_up(inbox):
    report = {"discarded_events": [{"reason": "ratelimit_backoff", "category": "error", "quantity": 14}]}
    for _ in range(2):
        inbox.add_envelope("1", b"{}\n" + item(json.dumps(report).encode(), "client_report"))
    assert inbox.stats().dropped_by_clients == {"ratelimit_backoff": {"error": 28}}


@pytest.mark.parametrize(
    "report",
    [
        b"broken",
        b"[]",
        b'{"discarded_events": 7}',
        b'{"discarded_events": [7, {"reason": 1}, {"reason": "a", "category": "b", "quantity": "x"}]}',
        b'{"discarded_events": [{"reason": "a", "category": "b", "quantity": -5}]}',
        b'{"discarded_events": [{"reason": "a", "category": "b", "quantity": true}]}',
    ],
)
def test_a_client_report_that_makes_no_sense_is_an_item_and_counts_nothing(inbox, report):
    inbox.add_envelope("1", b"{}\n" + item(report, "client_report"))
    assert inbox.stats().dropped_by_clients == {}
    assert inbox.stats().items == 1


def test_endless_different_drop_reasons_do_not_fill_the_database(inbox):
    for start in range(0, 1200, 400):
        entries = [{"reason": f"r{number}", "category": "error", "quantity": 1} for number in range(start, start + 400)]
        inbox.add_envelope("1", b"{}\n" + item(json.dumps({"discarded_events": entries}).encode(), "client_report"))
    dropped = inbox.stats().dropped_by_clients
    assert len(dropped) == 1001
    assert dropped["(other)"] == {"(other)": 200}


# --- retention and deleting ---


def test_the_oldest_go_first_but_the_first_and_newest_of_an_issue_stay(inbox):
    add(inbox, *[failing_in("a") for _ in range(5)], *[failing_in("b") for _ in range(3)])
    inbox.retain(Retention(events=5))
    assert [event.number_in_issue for event in inbox.events_of_issue(1)] == [5, 1]
    assert [event.number_in_issue for event in inbox.events_of_issue(2)] == [3, 2, 1]
    assert inbox.issue(1).count == 5
    stats = inbox.stats()
    assert (stats.stored, stats.events, stats.removed_events) == (8, 5, 3)


def test_if_only_first_and_newest_are_left_the_oldest_go(inbox):
    add(inbox, failing_in("a"), failing_in("b"), failing_in("c"), failing_in("a"))
    inbox.retain(Retention(events=2))
    assert [issue.place for issue in inbox.issues()] == ["shop/a.py:7 in a", "shop/c.py:7 in c"]
    assert inbox.stats().events == 2


def test_items_are_bounded_too(inbox):
    for number in range(5):
        inbox.add_envelope("1", b"{}\n" + item(b"%d" % number, "session"))
    inbox.retain(Retention(events=2))
    assert [one.excerpt for one in inbox.items()] == ["4", "3"]
    assert inbox.stats().removed_items == 3


def test_bytes_are_bounded(inbox):
    for number in range(60):
        inbox.add_envelope(
            "1", envelope(failing_in("a"), event_id=f"{number:032x}") + item(bytes(50_000), "attachment")
        )
    inbox.retain(Retention(bytes=1_000_000))
    kept = [int(event.event_id, 16) for event in inbox.latest_events(100)]
    assert kept == [0, *range(60 - len(kept) + 1, 60)]
    assert 10 <= len(kept) <= 20
    assert inbox.stats().items == len(kept)


def test_days_are_bounded(inbox, monkeypatch):
    monkeypatch.setattr(store.time, "time", lambda: 1_000_000.0)
    add(inbox, failing_in("a"))
    monkeypatch.setattr(store.time, "time", lambda: 1_000_000.0 + 3 * 86_400)
    add(inbox, failing_in("b"))
    inbox.retain(Retention(days=4))
    assert inbox.stats().events == 2
    inbox.retain(Retention(days=2))
    assert [issue.place for issue in inbox.issues()] == ["shop/b.py:7 in b"]


def test_a_deleted_issue_is_gone_and_its_number_is_not_used_again(inbox):
    add(inbox, failing_in("a"), failing_in("b"), failing_in("a"))
    assert inbox.delete_issue(1)
    assert not inbox.delete_issue(1)
    assert [issue.id for issue in inbox.issues()] == [2]
    add(inbox, failing_in("a"))
    assert [(issue.id, issue.count) for issue in inbox.issues()] == [(3, 1), (2, 1)]


def test_clear_deletes_everything(inbox):
    add(inbox, failing_in("a"), failing_in("b"))
    inbox.add_envelope("1", b"{}\n")
    assert inbox.clear() == 2
    assert (inbox.issues(), inbox.items(), inbox.stats().received) == ([], [], 0)


# --- writing at once ---


def test_many_threads_may_write_and_read(inbox):
    def work(name: str) -> None:
        for _ in range(20):
            add(inbox, failing_in(name))
            assert inbox.issues(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(issue.count for issue in inbox.issues()) == [20, 20, 20, 20]


def test_a_batch_that_cannot_be_committed_leaves_nothing(inbox, database, monkeypatch):
    def disk_full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(recording, "add_count", disk_full)
        with pytest.raises(StoreError, match="disk is full"):
            add(inbox, failing_in("a"))
    add(inbox, failing_in("b"))
    assert [issue.place for issue in inbox.issues()] == ["shop/b.py:7 in b"]


# --- a new rule of grouping ---


def test_a_new_rule_of_grouping_regroups_what_is_stored(inbox, monkeypatch):
    add(inbox, failing_in("a", release="1"), failing_in("a", release="2"), failing_in("b", release="1"))
    add(inbox, failing_in("a", release="1"))
    assert [(issue.id, issue.count) for issue in inbox.issues()] == [(1, 3), (2, 1)]
    assert inbox.regroup() == 0

    monkeypatch.setattr(recording, "GROUPING_VERSION", grouping.GROUPING_VERSION + 1)
    monkeypatch.setattr("vedette._inbox.summary.key_of_chain", lambda event, *_: (f"by {event['release']}", "release"))
    assert inbox.regroup() == 4

    assert [(issue.id, issue.count, issue.explanation) for issue in inbox.issues()] == [
        (1, 3, "release"),
        (3, 1, "release"),
    ]
    assert [event.number_in_issue for event in inbox.events_of_issue(1)] == [3, 2, 1]
    assert [event.data["release"] for event in inbox.events_of_issue(3)] == ["2"]
    add(inbox, failing_in("c", release="1"))
    assert inbox.issue(1).count == 4


def test_regrouping_keeps_the_count_of_what_retention_took(inbox, monkeypatch):
    add(inbox, *[failing_in("a") for _ in range(10)])
    inbox.retain(Retention(events=4))
    monkeypatch.setattr(recording, "GROUPING_VERSION", grouping.GROUPING_VERSION + 1)
    inbox.regroup()
    assert inbox.issue(1).count == 10
    assert [event.number_in_issue for event in inbox.events_of_issue(1)] == [10, 9, 8, 1]
