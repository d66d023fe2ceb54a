"""What a user feedback consists of (feedback page)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

FIELDS: Final = ("message", "contact_email", "name", "url", "associated_event_id", "replay_id")
"""The keys of ``contexts.feedback``; only ``message`` is required (FBK-29, FBK-31, FBK-34)."""
MOST_CHARACTERS: Final = 4096
"""Of a message (FBK-30)."""
