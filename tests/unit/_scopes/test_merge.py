from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit._scopes.recording import applied, event_of
from vedette._scopes.merge import merged
from vedette._scopes.scope import Scope, ScopeType

TEXTS = st.text(alphabet="xyz", max_size=2)


def some_of(**strategies):
    return st.fixed_dictionaries({}, optional=strategies)


def keyed(values):
    return some_of(a=values, b=values, c=values)


OBJECTS = keyed(st.one_of(TEXTS, st.lists(st.integers(0, 9), max_size=2)))
DATA = some_of(
    tags=keyed(TEXTS.filter(str.strip)),  # those without a value are left out, see below
    contexts=keyed(OBJECTS),
    extras=keyed(TEXTS),
    user=st.fixed_dictionaries({"id": TEXTS}, optional={"email": TEXTS}),
    level=st.sampled_from(["fatal", "error", "warning", "info", "debug"]),
    fingerprint=st.lists(TEXTS, min_size=1, max_size=2),
)
EVENT_KEY = {"extras": "extra"}


def scope_with(data):
    scope = Scope(ScopeType.ISOLATION)
    scope.update_from_kwargs(**data)
    return scope


def naive(layers):
    """What an event holds, told by the spec alone: least specific layer first, key by key."""
    event = {"contexts": {}}
    for layer in layers:
        for name, value in copy.deepcopy(layer).items():
            key = EVENT_KEY.get(name, name)
            if name in ("tags", "contexts", "extras"):
                event.setdefault(key, {}).update(value)
            else:
                event[key] = value
    return {key: value for key, value in event.items() if value}


@pytest.mark.spec("SCO-26", "SCO-27", "SCO-28", "SCO-29", "SCO-30")
@given(DATA, DATA, DATA, DATA, DATA)
def test_the_more_specific_wins_key_by_key(in_global, in_isolation, in_current, in_call, in_event):
    scopes = [scope_with(data) for data in (in_global, in_isolation, in_current, in_call)]
    alone = [event_of(scope) for scope in scopes]
    event = {EVENT_KEY.get(name, name): copy.deepcopy(value) for name, value in in_event.items()}
    global_scope, isolation, current, call = scopes
    applied(current=current, isolation=isolation, global_scope=global_scope, extra=call, event=event)
    del event["contexts"]["trace"]
    assert {key: value for key, value in event.items() if value} == naive(
        [in_global, in_isolation, in_current, in_call, in_event]
    )
    assert [event_of(scope) for scope in scopes] == alone


@pytest.mark.spec("SCO-28", "SCO-35")
@pytest.mark.parametrize(("level_given", "sent"), [(True, "info"), (False, "fatal")])
def test_a_scopes_level_beats_a_default_level_and_no_other(level_given, sent):
    scope = Scope()
    scope.set_level("fatal")
    assert applied(current=scope, event={"level": "info"}, level_given=level_given)["level"] == sent


@pytest.mark.spec("EVT-86")
def test_user_and_contexts_are_replaced_as_a_whole():
    isolation, current = Scope(), Scope()
    isolation.update_from_kwargs(user={"id": 1, "email": "e"}, contexts={"state": {"a": 1, "b": 2}})
    current.update_from_kwargs(user={"id": 2}, contexts={"state": {"a": 3}})
    event = applied(isolation=isolation, current=current)
    assert event["user"] == {"id": 2}
    assert event["contexts"]["state"] == {"a": 3}


@pytest.mark.spec("SCO-30")
def test_what_an_event_is_given_shares_nothing_with_the_scopes():
    scope = Scope()
    scope.update_from_kwargs(
        tags={"a": "1"},
        user={"id": 1, "roles": ["a"]},
        extras={"list": [[1]]},
        contexts={"state": {"deep": {"list": [1]}}, "flat": {"a": 1}},
        fingerprint=["a"],
    )
    untouched = copy.deepcopy(event_of(scope))
    event = event_of(scope)
    event["tags"]["a"] = "changed"
    event["user"]["roles"].append("b")
    event["extra"]["list"][0].append(2)
    event["contexts"]["state"]["deep"]["list"].append(2)
    event["contexts"]["flat"]["b"] = 2
    event["fingerprint"].append("b")
    assert event_of(scope) == untouched


@pytest.mark.spec("SCO-29")
def test_tags_that_came_as_pairs_are_understood():
    scope = Scope()
    scope.set_tags({"a": "scope", "b": "scope"})
    event = applied(current=scope, event={"tags": [["a", "event"], "no pair"]})
    assert event["tags"] == {"a": "event", "b": "scope"}


@pytest.mark.parametrize("held", [None, "text", 7])
def test_what_an_event_wrongly_holds_gives_way(held):
    scope = Scope()
    scope.set_tag("a", "1")
    event = applied(current=scope, event={"tags": held, "contexts": held, "breadcrumbs": None})
    assert event["tags"] == {"a": "1"}
    assert list(event["contexts"]) == ["trace"]


@pytest.mark.spec("SCO-29")
def test_an_events_own_breadcrumbs_and_transaction_win():
    scope = Scope()
    scope.add_breadcrumb(message="of the scope")
    scope.set_transaction_name("of the scope", source="route")
    own = {"breadcrumbs": {"values": [{"message": "own"}]}, "transaction": "own"}
    event = applied(current=scope, event=copy.deepcopy(own))
    del event["contexts"]
    assert event == own


@pytest.mark.spec("EVT-90", "EVT-91", "SCO-52", "SCO-54", "PROP-04", "PROP-79")
def test_every_event_has_the_trace_of_the_isolation_scope():
    isolation = Scope(ScopeType.ISOLATION)
    trace = isolation.get_active_propagation_context()
    assert applied(isolation=isolation)["contexts"] == {"trace": {"trace_id": trace.trace_id, "span_id": trace.span_id}}


@pytest.mark.spec("SCO-37", "SCO-43", "CLI-38")
def test_processors_of_scoped_scopes_come_before_global_ones_each_in_order_of_registration():
    current, isolation, call, global_scope = Scope(), Scope(), Scope(), Scope()
    global_scope.add_event_processor("global 1")
    for number, scope in enumerate([isolation, current, call, isolation, current]):
        scope.add_event_processor(f"scoped {number}")
        scope.add_error_processor(f"error {number}")
    global_scope.add_event_processor("global 2")
    data = merged(current, isolation, global_scope, call)
    assert data.processors == (*(f"scoped {number}" for number in range(5)), "global 1", "global 2")
    assert data.error_processors == tuple(f"error {number}" for number in range(5))


def test_a_processor_that_several_scopes_share_comes_once():
    global_scope = Scope()
    global_scope.add_event_processor("global")
    current = Scope()
    current.add_event_processor("current")
    assert merged(current, current.fork(), global_scope).processors == ("current", "global")
    assert merged(global_scope, global_scope, global_scope).processors == ("global",)


@pytest.mark.spec("SCO-43")
def test_an_error_processor_may_be_for_one_class_of_exceptions():
    scope = Scope()
    scope.add_error_processor(lambda event, exc_info: None, LookupError)
    (processor,) = merged(scope, Scope(), Scope()).error_processors

    def answer(error):
        return processor({"event": 1}, (type(error), error, None))

    assert answer(KeyError()) is None
    assert answer(ValueError()) == {"event": 1}


def test_a_tag_without_a_value_is_left_out_for_servers_refuse_it() -> None:
    scope = scope_with({"tags": {"a": "", "b": " ", "c": "\n", "d": "kept"}})
    assert event_of(scope)["tags"] == {"d": "kept"}
