"""Which loggers are not to be reported. vedette captures nothing from ``logging`` yet; packages that do ask here."""

from __future__ import annotations

__all__ = ["ignore_logger", "unignore_logger"]

_IGNORED_LOGGERS: set[str] = {"vedette", "urllib3.connectionpool"}
"""Names, or patterns of names with ``*``. Read by packages that report log records themselves."""


def ignore_logger(name: str) -> None:
    """Let records of a logger be neither events nor breadcrumbs. ``name`` may hold ``*``."""
    _IGNORED_LOGGERS.add(name)


def unignore_logger(name: str) -> None:
    """Undo `ignore_logger`."""
    _IGNORED_LOGGERS.discard(name)
