"""vedette: captures errors inside a running program and delivers them to any server of the Sentry envelope protocol.

    import vedette
    vedette.init("https://<key>@<host>/<project>")

The names here, and those of the modules without an underscore, are public and promised.
"""

from __future__ import annotations

from vedette._client import Client
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
    flush,
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

__version__ = VERSION

__all__ = [
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
]
