from __future__ import annotations

import logging

import pytest

from tests.unit._scopes.recording import applied, event_of
from vedette._scopes.context import use_isolation_scope
from vedette._scopes.merge import merged, merged_attributes
from vedette._scopes.scope import Scope, ScopeType


class Explosive:
    """A value whose every piece of code gives it away."""

    def __repr__(self):
        raise AssertionError("code of a value ran")

    __str__ = __len__ = __bool__ = __iter__ = __repr__


def attributes_of(scope):
    return merged_attributes(scope, Scope(), Scope())


@pytest.mark.spec("SCO-32", "SCO-33", "SCO-34", "SCO-45", "SCO-36", "EVT-19")
def test_what_is_set_on_a_scope_stands_in_its_events():
    scope = Scope()
    scope.set_tag("one", "1")
    scope.set_tags({"two": 2, "yes": True, "nothing": None})
    scope.set_context("state", {"door": "open", "lamps": [1, 2]})
    scope.set_extra("number", 3.5)
    scope.set_fingerprint(["{{ default }}", "checkout"])
    scope.set_transaction_name("/checkout/{id}", source="route")
    assert event_of(scope) == {
        "tags": {"one": "1", "two": "2", "yes": "True", "nothing": "None"},
        "contexts": {"state": {"door": "open", "lamps": [1, 2]}},
        "extra": {"number": 3.5},
        "fingerprint": ["{{ default }}", "checkout"],
        "transaction": "/checkout/{id}",
        "transaction_info": {"source": "route"},
    }


def test_what_is_removed_from_a_scope_is_gone_and_removing_it_again_is_no_error():
    scope = Scope()
    scope.set_tag("tag", "1")
    scope.set_context("context", {"a": 1})
    scope.set_extra("extra", 1)
    for _ in range(2):
        scope.remove_tag("tag")
        scope.remove_context("context")
        scope.remove_extra("extra")
        assert event_of(scope) == {}


@pytest.mark.spec("EVT-20")
def test_tags_are_brought_into_the_form_that_servers_accept():
    scope = Scope()
    scope.set_tag("a key/with:odd.chars", "two\nlines")
    scope.set_tag("k" * 201, "v" * 201)
    scope.set_tag("", "empty")
    tags = event_of(scope)["tags"]
    assert tags == {"a_key_with:odd.chars": "two lines", "k" * 200: "v" * 199 + "…", "_": "empty"}
    scope.remove_tag("a key/with:odd.chars")
    assert "a_key_with:odd.chars" not in event_of(scope)["tags"]


def test_a_transaction_name_is_cut_where_servers_cut():
    scope = Scope()
    scope.set_transaction_name("n" * 300)
    assert event_of(scope) == {"transaction": "n" * 199 + "…"}


@pytest.mark.spec("SCO-31")
def test_set_user_replaces_the_user_and_none_removes_it():
    scope = Scope()
    scope.set_user({"id": 1, "email": "a@example.com"})
    scope.set_user({"id": 2})
    assert event_of(scope)["user"] == {"id": 2}
    assert scope.user == {"id": 2}
    scope.user = None
    assert event_of(scope) == {}
    assert scope.user is None


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("fatal", "fatal"),
        ("critical", "fatal"),
        ("warn", "warning"),
        ("WARNING", "warning"),
        ("debug", "debug"),
    ],
)
@pytest.mark.spec("SCO-35", "EVT-11")
def test_a_level_is_brought_into_the_form_that_servers_accept(given, sent):
    scope = Scope()
    scope.level = given
    assert applied(current=scope, event={"level": "error"}, level_given=False)["level"] == sent
    scope.level = None
    assert scope.level is None
    assert applied(current=scope, event={"level": "error"}, level_given=False)["level"] == "error"


@pytest.mark.parametrize("wrong", ["loud", 30, Explosive()])
def test_an_unknown_level_is_ignored_and_named_in_debug_mode(wrong, caplog):
    caplog.set_level(logging.DEBUG, "vedette")
    scope = Scope()
    scope.set_level("error")
    scope.set_level(wrong)
    assert scope.level == "error"
    assert "the levels are fatal, error, warning, info, debug" in caplog.text


@pytest.mark.parametrize("wrong", [7, "text", Explosive(), object])
def test_setters_never_raise_for_what_they_cannot_use(wrong):
    scope = Scope()
    scope.set_tags(wrong)
    scope.set_attributes(wrong)
    scope.set_user(wrong)
    scope.update_from_kwargs(extras=wrong, contexts=wrong, tags=wrong)
    scope.update_from_scope(wrong)
    scope.set_level(wrong)
    assert event_of(scope) == {}


def test_a_mapping_that_fails_is_ignored():
    class Failing(dict):
        def items(self):
            raise ZeroDivisionError

    scope = Scope()
    scope.set_tag("kept", "1")
    scope.set_tags(Failing(a=1))
    assert event_of(scope) == {"tags": {"kept": "1"}}


def test_values_are_rendered_when_they_are_set_without_running_their_code():
    scope = Scope()
    value = Explosive()
    scope.set_tag("tag", value)
    scope.set_extra("extra", [value])
    scope.set_context("context", {"value": value})
    scope.set_user({"id": value})
    scope.set_attribute("attribute", value)
    scope.set_transaction_name(value)
    scope.set_fingerprint([value, 7])
    event = event_of(scope)
    assert "Explosive" in event["tags"]["tag"]
    assert "Explosive" in event["extra"]["extra"][0]
    assert "Explosive" in event["contexts"]["context"]["value"]
    assert "Explosive" in event["user"]["id"]
    assert "Explosive" in attributes_of(scope)["attribute"]
    assert "Explosive" in event["transaction"]
    assert event["fingerprint"][1] == "7"


