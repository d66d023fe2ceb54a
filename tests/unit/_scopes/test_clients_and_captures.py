from __future__ import annotations

import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit._scopes.recording import RecordingClient, in_empty_context
from vedette._scopes.client import BaseClient, NoOpClient
from vedette._scopes.context import (
    get_client,
    get_current_scope,
    get_global_scope,
    get_isolation_scope,
    isolation_scope,
    new_scope,
)
from vedette._scopes.scope import Scope


@pytest.mark.spec("CLI-29", "CLI-30", "SCO-49", "SCO-50")
def test_the_most_specific_scope_that_has_a_client_gives_it(client):
    of_isolation, of_current = RecordingClient(), RecordingClient()
    with isolation_scope() as isolation, new_scope() as current:
        assert get_client() is client
        isolation.set_client(of_isolation)
        assert get_client() is of_isolation
        current.set_client(of_current)
        assert get_client() is of_current
        assert Scope.get_client() is of_current
        current.set_client(None)
        assert get_client() is of_isolation
    assert get_client() is client


@pytest.mark.spec("CLI-27", "CLI-28", "SCO-47", "SCO-48")
def test_there_is_a_client_even_where_none_is_bound():
    get_global_scope().set_client(None)
    assert isinstance(get_client(), NoOpClient)
    assert isinstance(get_global_scope().client, NoOpClient)
    get_global_scope().client = None
    assert isinstance(get_client(), NoOpClient)
    assert isinstance(in_empty_context(get_client), NoOpClient)


