from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

import pytest

from tests.unit._given_events.giving import faults_in, refused_by_relay, sent

TRACE = {"trace_id": "0123456789abcdef0123456789abcdef", "span_id": "0123456789abcdef"}


def context(name: str, given: Any) -> Any:
    event = sent({"contexts": {name: given}})
    assert refused_by_relay(event) == []
    return event["contexts"].get(name)


@pytest.mark.spec("EVT-83", "EVT-84", "EVT-85", "EVT-86")
def test_contexts_are_objects_by_name_and_stay_whole() -> None:
    event = sent({"contexts": {"order": {"number": 7}, "os": {"name": "Plan 9"}, "odd": 5, "none": None}})
    assert event["contexts"]["order"] == {"number": 7}
    assert event["contexts"]["os"] == {"name": "Plan 9"}
    assert not event["contexts"].keys() & {"odd", "none"}
    assert faults_in(event["_meta"]) == ["contexts.odd"]
    assert refused_by_relay(event) == []


@pytest.mark.spec("EVT-90", "EVT-91")
def test_a_trace_has_both_its_ids_or_is_ours() -> None:
    assert context("trace", dict(TRACE)) == TRACE
    for odd in ({**TRACE, "trace_id": "zz"}, {**TRACE, "span_id": "0" * 16}, {"trace_id": TRACE["trace_id"]}):
        kept = context("trace", odd)
        assert kept["trace_id"] != odd["trace_id"]
        assert len(kept["span_id"]) == 16
    assert context("trace", {**TRACE, "parent_span_id": "x"}) == TRACE


@pytest.mark.spec("EVT-89")
@pytest.mark.parametrize("name", ["os", "runtime"])
def test_systems_have_a_name_or_a_description(name: str) -> None:
    assert context(name, {"raw_description": "x"}) == {"raw_description": "x"}
    assert context(name, {"version": 7}) == {"version": "7", "raw_description": "7"}
    assert context(name, {"name": ["x"]}) == {"raw_description": "unknown"}


@pytest.mark.spec("EVT-94")
def test_a_status_code_is_a_whole_number() -> None:
    assert context("response", {"status_code": 404}) == {"status_code": 404}
    assert context("response", {"status_code": "404", "body_size": 5}) == {"status_code": 404, "body_size": 5}
    assert context("response", {"status_code": "OK", "body_size": 5}) == {"body_size": 5}


@pytest.mark.spec("EVT-96")
def test_flags_are_names_and_booleans() -> None:
    kept = {"flag": "new-cart", "result": True}
    odd = [kept, {"flag": "x", "result": "yes"}, {"result": True}, 5]
    assert context("flags", {"values": odd}) == {"values": [kept]}
    assert context("flags", {"values": "x"}) == {"values": []}


@pytest.mark.spec("EVT-99", "EVT-100")
def test_breadcrumbs_stay_in_their_order_and_are_put_right() -> None:
    at = datetime.now(timezone.utc)
    given = [
        {"message": "late", "timestamp": at, "level": "warn", "data": {"a": 1}},
        {"message": "early", "timestamp": at.timestamp() - 60, "level": "loud", "data": "text"},
        {"message": 5, "timestamp": at.isoformat(), "category": ["x"]},
        {"timestamp": "soon", "data": None},
        "no breadcrumb",
    ]
    for crumbs in (given, {"values": given}):
        event = sent({"breadcrumbs": crumbs})
        assert event["breadcrumbs"]["values"] == [
            {"message": "late", "timestamp": at.timestamp(), "level": "warning", "data": {"a": 1}},
            {"message": "early", "timestamp": at.timestamp() - 60, "data": {"value": "text"}},
            {"message": "5", "timestamp": at.timestamp()},
            {},
        ]
        assert "breadcrumbs.values" in faults_in(event["_meta"])
        assert refused_by_relay(event) == []


def test_no_breadcrumbs_are_no_field() -> None:
    assert "breadcrumbs" not in sent({"breadcrumbs": [5]})
    assert "breadcrumbs" not in sent({"breadcrumbs": time.time()})


@pytest.mark.parametrize("no_time", [-5, -1e60, 253_402_300_800, 1.8e12])
def test_a_breadcrumb_is_not_lost_for_its_time(no_time: float) -> None:
    event = sent({"breadcrumbs": [{"message": "kept", "timestamp": no_time}]})
    assert event["breadcrumbs"] == {"values": [{"message": "kept"}]}
    assert refused_by_relay(event) == []
