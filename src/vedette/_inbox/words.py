"""Numbers as people read them, in the terminal and on pages."""

from __future__ import annotations

from vedette._inbox.limits import KIB, MIB


def grouped(number: int) -> str:
    """A number with its thousands apart: ``2 000``."""
    return f"{number:,}".replace(",", " ")


def size_in_words(number: int) -> str:
    """Bytes: ``512 B``, ``2.1 KiB``."""
    if number < KIB:
        return f"{number} B"
    return f"{number / KIB:.1f} KiB" if number < MIB else f"{number / MIB:.1f} MiB"
