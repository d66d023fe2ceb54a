"""The hub, which scopes have replaced: deprecated."""

from __future__ import annotations

from vedette.compat.hub import Hub, SentryHubDeprecationWarning

__all__ = ["Hub", "SentryHubDeprecationWarning"]
