from __future__ import annotations

import copy
import sys
import time
import types
from datetime import datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit._scopes.recording import RecordingClient, applied, event_of, messages
from vedette._scopes.client import BaseClient, NoOpClient
from vedette._scopes.context import add_breadcrumb, use_isolation_scope
from vedette._scopes.scope import Scope


def crumbs_of(scope):
    return event_of(scope).get("breadcrumbs", {"values": []})["values"]


@pytest.mark.spec("BRC-01", "BRC-02", "BRC-03", "BRC-04", "BRC-05", "BRC-06", "BRC-09")
def test_a_breadcrumb_is_completed_and_wrapped():
    scope = Scope()
    before = time.time()
    scope.add_breadcrumb({"message": "  as it is ", "category": "auth"}, category="auth.login", data={"a": [1]})
    after = time.time()
    (crumb,) = event_of(scope)["breadcrumbs"]["values"]
    assert before <= crumb.pop("timestamp") <= after
    assert crumb == {
        "type": "default",
        "category": "auth.login",
        "message": "  as it is ",
        "level": "info",
        "data": {"a": [1]},
    }


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("warn", "warning"),
        ("critical", "fatal"),
        ("error", "error"),
        ("loud", "info"),
        (30, "info"),
        (None, "info"),
    ],
)
@pytest.mark.spec("BRC-06")
def test_a_breadcrumb_never_has_a_level_that_servers_refuse(given, sent):
    scope = Scope()
    scope.add_breadcrumb(message="m", level=given)
    assert crumbs_of(scope)[0]["level"] == sent


@pytest.mark.parametrize(
    ("given", "sent"),
    [({"a": 1}, {"a": 1}), ("text", {"value": "text"}), (0, {"value": 0}), ({}, None), (None, None)],
)
def test_the_data_of_a_breadcrumb_is_always_an_object(given, sent):
    scope = Scope()
    scope.add_breadcrumb(message="m", data=given)
    assert crumbs_of(scope)[0].get("data") == sent


def test_the_message_of_a_breadcrumb_is_always_text():
    scope = Scope()
    scope.add_breadcrumb(message=404)
    assert crumbs_of(scope)[0]["message"] == "404"


class BrokenZone(tzinfo):
    def utcoffset(self, dt):
        raise ZeroDivisionError


MOMENT = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (1461185753.847, 1461185753.847),
        (1461185753, 1461185753),
        ("2016-04-20T20:55:53.845Z", "2016-04-20T20:55:53.845Z"),
        (MOMENT, MOMENT.timestamp()),
        (MOMENT.replace(tzinfo=None), MOMENT.timestamp()),
        (MOMENT.astimezone(timezone(timedelta(hours=5))), MOMENT.timestamp()),
    ],
)
@pytest.mark.spec("BRC-01")
def test_a_time_stamp_is_kept_in_a_form_that_json_knows(given, sent):
    scope = Scope()
    scope.add_breadcrumb(message="m", timestamp=given)
    assert crumbs_of(scope)[0]["timestamp"] == sent


@pytest.mark.parametrize("given", [float("nan"), object(), [], MOMENT.replace(tzinfo=BrokenZone())])
@pytest.mark.spec("BRC-01")
def test_a_time_stamp_that_cannot_be_used_is_now(given):
    scope = Scope()
    before = time.time()
    scope.add_breadcrumb(message="m", timestamp=given)
    assert before <= crumbs_of(scope)[0]["timestamp"] <= time.time()


@pytest.mark.parametrize("wrong", [-5, datetime(1, 1, 1, tzinfo=timezone.utc), 1e12, "foo", "2020-13-01"])
def test_a_time_that_servers_refuse_is_now_for_they_would_lose_the_breadcrumb(wrong):
    scope = Scope()
    before = time.time()
    scope.add_breadcrumb(message="m", timestamp=wrong)
    assert before <= crumbs_of(scope)[0]["timestamp"] <= time.time()


def test_the_texts_of_a_breadcrumb_are_texts():
    scope = Scope()
    scope.add_breadcrumb({"type": 5, "category": 6, "message": 7, "origin": 8, "event_id": 9})
    (crumb,) = crumbs_of(scope)
    assert {name: crumb[name] for name in ("type", "category", "message", "origin", "event_id")} == {
        "type": "5",
        "category": "6",
        "message": "7",
        "origin": "8",
        "event_id": "9",
    }


@pytest.mark.spec("BRC-07", "BRC-08", "EVT-99", "EVT-100")
def test_insertion_decides_the_order_and_not_the_time_stamp():
    scope = Scope()
    for number in (3, 1, 2):
        scope.add_breadcrumb(message=str(number), timestamp=number)
    assert messages(event_of(scope)) == ["3", "1", "2"]


@pytest.mark.spec("BRC-10", "BRC-11", "BRC-34", "CFG-16")
@pytest.mark.parametrize("limit", [0, 1, 3])
def test_the_oldest_breadcrumb_goes_when_there_are_too_many(limit):
    scope = Scope(client=RecordingClient(max_breadcrumbs=limit))
    for number in range(5):
        scope.add_breadcrumb(message=str(number))
    assert messages(event_of(scope)) == ["0", "1", "2", "3", "4"][5 - limit :]


