from __future__ import annotations

import re

import pytest

from tests.unit._scopes.recording import RecordingClient, in_empty_context
from vedette._scopes.client import NoOpClient
from vedette._scopes.context import active_scopes, get_current_scope, get_isolation_scope, isolation_scope
from vedette._scopes.propagation import PropagationContext, baggage, read_baggage
from vedette._scopes.scope import Scope, ScopeType
from vedette.scope import register_external_propagation_context, remove_external_propagation_context


@pytest.mark.spec("PROP-05", "EVT-90", "EVT-91")
def test_a_trace_has_random_ids_of_the_right_form():
    first, second = PropagationContext(), PropagationContext()
    for trace in (first, second):
        assert re.fullmatch("[0-9a-f]{32}", trace.trace_id)
        assert re.fullmatch("[0-9a-f]{16}", trace.span_id)
        assert trace.trace_context() == {"trace_id": trace.trace_id, "span_id": trace.span_id}
    assert first.trace_id != second.trace_id
    assert first.span_id != second.span_id


def test_a_trace_never_changes():
    trace = PropagationContext("a" * 32, "b" * 16)
    with pytest.raises(AttributeError, match="set_new_propagation_context"):
        trace.trace_id = "c" * 32
    with pytest.raises(AttributeError, match="never changes"):
        del trace.span_id
    assert repr(trace) == f"PropagationContext(trace_id='{'a' * 32}', span_id='{'b' * 16}')"


@pytest.mark.spec("SCO-52", "SCO-53", "SCO-54", "PROP-06")
def test_the_isolation_scope_holds_the_trace():
    trace = get_isolation_scope().get_active_propagation_context()
    assert get_current_scope().get_active_propagation_context() is trace
    assert Scope(ScopeType.CURRENT).get_active_propagation_context() is trace
    with isolation_scope() as fork:
        assert get_current_scope().get_active_propagation_context() is trace
        fork.set_new_propagation_context()
        assert get_current_scope().get_active_propagation_context().trace_id != trace.trace_id
    assert get_current_scope().get_active_propagation_context() is trace


@pytest.mark.spec("EVT-92")
def test_captures_in_a_context_without_scopes_share_a_trace():
    def trace():
        return active_scopes()[1].get_active_propagation_context()

    assert in_empty_context(trace) is in_empty_context(trace)


def test_update_from_scope_takes_over_the_trace():
    scope, other = Scope(ScopeType.ISOLATION), Scope(ScopeType.ISOLATION)
    scope.update_from_scope(other)
    assert scope.get_active_propagation_context() is other.get_active_propagation_context()
    before = scope.get_active_propagation_context()
    scope.update_from_scope(Scope())
    assert scope.get_active_propagation_context() is before


# --- going on with the trace of a caller ------------------------------------------------------------------

TRACE, SPAN = "771a43a4192642f0b136d5159a501700", "b0e6f15b45c36b12"
BAGGAGE = f"other=foo,sentry-trace_id={TRACE},sentry-release=shop%401.2, sentry-sampled=true;p=1,sentry-org_id=1"


class Organized(RecordingClient):
    """A client of an organization."""

    def __init__(self, organization, *, strict=False):
        super().__init__()
        self.options = {"strict_trace_continuation": strict}
        self.trace_fields = {"public_key": "key", "environment": "production"}
        self._organization = organization

    @property
    def organization(self):
        return self._organization


def continuing(incoming, client=None):
    scope = Scope(ScopeType.ISOLATION, client)
    scope.generate_propagation_context(incoming)
    return scope


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("sentry-trace", "baggage"),
        ("Sentry-Trace", "Baggage"),
        ("HTTP_SENTRY_TRACE", "HTTP_BAGGAGE"),
        ("SENTRY_TRACE", "SENTRY_BAGGAGE"),
    ],
)
@pytest.mark.parametrize(("flag", "decision"), [("", None), ("-1", True), ("-0", False)])
def test_an_incoming_trace_is_continued_and_handed_on_as_it_came(name, other, flag, decision):
    scope = continuing({name: f"{TRACE}-{SPAN}{flag}", other: BAGGAGE})
    trace = scope.get_active_propagation_context()
    assert (trace.trace_id, trace.parent_span_id, trace.parent_sampled) == (TRACE, SPAN, decision)
    assert scope.get_trace_context() == {"trace_id": TRACE, "span_id": trace.span_id, "parent_span_id": SPAN}
    assert trace.span_id != SPAN
    assert scope.get_traceparent() == f"{TRACE}-{trace.span_id}{flag}"
    said = {"trace_id": TRACE, "release": "shop@1.2", "sampled": "true", "org_id": "1"}
    assert scope.get_dynamic_sampling_context() == said
    assert (
        scope.get_baggage() == f"sentry-trace_id={TRACE},sentry-release=shop%401.2,sentry-sampled=true,sentry-org_id=1"
    )


