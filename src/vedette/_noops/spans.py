"""Spans and transactions that measure nothing: they take every call and every attribute, and forget it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from types import TracebackType
    from typing import Any, Final

    from typing_extensions import Self

NO_TRACE_ID: Final = "0" * 32
NO_SPAN_ID: Final = "0" * 16


class Span:
    """A span that is not recorded: tracing is not built yet.

    It may be used as every other one: as a context manager, with tags, data, children. Nothing is kept, and
    attributes that are assigned keep the values below. Its ids are all zeros, which stand for "none".
    """

    trace_id: str = NO_TRACE_ID
    span_id: str = NO_SPAN_ID
    parent_span_id: str | None = None
    same_process_as_parent: bool = True
    sampled: bool | None = False
    op: str | None = ""
    name: str | None = ""
    description: str | None = ""
    status: str | None = None
    origin: str = "manual"
    start_timestamp: datetime | None = None
    timestamp: datetime | None = None
    hub: Any = None
    scope: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Takes what a span is described with, and keeps none of it."""

    def __setattr__(self, name: str, value: object) -> None:
        """Forget the value."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} (tracing is not built yet)>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, ty: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        pass

    @property
    def containing_transaction(self) -> Transaction | None:
        """None: a span alone belongs to no transaction."""
        return None

    def start_child(self, instrumenter: str = "sentry", **kwargs: Any) -> Span:
        """A span like this one."""
        return NoOpSpan()

    @classmethod
    def continue_from_environ(cls, environ: Mapping[str, str], **kwargs: Any) -> Transaction:
        """A transaction; the incoming trace is not continued."""
        return Transaction()

    @classmethod
    def continue_from_headers(
        cls, headers: Mapping[str, str], *, _sample_rand: str | None = None, **kwargs: Any
    ) -> Transaction:
        """A transaction; the incoming trace is not continued."""
        return Transaction()

    @classmethod
    def from_traceparent(cls, traceparent: str | None, **kwargs: Any) -> Transaction | None:
        """None: there is nothing to continue."""
        return None

    def init_span_recorder(self, maxlen: int) -> None:
        """Do nothing."""

    def iter_headers(self) -> Iterator[tuple[str, str]]:
        """No headers: no trace is propagated."""
        return iter(())

    def to_traceparent(self) -> str:
        """An empty text, which servers ignore."""
        return ""

    def to_baggage(self) -> Any | None:
        """None: there is no baggage."""
        return None

    def set_tag(self, key: str, value: Any) -> None:
        """Do nothing."""

    def set_data(self, key: str, value: Any) -> None:
        """Do nothing."""

    def set_attribute(self, key: str, value: Any) -> None:
        """Do nothing."""

    def set_attributes(self, attributes: dict[str, Any]) -> None:
        """Do nothing."""

    def update_data(self, data: dict[str, Any]) -> None:
        """Do nothing."""

    def set_flag(self, flag: str, result: bool) -> None:  # noqa: FBT001 - the unified API's signature
        """Do nothing."""

    def set_status(self, value: str) -> None:
        """Do nothing."""

    def set_measurement(self, name: str, value: float, unit: str = "") -> None:
        """Do nothing."""

    def set_thread(self, thread_id: int | None, thread_name: str | None) -> None:
        """Do nothing."""

    def set_profiler_id(self, profiler_id: str | None) -> None:
        """Do nothing."""

    def set_http_status(self, http_status: int) -> None:
        """Do nothing."""

    def update_active_thread(self) -> None:
        """Do nothing."""

    def is_success(self) -> bool:
        """True: nothing is known to have failed."""
        return True

    def finish(
        self, scope: Any | None = None, end_timestamp: float | datetime | None = None, *, hub: Any | None = None
    ) -> str | None:
        """None: no event was sent."""
        return None

    def to_json(self) -> dict[str, Any]:
        """Nothing: an empty dict."""
        return {}

    def get_trace_context(self) -> dict[str, Any]:
        """Nothing: an empty dict."""
        return {}

    def get_profile_context(self) -> dict[str, Any] | None:
        """None: there is no profile."""
        return None


class Transaction(Span):
    """A transaction that is not recorded: tracing is not built yet. See `Span`."""

    name: str | None = ""
    source: str = "custom"
    parent_sampled: bool | None = None
    sample_rate: float | None = None

    @property
    def containing_transaction(self) -> Transaction | None:
        """Itself."""
        return self

    def set_context(self, key: str, value: dict[str, Any]) -> None:
        """Do nothing."""

    def get_baggage(self) -> Any | None:
        """None: there is no baggage."""
        return None


class NoOpSpan(Span):
    """What `start_span` returns: see `Span`."""

    def set_context(self, key: str, value: dict[str, Any]) -> None:
        """Do nothing."""

    def get_baggage(self) -> Any | None:
        """None: there is no baggage."""
        return None


class StreamedSpan:
    """A span that is not recorded: tracing is not built yet.

    It may be used as every other one. Nothing is kept, and attributes that are assigned keep the values below.
    Its ids are all zeros, which stand for "none".
    """

    name: str = ""
    status: str = "ok"
    active: bool = False
    sampled: bool | None = False
    trace_id: str = NO_TRACE_ID
    span_id: str = NO_SPAN_ID
    start_timestamp: datetime | None = None
    end_timestamp: datetime | None = None

    def __setattr__(self, name: str, value: object) -> None:
        """Forget the value."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} (tracing is not built yet)>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, ty: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        pass

    def end(self, end_timestamp: float | datetime | None = None) -> None:
        """Do nothing."""

    def finish(self, end_timestamp: float | datetime | None = None) -> None:
        """Do nothing."""

    def get_attributes(self) -> dict[str, Any]:
        """Nothing: an empty dict."""
        return {}

    def set_attribute(self, key: str, value: Any) -> None:
        """Do nothing."""

    def set_attributes(self, attributes: dict[str, Any]) -> None:
        """Do nothing."""

    def remove_attribute(self, key: str) -> None:
        """Do nothing."""