@pytest.mark.spec("BRC-12")
def test_a_hundred_breadcrumbs_are_kept_by_default():
    assert BaseClient().max_breadcrumbs == 100
    scope = Scope()
    for number in range(101):
        scope.add_breadcrumb(message=str(number))
    assert messages(event_of(scope)) == [str(number) for number in range(1, 101)]


@pytest.mark.spec("BRC-15", "BRC-16", "BRC-17")
def test_breadcrumbs_of_three_scopes_come_in_the_order_in_which_they_were_added():
    current, isolation, global_scope = Scope(), Scope(), Scope()
    for number, scope in enumerate([isolation, current, global_scope, current, isolation, global_scope]):
        scope.add_breadcrumb(message=str(number), timestamp=100 - number)
    scopes = {"current": current, "isolation": isolation, "global_scope": global_scope}
    assert messages(applied(**scopes)) == ["0", "1", "2", "3", "4", "5"]
    assert messages(applied(**scopes, max_breadcrumbs=4)) == ["2", "3", "4", "5"]


@pytest.mark.spec("BRC-18", "BRC-19")
def test_a_fork_has_its_parents_breadcrumbs_and_keeps_its_own():
    parent = Scope()
    parent.add_breadcrumb(message="before")
    fork = parent.fork()
    fork.add_breadcrumb(message="of the fork")
    parent.add_breadcrumb(message="of the parent")
    assert messages(event_of(fork)) == ["before", "of the fork"]
    assert messages(event_of(parent)) == ["before", "of the parent"]


def test_a_breadcrumb_that_two_scopes_share_comes_once():
    parent = Scope()
    parent.add_breadcrumb(message="shared")
    fork = parent.fork()
    fork.add_breadcrumb(message="own")
    assert messages(applied(current=fork, isolation=parent)) == ["shared", "own"]


@pytest.mark.spec("BRC-35")
def test_clear_breadcrumbs_removes_the_breadcrumbs_and_nothing_else():
    scope = Scope()
    scope.set_tag("a", "1")
    scope.add_breadcrumb(message="m", data={"deep": {"a": 1}})
    scope.clear_breadcrumbs()
    assert event_of(scope) == {"tags": {"a": "1"}}


@pytest.mark.spec("BRC-20", "BRC-21", "BRC-22", "BRC-23", "HOOK-28")
def test_before_breadcrumb_decides_whether_and_how_a_breadcrumb_is_kept():
    seen = []

    def before_breadcrumb(crumb, hint):
        seen.append((crumb["message"], crumb["type"], crumb["timestamp"] > 0, hint))
        if crumb["message"] == "secret":
            return None
        return {**crumb, "message": "changed", "level": "warn", "timestamp": None}

    scope = Scope(client=RecordingClient(before_breadcrumb))
    scope.add_breadcrumb(message="secret")
    assert crumbs_of(scope) == []
    scope.add_breadcrumb({"message": "open"}, hint={"why": 1})
    assert seen == [("secret", "default", True, {}), ("open", "default", True, {"why": 1})]
    (crumb,) = crumbs_of(scope)
    assert (crumb["message"], crumb["level"]) == ("changed", "warning")
    assert crumb["timestamp"] > 0


@pytest.mark.spec("BRC-13", "CLI-09")
def test_nothing_is_recorded_while_the_sdk_is_disabled():
    scope = Scope(client=NoOpClient())
    scope.add_breadcrumb(message="m")
    assert event_of(scope) == {}


@pytest.mark.parametrize("data", [{"flat": 1}, {"deep": {"list": [1]}}])
def test_an_event_owns_its_breadcrumbs_at_every_depth(data):
    scope = Scope()
    scope.add_breadcrumb(message="m", data=data)
    untouched = copy.deepcopy(event_of(scope))
    (crumb,) = event_of(scope)["breadcrumbs"]["values"]
    crumb["message"] = "changed"
    crumb["data"]["new"] = 1
    if "deep" in data:
        crumb["data"]["deep"]["list"].append(2)
    assert event_of(scope) == untouched


def test_data_that_is_nested_in_one_breadcrumb_of_one_scope_is_owned_all_the_same():
    isolation, current = Scope(), Scope()
    isolation.add_breadcrumb(message="nested", data={"deep": [1]})
    isolation.add_breadcrumb(message="flat", data={"a": 1})
    current.add_breadcrumb(message="flat", data={"a": 1})
    event = applied(isolation=isolation, current=current)
    event["breadcrumbs"]["values"][0]["data"]["deep"].append(2)
    assert crumbs_of(isolation)[0]["data"] == {"deep": [1]}


def test_a_field_of_the_users_own_is_the_events_own_as_well():
    scope = Scope()
    scope.add_breadcrumb(message="m", custom={"list": [1]})
    event_of(scope)["breadcrumbs"]["values"][0]["custom"]["list"].append(2)
    assert crumbs_of(scope)[0]["custom"] == {"list": [1]}