@pytest.mark.parametrize(
    "header",
    [
        "",
        "0",
        TRACE,
        f"{TRACE}-{SPAN}-2",
        f"{'0' * 32}-{SPAN}",
        f"{TRACE}-{'0' * 16}",
        f"{TRACE[:-1]}x-{SPAN}",
        7,
        None,
    ],
)
def test_what_is_no_trace_header_begins_a_new_trace(header):
    scope = continuing({"sentry-trace": header, "baggage": BAGGAGE})
    trace = scope.get_active_propagation_context()
    assert trace.trace_id != TRACE
    assert trace.parent_span_id is trace.dynamic_sampling_context is None


@pytest.mark.parametrize("incoming", [None, {}, 7, {1: 2}])
def test_where_nothing_comes_in_a_new_trace_begins(incoming):
    scope = Scope(ScopeType.ISOLATION)
    before = scope.get_active_propagation_context().trace_id
    scope.generate_propagation_context(incoming)
    assert scope.get_active_propagation_context().trace_id != before


def test_a_caller_without_baggage_has_nothing_said_for_it():
    scope = continuing({"sentry-trace": f"{TRACE}-{SPAN}-1"})
    assert scope.get_baggage() is None
    assert list(scope.iter_headers()) == [("sentry-trace", scope.get_traceparent())]


@pytest.mark.parametrize(
    ("theirs", "ours", "strict", "is_continued"),
    [
        ("1", "1", False, True),
        (None, "1", False, True),
        ("1", None, False, True),
        (None, None, False, True),
        ("1", "2", False, False),
        ("1", "1", True, True),
        (None, "1", True, False),
        ("1", None, True, False),
        (None, None, True, True),
        ("1", "2", True, False),
    ],
)
def test_the_trace_of_another_organization_is_not_continued(theirs, ours, strict, is_continued):
    baggage = f"sentry-trace_id={TRACE}" + ("" if theirs is None else f",sentry-org_id={theirs}")
    scope = continuing({"sentry-trace": f"{TRACE}-{SPAN}", "baggage": baggage}, Organized(ours, strict=strict))
    assert (scope.get_active_propagation_context().trace_id == TRACE) is is_continued


def test_the_head_of_a_trace_says_what_it_knows_and_the_same_each_time():
    scope = Scope(ScopeType.ISOLATION, Organized("7"))
    trace_id = scope.get_active_propagation_context().trace_id
    said = scope.get_dynamic_sampling_context()
    assert re.fullmatch(r"0\.[0-9]{6}", said.pop("sample_rand"))
    assert said == {"trace_id": trace_id, "public_key": "key", "environment": "production", "org_id": "7"}
    assert scope.get_traceparent() == f"{trace_id}-{scope.get_active_propagation_context().span_id}"
    assert scope.get_baggage() == scope.get_baggage()
    headers = dict(scope.iter_headers())
    assert headers == {"sentry-trace": scope.get_traceparent(), "baggage": scope.get_baggage()}
    assert dict(scope.iter_trace_propagation_headers(span=None)) == headers
    meta = scope.trace_propagation_meta()
    assert meta == "".join(f'<meta name="{name}" content="{value}">' for name, value in headers.items())


def test_nothing_is_handed_on_while_there_is_no_client_at_work():
    assert list(Scope(ScopeType.ISOLATION, NoOpClient()).iter_trace_propagation_headers()) == []


def test_baggage_survives_the_way_there_and_back():
    said = {"transaction": 'a,b;c=d "e" <ü>', "release": "shop@1.2+3"}
    assert read_baggage(baggage(said)) == said


@pytest.mark.parametrize("text", ["sentry-a=" + "x" * 9000, "sentry-a", "=,;", 7, None, "x=sentry-"])
def test_baggage_that_cannot_be_read_says_nothing(text):
    assert read_baggage(text) == {}


# --- the trace of another library -------------------------------------------------------------------------


@pytest.fixture
def external():
    yield register_external_propagation_context
    remove_external_propagation_context()


def test_events_belong_to_the_trace_that_another_library_names(client, external):
    external(lambda: (TRACE, SPAN))
    get_current_scope().capture_message("m")
    external(lambda: None)
    get_current_scope().capture_message("m")
    remove_external_propagation_context()
    get_current_scope().capture_message("m")
    first, *others = [event["contexts"]["trace"] for event in client.events]
    assert first == {"trace_id": TRACE, "span_id": SPAN}
    assert others[0] == others[1] != first


@pytest.mark.parametrize("answer", [7, ("x", "y"), (1, 2, 3), ()])
def test_an_answer_that_names_no_trace_is_ignored(external, answer):
    external(lambda: answer)
    own = get_isolation_scope().get_trace_context()
    assert own["trace_id"] != TRACE
    assert own == get_isolation_scope().get_trace_context()


def test_a_library_that_fails_is_warned_of_and_does_no_harm(client, external, caplog):
    external(lambda: 1 / 0)
    get_current_scope().capture_message("m")
    assert len(client.events) == 1
    assert "external propagation context raised" in caplog.text
