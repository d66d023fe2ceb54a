"""Profiles; nothing is sent, for they are not built yet."""

from __future__ import annotations

from vedette._noops.measures import start_profile_session, start_profiler, stop_profile_session, stop_profiler

__all__ = ["start_profile_session", "start_profiler", "stop_profile_session", "stop_profiler"]
