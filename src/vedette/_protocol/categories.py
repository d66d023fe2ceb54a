"""What kinds of data there are for rate limits and client reports, and why data can be lost.

Data categories are not item types: similar, not the same (RATE-36). The names are the protocol's own; a new
one needs an entry at the server first (CR-68).
"""

from __future__ import annotations

from vedette._enumeration import TextEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class DataCategory(TextEnum):
    """What a quantity counts."""

    DEFAULT = "default"
    ERROR = "error"
    TRANSACTION = "transaction"
    SPAN = "span"
    ATTACHMENT = "attachment"
    """Bytes, at least 1 for each attachment."""
    ATTACHMENT_ITEM = "attachment_item"
    SESSION = "session"
    MONITOR = "monitor"
    FEEDBACK = "feedback"
    LOG_ITEM = "log_item"
    LOG_BYTE = "log_byte"
    TRACE_METRIC = "trace_metric"
    TRACE_METRIC_BYTE = "trace_metric_byte"
    METRIC_BUCKET = "metric_bucket"
    PROFILE = "profile"
    PROFILE_CHUNK = "profile_chunk"
    PROFILE_CHUNK_UI = "profile_chunk_ui"
    PROFILE_DURATION = "profile_duration"
    PROFILE_DURATION_UI = "profile_duration_ui"
    REPLAY = "replay"
    SECURITY = "security"
    INTERNAL = "internal"
    """Client reports. Never recorded as lost, never limited by name (CR-10, RATE-34)."""


class DiscardReason(TextEnum):
    """Why something did not arrive, in the words of client reports."""

    QUEUE_OVERFLOW = "queue_overflow"
    CACHE_OVERFLOW = "cache_overflow"
    BUFFER_OVERFLOW = "buffer_overflow"
    RATELIMIT_BACKOFF = "ratelimit_backoff"
    NETWORK_ERROR = "network_error"
    SEND_ERROR = "send_error"
    SAMPLE_RATE = "sample_rate"
    BACKPRESSURE = "backpressure"
    BEFORE_SEND = "before_send"
    EVENT_PROCESSOR = "event_processor"
    CALLBACK_ERROR = "callback_error"
    IGNORED = "ignored"
    INVALID = "invalid"
    INSUFFICIENT_DATA = "insufficient_data"
    NO_PARENT_SPAN = "no_parent_span"
    INTERNAL_SDK_ERROR = "internal_sdk_error"


KNOWN_CATEGORIES: Final[dict[str, DataCategory]] = {category.value: category for category in DataCategory}
"""By name. What is not in here is unknown, and a rate limit for it is ignored (RATE-26)."""

_CATEGORY_OF_ITEM: Final[dict[str, DataCategory]] = {
    "event": DataCategory.ERROR,
    "transaction": DataCategory.TRANSACTION,
    "feedback": DataCategory.FEEDBACK,
    "user_report": DataCategory.FEEDBACK,
    "attachment": DataCategory.ATTACHMENT,
    "session": DataCategory.SESSION,
    "sessions": DataCategory.SESSION,
    "check_in": DataCategory.MONITOR,
    "log": DataCategory.LOG_ITEM,
    "otel_log": DataCategory.LOG_ITEM,
    "trace_metric": DataCategory.TRACE_METRIC,
    "span": DataCategory.SPAN,
    "client_report": DataCategory.INTERNAL,
    "profile": DataCategory.PROFILE,
    "profile_chunk": DataCategory.PROFILE_CHUNK,
    "replay_event": DataCategory.REPLAY,
    "replay_recording": DataCategory.REPLAY,
    "statsd": DataCategory.METRIC_BUCKET,
    "metric_buckets": DataCategory.METRIC_BUCKET,
}

LIMITED_WITH: Final[dict[DataCategory, tuple[DataCategory, ...]]] = {
    DataCategory.ATTACHMENT: (DataCategory.ATTACHMENT_ITEM,),
    DataCategory.LOG_ITEM: (DataCategory.LOG_BYTE,),
    DataCategory.TRACE_METRIC: (DataCategory.TRACE_METRIC_BYTE,),
    DataCategory.PROFILE_CHUNK: (
        DataCategory.PROFILE_CHUNK_UI,
        DataCategory.PROFILE_DURATION,
        DataCategory.PROFILE_DURATION_UI,
    ),
}
"""Categories whose limit stops the data of another one, too: one on bytes stops what the bytes are of."""


def category_of_item_type(item_type: str) -> DataCategory:
    """The category that an envelope item of this type counts as; ``default`` for a type that is not known."""
    return _CATEGORY_OF_ITEM.get(item_type, DataCategory.DEFAULT)
