"""The shapes of what vedette takes and sends, for type checkers and readers. Loaded on access only.

The keys are those of the event payload (errors.md, EVT-01 and on). All are optional here, since an event is
built in steps and hooks see it half way; what a server asks for is said in the docstrings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypeAlias, TypedDict

from vedette._protocol.attachment import Attachment  # noqa: TC001 - as above

LogLevel: TypeAlias = Literal["fatal", "critical", "error", "warning", "info", "debug"]
"""What the API takes; ``critical`` is sent as ``fatal`` (EVT-11)."""

EventType: TypeAlias = Literal["error", "default", "transaction", "feedback"]
"""``type`` of an event; left out for errors and messages."""

EventDataCategory: TypeAlias = Literal[
    "default",
    "error",
    "transaction",
    "span",
    "attachment",
    "attachment_item",
    "session",
    "monitor",
    "feedback",
    "log_item",
    "log_byte",
    "trace_metric",
    "trace_metric_byte",
    "metric_bucket",
    "profile",
    "profile_chunk",
    "profile_chunk_ui",
    "profile_duration",
    "profile_duration_ui",
    "replay",
    "security",
    "internal",
]
"""The names of ``vedette._protocol.categories.DataCategory``."""

ExcInfo: TypeAlias = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

Attributes: TypeAlias = dict[str, Any]
Tags: TypeAlias = Mapping[str, object]
Context: TypeAlias = dict[str, Any]


class MechanismMeta(TypedDict, total=False):
    """Details of the platform: signal, errno."""

    errno: dict[str, Any]
    signal: dict[str, Any]


class Mechanism(TypedDict, total=False):
    """How an exception came to vedette. ``type`` is required by servers."""

    type: str
    description: str
    help_link: str
    handled: bool
    synthetic: bool
    source: str
    exception_id: int
    parent_id: int
    is_exception_group: bool
    data: dict[str, Any]
    meta: MechanismMeta


class Frame(TypedDict, total=False):
    """One frame of a stack trace; lines count from 1."""

    filename: str
    abs_path: str
    function: str
    module: str
    lineno: int
    colno: int
    context_line: str
    pre_context: list[str]
    post_context: list[str]
    in_app: bool
    vars: dict[str, Any]
    platform: str


class Stacktrace(TypedDict, total=False):
    """Frames, the oldest first (EVT-30); never empty on the wire."""

    frames: list[Frame]


class ExceptionValue(TypedDict, total=False):
    """One exception of a chain or group."""

    type: str | None
    value: str | None
    module: str | None
    thread_id: int | str
    mechanism: Mechanism
    stacktrace: Stacktrace


class ExceptionInterface(TypedDict):
    """``exception``: the oldest cause first."""

    values: list[ExceptionValue]


class Thread(TypedDict, total=False):
    """A thread of the process, with its stack."""

    id: int | str
    name: str
    crashed: bool
    current: bool
    main: bool
    state: str
    stacktrace: Stacktrace


class Threads(TypedDict):
    """``threads``: stacks that belong to no exception (EVT-33)."""

    values: list[Thread]


class LogEntry(TypedDict, total=False):
    """``logentry``: a message. ``formatted`` is required (EVT-78)."""

    formatted: str
    message: str
    params: Sequence[Any] | Mapping[str, Any]


class Geo(TypedDict, total=False):
    """Where a user is, as far as the program knows."""

    city: str
    country_code: str
    region: str


class User(TypedDict, total=False):
    """Who was served; other keys are passed on as they are (EVT-71), which a TypedDict cannot say."""

    id: str | int
    username: str
    email: str
    ip_address: str
    name: str
    geo: Geo
    data: dict[str, Any]


class Request(TypedDict, total=False):
    """The HTTP request that was being served."""

    method: str
    url: str
    query_string: str | dict[str, Any] | list[tuple[str, str]]
    cookies: str | dict[str, Any] | list[tuple[str, str]]
    headers: dict[str, str]
    data: Any
    env: dict[str, str]
    body_size: int


class Breadcrumb(TypedDict, total=False):
    """One thing that happened before. ``timestamp``: seconds since 1970, an RFC 3339 text, or a datetime."""

    type: str
    category: str
    message: str
    data: dict[str, Any]
    level: LogLevel
    timestamp: Any
    origin: str


class Breadcrumbs(TypedDict):
    """``breadcrumbs``: the oldest first."""

    values: list[Breadcrumb]


class SdkPackage(TypedDict):
    """A package that vedette itself consists of."""

    name: str
    version: str


class SdkInfo(TypedDict, total=False):
    """Who sends: ``name`` and ``version`` are required."""

    name: str
    version: str
    integrations: list[str]
    features: list[str]
    packages: list[SdkPackage]
    settings: dict[str, Any]


class EventError(TypedDict, total=False):
    """A fault of the payload that the server cannot see by itself (EVT-26)."""

    type: str
    name: str
    value: Any


class TransactionInfo(TypedDict, total=False):
    """Where the name of a transaction comes from."""

    source: str


class Event(TypedDict, total=False):
    """An event: what ``before_send`` gets and what an envelope's ``event`` or ``transaction`` item holds."""

    event_id: str
    timestamp: float | str
    platform: str
    level: LogLevel
    type: EventType
    logger: str
    transaction: str | None
    transaction_info: TransactionInfo
    server_name: str
    release: str
    dist: str
    environment: str
    tags: dict[str, Any]
    modules: dict[str, str]
    extra: dict[str, Any]
    fingerprint: list[str]
    errors: list[EventError]
    exception: ExceptionInterface
    threads: Threads
    logentry: LogEntry
    message: str
    request: Request
    user: User
    contexts: dict[str, Context]
    breadcrumbs: Breadcrumbs
    sdk: SdkInfo
    start_timestamp: float | str
    spans: list[dict[str, Any]]
    measurements: dict[str, Any]
    _meta: dict[str, Any]


