"""Exceptions that Python could raise nowhere, by ``sys.unraisablehook``: of ``__del__`` and other finalizers."""

from __future__ import annotations

from vedette.integrations._interpreter import UnraisablehookIntegration

__all__ = ["UnraisablehookIntegration"]
