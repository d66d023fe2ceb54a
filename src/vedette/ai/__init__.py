"""Monitoring of AI pipelines; nothing is sent, for tracing is not built yet."""

from __future__ import annotations

from vedette.ai.monitoring import ai_track, record_token_usage, set_ai_pipeline_name

__all__ = ["ai_track", "record_token_usage", "set_ai_pipeline_name"]
