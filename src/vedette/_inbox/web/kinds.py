"""What kinds of items there are, the place each is shown in, and their names for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vedette._inbox.words import grouped

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGS: Final = ("log", "otel_log")
TRACES: Final = ("transaction", "span")
NOT_OTHER: Final = (*LOGS, *TRACES)
"""Types that have a place of their own."""

OTHER: Final = {
    "attachment": "attachments",
    "session": "sessions",
    "sessions": "session counts",
    "check_in": "check-ins",
    "client_report": "client reports",
    "feedback": "feedback",
    "user_report": "user reports",
    "trace_metric": "metrics",
    "statsd": "old metrics",
    "profile": "profiles",
    "profile_chunk": "profile chunks",
    "replay_event": "replays",
    "replay_recording": "replay recordings",
    "empty": "empty envelopes",
}
"""Types that stand under ``/other`` by their name; what isn't here is unrecognized."""

_CATEGORIES: Final = {
    "default": ("event", "events"),
    "error": ("error", "errors"),
    "transaction": ("transaction", "transactions"),
    "span": ("span", "spans"),
    "attachment": ("byte of attachments", "bytes of attachments"),
    "attachment_item": ("attachment", "attachments"),
    "session": ("session", "sessions"),
    "monitor": ("check-in", "check-ins"),
    "feedback": ("feedback", "feedbacks"),
    "log_item": ("log record", "log records"),
    "log_byte": ("byte of logs", "bytes of logs"),
    "trace_metric": ("metric", "metrics"),
    "trace_metric_byte": ("byte of metrics", "bytes of metrics"),
    "metric_bucket": ("bucket of metrics", "buckets of metrics"),
    "profile": ("profile", "profiles"),
    "profile_chunk": ("profile chunk", "profile chunks"),
    "replay": ("replay", "replays"),
    "security": ("security report", "security reports"),
}


def quantity(number: int, category: str) -> str:
    """So many of a data category, in words: ``14 errors``."""
    one, many = _CATEGORIES.get(category, (f"of {category}", f"of {category}"))
    return f"{grouped(number)} {one if number == 1 else many}"


def counted(number: int, one: str, many: str = "") -> str:
    """``1 issue``, ``2 000 issues``."""
    return f"{grouped(number)} {one if number == 1 else many or one + 's'}"


def sum_of(counts: Mapping[str, int], types: tuple[str, ...]) -> int:
    """How many items there are of these types."""
    return sum(counts.get(kind, 0) for kind in types)
