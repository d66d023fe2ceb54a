"""Options of features that are not built yet, and those that are deprecated.

All are accepted and checked, so that code for the unified API runs; none is silently without effect: debug mode
says once what a given one is waiting for, and a deprecated one warns. When its feature is built, an option moves
to the table of its kind.
"""

from __future__ import annotations

from vedette._late import late
from vedette._options import checks
from vedette._options.option import Group, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from vedette._options import nested
else:
    nested = late("vedette._options.nested")

_TRACING: Final = "tracing"
_PROFILES: Final = "profiling"
_NO_CODES: Final[frozenset[int]] = frozenset()
_FUNCTIONS: Final = checks.Check(
    "a list of dicts such as {'qualified_name': 'shop.cart.checkout'}",
    lambda value: nested.functions(value),  # noqa: PLW0108 - loads it then
)
_SPAN_RULES: Final = checks.Check(
    "a list of strings, compiled patterns, or dicts of 'name' and 'attributes'",
    lambda value: nested.span_rules(value),  # noqa: PLW0108
)
_MILLISECONDS: Final = checks.whole(0, 86_400_000, " (milliseconds)")

_TRACES: Final = Group(
    "Tracing",
    "",
    Option(
        "traces_sample_rate",
        checks.RATE.or_none(),
        None,
        "Share of traces that is sent. None: tracing is off, incoming traces are still passed on.",
        env="SENTRY_TRACES_SAMPLE_RATE",
        awaits=_TRACING,
    ),
    Option(
        "traces_sampler",
        checks.CALLBACK.or_none(),
        None,
        "Called with the sampling context; returns the share of such traces that is sent, whatever the parent decided.",
        awaits=_TRACING,
    ),
    Option(
        "trace_propagation_targets",
        checks.TARGETS.or_none(),
        (".*",),
        "URLs of outgoing requests that get trace headers: patterns.",
        awaits=_TRACING,
    ),
    Option(
        "strict_trace_continuation",
        checks.BOOLEAN,
        False,
        "Continue only traces of your own organization.",
        awaits=_TRACING,
    ),
    Option("org_id", checks.NAME.or_none(), None, "Your organization, where the DSN does not say it.", awaits=_TRACING),
    Option(
        "trace_lifecycle",
        checks.one_of("static", "stream").or_none(),
        None,
        "Whether spans are sent with their transaction, or as they end.",
        awaits=_TRACING,
    ),
    Option(
        "ignore_transactions",
        checks.STRINGS,
        (),
        "Names of transactions that are not sent: `GET /health`, or with a trailing `*`.",
        awaits=_TRACING,
    ),
    Option("ignore_spans", _SPAN_RULES.or_none(), None, "Spans that are not sent.", awaits=_TRACING),
    Option(
        "trace_ignore_status_codes",
        checks.STATUS_CODES,
        _NO_CODES,
        "HTTP status codes whose transactions are not sent.",
        awaits=_TRACING,
    ),
    Option(
        "before_send_transaction",
        checks.CALLBACK.or_none(),
        None,
        "Called with (event, hint) for a transaction; returns the event, or None.",
        awaits=_TRACING,
    ),
    Option(
        "before_send_span",
        checks.CALLBACK.or_none(),
        None,
        "Called with (span, hint); returns the span.",
        awaits=_TRACING,
    ),
    Option("functions_to_trace", _FUNCTIONS, (), "Functions that get a span each.", awaits=_TRACING),
    Option("enable_db_query_source", checks.BOOLEAN, True, "Say where slow queries come from.", awaits=_TRACING),
    Option(
        "db_query_source_threshold_ms", _MILLISECONDS, 100, "Milliseconds from which a query is slow.", awaits=_TRACING
    ),
    Option("enable_http_request_source", checks.BOOLEAN, True, "Say where slow requests come from.", awaits=_TRACING),
    Option(
        "http_request_source_threshold_ms",
        _MILLISECONDS,
        100,
        "Milliseconds from which a request is slow.",
        awaits=_TRACING,
    ),
    Option(
        "enable_backpressure_handling",
        checks.BOOLEAN,
        True,
        "Sample fewer traces while more come than can be sent.",
        awaits=_TRACING,
    ),
    Option("stream_gen_ai_spans", checks.BOOLEAN, True, "Send the spans of AI calls as they end.", awaits=_TRACING),
)

_PROFILING: Final = Group(
    "Profiling",
    "",
    Option(
        "profile_session_sample_rate", checks.RATE.or_none(), None, "Share of processes profiled.", awaits=_PROFILES
    ),
    Option(
        "profile_lifecycle",
        checks.one_of("manual", "trace"),
        "manual",
        "Whether profiles are started by hand, or with traces.",
        awaits=_PROFILES,
    ),
    Option(
        "profiler_mode",
        checks.one_of("thread", "gevent", "sleep", "unknown").or_none(),
        None,
        "How the profiler takes its samples.",
        awaits=_PROFILES,
    ),
)

_KINDS: Final = Group(
    "Logs, metrics, sessions, check-ins",
    "",
    Option("enable_logs", checks.BOOLEAN, True, "Whether `vedette.logger` sends anything.", awaits="logger API"),
    Option(
        "before_send_log",
        checks.CALLBACK.or_none(),
        None,
        "Called with (log, hint); returns the log, or None.",
        awaits="logger API",
    ),
    Option("enable_metrics", checks.BOOLEAN, True, "Accepted for the unified API's sake.", awaits="metrics API"),
    Option(
        "before_send_metric",
        checks.CALLBACK.or_none(),
        None,
        "Called with (metric, hint); returns the metric, or None.",
        awaits="metrics API",
    ),
    Option("auto_session_tracking", checks.BOOLEAN, True, "Count a session for each request.", awaits="sessions"),
    Option(
        "before_send_check_in",
        checks.CALLBACK.or_none(),
        None,
        "Called with (check-in, hint); returns the check-in, or None.",
        awaits="check-ins",
    ),
)

AWAITING: Final = (_TRACES, _PROFILING, _KINDS)

DEPRECATED: Final = Group(
    "Deprecated",
    "Accepted, with a `DeprecationWarning` that names what to use. A function as `transport` is deprecated as well.",
    Option(
        "enable_tracing",
        checks.BOOLEAN.or_none(),
        None,
        "Switched tracing on.",
        awaits=_TRACING,
        instead="traces_sample_rate (1.0 for all traces)",
    ),
    Option(
        "propagate_traces",
        checks.BOOLEAN,
        True,
        "Whether outgoing requests get trace headers.",
        awaits=_TRACING,
        instead="trace_propagation_targets ([] for none)",
    ),
    Option(
        "instrumenter",
        checks.one_of("sentry", "otel").or_none(),
        "sentry",
        "Who makes the spans.",
        awaits=_TRACING,
        instead="an integration with OpenTelemetry, once vedette has one",
    ),
    Option(
        "profiles_sample_rate",
        checks.RATE.or_none(),
        None,
        "Share of transactions profiled.",
        env="SENTRY_PROFILES_SAMPLE_RATE",
        awaits=_PROFILES,
        instead="profile_session_sample_rate, with profile_lifecycle='trace'",
    ),
    Option(
        "profiles_sampler",
        checks.CALLBACK.or_none(),
        None,
        "Called with the sampling context; returned the share of transactions profiled.",
        awaits=_PROFILES,
        instead="profile_session_sample_rate, with profile_lifecycle='trace'",
    ),
)