class Hint(TypedDict, total=False):
    """What came with an event and is not sent: for hooks. ``attachments`` are added to the envelope."""

    exc_info: ExcInfo
    attachments: list[Attachment]
    log_record: Any
    original_exception: BaseException
    data: Any


class Log(TypedDict, total=False):
    """A structured log, as ``before_send_log`` is to get it. None is made yet."""

    severity_text: str
    severity_number: int
    body: str
    attributes: Attributes
    time_unix_nano: int
    trace_id: str | None
    span_id: str | None


class Metric(TypedDict, total=False):
    """A metric, as ``before_send_metric`` is to get it. None is made yet."""

    name: str
    type: Literal["counter", "gauge", "distribution"]
    value: float
    unit: str | None
    attributes: Attributes
    timestamp: float
    trace_id: str | None
    span_id: str | None


class MonitorSchedule(TypedDict, total=False):
    """When a job is due: a crontab line, or a number of units."""

    type: Literal["crontab", "interval"]
    value: str | int
    unit: Literal["year", "month", "week", "day", "hour", "minute"]


class MonitorConfig(TypedDict, total=False):
    """How a job is watched (check-ins.md). Times in minutes."""

    schedule: MonitorSchedule
    timezone: str
    checkin_margin: int
    max_runtime: int
    failure_issue_threshold: int
    recovery_threshold: int
    owner: str


SamplingContext: TypeAlias = dict[str, Any]
"""What ``traces_sampler`` is to get: ``transaction_context``, ``parent_sampled`` and more. Not called yet."""

BreadcrumbHint: TypeAlias = dict[str, Any]
"""What came with a breadcrumb and is not sent: the log record, the HTTP request, ..."""

EventProcessor: TypeAlias = Callable[[Event, Hint], Event | None]
"""Gets an event and its hint; returns the event to go on with, or None to drop it (as ``before_send``)."""
TransactionProcessor: TypeAlias = Callable[[Event, Hint], Event | None]
ErrorProcessor: TypeAlias = Callable[[Event, ExcInfo], Event | None]
BreadcrumbProcessor: TypeAlias = Callable[[Breadcrumb, BreadcrumbHint], Breadcrumb | None]
ErrorSampler: TypeAlias = Callable[[Event, Hint], float | bool]
CustomRepr: TypeAlias = Callable[..., str | None]
FlushCallback: TypeAlias = Callable[[int, float], None]
"""Gets the number of items that wait and the time-out in seconds, when a flush has to wait."""
