"""Metrics; nothing is sent, for they are not built yet."""

from __future__ import annotations

from vedette._noops.measures import count, distribution, gauge

__all__ = ["count", "distribution", "gauge"]
