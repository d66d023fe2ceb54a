"""Check-ins of jobs; nothing is sent, for check-ins are not built yet."""

from __future__ import annotations

from vedette.crons.api import capture_checkin
from vedette.crons.consts import MonitorStatus
from vedette.crons.decorator import monitor

__all__ = ["MonitorStatus", "capture_checkin", "monitor"]
