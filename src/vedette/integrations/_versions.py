"""Which version of a library is here, found without importing anything, and without asking the library's own code."""

from __future__ import annotations

import os
import sys

from vedette.integrations._packages import version_beside

TYPE_CHECKING = False

__all__ = ["version_of"]


def version_of(library: str, distribution: str = "") -> tuple[int, ...] | None:
    """The numbers of the version of an imported library, such as ``(5, 1)``; None if it does not say.

    From ``__version__``, where the module stores it as a text; else from what was installed beside it.
    """
    module = sys.modules.get(library.partition(".")[0])
    fields = getattr(module, "__dict__", {})
    said = fields.get("__version__")
    if type(said) is not str:
        folder = os.path.dirname(fields.get("__file__") or "")
        beside = os.path.dirname(folder) if "__path__" in fields else folder
        said = version_beside(beside, distribution or library) if beside else ""
    return numbers_in(said) if said else None


def numbers_in(version: str) -> tuple[int, ...] | None:
    """Of ``2.1.0rc1``, ``(2, 1, 0)``."""
    numbers: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits[:9]))
    return tuple(numbers) or None
