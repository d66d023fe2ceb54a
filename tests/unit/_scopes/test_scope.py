from __future__ import annotations

import contextvars
import copy
import logging

import pytest

import vedette
from tests.unit._scopes.recording import applied, event_of, in_empty_context, messages
from vedette._scopes.context import get_current_scope, get_isolation_scope, isolation_scope, use_isolation_scope
from vedette._scopes.merge import attributes, merged
from vedette._scopes.scope import Scope, ScopeType
from vedette.scope import add_global_event_processor, should_send_default_pii


class Explosive:
    """A value whose every piece of code gives it away."""

    def __repr__(self):
        raise AssertionError("code of a value ran")

    __str__ = __len__ = __bool__ = __iter__ = __repr__


def attributes_of(scope):
    return merged_attributes(scope, Scope(), Scope())


def merged_attributes(*scopes):
    return attributes(merged(*scopes))


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


@pytest.mark.parametrize("wrong", [{}, 5, None, Scope])
def test_what_is_no_scope_is_not_taken_for_one(wrong):
    def run():
        Scope.set_current_scope(wrong)
        Scope.set_isolation_scope(wrong)
        vedette.set_tag("a", "b")
        assert get_isolation_scope().snapshot()["tags"] == {"a": "b"}
        assert get_current_scope() is not wrong

    in_empty_context(run)


def test_a_scope_with_a_trace_can_be_copied():
    scope = Scope(ScopeType.ISOLATION)
    scope.set_tag("a", "b")
    assert event_of(copy.deepcopy(scope))["tags"] == {"a": "b"}
    assert copy.deepcopy(scope).get_active_propagation_context() is scope.get_active_propagation_context()


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


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("text", "text"),
        (True, True),
        (7, 7),
        (0.5, 0.5),
        ((1, 2), [1, 2]),
        ([1, 0.5], [1.0, 0.5]),
        ([True, False], [True, False]),
        ([], []),
        ({"value": 3600, "unit": "second"}, {"value": 3600, "unit": "second"}),
        ({"value": [1, 2]}, {"value": [1, 2]}),
        ({"value": {"a": 1}, "unit": "byte"}, {"value": "{'a': 1}", "unit": "byte"}),
        ({"value": 1, "type": "integer"}, "{'value': 1, 'type': 'integer'}"),
        ({"a": 1}, "{'a': 1}"),
        ([1, "a"], "[1, 'a']"),
        ([[1]], "[[1]]"),
        ([True, 1], "[True, 1]"),
        (None, "None"),
        ({"a": "x" * 9000}, "{'a': '" + "x" * 8184 + "…"),
    ],
)
@pytest.mark.spec("ATTR-11", "ATTR-12", "ATTR-13", "ATTR-14")
def test_an_attribute_is_a_primitive_a_list_of_one_kind_or_either_with_its_unit_and_else_text(given, kept):
    scope = Scope()
    scope.set_attribute("a", given)
    found = attributes_of(scope)["a"]
    assert found == kept
    assert repr(found) == repr(kept)  # True is no 1


def test_the_attributes_that_describe_the_process_are_those_of_the_client(client):
    client.event_defaults = {"release": "shop@1", "environment": "dev", "dist": "x"}
    scope = Scope(ScopeType.GLOBAL)
    scope.set_global_attributes()
    found = attributes_of(scope)
    assert found.pop("sentry.sdk.version") == vedette.VERSION
    assert found == {"sentry.release": "shop@1", "sentry.environment": "dev", "sentry.sdk.name": "vedette.python"}


def test_a_log_or_metric_gets_the_attributes_of_all_scopes_and_its_own_win():
    get_isolation_scope().set_attributes({"a": "isolation", "b": "isolation", "c": "isolation"})
    get_current_scope().set_attributes({"b": "current", "c": "current"})
    item = {"body": "m", "attributes": {"c": {"value": 1, "unit": "second"}}}
    get_current_scope().apply_to_telemetry(item)
    own = {"value": 1, "unit": "second"}
    assert item == {"body": "m", "attributes": {"a": "isolation", "b": "current", "c": own}}
    detached = Scope()
    detached.set_attribute("a", "detached")
    bare = {}
    detached.apply_to_telemetry(bare)
    assert bare["attributes"]["a"] == "detached"


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


def test_a_conversation_is_kept_until_it_is_removed_and_known_to_forks():
    scope = Scope()
    assert scope.get_conversation_id() is None
    scope.set_conversation_id("c-1")
    fork = scope.fork()
    fork.set_conversation_id(7)
    assert (scope.get_conversation_id(), fork.get_conversation_id()) == ("c-1", "7")
    scope.remove_conversation_id()
    scope.remove_conversation_id()
    assert scope.get_conversation_id() is None
    fork.clear()
    assert fork.get_conversation_id() is None


