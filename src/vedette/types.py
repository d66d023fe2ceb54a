"""The shapes of events, breadcrumbs, hints and options, for annotations."""

from __future__ import annotations

from vedette._host.stats import Stats
from vedette._options.typed import DataCollection, Options
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
    "DataCollection",
    "Event",
    "EventDataCategory",
    "EventProcessor",
    "ExcInfo",
    "Hint",
    "LogLevel",
    "Options",
    "Stats",
]
