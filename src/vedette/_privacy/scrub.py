"""PLACEHOLDER so that `import vedette` works while the real one is being written. Overwrite this file."""

from __future__ import annotations


def scrub_event(event: object, denylist: object) -> None:
    """To be written."""
