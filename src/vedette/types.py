"""The shapes of events, breadcrumbs, hints and options, for annotations."""

from __future__ import annotations

from vedette._host.stats import Stats
from vedette._options.typed import DataCollection, Options
from vedette._protocol.types import (
    Breadcrumb,
    BreadcrumbHint,
    BreadcrumbProcessor,
    ErrorProcessor,
    ErrorSampler,
    Event,
    EventDataCategory,
    EventProcessor,
    ExceptionValue,
    ExcInfo,
    Frame,
    Hint,
    Log,
    LogLevel,
    Mechanism,
    Metric,
    MonitorConfig,
    Request,
    SamplingContext,
    Stacktrace,
    User,
)

__all__ = [
    "Breadcrumb",
    "BreadcrumbHint",
    "BreadcrumbProcessor",
    "DataCollection",
    "ErrorProcessor",
    "ErrorSampler",
    "Event",
    "EventDataCategory",
    "EventProcessor",
    "ExcInfo",
    "ExceptionValue",
    "Frame",
    "Hint",
    "Log",
    "LogLevel",
    "Mechanism",
    "Metric",
    "MonitorConfig",
    "Options",
    "Request",
    "SamplingContext",
    "Stacktrace",
    "Stats",
    "User",
]
