"""vedette: captures errors inside a running program and delivers them to any server of the Sentry envelope protocol.

    import vedette
    vedette.init("https://<key>@<host>/<project>")

The names here, and those of the modules without an underscore, are public and promised.
"""

from __future__ import annotations

from vedette._client import Client
from vedette._host import ending as _ending  # noqa: F401  # pyright: ignore[reportUnusedImport] - takes its place now
from vedette._options import OptionError, UnknownOptionError
from vedette._protocol.dsn import BadDsn
from vedette._protocol.version import VERSION
from vedette._scopes.scope import Scope
from vedette._transport.http import HttpTransport
from vedette._transport.interface import Transport
from vedette.api import (
    add_attachment,
    add_breadcrumb,
    capture_event,
    capture_exception,
    capture_feedback,
    capture_message,
    continue_trace,
    flush,
    flush_async,
    get_baggage,
    get_client,
    get_current_scope,
    get_global_scope,
    get_isolation_scope,
    get_traceparent,
    init,
    is_initialized,
    isolation_scope,
    last_event_id,
    new_scope,
    remove_attribute,
    set_attribute,
    set_attributes,
    set_context,
    set_extra,
    set_level,
    set_tag,
    set_tags,
    set_transaction_name,
    set_user,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vedette import integrations, logger, metrics, profiler
    from vedette._noops.check_ins import end_session, monitor, start_session
    from vedette._noops.tracing import (
        get_current_span,
        set_measurement,
        start_span,
        start_transaction,
        trace,
        update_current_span,
    )
    from vedette.compat.hub import Hub
    from vedette.compat.scopes import configure_scope, push_scope
    from vedette.compat.standing_in import as_sentry_sdk
    from vedette.feature_flags import add_feature_flag

__version__ = VERSION

__all__ = [
    "VERSION",
    "BadDsn",
    "Client",
    "HttpTransport",
    "Hub",
    "OptionError",
    "Scope",
    "Transport",
    "UnknownOptionError",
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
]

for _exception in (BadDsn, OptionError, UnknownOptionError):
    _exception.__module__ = "vedette"  # a traceback names what programs catch (ruling 53)

# Loaded when they are first asked for, so that a program pays for what it uses (ruling 55).
_LAZY_NAMES = {
    "Hub": "vedette.compat.hub",
    "add_feature_flag": "vedette.feature_flags",
    "as_sentry_sdk": "vedette.compat.standing_in",
    "configure_scope": "vedette.compat.scopes",
    "end_session": "vedette._noops.check_ins",
    "get_current_span": "vedette._noops.tracing",
    "monitor": "vedette._noops.check_ins",
    "push_scope": "vedette.compat.scopes",
    "set_measurement": "vedette._noops.tracing",
    "start_session": "vedette._noops.check_ins",
    "start_span": "vedette._noops.tracing",
    "start_transaction": "vedette._noops.tracing",
    "trace": "vedette._noops.tracing",
    "update_current_span": "vedette._noops.tracing",
}
# Programs use `sentry_sdk.utils.x` with no other import than that of the top.
_LAZY_MODULES = frozenset(
    {
        "ai",
        "attachments",
        "client",
        "consts",
        "crons",
        "envelope",
        "feature_flags",
        "hub",
        "integrations",
        "logger",
        "metrics",
        "profiler",
        "scope",
        "scrubber",
        "testing",
        "traces",
        "tracing",
        "transport",
        "types",
        "utils",
        "values",
    }
)


def __getattr__(name: str) -> object:
    module = _LAZY_NAMES.get(name)
    if module is None and name not in _LAZY_MODULES:
        raise AttributeError(f"module 'vedette' has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - there already in every program, and no name of this module

    found: object
    if module is None:
        found = importlib.import_module(f"vedette.{name}")
    else:
        found = globals()[name] = getattr(importlib.import_module(module), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_LAZY_MODULES})
