from __future__ import annotations

import re

import pytest

from tests.unit._scopes.recording import in_empty_context
from vedette._scopes.context import active_scopes, get_current_scope, get_isolation_scope, isolation_scope
from vedette._scopes.propagation import PropagationContext
from vedette._scopes.scope import Scope, ScopeType


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
