from __future__ import annotations

import json

import pytest

from vedette._inbox.models import Item
from vedette._inbox.telemetry.fields import MAX_PAYLOAD, MAX_RECORDS, UnreadableError
from vedette._inbox.telemetry.logs import log_records

ARRIVED = 1_700_000_000.0
ITEM = Item(1, "log", "1", ARRIVED, 0, {}, "", [])


def read(value: object) -> list[tuple[object, ...]]:
    records, _ = log_records(ITEM, json.dumps(value).encode())
    return [(one.at, one.level, one.body, one.attributes, one.trace_id) for one in records]


def test_a_batch_of_the_protocol_is_read_newest_first():
    first = {"timestamp": 1.5, "level": "warn", "body": "one", "trace_id": "ab"}
    second = {
        "timestamp": "2001-09-09T01:46:40.5Z",
        "level": "info",
        "body": "two",
        "attributes": {"n": {"value": 3, "type": "integer"}, "s": {"value": "x", "type": "string"}},
    }
    assert read({"items": [first, second]}) == [
        (1_000_000_000.5, "info", "two", [("n", "3"), ("s", "x")], ""),
        (1.5, "warning", "one", [], "ab"),
    ]


def test_a_record_of_opentelemetry_is_read():
    record = {
        "timeUnixNano": "1000000000500000000",
        "severityNumber": 17,
        "body": {"stringValue": "hello"},
        "attributes": [{"key": "k", "value": {"intValue": "7"}}],
        "traceId": "cd",
    }
    assert read(record) == [(1_000_000_000.5, "error", "hello", [("k", "7")], "cd")]


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"timestamp": "yesterday", "level": 7, "body": None, "attributes": "x", "severity_number": 99},
        {"timestamp": 1e300, "time_unix_nano": -1, "attributes": [1, {"key": 2}]},
        {"timestamp": "9999-12-31T23:59:59-23:59"},
        {"timestamp": True, "observed_time_unix_nano": 2**70},
    ],
)
def test_a_record_of_any_shape_is_shown_at_the_time_of_its_arrival(record):
    assert [one[0] for one in read(record)] == [ARRIVED]


def test_a_level_that_is_none_of_ours_keeps_its_word():
    assert read({"level": "NOTICE"})[0][1] == "notice"


def test_too_many_records_are_counted_and_not_shown():
    records, number = log_records(ITEM, json.dumps({"items": [{"body": "x"}] * 1000}).encode())
    assert (len(records), number) == (MAX_RECORDS, 1000)


def test_values_are_bounded():
    many = {"body": "x" * 100_000, "attributes": {f"{n}" * 300: "y" for n in range(1000)}}
    [(_, _, body, attributes, _)] = read(many)
    assert len(str(body)) < 10_000
    assert isinstance(attributes, list)
    assert len(attributes) == 50
    assert max(len(name) for name, _ in attributes) == 200


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"not json", "no JSON"),
        (b"[]", "no JSON object"),
        (b"[" * 300 + b"]" * 300, "deep"),
        (b" " * (MAX_PAYLOAD + 1), "too large"),
    ],
)
def test_a_payload_that_cannot_be_read_says_why(payload, why):
    with pytest.raises(UnreadableError, match=why):
        log_records(ITEM, payload)
