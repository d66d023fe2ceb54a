"""The end of the program: what waits is sent (TRN-17, TRN-18)."""

from __future__ import annotations

from vedette.integrations._interpreter import AtexitIntegration

__all__ = ["AtexitIntegration"]
