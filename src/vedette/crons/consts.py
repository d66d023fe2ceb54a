"""How a job stands."""

from __future__ import annotations

from vedette._noops.check_ins import MonitorStatus

__all__ = ["MonitorStatus"]