def test_what_a_user_changes_after_setting_it_does_not_reach_the_scope():
    user, context, attribute = {"id": 1, "roles": ["a"]}, {"deep": {"list": [1]}}, [1]
    scope = Scope()
    scope.set_user(user)
    scope.set_context("context", context)
    scope.set_attribute("attribute", attribute)
    user["roles"].append("b")
    context["deep"]["list"].append(2)
    attribute.append(2)
    assert event_of(scope) == {
        "user": {"id": 1, "roles": ["a"]},
        "contexts": {"context": {"deep": {"list": [1]}}},
    }
    assert attributes_of(scope) == {"attribute": [1]}


def test_a_context_that_is_no_dict_is_kept_as_the_object_that_servers_want():
    scope = Scope()
    scope.set_context("state", "open")
    assert event_of(scope) == {"contexts": {"state": {"value": "open"}}}


def test_a_single_text_is_a_fingerprint_of_one_part():
    scope = Scope()
    scope.fingerprint = "checkout"
    assert scope.fingerprint == ["checkout"]
    scope.fingerprint = None
    assert scope.fingerprint is None


@pytest.mark.spec("ATTR-09", "ATTR-10", "ATTR-13", "ATTR-17", "SCO-46")
def test_attributes_keep_the_form_in_which_they_were_set():
    scope = Scope()
    scope.set_attribute("plain", 1)
    scope.set_attributes({"unit": {"value": 3600, "unit": "second"}, "list": ["a", "b"]})
    assert attributes_of(scope) == {
        "plain": 1,
        "unit": {"value": 3600, "unit": "second"},
        "list": ["a", "b"],
    }
    scope.remove_attribute("plain")
    scope.remove_attribute("unknown")
    assert sorted(attributes_of(scope)) == ["list", "unit"]


def test_the_more_specific_scope_wins_for_an_attribute():
    current, isolation, global_scope = Scope(), Scope(), Scope()
    for scope, name in ((global_scope, "global"), (isolation, "isolation"), (current, "current")):
        scope.set_attributes({"all": name, name: name})
    isolation.set_attribute("two", "isolation")
    global_scope.set_attribute("two", "global")
    assert merged_attributes(current, isolation, global_scope) == {
        "all": "current",
        "two": "isolation",
        "global": "global",
        "isolation": "isolation",
        "current": "current",
    }
    assert "current" not in merged_attributes(Scope(), isolation, global_scope)


def filled_scope():
    scope = Scope(ScopeType.ISOLATION)
    scope.update_from_kwargs(
        user={"id": 1},
        level="fatal",
        extras={"extra": 1},
        contexts={"context": {"a": 1}},
        tags={"tag": "1"},
        fingerprint=["a"],
        attributes={"attribute": 1},
    )
    scope.set_transaction_name("name")
    scope.add_breadcrumb(message="crumb")
    scope.set_last_event_id("0" * 32)
    return scope


@pytest.mark.spec("SCO-38", "ATTR-18", "BRC-36")
def test_clear_empties_a_scope_and_keeps_its_processors_its_client_and_its_trace(client):
    scope = filled_scope()
    scope.set_client(client)
    scope.add_event_processor(print)
    scope.add_error_processor(repr)
    trace = scope.get_active_propagation_context()
    scope.clear()
    assert event_of(scope) == {}
    assert attributes_of(scope) == {}
    assert scope.client is client
    assert scope.get_active_propagation_context() is trace
    data = merged(Scope(), scope, Scope())
    assert (data.processors, data.error_processors) == ((print,), (repr,))


@pytest.mark.spec("SCO-39", "SCO-22", "BRC-18")
def test_clear_leaves_parent_and_child_alone():
    parent = filled_scope()
    everything = event_of(parent)
    assert len(everything) == 8
    middle = parent.fork()
    child = middle.fork()
    middle.clear()
    assert event_of(parent) == event_of(child) == everything
    assert attributes_of(child) == {"attribute": 1}


@pytest.mark.spec("SCO-51")
def test_a_fork_keeps_client_and_trace_and_has_sent_no_event(client):
    scope = filled_scope()
    scope.set_client(client)
    fork = scope.fork()
    assert fork.client is client
    with use_isolation_scope(fork):
        assert Scope.last_event_id() is None
    assert fork.get_active_propagation_context() is scope.get_active_propagation_context()
    fork.set_new_propagation_context()
    assert fork.get_active_propagation_context() is not scope.get_active_propagation_context()


def test_update_from_scope_takes_over_what_the_other_holds():
    scope = Scope()
    scope.update_from_kwargs(tags={"a": "mine", "b": "mine"}, user={"id": 1}, level="info")
    scope.add_breadcrumb(message="first")
    other = Scope()
    other.add_breadcrumb(message="second")
    scope.add_breadcrumb(message="third")
    other.update_from_kwargs(tags={"b": "theirs"}, user={"name": "x"})
    scope.update_from_scope(other)
    event = event_of(scope)
    assert event["tags"] == {"a": "mine", "b": "theirs"}
    assert event["user"] == {"name": "x"}
    assert event["level"] == "info"
    assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == ["first", "second", "third"]
