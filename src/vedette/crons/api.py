"""One check-in."""

from __future__ import annotations

from vedette._noops.check_ins import capture_checkin

__all__ = ["capture_checkin"]
