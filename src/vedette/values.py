"""Values: how vedette shows objects, and how to have your own classes shown your way. See docs/values.md."""

from __future__ import annotations

from vedette._events.registered_values import register, unregister
from vedette._scopes.rendering import render, to_json

__all__ = ["register", "render", "to_json", "unregister"]
