"""Structured logs; nothing is sent, for they are not built yet."""

from __future__ import annotations

from vedette._noops.logs import debug, error, fatal, info, trace, warning

__all__ = ["debug", "error", "fatal", "info", "trace", "warning"]