def test_the_transaction_is_named_by_its_property_and_is_none_as_long_as_there_is_no_tracing():
    scope = Scope()
    scope.transaction = "/checkout"
    assert event_of(scope) == {"transaction": "/checkout"}
    assert scope.transaction is None
    scope.transaction = None
    assert event_of(scope) == {}


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


# --- applied by hand --------------------------------------------------------------------------------------


def test_a_scope_applied_by_hand_brings_the_active_ones_and_their_processors():
    get_isolation_scope().set_tags({"a": "isolation", "b": "isolation"})
    get_current_scope().add_event_processor(lambda event, hint: {**event, "processed": hint["by"]})
    scope = Scope()
    scope.set_tag("b", "scope")
    event = scope.apply_to_event({"message": "m", "tags": {"c": "event"}}, {"by": "hand"}, options={})
    assert event["tags"] == {"a": "isolation", "b": "scope", "c": "event"}
    assert event["processed"] == "hand"


def test_error_processors_run_by_hand_only_where_there_is_an_exception():
    scope = Scope()
    scope.add_error_processor(lambda event, exc_info: {**event, "seen": exc_info[0]})
    hint = {"exc_info": (ValueError, ValueError(), None)}
    assert scope.run_error_processors({}, {}) == {}
    assert scope.run_error_processors({}, hint) == {"seen": ValueError}
    assert scope.apply_to_event({}, hint)["seen"] is ValueError


@pytest.mark.parametrize("processor", [lambda event, hint: None, lambda event, hint: 1 / 0, lambda event, hint: 7])
def test_a_processor_that_drops_fails_or_answers_wrongly_ends_the_event(processor):
    scope = Scope()
    scope.add_event_processor(processor)
    scope.add_event_processor(lambda event, hint: pytest.fail("ran on"))
    assert scope.run_event_processors({}, {}) is None
    assert scope.apply_to_event({}, {}) is None
    other = Scope()
    other.add_error_processor(processor)
    assert other.apply_to_event({}, {"exc_info": (ValueError, ValueError(), None)}) is None


def test_control_flow_passes_through_a_processor_that_is_run_by_hand():
    def interrupted(event, hint):
        raise KeyboardInterrupt

    scope = Scope()
    scope.add_event_processor(interrupted)
    with pytest.raises(KeyboardInterrupt):
        scope.run_event_processors({}, {})


@pytest.mark.spec("CLI-38")
def test_a_global_processor_sees_the_events_of_every_context(client):
    seen = []
    add_global_event_processor(lambda event, hint: seen.append(event))
    assert in_empty_context(Scope().run_event_processors, {"message": "m"}, {}) is None
    assert seen == [{"message": "m"}]


@pytest.mark.parametrize(("option", "answer"), [(True, True), (False, False), (None, False)])
def test_whether_personal_data_may_be_sent_is_the_clients_option(client, option, answer):
    client.options = {"send_default_pii": option}
    assert should_send_default_pii() is answer


# --- the quick way of the module-level setter --------------------------------------------------------------


class Text(str):
    """Somebody's own string."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("plain", "value"),
        ("plain", "two\nlines"),
        ("plain", "v" * 300),
        ("plain", 7),
        ("plain", Text("own")),
        (Text("plain"), "value"),
        ("not plain", "value"),
        ("k" * 300, "value"),
        ("", "value"),
        (7, "value"),
    ],
)
@pytest.mark.spec("SCO-65", "EVT-20")
def test_the_setter_by_name_does_what_the_method_does(key, value):
    scope = Scope()
    for _ in range(2):
        scope.set_tag(key, value)
        vedette.set_tag(key, value)
    tags = event_of(get_isolation_scope())["tags"]
    assert tags == event_of(scope)["tags"]
    assert {type(each) for each in (*tags, *tags.values())} == {str}


def test_the_setters_by_name_reach_the_scope_that_is_in_force_after_one_was_left_elsewhere():
    def suspended():
        with isolation_scope():
            yield

    generator = suspended()
    next(generator)
    vedette.set_tag("in", "generator")
    contextvars.copy_context().run(generator.close)
    vedette.set_tag("in", "own")
    vedette.add_breadcrumb(message="own")
    event = event_of(get_isolation_scope())
    assert event["tags"] == {"in": "own"}
    assert messages(event) == ["own"]


def test_the_setters_by_name_make_scopes_where_there_are_none():
    def write():
        vedette.set_tag("a", "1")
        vedette.add_breadcrumb(message="m")
        return event_of(get_isolation_scope())

    event = in_empty_context(write)
    assert (event["tags"], messages(event)) == ({"a": "1"}, ["m"])
