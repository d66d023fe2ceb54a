from __future__ import annotations

import pytest

from tests.inboxes import envelope, item, order_failed
from vedette._inbox.retention import Retention
from vedette._inbox.settings import Settings
from vedette._inbox.store import Store
from vedette._inbox.web.top import top_of

SETTINGS = Settings("http://127.0.0.1:8969", "http://inbox@127.0.0.1:8969/1", "inbox.db")


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "inbox.db") as opened:
        yield opened


def report(*entries: tuple[str, str, int]) -> bytes:
    discarded = ", ".join(
        f'{{"reason": "{reason}", "category": "{category}", "quantity": {number}}}'
        for reason, category, number in entries
    )
    return b"{}\n" + item(f'{{"discarded_events": [{discarded}]}}'.encode(), "client_report")


def notices(store: Store) -> tuple[str, ...]:
    return top_of(SETTINGS, store).notices


def test_a_loss_is_said_with_number_category_in_words_and_reason(store):
    store.add_envelope("1", report(("ratelimit_backoff", "error", 14)))
    assert notices(store) == ("a client dropped 14 errors: ratelimit_backoff",)


@pytest.mark.parametrize(
    ("category", "number", "words"),
    [
        ("error", 1, "1 error"),
        ("monitor", 2, "2 check-ins"),
        ("log_item", 2000, "2 000 log records"),
        ("attachment", 10, "10 bytes of attachments"),
        ("brand_new", 3, "3 of brand_new"),
    ],
)
def test_each_category_has_plain_words(store, category, number, words):
    store.add_envelope("1", report(("queue_overflow", category, number)))
    assert notices(store) == (f"a client dropped {words}: queue_overflow",)


def test_many_reasons_are_cut_after_the_largest_five(store):
    store.add_envelope("1", report(*((f"reason_{n}", "error", n) for n in range(1, 9))))
    found = notices(store)
    assert found[0] == "a client dropped 8 errors: reason_8"
    assert found[-1] == "and for 3 other reasons: /api/stats has them all"
    assert len(found) == 6


def test_many_categories_of_one_reason_are_cut(store):
    store.add_envelope("1", report(*(("send_error", f"kind_{n}", n) for n in range(1, 9))))
    assert notices(store) == (
        "a client dropped 8 of kind_8, 7 of kind_7, 6 of kind_6, 5 of kind_5, 4 of kind_4, more: send_error",
    )


def test_what_retention_took_is_said(store):
    for _ in range(5):
        store.add_envelope("1", envelope(order_failed()))
    store.retain(Retention(events=2))
    assert notices(store) == ("3 events were removed: the inbox keeps the newest (--keep)",)


def test_a_tab_appears_with_its_first_item(store):
    assert [tab.name for tab in top_of(SETTINGS, store).tabs] == ["Issues"]
    store.add_envelope("1", b"{}\n" + item(b'{"items": []}', "log", item_count=12))
    store.add_envelope("1", b"{}\n" + item(b"{}", "transaction"))
    store.add_envelope("1", b"{}\n" + item(b"{}", "session"))
    shown = {tab.name: tab.count for tab in top_of(SETTINGS, store).tabs}
    assert shown == {"Issues": 0, "Logs": 12, "Traces": 1, "Other": 1}


def test_the_place_one_is_in_has_its_tab_also_when_it_is_empty(store):
    assert [tab.name for tab in top_of(SETTINGS, store, path="/logs").tabs] == ["Issues", "Logs"]
