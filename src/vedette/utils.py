"""What packages that report to the unified API import from it, though it is not documented there."""

from __future__ import annotations

from vedette._protocol.dsn import BadDsn, Dsn
from vedette.compat.bridging import (
    AnnotatedValue,
    capture_internal_exceptions,
    current_stacktrace,
    event_from_exception,
    exc_info_from_error,
    logger,
    transaction_from_function,
)

__all__ = [
    "AnnotatedValue",
    "BadDsn",
    "Dsn",
    "capture_internal_exceptions",
    "current_stacktrace",
    "event_from_exception",
    "exc_info_from_error",
    "logger",
    "transaction_from_function",
]
