"""The shapes of events, breadcrumbs and hints, for annotations."""

from __future__ import annotations

from vedette._host.stats import Stats
from vedette._protocol.types import (
    Breadcrumb,
    BreadcrumbHint,
    BreadcrumbProcessor,
    Event,
    EventDataCategory,
    EventProcessor,
    ExcInfo,
    Hint,
    LogLevel,
)

__all__ = [
    "Breadcrumb",
    "BreadcrumbHint",
    "BreadcrumbProcessor",
    "Event",
    "EventDataCategory",
    "EventProcessor",
    "ExcInfo",
    "Hint",
    "LogLevel",
    "Stats",
]
