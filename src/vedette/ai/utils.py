"""Which conversation a span of an AI pipeline belongs to; nothing is recorded, for tracing is not built yet."""

from __future__ import annotations

from vedette._noops.ai import set_conversation_id

__all__ = ["set_conversation_id"]
