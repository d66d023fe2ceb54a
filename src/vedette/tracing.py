"""Spans and transactions; nothing is recorded, for tracing is not built yet."""

from __future__ import annotations

from vedette._noops.names import TransactionSource
from vedette._noops.spans import NoOpSpan, Span, Transaction
from vedette._noops.tracing import trace
from vedette._scopes.propagation import BAGGAGE as BAGGAGE_HEADER_NAME
from vedette._scopes.propagation import SENTRY_TRACE as SENTRY_TRACE_HEADER_NAME

__all__ = [
    "BAGGAGE_HEADER_NAME",
    "SENTRY_TRACE_HEADER_NAME",
    "NoOpSpan",
    "Span",
    "Transaction",
    "TransactionSource",
    "trace",
]
