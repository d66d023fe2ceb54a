from __future__ import annotations

import pytest

import vedette
from tests.unit._scopes.recording import applied, event_of
from vedette._scopes.context import get_current_scope, get_isolation_scope, new_scope
from vedette._scopes.scope import Scope
from vedette.feature_flags import FlagBuffer, add_feature_flag


def flags_of(event):
    return [(each["flag"], each["result"]) for each in event["contexts"]["flags"]["values"]]


@pytest.mark.spec("INT-117", "INT-121", "INT-125", "INT-126", "INT-131", "EVT-96")
def test_flags_that_were_evaluated_are_in_the_events_of_the_current_scope(client):
    with new_scope():
        add_feature_flag("new-checkout", True)
        vedette.add_feature_flag("dark", False)
        vedette.capture_message("inside")
    vedette.capture_message("outside")
    inside, outside = client.events
    assert inside["contexts"]["flags"] == {
        "values": [{"flag": "new-checkout", "result": True}, {"flag": "dark", "result": False}]
    }
    assert "flags" not in outside["contexts"]


@pytest.mark.spec("INT-120")
def test_the_hundred_newest_flags_are_kept_each_once_with_its_last_result():
    scope = Scope()
    for number in range(120):
        scope.flags.set("first", number % 2 == 0)
        scope.flags.set(f"flag {number}", True)
    found = flags_of(event_of(scope))
    assert len(found) == len(dict(found)) == 100
    assert found[-2:] == [("first", False), ("flag 119", True)]
    assert ("flag 20", True) not in found
    assert ("flag 21", True) in found


@pytest.mark.spec("INT-122", "INT-123", "INT-124")
def test_a_fork_has_a_copy_of_the_flags():
    parent = Scope()
    parent.flags.set("a", True)
    fork = parent.fork()
    fork.flags.set("b", True)
    parent.flags.set("c", True)
    assert flags_of(event_of(fork)) == [("a", True), ("b", True)]
    assert flags_of(event_of(parent)) == [("a", True), ("c", True)]
    parent.clear()
    assert "contexts" not in event_of(parent)
    assert parent.flags.get() == []


@pytest.mark.spec("INT-127", "INT-128", "INT-129")
@pytest.mark.parametrize("value", [True, "blue", 7, 0.5, {"a": [1]}])
def test_a_flag_is_a_text_with_a_value_of_any_kind(value):
    scope = Scope()
    scope.flags.set(7, value)
    event = event_of(scope)
    assert flags_of(event) == [("7", value)]
    assert event["contexts"]["flags"]["values"][0]["result"] is not value or type(value) is not dict


def test_the_flags_of_several_scopes_and_of_the_event():
    get_isolation_scope().flags.set("a", True)
    get_isolation_scope().flags.set("b", True)
    get_current_scope().flags.set("a", False)
    scopes = {"current": get_current_scope(), "isolation": get_isolation_scope()}
    assert dict(flags_of(applied(**scopes))) == {"a": False, "b": True}
    own = {"values": [{"flag": "own", "result": True}]}
    assert applied(**scopes, event={"contexts": {"flags": own}})["contexts"]["flags"] == own


@pytest.mark.spec("INT-120")
def test_a_flag_that_an_inner_scope_evaluates_again_is_among_the_newest_hundred():
    for number in range(100):
        get_isolation_scope().flags.set(f"flag {number}", True)
    get_current_scope().flags.set("flag 0", False)
    get_current_scope().flags.set("new", True)
    found = flags_of(applied(current=get_current_scope(), isolation=get_isolation_scope()))
    assert len(found) == 100
    assert found[-2:] == [("flag 0", False), ("new", True)]
    assert ("flag 1", True) not in found


def test_taking_over_a_scope_takes_over_its_flags():
    scope, other = Scope(), Scope()
    scope.flags.set("a", True)
    other.flags.set("b", True)
    scope.update_from_scope(other)
    assert flags_of(event_of(scope)) == [("a", True), ("b", True)]


def test_a_buffer_of_ones_own():
    buffer = FlagBuffer(2)
    for flag in "abc":
        buffer.set(flag, True)
    assert buffer.get() == [{"flag": "b", "result": True}, {"flag": "c", "result": True}]
    buffer.clear()
    assert buffer.get() == []
