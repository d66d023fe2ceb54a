"""Check-ins around a job."""

from __future__ import annotations

from vedette._noops.check_ins import monitor

__all__ = ["monitor"]
