"""The options as type checkers see them: ``init(**options: Unpack[Options])``. Loaded on access only.

Compared with the table by a test: the same names, and None where the table takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike  # noqa: TC003 - so that the annotations can be evaluated
from re import Pattern  # noqa: TC003 - as above
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from vedette._protocol import types as shapes  # noqa: TC001 - as above

if TYPE_CHECKING:
    from ssl import SSLContext

    from vedette._privacy.collection import HeaderConfig, KeyValueCollectionBehavior
    from vedette._transport.interface import Transport

KeyValueMode: TypeAlias = Literal["off", "denyList", "allowList"]
BodyType: TypeAlias = Literal["incomingRequest", "outgoingRequest", "incomingResponse", "outgoingResponse"]


class KeyValueCollection(TypedDict, total=False):
    """How the pairs of a category are collected; ``deny`` and ``allow``: the older form of ``mode`` with ``terms``."""

    mode: KeyValueMode
    terms: Sequence[str]
    deny: Sequence[str]
    allow: Sequence[str]


KeyValues: TypeAlias = "KeyValueCollectionBehavior | KeyValueCollection | bool"


class HeaderCollection(TypedDict, total=False):
    """How headers are collected, of requests and of responses."""

    request: KeyValues | None
    response: KeyValues | None


class GenAICollection(TypedDict, total=False):
    """Whether the texts of AI calls are collected."""

    inputs: bool
    outputs: bool


class DataCollection(TypedDict, total=False):
    """What is collected, by category (data-collection.md, A8)."""

    user_info: bool
    cookies: KeyValues
    http_headers: HeaderConfig | HeaderCollection | KeyValues
    http_bodies: Sequence[BodyType] | bool
    query_params: KeyValues
    gen_ai: GenAICollection
    stack_frame_variables: bool
    frame_context_lines: int


class FunctionToTrace(TypedDict):
    """A function that gets a span: ``{"qualified_name": "shop.cart.checkout"}``."""

    qualified_name: str


class SpanRule(TypedDict, total=False):
    """Spans that are not sent, by name and attributes."""

    name: str | Pattern[str]
    attributes: dict[str, Any]


Callback: TypeAlias = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any] | None]
TracesSampler: TypeAlias = Callable[[dict[str, Any]], float | int | bool]
Path: TypeAlias = "str | PathLike[str]"
SocketOption: TypeAlias = tuple[int, int, int | bytes]


class Options(TypedDict, total=False):
    """What ``init`` and ``Client`` take beside the DSN. docs/options.md says what each is for."""

    transport: Transport | type[Transport] | Callable[[shapes.Event], object] | None
    transport_queue_size: int
    shutdown_timeout: float
    send_client_reports: bool
    max_connections: int
    cache_dir: Path | None
    cache_max_bytes: int
    cache_max_items: int
    cache_max_age: int
    warm: bool
    compression: Literal["gzip", "br", "zstd"]
    request_timeout: float | None
    proxy: str | None
    http_proxy: str | None
    https_proxy: str | None
    proxy_headers: dict[str, str] | None
    ssl_context: SSLContext | None
    ca_certs: Path | None
    cert_file: Path | None
    key_file: Path | None
    keep_alive: bool | None
    socket_options: Sequence[SocketOption] | None
    release: str | None
    environment: str | None
    dist: str | None
    server_name: str | None
    project_root: Path | None
    in_app_include: Sequence[str]
    in_app_exclude: Sequence[str]
    sample_rate: float
    error_sampler: shapes.ErrorSampler | None
    ignore_errors: Sequence[type[BaseException] | str | Pattern[str]]
    before_send: shapes.EventProcessor | None
    before_breadcrumb: shapes.BreadcrumbProcessor | None
    before_send_feedback: shapes.EventProcessor | None
    max_breadcrumbs: int
    attach_stacktrace: bool
    add_full_stack: bool
    max_stack_frames: int | None
    include_local_variables: bool | None
    include_source_context: bool | None
    max_value_length: int | None
    custom_repr: shapes.CustomRepr | None
    max_attachment_size: int
    send_default_pii: bool | None
    data_collection: DataCollection | None
    event_scrubber: Any | None
    integrations: Sequence[Any]
    default_integrations: bool
    disabled_integrations: Sequence[Any] | None
    debug: bool | None
    diagnostic_level: Literal["debug", "info", "warning", "error", "fatal"]
    traces_sample_rate: float | None
    traces_sampler: TracesSampler | None
    trace_propagation_targets: Sequence[str | Pattern[str]] | None
    strict_trace_continuation: bool
    org_id: str | None
    trace_lifecycle: Literal["static", "stream"] | None
    ignore_transactions: Sequence[str]
    ignore_spans: Sequence[str | Pattern[str] | SpanRule] | None
    trace_ignore_status_codes: AbstractSet[int]
    before_send_transaction: shapes.TransactionProcessor | None
    before_send_span: Callback | None
    functions_to_trace: Sequence[FunctionToTrace]
    enable_db_query_source: bool
    db_query_source_threshold_ms: int
    enable_http_request_source: bool
    http_request_source_threshold_ms: int
    enable_backpressure_handling: bool
    stream_gen_ai_spans: bool
    profile_session_sample_rate: float | None
    profile_lifecycle: Literal["manual", "trace"]
    profiler_mode: Literal["thread", "gevent", "sleep", "unknown"] | None
    enable_logs: bool
    before_send_log: Callback | None
    enable_metrics: bool
    before_send_metric: Callback | None
    auto_session_tracking: bool
    before_send_check_in: Callback | None
    auto_enabling_integrations: bool
    max_request_body_size: Literal["never", "small", "medium", "always"]
    context_tags: Sequence[str]
    capture_failed_requests: bool
    failed_request_status_codes: Sequence[int | range]
    failed_request_targets: Sequence[str | Pattern[str]]
    spotlight: bool | str | None
    _experiments: dict[str, Any] | None
    enable_tracing: bool | None
    propagate_traces: bool
    instrumenter: Literal["sentry", "otel"] | None
    profiles_sample_rate: float | None
    profiles_sampler: TracesSampler | None
