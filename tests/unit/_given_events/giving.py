"""Events that a program made by hand, and what is sent of them."""

from __future__ import annotations

import time
from typing import Any

from sentry_relay.processing import StoreNormalizer

import vedette
from vedette.testing import MemoryTransport

DSN = "https://key@errors.example.org/7"


def sent(event: Any, **options: Any) -> dict[str, Any]:
    """What arrives of an event that was given to ``capture_event``."""
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, default_integrations=False, **options)
    vedette.capture_event(event)
    return transport.events[-1]


def faults_in(meta: Any) -> list[str]:
    """The places that ``_meta`` says something about."""
    found = []
    for key, branch in meta.items():
        if key != "":
            found += [f"{key}.{below}".rstrip(".") for below in faults_in(branch)]
        elif branch:
            found.append("")
    return sorted(found)


def refused_by_relay(event: dict[str, Any]) -> list[dict[str, Any]]:
    """What the servers' own normalizer would not take, besides what vedette itself has said to be wrong."""
    normalizer = StoreNormalizer(
        project_id=1,
        protocol_version="7",
        max_secs_in_future=60,
        max_secs_in_past=30 * 24 * 3600,
        enable_trimming=True,
        remove_other=True,
    )
    normalized = normalizer.normalize_event(event={"received": time.time(), **event})
    ours = set(faults_in(event.get("_meta", {})))
    return [error for error in normalized.get("errors", []) if error.get("name") not in ours]
