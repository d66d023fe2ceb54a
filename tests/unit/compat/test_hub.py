"""`Hub` stands for the scopes and the client that have replaced it."""

from __future__ import annotations

import pytest

import vedette
from tests.programs import run_program
from vedette.hub import Hub, SentryHubDeprecationWarning
from vedette.integrations.atexit import AtexitIntegration
from vedette.testing import MemoryTransport

DSN = "https://key@errors.example.org/7"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def transport() -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, default_integrations=False, integrations=[AtexitIntegration()])
    return transport


@pytest.mark.spec("PAIN-15", "SCO-76", "SCO-78")
@pytest.mark.parametrize("use", [Hub, lambda: Hub.current, lambda: Hub.main])
def test_a_hub_warns_at_the_callers_line(use) -> None:
    with pytest.warns(SentryHubDeprecationWarning, match=r"vedette\.Hub is deprecated: use ") as caught:
        use()
    assert [warning.filename for warning in caught] == [__file__]


def test_the_current_hub_is_the_active_scopes(transport) -> None:
    hub = Hub.current
    assert hub is Hub.current
    hub.scope.set_tag("current", "1")
    hub.add_breadcrumb(message="happened")
    with hub.configure_scope() as scope:
        scope.set_tag("configured", "1")
    hub.capture_message("said", level="warning", tags={"call": "1"})
    (event,) = transport.events
    assert event["tags"] == {"current": "1", "configured": "1", "call": "1"}
    assert event["level"] == "warning"
    assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == ["happened"]
    assert hub.last_event_id() == vedette.last_event_id() == event["event_id"]


@pytest.mark.spec("SCO-02")
def test_no_work_is_done_by_a_hub() -> None:
    done = run_program("""
        import sys
        import vedette
        from vedette.testing import MemoryTransport
        transport = MemoryTransport()
        vedette.init("https://key@errors.example.org/7", transport=transport)
        with vedette.isolation_scope(), vedette.new_scope() as scope:
            scope.set_tag("a", "b")
            vedette.capture_message("without a hub")
        assert len(transport.events) == 1
        print([name for name in sys.modules if name.startswith("vedette.") and "hub" in name])
    """)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_every_capture_of_a_hub_arrives(transport) -> None:
    hub = Hub.current
    try:
        raise ValueError("bad")
    except ValueError as error:
        hub.capture_exception(error)
    hub.capture_event({"message": "by hand"})
    hub.flush(timeout=1)
    exception, by_hand = transport.events
    assert exception["exception"]["values"][0]["value"] == "bad"
    assert "by hand" in str(by_hand)


def test_the_client_is_none_while_disabled() -> None:
    assert Hub.current.client is None
    assert Hub.current.get_integration("atexit") is None


def test_the_client_and_its_integrations_are_found(transport) -> None:
    assert Hub.current.client is vedette.get_client()
    assert Hub.main.client is vedette.get_client()
    assert Hub.current.get_integration(AtexitIntegration) is not None


def test_a_hub_made_of_another_has_forks_of_its_scopes(transport) -> None:
    vedette.set_tag("before", "1")
    with Hub(Hub.current) as hub:
        with hub.configure_scope() as scope:
            scope.set_tag("inside", "1")
        vedette.capture_message("inside")
    vedette.capture_message("outside")
    inside, outside = transport.events
    assert inside["tags"] == {"before": "1", "inside": "1"}
    assert outside["tags"] == {"before": "1"}


def test_a_hub_is_used_without_being_entered(transport) -> None:
    hub = Hub(Hub.current)
    hub.scope.set_tag("mine", "1")
    hub.add_breadcrumb(message="mine")
    hub.capture_message("by the hub")
    vedette.capture_message("by others")
    mine, others = transport.events
    assert mine["tags"] == {"mine": "1"}
    assert "tags" not in others
    assert "breadcrumbs" not in others


def test_a_hub_made_of_a_client_captures_with_it(transport) -> None:
    own = MemoryTransport()
    client = vedette.Client(DSN, transport=own)
    hub = Hub(client)
    assert hub.client is client
    assert hub.run(lambda: vedette.capture_message("by its client")) is not None
    hub.capture_message("again")
    assert len(own.events) == 2
    assert transport.events == []
    client.close()


def test_a_client_is_bound_to_a_hub(transport) -> None:
    own = MemoryTransport()
    with Hub(Hub.current) as hub:
        hub.bind_client(vedette.Client(DSN, transport=own))
        vedette.capture_message("bound")
        vedette.get_client().close()
    assert len(own.events) == 1
    vedette.capture_message("as before")
    assert len(transport.events) == 1


def test_the_main_hub_is_the_whole_process(transport) -> None:
    Hub.main.scope.set_tag("process", "1")
    with vedette.isolation_scope() as scope:
        scope.clear()
        vedette.capture_message("anywhere")
    assert transport.events[0]["tags"] == {"process": "1"}


def test_a_pushed_scope_is_popped_ahead_of_its_end(transport) -> None:
    hub = Hub.current
    with hub.push_scope() as scope:
        scope.set_tag("inside", "1")
        client, popped = hub.pop_scope_unsafe()
        assert popped is scope
        assert client is vedette.get_client()
        vedette.capture_message("popped")
    assert "tags" not in transport.events[0]


def test_a_hub_goes_on_with_a_trace(transport) -> None:
    with Hub(Hub.current) as hub:
        with hub.continue_trace({"sentry-trace": f"{'a' * 32}-{'b' * 16}-1"}):
            hub.capture_message("traced")
        headers = dict(hub.iter_trace_propagation_headers())
        assert headers["sentry-trace"] == hub.get_traceparent()
        assert headers.get("baggage") == hub.get_baggage()
        assert 'name="sentry-trace"' in hub.trace_propagation_meta()
    assert transport.events[0]["contexts"]["trace"]["trace_id"] == "a" * 32
    assert not str(vedette.get_traceparent()).startswith("a" * 32)


def test_what_is_not_built_yet_does_nothing(transport) -> None:
    hub = Hub.current
    with hub.start_transaction(name="job") as transaction, hub.start_span(op="db") as span:
        span.set_data("key", "value")
        transaction.set_tag("a", "b")
    hub.start_session()
    hub.end_session()
    hub.stop_auto_session_tracking()
    hub.resume_auto_session_tracking()
    assert transport.envelopes == []
