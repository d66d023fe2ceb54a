"""Streamed spans, of which none is recorded, for they are not built yet; and which trace errors belong to."""

from __future__ import annotations

from vedette._noops.names import SegmentNameSource, SpanStatus
from vedette._noops.spans import StreamedSpan
from vedette._noops.streaming import get_current_span, start_span, trace
from vedette._scopes.traces import continue_trace, new_trace

__all__ = [
    "SegmentNameSource",
    "SpanStatus",
    "StreamedSpan",
    "continue_trace",
    "get_current_span",
    "new_trace",
    "start_span",
    "trace",
]
