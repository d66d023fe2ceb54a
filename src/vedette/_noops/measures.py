"""Metrics and profiles, without either."""

from __future__ import annotations

from vedette._noops import not_built

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_METRICS: Final = "metrics are"
_PROFILES: Final = "profiles are"


def count(name: str, value: float, unit: str | None = None, attributes: dict[str, Any] | None = None) -> None:
    """Do nothing: metrics are not built yet."""
    not_built(_METRICS, "metrics.count")


def gauge(name: str, value: float, unit: str | None = None, attributes: dict[str, Any] | None = None) -> None:
    """Do nothing: metrics are not built yet."""
    not_built(_METRICS, "metrics.gauge")


def distribution(name: str, value: float, unit: str | None = None, attributes: dict[str, Any] | None = None) -> None:
    """Do nothing: metrics are not built yet."""
    not_built(_METRICS, "metrics.distribution")


def start_profiler() -> None:
    """Do nothing: profiles are not built yet."""
    not_built(_PROFILES, "start_profiler")


def stop_profiler() -> None:
    """Do nothing: profiles are not built yet."""
    not_built(_PROFILES, "stop_profiler")


def start_profile_session() -> None:
    """Do nothing: profiles are not built yet."""
    not_built(_PROFILES, "start_profile_session")


def stop_profile_session() -> None:
    """Do nothing: profiles are not built yet."""
    not_built(_PROFILES, "stop_profile_session")
