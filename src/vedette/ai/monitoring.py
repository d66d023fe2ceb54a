"""Spans of AI pipelines; nothing is recorded, for tracing is not built yet."""

from __future__ import annotations

from vedette._noops.ai import ai_track, get_ai_pipeline_name, record_token_usage, set_ai_pipeline_name

__all__ = ["ai_track", "get_ai_pipeline_name", "record_token_usage", "set_ai_pipeline_name"]
