"""Uncaught exceptions of the main thread, by ``sys.excepthook`` (ERR-01, ERR-03)."""

from __future__ import annotations

from vedette.integrations._interpreter import ExcepthookIntegration

__all__ = ["ExcepthookIntegration"]
