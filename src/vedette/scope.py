"""Scopes: the public face of vedette's scope chain."""

from __future__ import annotations

from vedette._scopes.context import (
    add_global_event_processor,
    should_send_default_pii,
    use_isolation_scope,
    use_scope,
)
from vedette._scopes.propagation import register_external_propagation_context, remove_external_propagation_context
from vedette._scopes.scope import Scope, ScopeType

__all__ = [
    "Scope",
    "ScopeType",
    "add_global_event_processor",
    "register_external_propagation_context",
    "remove_external_propagation_context",
    "should_send_default_pii",
    "use_isolation_scope",
    "use_scope",
]
