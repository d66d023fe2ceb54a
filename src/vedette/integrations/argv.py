"""The arguments of the command line, as ``extra["sys.argv"]`` of error events (FW-argv-02)."""

from __future__ import annotations

from vedette.integrations._interpreter import ArgvIntegration

__all__ = ["ArgvIntegration"]
