"""Scopes: the public face of vedette's scope chain."""

from __future__ import annotations

from vedette._scopes.context import use_isolation_scope, use_scope
from vedette._scopes.scope import Scope

__all__ = ["Scope", "use_isolation_scope", "use_scope"]
