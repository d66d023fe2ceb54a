"""The module-level functions of the unified API: find the client through the scope chain, and call it."""

from __future__ import annotations

import _thread

from vedette._client import Client
from vedette._options import UNSET
from vedette._scopes.context import (
    add_breadcrumb,
    get_client,
    get_current_scope,
    get_global_scope,
    get_isolation_scope,
    isolation_scope,
    new_scope,
    set_tag,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from typing_extensions import Unpack

    from vedette._noops.spans import Transaction
    from vedette._options import Unset
    from vedette._options.typed import Options
    from vedette._protocol.types import Event, ExcInfo, Hint, LogLevel
    from vedette._scopes.scope import MessageKwargs, Scope, ScopeKwargs

__all__ = [
    "add_attachment",
    "add_breadcrumb",
    "capture_event",
    "capture_exception",
    "capture_feedback",
    "capture_message",
    "continue_trace",
    "flush",
    "flush_async",
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


def init(dsn: str | Unset | None = UNSET, **options: Unpack[Options]) -> Client:
    """Make a client, set up its integrations, and put it on the global scope (CLI-10 to CLI-13).

    The options, with their defaults and environment variables, stand in docs/options.md. Raises OptionError or
    BadDsn for wrong configuration, before anything is replaced. Called again, it replaces the client; the older
    one is closed in the background (CLI-17, ruling 42). Returns the client,
    which a ``with`` block closes at its end.
    """
    client = Client(dsn, **options)
    scope = get_global_scope()
    older = scope.client
    scope.set_client(client)
    if isinstance(older, Client):
        older.stop_debug()
        _retire(older)
    return client


def _retire(client: Client) -> None:
    """Close a replaced client without making anybody wait for what it still has to send."""
    try:
        _thread.start_new_thread(client.close, ())
    except (RuntimeError, MemoryError):  # no thread can be had: what still waits is counted as lost
        client.close(timeout=0)


def capture_event(
    event: Event,
    hint: Hint | None = None,
    scope: Scope | Callable[[Scope], object] | None = None,
    **scope_kwargs: Unpack[ScopeKwargs],
) -> str | None:
    """Send an event that was built by hand; its id, or None if it was dropped (SCO-72).

    ``scope``, or keyword arguments (``user``, ``level``, ``tags``, ``contexts``, ``extras``, ``fingerprint``,
    ``attributes``), add data to this call only (SCO-28). ``scope`` is a Scope, or a function that writes one.
    """
    if scope is None and not scope_kwargs:
        return get_client().capture_event(event, hint)
    return get_current_scope().capture_event(event, hint, scope, **scope_kwargs)


def capture_exception(
    error: BaseException | ExcInfo | None = None,
    scope: Scope | Callable[[Scope], object] | None = None,
    **scope_kwargs: Unpack[ScopeKwargs],
) -> str | None:
    """Send an exception: the one given, or the one being handled; the event's id, or None (SCO-70)."""
    if scope is None and not scope_kwargs:  # most calls: what the current scope would do costs 0.2 us more
        return get_client().capture_exception(error)
    return get_current_scope().capture_exception(error, scope, **scope_kwargs)


def capture_message(
    message: str,
    level: LogLevel | None = None,
    scope: Scope | Callable[[Scope], object] | None = None,
    **scope_kwargs: Unpack[MessageKwargs],
) -> str | None:
    """Send a message, of level ``info`` unless given; the event's id, or None (SCO-71)."""
    if scope is None and not scope_kwargs:
        return get_client().capture_message(message, level)
    return get_current_scope().capture_message(message, level, scope, **scope_kwargs)


def capture_feedback(
    feedback: dict[str, Any] | None = None,
    hint: Hint | None = None,
    scope: Scope | Callable[[Scope], object] | None = None,
    **kwargs: Any,
) -> str | None:
    """Send what a user said about the program; its id, or None if it was dropped (FBK-38, FBK-41).

    ``feedback`` is a dict with ``message`` (cut at 4096 characters) and, if known, ``contact_email``, ``name``,
    ``url``, ``associated_event_id``, ``replay_id``; they may be given by keyword as well. Files may be put under
    ``hint["attachments"]``. The rest is as with ``capture_event``. Never raises: without a message nothing is sent.
    """
    return get_current_scope().capture_feedback(feedback, hint, scope, **kwargs)


def add_attachment(
    bytes: bytes | Callable[[], bytes] | None = None,  # noqa: A002 - the unified API's name
    filename: str | None = None,
    path: str | None = None,
    content_type: str | None = None,
    add_to_transactions: bool = False,  # noqa: FBT001, FBT002 - as above
) -> None:
    """Attach a file to later events, on the isolation scope (ATT-30, ATT-31).

    ``vedette.attachments.Attachment`` says what the arguments mean.
    """
    get_isolation_scope().add_attachment(bytes, filename, path, content_type, add_to_transactions)


def set_tags(tags: Mapping[str, object]) -> None:
    """Set several tags on the isolation scope (SCO-33)."""
    get_isolation_scope().set_tags(tags)


def set_context(key: str, value: dict[str, Any]) -> None:
    """Set a context on the isolation scope; it replaces the one of that name (SCO-67)."""
    get_isolation_scope().set_context(key, value)


def set_extra(key: str, value: Any) -> None:
    """Set an extra value on the isolation scope; ``set_context`` says more (SCO-44)."""
    get_isolation_scope().set_extra(key, value)


def set_user(value: dict[str, Any] | None) -> None:
    """Set the user on the isolation scope; None removes it (SCO-66, ruling 29)."""
    get_isolation_scope().set_user(value)


def set_level(value: LogLevel) -> None:
    """Set the level of later events, on the isolation scope (SCO-35)."""
    get_isolation_scope().set_level(value)


def set_transaction_name(name: str, source: str | None = None) -> None:
    """Name the transaction that later events belong to, on the current scope (SCO-45)."""
    get_current_scope().set_transaction_name(name, source)


def set_attribute(attribute: str, value: Any) -> None:
    """Set an attribute on the isolation scope (ATTR-25)."""
    get_isolation_scope().set_attribute(attribute, value)


def set_attributes(attributes: dict[str, Any]) -> None:
    """Set several attributes on the isolation scope (SCO-69)."""
    get_isolation_scope().set_attributes(attributes)


def remove_attribute(attribute: str) -> None:
    """Remove an attribute from the isolation scope (ATTR-17)."""
    get_isolation_scope().remove_attribute(attribute)


def continue_trace(
    environ_or_headers: Mapping[str, str],
    op: str | None = None,
    name: str | None = None,
    source: str | None = None,
    origin: str = "manual",
) -> Transaction:
    """Go on with the trace of a caller, told by its headers or the WSGI environment, on the isolation scope (PROP-93).

    The transaction that comes back is not recorded: spans are not built yet.
    """
    return get_isolation_scope().continue_trace(environ_or_headers, op, name, source, origin)


def get_traceparent() -> str | None:
    """The ``sentry-trace`` header by which the next service continues this trace (PROP-97)."""
    return get_current_scope().get_traceparent()


def get_baggage() -> str | None:
    """The ``baggage`` header for the next service; None if there is nothing to say (PROP-97)."""
    return get_current_scope().get_baggage()


def last_event_id() -> str | None:
    """The id of the last event that was sent from this execution context, or None (SCO-73)."""
    return get_isolation_scope().last_event_id()


def is_initialized() -> bool:
    """Whether a client is active here."""
    return get_client().is_active()


def flush(timeout: float | None = None, callback: Callable[[int, float], object] | None = None) -> None:
    """Send what waits, for at most ``timeout`` seconds (default: the option ``shutdown_timeout``) (CLI-22, CLI-24)."""
    get_client().flush(timeout, callback)


async def flush_async(timeout: float | None = None, callback: Callable[[int, float], object] | None = None) -> None:
    """As `flush`, in a coroutine: the event loop runs on meanwhile. ``callback`` is called on another thread."""
    await get_client().flush_async(timeout, callback)
