"""The journal: captured envelopes on disk, until they are delivered (``cache_dir``)."""

from __future__ import annotations

from vedette._transport.journal.journal import Journal
from vedette._transport.journal.segment import Entry

__all__ = ["Entry", "Journal"]
