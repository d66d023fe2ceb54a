from __future__ import annotations

import pytest

from tests.inboxes import envelope, frame, item, new_event_id, order_failed
from vedette._inbox.changes import MAX_ISSUES, Change, Position
from vedette._inbox.limits import Refused
from vedette._inbox.store import Store


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "inbox.db") as opened:
        yield opened


def since(store: Store, position: Position) -> list[tuple[str, dict[str, object]]]:
    return [(change.kind, change.data) for change in store.changes(position)[1]]


def issue(number: int, event_id: str, count: int, events: int, new: bool) -> tuple[str, dict[str, object]]:
    return "issue", {"issue": number, "event_id": event_id, "count": count, "events": events, "new": new}


def refuse(store: Store) -> None:
    with pytest.raises(Refused):
        store.add_envelope("1", b"garbage")


def test_each_issue_is_named_once_in_the_order_of_its_newest_event(store):
    orders, other = [new_event_id() for _ in range(3)], new_event_id()
    store.add_envelope("1", envelope(order_failed(), event_id=orders[0]))
    start = store.position()
    store.add_envelope("1", envelope(order_failed(user="bob"), event_id=orders[1]))
    store.add_envelope("1", envelope({"message": "m"}, event_id=other))
    assert since(store, start) == [issue(1, orders[1], 2, 1, False), issue(2, other, 1, 1, True)]
    store.add_envelope("1", envelope(order_failed(user="cid"), event_id=orders[2]))
    assert since(store, start) == [issue(2, other, 1, 1, True), issue(1, orders[2], 3, 2, False)]


def test_nothing_happened(store):
    store.add_envelope("1", envelope(order_failed()))
    now = store.position()
    assert store.changes(now) == (now, [])


def test_items_and_refusals_are_counted_together(store):
    start = store.position()
    store.add_envelope("1", b"{}\n" + item(b"{}", "session") + item(b"{}", "session"))
    refuse(store)
    assert since(store, start) == [("item", {"items": 3})]


def test_a_deleted_issue_is_seen_and_what_came_after_it(store):
    store.add_envelope("1", envelope(order_failed()))
    start = store.position()
    store.delete_issue(1)
    again = new_event_id()
    store.add_envelope("1", envelope(order_failed(), event_id=again))
    assert since(store, start) == [("cleared", {"reason": "deleted"}), issue(2, again, 1, 1, True)]


def test_clearing_is_seen_even_if_nothing_but_refusals_was_there(store):
    refuse(store)
    start = store.position()
    store.clear()
    assert since(store, start) == [("cleared", {"reason": "deleted"})]
    assert since(store, store.position()) == []


def test_another_database_is_recognized(store):
    store.add_envelope("1", envelope(order_failed()))
    assert since(store, Position(9, 0, 0, 9)) == [("cleared", {"reason": "missed"})]


def test_what_is_too_much_to_tell_is_said_to_be_so(store):
    start = store.position()
    for number in range(MAX_ISSUES + 1):
        failed = {"exception": {"values": [{"type": f"E{number}", "stacktrace": {"frames": [frame("f")]}}]}}
        store.add_envelope("1", envelope(failed))
    assert since(store, start) == [("cleared", {"reason": "missed"})]
    assert store.changes(start)[0] == store.position()


def test_a_position_is_a_text_that_outlives_the_process(store, tmp_path):
    store.add_envelope("1", envelope(order_failed()))
    store.clear()
    position = Position.parse(str(store.position()))
    with Store(tmp_path / "inbox.db") as reopened:
        assert position is not None
        assert reopened.changes(position) == (position, [])


@pytest.mark.parametrize("text", ["", "1", "1-2-3", "1-2-3-4-5", "1-2-3-x", "1-2-3--4", "٣-1-1-1", "1" * 99 + "-1-1-1"])
def test_no_other_text_is_a_position(text):
    assert Position.parse(text) is None


def test_no_received_text_is_told(store):
    start = store.position()
    store.add_envelope("1", envelope(order_failed(user="<script>")))
    (change,) = store.changes(start)[1]
    assert change == Change("issue", {**change.data, "issue": 1, "count": 1, "events": 1, "new": True})
    assert set(change.data) == {"issue", "event_id", "count", "events", "new"}