@pytest.mark.spec("CLI-06", "SCO-06")
def test_a_new_process_has_a_global_scope_with_a_client_that_does_nothing():
    program = (
        "from vedette._scopes.context import get_global_scope, get_client\n"
        "from vedette._scopes.client import NoOpClient\n"
        "assert type(get_global_scope().client) is NoOpClient is type(get_client())\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


@pytest.mark.spec("CLI-05")
def test_the_idle_client_does_nothing():
    def fail(*args):
        raise AssertionError

    client = NoOpClient()
    assert client.capture_event({"message": "m"}) is None
    assert client.capture_exception(ValueError()) is None
    assert client.capture_message("m") is None
    assert client.record_breadcrumb({}, {}) is None
    assert client.get_integration("logging") is None
    assert client.flush(1.0, callback=fail) is None
    assert client.close(1.0, callback=fail) is None
    assert client.is_active() is False
    assert client.dsn is None
    assert client.options["sample_rate"] == 1.0
    assert client.should_send_default_pii() is False
    assert client.parsed_dsn is None
    undo = client.on("before_envelope", fail)
    assert client.emit("before_envelope", 1) is None
    assert undo() is None
    with client as entered:
        assert entered is client


def test_the_idle_client_renders_for_the_events_that_come_after_init(client):
    get_global_scope().set_client(None)
    get_isolation_scope().set_tag("early", object)
    assert isinstance(BaseClient().render(object()), str)
    get_global_scope().set_client(client)
    get_current_scope().capture_message("m")
    assert "object" in client.events[0]["tags"]["early"]


def test_a_capture_on_the_current_scope_gets_the_data_of_all_three(client):
    get_global_scope().set_tag("global", "1")
    get_isolation_scope().set_tag("isolation", "1")
    with new_scope() as scope:
        scope.set_tag("current", "1")
        error = ValueError()
        assert scope.capture_exception(error) == f"{1:032x}"
        assert scope.capture_message("m", "warning") == f"{2:032x}"
        assert scope.capture_event({"message": "e"}) == f"{3:032x}"
    of_exception, of_message, of_event = client.events
    assert of_exception["exception"] is error
    assert (of_message["message"], of_message["level"]) == ("m", "warning")
    assert of_event["message"] == "e"
    assert all(event["tags"] == {"global": "1", "isolation": "1", "current": "1"} for event in client.events)


@pytest.mark.spec("SCO-04")
def test_data_of_the_global_scope_is_in_the_events_of_every_context(client):
    get_global_scope().set_tag("global", "1")

    def capture():
        get_current_scope().capture_message("m")

    capture()
    in_empty_context(capture)
    with isolation_scope():
        capture()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(capture).result()
    assert [event["tags"] for event in client.events] == [{"global": "1"}] * 4


@pytest.mark.spec("SCO-28", "SCO-30")
def test_the_data_of_a_capture_call_wins_and_stays_with_the_call(client):
    with new_scope() as scope:
        scope.update_from_kwargs(tags={"a": "scope", "b": "scope"}, user={"id": 1}, level="info")
        extra = Scope()
        extra.set_tags({"b": "extra", "c": "extra"})
        scope.capture_message(
            "m",
            scope=extra,
            tags={"c": "call"},
            user={"name": "x"},
            extras={"e": 1},
            contexts={"k": {"v": 1}},
            fingerprint=["f"],
        )
        scope.capture_exception(ValueError(), level="fatal")
        scope.capture_message("plain")
    called, of_exception, plain = client.events
    assert called["tags"] == {"a": "scope", "b": "extra", "c": "call"}
    assert (called["user"], called["extra"], called["fingerprint"]) == ({"name": "x"}, {"e": 1}, ["f"])
    assert called["contexts"]["k"] == {"v": 1}
    assert of_exception["level"] == "fatal"
    assert (plain["tags"], plain["user"]) == ({"a": "scope", "b": "scope"}, {"id": 1})


@pytest.mark.spec("SCO-28")
def test_a_function_may_write_the_scope_of_one_capture(client):
    get_current_scope().set_tag("a", "scope")
    capture = get_current_scope().capture_message
    capture("m", scope=lambda scope: scope.set_tags({"a": "function", "b": "function"}), tags={"b": "call"})
    capture("m")
    assert [event["tags"] for event in client.events] == [{"a": "function", "b": "call"}, {"a": "scope"}]


def test_a_function_that_fails_to_write_the_scope_of_a_capture_does_not_lose_the_event(client, caplog):
    get_current_scope().capture_message("m", scope=lambda scope: 1 / 0)
    assert len(client.events) == 1
    assert "the function given as scope= of a capture raised" in caplog.text


@pytest.mark.parametrize("wrong", [7, "text"])
def test_what_is_neither_scope_nor_function_is_ignored(client, wrong):
    get_current_scope().capture_message("m", scope=wrong)
    assert len(client.events) == 1


def test_a_scope_that_is_not_active_captures_on_top_of_those_that_are(client):
    get_current_scope().set_tags({"a": "active", "b": "active"})
    detached = Scope()
    detached.set_tags({"b": "detached", "c": "detached"})
    detached.capture_message("m", tags={"c": "call"})
    assert client.events[0]["tags"] == {"a": "active", "b": "detached", "c": "call"}


def test_the_isolation_scope_does_not_beat_the_current_one_when_it_captures(client):
    get_isolation_scope().set_tag("a", "isolation")
    with new_scope() as scope:
        scope.set_tag("a", "current")
        get_isolation_scope().capture_message("m")
    assert client.events[0]["tags"] == {"a": "current"}


def test_a_scope_captures_with_the_client_that_is_bound_to_it(client):
    own = RecordingClient()
    Scope(client=own).capture_event({"message": "m"})
    assert (len(own.events), len(client.events)) == (1, 0)


def test_an_unknown_argument_of_a_capture_is_named_and_the_event_goes_out(client, caplog):
    caplog.set_level(logging.WARNING, "vedette")
    get_current_scope().capture_message("m", tag={"a": 1}, tags={"b": "2"})
    assert client.events[0]["tags"] == {"b": "2"}
    assert "takes no argument tag, it is ignored; there are user, level," in caplog.text


@pytest.mark.spec("SCO-40")
def test_the_last_event_id_is_that_of_this_execution_context():
    assert Scope.last_event_id() is None
    with isolation_scope():
        sent = get_current_scope().capture_message("m")
        with new_scope():
            assert Scope.last_event_id() == sent
        with isolation_scope():
            assert Scope.last_event_id() is None
    assert Scope.last_event_id() is None
    assert in_empty_context(Scope.last_event_id) is None
