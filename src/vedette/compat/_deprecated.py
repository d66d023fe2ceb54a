"""How a deprecated name speaks up: at the caller's line, naming its successor (ruling 43)."""

from __future__ import annotations

import warnings

from vedette._host import callers


def warn(name: str, successor: str, category: type[DeprecationWarning] = DeprecationWarning) -> None:
    """Warn of a deprecated name; Python shows it once a line, unless told otherwise."""
    message = f"vedette.{name} is deprecated: use {successor}"
    warnings.warn(message, category, stacklevel=callers.frame_and_level()[1])
