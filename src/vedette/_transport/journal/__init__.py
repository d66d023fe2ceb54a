"""The journal: captured envelopes on disk, until they are delivered (``cache_dir``).

Loaded when it is asked for: it is a good part of vedette's import, and most programs have none.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vedette._transport.journal.journal import Journal
    from vedette._transport.journal.segment import Entry

__all__ = ["Entry", "Journal"]

_MODULES = {"Entry": "segment", "Journal": "journal"}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - for this only

    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
