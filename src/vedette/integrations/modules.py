"""The installed packages and their versions, as ``modules`` of an event (INT-25 to INT-27, FW-modules-02)."""

from __future__ import annotations

from vedette.integrations._interpreter import ModulesIntegration

__all__ = ["ModulesIntegration"]
