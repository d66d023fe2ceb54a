"""The public surface is exactly a list, and it fits code that was written for the unified API."""

from __future__ import annotations

import importlib
import inspect

import pytest

import vedette
from vedette.testing import MemoryTransport

SURFACE = {
    "vedette": [
        "VERSION",
        "BadDsn",
        "Client",
        "HttpTransport",
        "OptionError",
        "Scope",
        "Transport",
        "UnknownOptionError",
        "add_attachment",
        "add_breadcrumb",
        "capture_event",
        "capture_exception",
        "capture_feedback",
        "capture_message",
        "flush",
        "get_baggage",
        "get_client",
        "get_current_scope",
        "get_global_scope",
        "get_isolation_scope",
        "get_traceparent",
        "init",
        "is_initialized",
        "isolation_scope",
        "last_event_id",
        "new_scope",
        "remove_attribute",
        "set_attribute",
        "set_attributes",
        "set_context",
        "set_extra",
        "set_level",
        "set_tag",
        "set_tags",
        "set_transaction_name",
        "set_user",
    ],
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
    "vedette.feature_flags": ["FlagBuffer", "add_feature_flag"],
    "vedette.transport": ["HttpTransport", "Transport"],
    "vedette.attachments": ["Attachment"],
    "vedette.envelope": ["Envelope", "EnvelopeError", "Item", "PayloadRef"],
    "vedette.integrations": ["DidNotEnable", "Integration"],
    "vedette.integrations.atexit": ["AtexitIntegration"],
    "vedette.integrations.excepthook": ["ExcepthookIntegration"],
    "vedette.integrations.modules": ["ModulesIntegration"],
    "vedette.integrations.threading": ["ThreadingIntegration"],
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
    "vedette.values": ["register", "render", "to_json", "unregister"],
    "vedette.types": [
        "Breadcrumb",
        "BreadcrumbHint",
        "BreadcrumbProcessor",
        "DataCollection",
        "Event",
        "EventDataCategory",
        "EventProcessor",
        "ExcInfo",
        "Hint",
        "LogLevel",
        "Options",
        "Stats",
    ],
}

# Parameters of the unified API's functions, as code that calls them knows them (docs/spec/public-api.md, B1).
PARAMETERS = {
    "init": ["dsn", "options"],
    "capture_event": ["event", "hint", "scope", "scope_kwargs"],
    "capture_exception": ["error", "scope", "scope_kwargs"],
    "capture_message": ["message", "level", "scope", "scope_kwargs"],
    "capture_feedback": ["feedback", "hint", "scope", "kwargs"],
    "add_attachment": ["bytes", "filename", "path", "content_type", "add_to_transactions"],
    "add_breadcrumb": ["crumb", "hint", "kwargs"],
    "set_tag": ["key", "value"],
    "set_tags": ["tags"],
    "set_context": ["key", "value"],
    "set_extra": ["key", "value"],
    "set_user": ["value"],
    "set_level": ["value"],
    "set_attribute": ["attribute", "value"],
    "set_attributes": ["attributes"],
    "remove_attribute": ["attribute"],
    "set_transaction_name": ["name", "source"],
    "new_scope": [],
    "isolation_scope": [],
    "get_current_scope": [],
    "get_isolation_scope": [],
    "get_global_scope": [],
    "get_client": [],
    "is_initialized": [],
    "last_event_id": [],
    "get_traceparent": [],
    "get_baggage": [],
    "flush": ["timeout", "callback"],
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
        if name != "VERSION" and module != "vedette.types":  # aliases have no docstring of their own
            assert inspect.getdoc(getattr(found, name)), name


@pytest.mark.parametrize("name", PARAMETERS)
def test_functions_take_the_parameters_of_the_unified_api(name: str) -> None:
    assert list(inspect.signature(getattr(vedette, name)).parameters) == PARAMETERS[name]


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
