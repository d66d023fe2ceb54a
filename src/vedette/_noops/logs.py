"""The logger of structured logs, without logs."""

from __future__ import annotations

from vedette._noops import not_built

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_LOGS: Final = "structured logs are"


def trace(template: str, attributes: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """Do nothing: structured logs are not built yet."""
    not_built(_LOGS, "logger.trace")


def debug(template: str, attributes: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """Do nothing: structured logs are not built yet."""
    not_built(_LOGS, "logger.debug")


def info(template: str, attributes: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """Do nothing: structured logs are not built yet."""
    not_built(_LOGS, "logger.info")


def warning(template: str, attributes: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """Do nothing: structured logs are not built yet."""
    not_built(_LOGS, "logger.warning")


def error(template: str, attributes: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """Do nothing: structured logs are not built yet."""
    not_built(_LOGS, "logger.error")


def fatal(template: str, attributes: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """Do nothing: structured logs are not built yet."""
    not_built(_LOGS, "logger.fatal")
