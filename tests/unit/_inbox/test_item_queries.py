"""What the store tells of items that are no error events."""

from __future__ import annotations

import pytest

from tests.inboxes import EVENT_ID, item, order_failed
from vedette._inbox.arrival import as_json
from vedette._inbox.limits import Refused
from vedette._inbox.store import Store


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "inbox.db") as opened:
        yield opened


def add(store: Store, *kinds: str, **headers: object) -> None:
    for kind in kinds:
        store.add_envelope("1", b"{}\n" + item(kind.encode(), kind, **headers))


def test_types_narrow_and_leave_out(store):
    add(store, "session", "log", "new", "session")
    assert [one.type for one in store.items_among(("session", "log"))] == ["session", "log", "session"]
    assert [one.type for one in store.items_but(("session",))] == ["new", "log"]
    assert store.items_among(("nothing",)) == []


def test_pages_follow_each_other_without_gap_or_repetition(store):
    add(store, *["session", "log"] * 5)
    seen: list[int] = []
    before = None
    while page := store.items_among(("session",), 2, before):
        before = page[-1].row_id
        seen += [one.row_id for one in page]
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 5


def test_items_are_counted_by_type_and_batches_by_what_is_in_them(store):
    add(store, "session", "log")
    add(store, "log", item_count=30)
    add(store, "span", item_count=10**9)
    add(store, "otel_log", item_count="many")
    assert store.item_counts() == {"session": 1, "log": 31, "span": 1000, "otel_log": 1}


def test_a_payload_is_as_received(store):
    add(store, "session")
    [one] = store.items()
    assert store.item_payload(one.row_id) == b"session"
    assert store.item(one.row_id) == one
    assert store.item_payload(one.row_id + 1) is None
    assert store.item(2**80) is None


def test_an_item_knows_the_issue_of_the_event_it_came_with(store):
    header = as_json({"event_id": EVENT_ID}).encode()
    store.add_envelope("1", header + b"\n" + item(as_json(order_failed()).encode()) + item(b"x", "attachment"))
    [one] = store.items()
    assert (one.event_id, one.issue_id) == (EVENT_ID, 1)
    add(store, "session")
    assert store.items()[0].issue_id == 0


def test_refused_requests_are_counted_apart(store):
    with pytest.raises(Refused):
        store.add_envelope("1", b"nonsense")
    add(store, "refused")
    assert store.refused_count() == 1
    assert store.item_counts() == {"refused": 1}
