from __future__ import annotations

import json

import pytest

from vedette._inbox.models import Item
from vedette._inbox.telemetry.traces import Timed, timed_of

ITEM = Item(1, "transaction", "1", 1_700_000_000.0, 0, {}, "", [])


def read(value: object) -> list[Timed]:
    return timed_of(ITEM, json.dumps(value).encode())[0]


def test_a_transaction_has_name_operation_duration_status_and_its_number_of_spans():
    [found] = read(
        {
            "transaction": "GET /orders",
            "start_timestamp": 100.0,
            "timestamp": "1970-01-01T00:01:41.250Z",
            "contexts": {"trace": {"op": "http.server", "status": "ok", "trace_id": "ab"}},
            "spans": [{}, {}],
        }
    )
    assert (found.at, found.name, found.op, found.seconds) == (100.0, "GET /orders", "http.server", 1.25)
    assert (found.status, found.spans, found.trace_id) == ("ok", 2, "ab")


def test_spans_on_their_own_are_read():
    one = {"name": "SELECT", "start_timestamp": 1, "end_timestamp": 3, "attributes": {"sentry.op": {"value": "db"}}}
    old = {"description": "GET", "op": "http.client", "start_timestamp": 5, "timestamp": 6}
    assert [(t.name, t.op, t.seconds, t.spans) for t in read({"items": [one, old]})] == [
        ("GET", "http.client", 1.0, None),
        ("SELECT", "db", 2.0, None),
    ]


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"transaction": [], "contexts": {"trace": 3}, "spans": 7, "start_timestamp": "x"},
        {"contexts": [], "start_timestamp": 5, "timestamp": 4},
    ],
)
def test_any_shape_is_shown_without_what_it_lacks(value):
    [found] = read(value)
    assert found.name
    assert (found.seconds, found.spans) == (None, None)
