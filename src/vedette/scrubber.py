"""What may leave the process: the public face of vedette's scrubbing and of the option ``data_collection``."""

from __future__ import annotations

from vedette._privacy.collection import HeaderConfig, KeyValueCollectionBehavior
from vedette._privacy.event_scrubber import DEFAULT_DENYLIST, DEFAULT_PII_DENYLIST, EventScrubber

__all__ = [
    "DEFAULT_DENYLIST",
    "DEFAULT_PII_DENYLIST",
    "EventScrubber",
    "HeaderConfig",
    "KeyValueCollectionBehavior",
]
