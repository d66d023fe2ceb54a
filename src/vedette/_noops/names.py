"""Words that spans are described with, for code that hands them over."""

from __future__ import annotations

from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class _AnyName(type):
    """Every name in capital letters is an attribute; its value is the name in small letters, with dots."""

    def __getattr__(cls, name: str) -> str:
        if not name.isupper() or name.startswith("_"):
            raise AttributeError(f"{cls.__name__} has no attribute {name!r}")
        return name.lower().replace("_", ".")


class OP(metaclass=_AnyName):
    """Operations of spans, such as ``OP.HTTP_CLIENT``. No list is kept while spans are not recorded: any name will do.

    The value is derived from the name, and may differ from that of the unified API.
    """


class SPANDATA(metaclass=_AnyName):
    """Keys of a span's data, such as ``SPANDATA.DB_NAME``. As with `OP`, any name will do."""


class SPANSTATUS:
    """How a span ended (tracing.md)."""

    OK: Final = "ok"
    CANCELLED: Final = "cancelled"
    UNKNOWN_ERROR: Final = "unknown_error"
    INVALID_ARGUMENT: Final = "invalid_argument"
    DEADLINE_EXCEEDED: Final = "deadline_exceeded"
    NOT_FOUND: Final = "not_found"
    ALREADY_EXISTS: Final = "already_exists"
    PERMISSION_DENIED: Final = "permission_denied"
    RESOURCE_EXHAUSTED: Final = "resource_exhausted"
    FAILED_PRECONDITION: Final = "failed_precondition"
    ABORTED: Final = "aborted"
    OUT_OF_RANGE: Final = "out_of_range"
    UNIMPLEMENTED: Final = "unimplemented"
    INTERNAL_ERROR: Final = "internal_error"
    UNAVAILABLE: Final = "unavailable"
    DATA_LOSS: Final = "data_loss"
    UNAUTHENTICATED: Final = "unauthenticated"


class INSTRUMENTER:
    """Who makes spans."""

    SENTRY: Final = "sentry"
    OTEL: Final = "otel"


class SPANTEMPLATE(str, Enum):
    """What a span of `trace` stands for."""

    DEFAULT = "default"
    AI_AGENT = "ai_agent"
    AI_TOOL = "ai_tool"
    AI_CHAT = "ai_chat"


class TransactionSource(str, Enum):
    """Where the name of a transaction comes from."""

    COMPONENT = "component"
    CUSTOM = "custom"
    ROUTE = "route"
    TASK = "task"
    URL = "url"
    VIEW = "view"

    def __str__(self) -> str:
        return str(self.value)


class SpanStatus(str, Enum):
    """How a span ended."""

    OK = "ok"
    ERROR = "error"

    def __str__(self) -> str:
        return str(self.value)


class SegmentNameSource(str, Enum):
    """Where the name of a segment comes from."""

    COMPONENT = "component"
    CUSTOM = "custom"
    ROUTE = "route"
    TASK = "task"
    URL = "url"
    VIEW = "view"

    def __str__(self) -> str:
        return str(self.value)
