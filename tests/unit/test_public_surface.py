"""The public surface is exactly a list, and it fits code that was written for the unified API."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys

import pytest

import vedette
from tests import contract
from tests.programs import run_program
from vedette._options import OPTIONS
from vedette.testing import MemoryTransport

# Modules of vedette's own, beside the unified API, whose names are looked at by tests of their own.
OURS = {
    "vedette.api",
    "vedette.compat",
    "vedette.testing.capturing",
    "vedette.testing.memory",
    "vedette.testing.pytest_plugin",
}

SURFACE = {
    "vedette": [
        "BadDsn",
        "Client",
        "HttpTransport",
        "Hub",
        "OptionError",
        "Scope",
        "Transport",
        "UnknownOptionError",
        "VERSION",
        "add_attachment",
        "add_breadcrumb",
        "add_feature_flag",
        "as_sentry_sdk",
        "capture_event",
        "capture_exception",
        "capture_feedback",
        "capture_message",
        "configure_scope",
        "continue_trace",
        "end_session",
        "flush",
        "flush_async",
        "get_baggage",
        "get_client",
        "get_current_scope",
        "get_current_span",
        "get_global_scope",
        "get_isolation_scope",
        "get_traceparent",
        "init",
        "integrations",
        "is_initialized",
        "isolation_scope",
        "last_event_id",
        "logger",
        "metrics",
        "monitor",
        "new_scope",
        "profiler",
        "push_scope",
        "remove_attribute",
        "set_attribute",
        "set_attributes",
        "set_context",
        "set_extra",
        "set_level",
        "set_measurement",
        "set_tag",
        "set_tags",
        "set_transaction_name",
        "set_user",
        "start_session",
        "start_span",
        "start_transaction",
        "trace",
        "update_current_span",
    ],
    "vedette.ai": ["ai_track", "record_token_usage", "set_ai_pipeline_name"],
    "vedette.ai.monitoring": ["ai_track", "get_ai_pipeline_name", "record_token_usage", "set_ai_pipeline_name"],
    "vedette.ai.utils": ["set_conversation_id"],
    "vedette.attachments": ["Attachment"],
    "vedette.client": ["BaseClient", "Client", "NonRecordingClient"],
    "vedette.compat.bridging": [
        "AnnotatedValue",
        "capture_internal_exceptions",
        "current_stacktrace",
        "event_from_exception",
        "exc_info_from_error",
        "logger",
        "transaction_from_function",
    ],
    "vedette.compat.hub": ["Hub", "SentryHubDeprecationWarning"],
    "vedette.compat.scopes": ["ConfiguredScope", "configure_scope", "push_scope"],
    "vedette.compat.standing_in": ["as_sentry_sdk"],
    "vedette.consts": ["INSTRUMENTER", "OP", "SPANDATA", "SPANSTATUS", "SPANTEMPLATE", "VERSION"],
    "vedette.crons": ["MonitorStatus", "capture_checkin", "monitor"],
    "vedette.crons.api": ["capture_checkin"],
    "vedette.crons.consts": ["MonitorStatus"],
    "vedette.crons.decorator": ["monitor"],
    "vedette.envelope": ["Envelope", "EnvelopeError", "Item", "PayloadRef"],
    "vedette.feature_flags": ["FlagBuffer", "add_feature_flag"],
    "vedette.hub": ["Hub", "SentryHubDeprecationWarning"],
    "vedette.integrations": ["DidNotEnable", "Integration", "when_imported"],
    "vedette.integrations.aiohttp": ["AioHttpIntegration"],
    "vedette.integrations.argv": ["ArgvIntegration"],
    "vedette.integrations.asgi": ["SentryAsgiMiddleware"],
    "vedette.integrations.asyncio": ["AsyncioIntegration", "enable_asyncio_integration", "patch_asyncio"],
    "vedette.integrations.atexit": ["AtexitIntegration"],
    "vedette.integrations.dedupe": ["DedupeIntegration"],
    "vedette.integrations.celery": ["CeleryIntegration"],
    "vedette.integrations.django": ["DjangoIntegration"],
    "vedette.integrations.excepthook": ["ExcepthookIntegration"],
    "vedette.integrations.fastapi": ["FastApiIntegration"],
    "vedette.integrations.flask": ["FlaskIntegration"],
    "vedette.integrations.httpx": ["HttpxIntegration"],
    "vedette.integrations.launchdarkly": ["LaunchDarklyIntegration"],
    "vedette.integrations.logging": [
        "BreadcrumbHandler",
        "EventHandler",
        "LoggingIntegration",
        "ignore_logger",
        "unignore_logger",
    ],
    "vedette.integrations.loguru": ["DEFAULT_FORMAT", "LoggingLevels", "LoguruIntegration"],
    "vedette.integrations.rq": ["RqIntegration"],
    "vedette.integrations.modules": ["ModulesIntegration"],
    "vedette.integrations.openfeature": ["OpenFeatureIntegration"],
    "vedette.integrations.redis": ["RedisIntegration"],
    "vedette.integrations.sqlalchemy": ["SqlalchemyIntegration"],
    "vedette.integrations.starlette": ["StarletteIntegration"],
    "vedette.integrations.statsig": ["StatsigIntegration"],
    "vedette.integrations.stdlib": ["StdlibIntegration"],
    "vedette.integrations.multiprocessing": ["MultiprocessingIntegration"],
    "vedette.integrations.structlog": ["StructlogProcessor"],
    "vedette.integrations.sys_exit": ["SysExitIntegration"],
    "vedette.integrations.threading": ["ThreadingIntegration"],
    "vedette.integrations.unleash": ["UnleashIntegration"],
    "vedette.integrations.unraisablehook": ["UnraisablehookIntegration"],
    "vedette.integrations.wsgi": ["SentryWsgiMiddleware"],
    "vedette.logger": ["debug", "error", "fatal", "info", "trace", "warning"],
    "vedette.metrics": ["count", "distribution", "gauge"],
    "vedette.profiler": ["start_profile_session", "start_profiler", "stop_profile_session", "stop_profiler"],
    "vedette.scope": [
        "Scope",
        "ScopeType",
        "add_global_event_processor",
        "register_external_propagation_context",
        "remove_external_propagation_context",
        "should_send_default_pii",
        "use_isolation_scope",
        "use_scope",
    ],
    "vedette.scrubber": [
        "DEFAULT_DENYLIST",
        "DEFAULT_PII_DENYLIST",
        "EventScrubber",
        "HeaderConfig",
        "KeyValueCollectionBehavior",
    ],
    "vedette.testing": [
        "CapturedAttachment",
        "CapturedEvents",
        "MemoryTransport",
        "capture_envelopes",
        "capture_events",
    ],
    "vedette.traces": [
        "SegmentNameSource",
        "SpanStatus",
        "StreamedSpan",
        "continue_trace",
        "get_current_span",
        "new_trace",
        "start_span",
        "trace",
    ],
    "vedette.tracing": [
        "BAGGAGE_HEADER_NAME",
        "NoOpSpan",
        "SENTRY_TRACE_HEADER_NAME",
        "Span",
        "Transaction",
        "TransactionSource",
        "trace",
    ],
    "vedette.transport": ["HttpTransport", "Transport"],
    "vedette.types": [
        "Breadcrumb",
        "BreadcrumbHint",
        "BreadcrumbProcessor",
        "DataCollection",
        "ErrorProcessor",
        "ErrorSampler",
        "Event",
        "EventDataCategory",
        "EventProcessor",
        "ExcInfo",
        "ExceptionValue",
        "Frame",
        "Hint",
        "Log",
        "LogLevel",
        "Mechanism",
        "Metric",
        "MonitorConfig",
        "Options",
        "Request",
        "SamplingContext",
        "Stacktrace",
        "Stats",
        "User",
    ],
    "vedette.utils": [
        "AnnotatedValue",
        "BadDsn",
        "Dsn",
        "capture_internal_exceptions",
        "current_stacktrace",
        "event_from_exception",
        "exc_info_from_error",
        "logger",
        "transaction_from_function",
    ],
    "vedette.values": ["register", "render", "to_json", "unregister"],
}


@pytest.mark.parametrize("module", SURFACE)
def test_a_public_module_exports_exactly_its_list(module: str) -> None:
    found = importlib.import_module(module)
    assert sorted(found.__all__) == sorted(SURFACE[module])
    assert all(hasattr(found, name) for name in found.__all__)


@pytest.mark.parametrize("module", SURFACE)
def test_what_is_public_is_documented(module: str) -> None:
    found = importlib.import_module(module)
    assert found.__doc__
    for name in found.__all__:
        if (
            not isinstance(getattr(found, name), str) and module != "vedette.types"
        ):  # aliases have no docstring of their own
            assert inspect.getdoc(getattr(found, name)), name


def test_every_public_module_is_listed_and_reachable() -> None:
    found = {
        module.name
        for module in pkgutil.walk_packages(vedette.__path__, "vedette.")
        if not any(part.startswith("_") for part in module.name.split("."))
    }
    assert found - OURS == set(SURFACE) - {"vedette"}
    for name in found - OURS:
        reached = vedette
        for part in name.split(".")[1:2]:  # the rest is imported, as below every package
            reached = getattr(reached, part)
        assert reached is sys.modules[name.rpartition(".")[0] if name.count(".") > 1 else name]


def test_the_lazy_names_are_those_that_are_not_there_at_once() -> None:
    done = run_program("""
        import sys
        import vedette
        at_once = set(vars(vedette))
        assert not any(name.startswith("vedette.compat") for name in sys.modules)
        modules = {name for name in vedette.__all__ if name in vedette._LAZY_MODULES}
        assert set(vedette.__all__) - at_once == set(vedette._LAZY_NAMES) | modules
        for name in vedette.__all__:
            getattr(vedette, name)
        assert set(vedette.__all__) | vedette._LAZY_MODULES <= set(dir(vedette))
        try:
            vedette.no_such
        except AttributeError as error:
            print(error)
    """)
    assert (done.stdout, done.stderr) == ("module 'vedette' has no attribute 'no_such'\n", "")


def test_the_names_of_the_unified_api_are_there_with_their_parameters_or_listed_as_different() -> None:
    """docs/spec/public-api.md, B1, B3 and B4, against docs/differences.md; entries that hold no longer fail, too."""
    listed = contract.departures("Names that are absent") | contract.departures("Names with other parameters")
    found: dict[str, str] = {}
    for name in contract.names():
        fault = contract.fault(name)
        if fault is not None:
            found.setdefault(name.path, fault)
    unlisted = {path: fault for path, fault in found.items() if not contract.covers(listed, path)}
    stale = {entry for entry in listed if not any(contract.covers({entry: ""}, path) for path in found)}
    assert (unlisted, stale) == ({}, set())
    assert all(len(reason) > 10 for reason in listed.values())


def test_the_options_of_the_unified_api_are_there_with_their_defaults_or_listed_as_different() -> None:
    listed = contract.departures("Options")
    ours = {option.name: option.default for option in OPTIONS}
    found = {
        name
        for name, default in contract.options().items()
        if name not in ours or (default is not contract.ANY and not contract.same_default(default, ours[name]))
    }
    assert found == listed.keys()
    assert all(len(reason) > 10 for reason in listed.values())


@pytest.mark.spec("SCO-63", "SCO-64", "SCO-65", "SCO-66", "SCO-67", "SCO-68", "SCO-70", "SCO-71")
def test_code_for_the_unified_api_works_under_its_name() -> None:
    import vedette as sentry_sdk  # noqa: PLC0415 - what users write

    transport = MemoryTransport()
    sentry_sdk.init(dsn="https://key@errors.example.org/7", transport=transport)
    sentry_sdk.set_tag("tenant", "acme")
    sentry_sdk.set_user({"id": "42"})
    sentry_sdk.set_context("order", {"number": 7})
    sentry_sdk.add_breadcrumb(category="auth", message="logged in", level="info")
    with sentry_sdk.new_scope() as scope:
        scope.set_tag("operation", "import")
        sentry_sdk.capture_message("inside", level="warning")
    with sentry_sdk.isolation_scope() as scope:
        scope.set_user({"id": "7"})
        sentry_sdk.capture_message("isolated")
    try:
        raise ValueError
    except ValueError as error:
        sentry_sdk.capture_exception(error)
    inside, isolated, exception = transport.events
    assert inside["tags"] == {"tenant": "acme", "operation": "import"}
    assert inside["user"] == {"id": "42"}
    assert inside["contexts"]["order"] == {"number": 7}
    assert [crumb["message"] for crumb in inside["breadcrumbs"]["values"]] == ["logged in"]
    assert isolated["user"] == {"id": "7"}
    assert exception["user"] == {"id": "42"}
    assert exception["tags"] == {"tenant": "acme"}