@pytest.mark.parametrize("wrong", [7, "text", object()])
def test_a_breadcrumb_that_is_no_mapping_does_not_raise(wrong):
    scope = Scope()
    scope.add_breadcrumb(wrong, hint=wrong, message="m")
    assert messages(event_of(scope)) == ["m"]


def test_a_breadcrumb_is_kept_while_another_thread_imports_datetime(monkeypatch):
    monkeypatch.setitem(sys.modules, "datetime", types.ModuleType("datetime"))  # as it is before its first line ran
    scope = Scope()
    scope.add_breadcrumb(message="hello")
    assert messages(event_of(scope)) == ["hello"]


# --- the quick way and the thorough one ------------------------------------------------------------------


class Thorough(RecordingClient):
    """A client that wants each breadcrumb rendered."""

    def __init__(self):
        super().__init__()
        self.plain_text_limit = 0


class Text(str):
    """Somebody's own string."""

    __slots__ = ()


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.just("long" * 3000),
    st.just("\ud800"),
    st.just(Text("own")),
    st.just(1j),
)
KEYS = st.one_of(
    st.sampled_from(["url", "status_code", "a b", "", "k" * 300, "\ud800", Text("own")]), st.integers(0, 1)
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.one_of(st.sampled_from(["http", ""]), LEAVES),
        "category": LEAVES,
        "message": LEAVES,
        "level": st.one_of(st.sampled_from(["error", "WARN", "loud"]), LEAVES),
        "data": st.one_of(LEAVES, st.dictionaries(KEYS, st.one_of(LEAVES, st.lists(LEAVES, max_size=2)), max_size=4)),
        "custom": LEAVES,
    },
)


def by_dict(scope, fields):
    scope.add_breadcrumb(fields)


def by_keywords(scope, fields):
    scope.add_breadcrumb(**fields)


def by_function(scope, fields):
    with use_isolation_scope(scope):
        add_breadcrumb(**fields)


@pytest.mark.parametrize("add", [by_dict, by_keywords, by_function])
@given(fields=FIELDS)
def test_the_quick_way_records_what_the_thorough_one_records(add, fields):
    quick, thorough = Scope(client=RecordingClient()), Scope(client=Thorough())
    for scope in (quick, thorough):
        add(scope, copy.deepcopy(fields))
    (one,), (other,) = crumbs_of(quick), crumbs_of(thorough)
    assert abs(one.pop("timestamp") - other.pop("timestamp")) < 60
    assert repr(sorted(one.items())) == repr(sorted(other.items()))  # the same types, and NaN is NaN


@pytest.mark.parametrize("add", [by_dict, by_keywords, by_function])
def test_a_breadcrumb_is_bounded_however_much_data_of_ordinary_texts_it_is_given(add):
    scope = Scope(client=RecordingClient())
    add(scope, {"message": "m", "data": {f"key{number}": "x" * 8000 for number in range(200)}})
    (crumb,) = crumbs_of(scope)
    assert sum(map(len, crumb["data"].values())) <= 262_144


@pytest.mark.parametrize("add", [by_dict, by_keywords, by_function])
def test_a_field_that_is_none_is_as_good_as_not_given(add):
    scope = Scope(client=RecordingClient())
    add(scope, {"type": None, "category": None, "message": None, "level": None, "data": None, "custom": 1})
    (crumb,) = crumbs_of(scope)
    del crumb["timestamp"]
    assert crumb == {"type": "default", "level": "info", "custom": 1}


@pytest.mark.spec("BRC-05")
def test_what_is_changed_after_a_breadcrumb_was_added_does_not_reach_it():
    data = {"a": 1}
    crumb = {"message": "m", "data": data}
    scope = Scope()
    scope.add_breadcrumb(crumb)
    data["a"] = crumb["message"] = 2
    assert [(crumb["message"], crumb["data"]) for crumb in crumbs_of(scope)] == [("m", {"a": 1})]


def test_breadcrumbs_hold_no_object_of_the_program():
    scope = Scope()
    values = [Text("text"), Text("other")]
    for add in (by_dict, by_keywords, by_function):
        add(scope, {"message": values[0], "category": values[1], "data": {values[1]: values[0]}})
        add(scope, {"message": "m", "data": {"key": values[0]}})
        add(scope, {"message": "m", "data": {values[1]: 1}})
    scope.add_breadcrumb({values[0]: 1}, **{values[1]: 2})
    kinds = {type(each) for crumb in crumbs_of(scope) for each in (*crumb, *crumb.values(), *crumb.get("data", {}))}
    assert kinds <= {str, int, float, dict}


def test_a_breadcrumb_is_kept_while_another_thread_is_importing_datetime(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "datetime", types.ModuleType("datetime"))
    client = RecordingClient()
    scope = Scope(client=client)
    scope.add_breadcrumb(message="hello", timestamp=object())
    assert messages(event_of(scope)) == ["hello"]
