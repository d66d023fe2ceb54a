"""``_meta`` for what was cut in the data of scopes: found by the signs that the renderer left in the values."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vedette
from vedette._events.remarks import remark_cuts
from vedette._events.settings import EventSettings
from vedette._events.shrink import shrink_event
from vedette._events.values import render_json
from vedette._protocol import json
from vedette.testing import MemoryTransport

SETTINGS = EventSettings()


def remarked(event: dict[str, Any], text_limit: int = 8192) -> Any:
    remark_cuts(event, text_limit)
    return event.get("_meta")


def cut(total: int | None = None, shown: int | None = None) -> Any:
    rule: list[Any] = ["!limit", "x"] if shown is None else ["!limit", "x", shown, total]
    return {"": {"rem": [rule]} if total is None else {"rem": [rule], "len": total}}


@pytest.mark.spec("PAIN-03")
def test_cut_texts_lists_and_dicts_of_scopes_are_remarked_where_they_stand():
    long = {"text": "x" * 9000, "list": list(range(300)), "dict": {str(n): n for n in range(260)}, "whole": [1, "a…"]}
    data = render_json({"deep": [long], "short": "b"}, SETTINGS)
    event = {
        "extra": copy.deepcopy(data),
        "contexts": {"app": copy.deepcopy(data)},
        "user": {"name": data["deep"][0]["text"]},
        "breadcrumbs": {"values": [{"message": "m"}, {"message": data["deep"][0]["text"]}]},
        "tags": {"cut": "t" * 199 + "…", "whole": "t" * 200},
    }
    below = {"text": cut(), "list": cut(300, 250), "dict": cut(260, 250)}

    assert remarked(event) == {
        "extra": {"deep": {"0": below}},
        "contexts": {"app": {"deep": {"0": below}}},
        "user": {"name": cut()},
        "breadcrumbs": {"values": {"1": {"message": cut()}}},
        "tags": {"cut": cut()},
    }


def test_what_was_not_cut_is_not_remarked():
    event = {
        "extra": {"text": "ends so…", "list": ["… and more", "…", "… +x"], "…": "resized", "n": 5},
        "breadcrumbs": {"values": [{"data": {"…": 5}}, {"data": []}]},
        "exception": {"values": [{"value": "x" * 8191 + "…"}]},
    }

    assert remarked(event) is None
    assert remarked({"extra": "no dict", "tags": None, "user": [["…"]]}) is None


def test_remarks_that_an_event_has_already_stay():
    event = {"extra": {"a": ["x", "… +5"], "b": ["x", "… +5"]}, "_meta": {"extra": {"a": cut(7)}, "level": cut(1)}}

    assert remarked(event) == {"extra": {"a": cut(7), "b": cut(6, 1)}, "level": cut(1)}
    assert remarked({"extra": {"a": ["x", "… +5"]}, "_meta": "broken by a hook"}) == {"extra": {"a": cut(6, 1)}}


@pytest.mark.spec("PAIN-03")
def test_an_event_tells_what_was_cut_when_its_scopes_were_set():
    transport = MemoryTransport()
    client = vedette.Client("http://key@localhost/1", transport=transport, default_integrations=False)
    with vedette.new_scope() as scope:
        scope.set_client(client)
        scope.set_extra("rows", list(range(1000)))
        scope.set_context("app", {"log": "x" * 10_000})
        scope.set_tag("path", "p" * 300)
        scope.add_breadcrumb(message="m" * 10_000, data={"rows": list(range(251))})
        vedette.capture_message("hello")
    client.close(timeout=5)

    meta = transport.events[0]["_meta"]
    assert meta["extra"] == {"rows": cut(1000, 250)}
    assert meta["contexts"] == {"app": {"log": cut()}}
    assert meta["tags"] == {"path": cut()}
    assert meta["breadcrumbs"]["values"]["0"] == {"message": cut(), "data": {"rows": cut(251, 250)}}


def test_the_length_of_texts_that_an_option_sets_counts():
    transport = MemoryTransport()
    client = vedette.Client(
        "http://key@localhost/1", transport=transport, default_integrations=False, max_value_length=20
    )
    with vedette.new_scope() as scope:
        scope.set_client(client)
        scope.set_extra("cut", "x" * 30)
        scope.set_extra("whole", "x" * 20)
        vedette.capture_message("hello")
    client.close(timeout=5)

    assert transport.events[0]["_meta"] == {"extra": {"cut": cut()}}


def test_shrinking_keeps_remarks_at_what_they_are_about():
    crumbs = [{"message": f"{number}" + "b" * 400} for number in range(30)]
    crumbs[-1] = {"message": "last", "data": {"rows": ["x", "… +5"]}}
    event = {
        "extra": {"large": {"deep": ["y" * 3000, "… +5"]}, "small": ["x", "… +5"]},
        "breadcrumbs": {"values": crumbs},
    }
    remark_cuts(event, 8192)

    body = json.decode(shrink_event(event, 4000, json.encode))

    kept = body["breadcrumbs"]["values"]
    assert body["_meta"]["extra"]["large"] == cut(1)
    assert 0 < len(kept) < 30
    said = body["_meta"]["breadcrumbs"]["values"]
    assert said[""] == {"rem": [["!limit", "x", 0, 30 - len(kept)]], "len": 30}
    assert {place for place in said if place} == {str(len(kept) - 1)}
    assert said[str(len(kept) - 1)] == {"data": {"rows": cut(6, 1)}}


anything = st.recursive(
    st.none() | st.integers() | st.sampled_from(["…", "… +3", "+3", "… +", "x" * 19 + "…", "x" * 20, "…" * 20]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["…", "a", ""]), inner),
)


@given(st.dictionaries(st.sampled_from(["extra", "contexts", "user", "tags", "breadcrumbs", "_meta"]), anything))
def test_whatever_an_event_holds_remarking_changes_nothing_else(event: Any):
    before = copy.deepcopy({key: value for key, value in event.items() if key != "_meta"})

    remark_cuts(event, 20)

    assert {key: value for key, value in event.items() if key != "_meta"} == before
