"""Going on with a trace, or beginning one, from where no scope is at hand: on the isolation scope."""

from __future__ import annotations

from vedette._scopes.scope import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def continue_trace(incoming: Mapping[str, str]) -> None:
    """Go on with the trace of a caller, told by its headers; with a new one if there is none among them (PROP-93)."""
    Scope.get_isolation_scope().generate_propagation_context(incoming)


def new_trace() -> None:
    """Let what comes from now on belong to a new trace (PROP-98)."""
    Scope.get_isolation_scope().set_new_propagation_context()
