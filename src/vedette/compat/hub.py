"""``Hub``: deprecated, over the scopes and the client that have replaced it."""

from __future__ import annotations

from vedette import api
from vedette._noops import check_ins, tracing
from vedette._scopes import entries
from vedette._scopes.context import get_client, get_current_scope, get_global_scope, get_isolation_scope
from vedette._scopes.scope import Scope, ScopeType
from vedette.compat import _deprecated
from vedette.compat.scopes import configured, pushed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Any, TypeVar

    from typing_extensions import Self

    from vedette._noops.spans import NoOpSpan, Span, Transaction
    from vedette._protocol.types import Breadcrumb, BreadcrumbHint, Event, ExcInfo, Hint, LogLevel
    from vedette._scopes.client import BaseClient
    from vedette._scopes.entries import Entry
    from vedette.compat.scopes import ConfiguredScope

    T = TypeVar("T")

__all__ = ["Hub", "SentryHubDeprecationWarning"]


class SentryHubDeprecationWarning(DeprecationWarning):
    """Warned of whenever a hub is made or asked for. Its name is that of the unified API."""

    __module__ = "vedette.hub"  # where programs catch it from (ruling 53)


class _HubType(type):
    """What ``Hub.current`` and ``Hub.main`` are properties of."""

    @property
    def current(cls) -> Hub:
        """The hub of the scopes that are active now."""
        _deprecated.warn("Hub", "get_client(), get_isolation_scope() and new_scope()", SentryHubDeprecationWarning)
        return _CURRENT

    @property
    def main(cls) -> Hub:
        """The hub of the whole process: its scope is the global scope."""
        _deprecated.warn("Hub", "get_global_scope()", SentryHubDeprecationWarning)
        return _MAIN


class Hub(metaclass=_HubType):
    """Deprecated: a client and a stack of scopes, as one object.

    ``Hub.current`` stands for the scopes that are active when it is used. ``Hub(other)`` has forks of the
    other's scopes, ``Hub(client)`` empty ones with this client; they are active inside ``with hub:``, in
    one context at a time.
    """

    def __init__(self, client_or_hub: Hub | BaseClient | None = None, scope: Scope | None = None) -> None:
        _deprecated.warn("Hub", "isolation_scope() or use_isolation_scope()", SentryHubDeprecationWarning)
        if isinstance(client_or_hub, Hub):
            isolation, current = client_or_hub._isolation_in_charge().fork(), client_or_hub.scope.fork()  # noqa: SLF001
        else:
            isolation, current = Scope(ScopeType.ISOLATION, client_or_hub), Scope(ScopeType.CURRENT)
        self._isolation: Scope | None = isolation
        self._scope: Scope | None = current if scope is None else scope
        self._open: list[Entry] = []

    @classmethod
    def standing_for(cls, isolation: Scope | None, scope: Scope | None) -> Hub:
        """A hub of these very scopes, None meaning the active ones; for vedette's own use, without a warning."""
        hub = cls.__new__(cls)
        hub._isolation, hub._scope, hub._open = isolation, scope, []  # noqa: SLF001 - as __init__ does
        return hub

    def __enter__(self) -> Self:
        isolation, current = self._isolation_in_charge(), self.scope
        self._open.append(entries.enter(isolation, current))
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._open:
            entries.leave(self._open.pop())

    def run(self, callback: Callable[[], T]) -> T:
        """Call a function inside ``with hub:``."""
        with self:
            return callback()

    def _isolation_in_charge(self) -> Scope:
        return get_isolation_scope() if self._isolation is None else self._isolation

    @property
    def scope(self) -> Scope:
        """The current scope."""
        return get_current_scope() if self._scope is None else self._scope

    @property
    def client(self) -> BaseClient | None:
        """The client in charge, or None while the SDK is disabled."""
        client = self._scope.client if self._scope is not None else None
        if client is None:
            client = self._isolation.client if self._isolation is not None else None
        client = get_client() if client is None else client
        return client if client.is_active() else None

    def bind_client(self, new: BaseClient | None) -> None:
        """Bind a client to the current scope."""
        self.scope.set_client(new)

    def get_integration(self, name_or_class: str | type) -> Any:
        """The integration of this name or class, if it is set up; else None."""
        client = self.client
        return None if client is None else client.get_integration(name_or_class)

    def last_event_id(self) -> str | None:
        """The id of the last event that was sent from this execution context, or None."""
        return api.last_event_id()

    # --- capturing ---------------------------------------------------------------------------------------

    def capture_event(
        self, event: Event, hint: Hint | None = None, scope: Scope | None = None, **scope_kwargs: Any
    ) -> str | None:
        """As `vedette.capture_event`, with the scopes of this hub."""
        return self.run(lambda: api.capture_event(event, hint, scope, **scope_kwargs))

    def capture_message(
        self, message: str, level: LogLevel | None = None, scope: Scope | None = None, **scope_kwargs: Any
    ) -> str | None:
        """As `vedette.capture_message`, with the scopes of this hub."""
        return self.run(lambda: api.capture_message(message, level, scope, **scope_kwargs))

    def capture_exception(
        self, error: BaseException | ExcInfo | None = None, scope: Scope | None = None, **scope_kwargs: Any
    ) -> str | None:
        """As `vedette.capture_exception`, with the scopes of this hub."""
        return self.run(lambda: api.capture_exception(error, scope, **scope_kwargs))

    def add_breadcrumb(
        self, crumb: Breadcrumb | None = None, hint: BreadcrumbHint | None = None, **kwargs: Any
    ) -> None:
        """As `vedette.add_breadcrumb`, on the isolation scope of this hub."""
        self._isolation_in_charge().add_breadcrumb(crumb, hint, **kwargs)

    def flush(self, timeout: float | None = None, callback: Callable[[int, float], object] | None = None) -> None:
        """As `vedette.flush`."""
        client = self.client
        if client is not None:
            client.flush(timeout, callback)

    # --- scopes ------------------------------------------------------------------------------------------

    def push_scope(
        self,
        callback: Callable[[Scope], object] | None = None,
        continue_trace: bool = True,  # noqa: FBT001, FBT002 - the unified API's signature
    ) -> AbstractContextManager[Scope] | None:
        """As `vedette.push_scope`."""
        return pushed(self.scope, callback)

    def pop_scope_unsafe(self) -> tuple[BaseClient | None, Scope]:
        """Leave the innermost ``with`` block of a scope ahead of its end; the client and the scope left."""
        popped = self.client, self.scope
        entry = entries.active()
        if entry is not None:
            entries.leave(entry)
        return popped

    def configure_scope(
        self,
        callback: Callable[[Scope], object] | None = None,
        continue_trace: bool = True,  # noqa: FBT001, FBT002 - the unified API's signature
    ) -> ConfiguredScope | None:
        """As `vedette.configure_scope`, with the scopes of this hub."""
        return self.run(lambda: configured(callback))

    # --- traces ------------------------------------------------------------------------------------------

    def continue_trace(
        self,
        environ_or_headers: Mapping[str, str],
        op: str | None = None,
        name: str | None = None,
        source: str | None = None,
    ) -> Transaction:
        """As `vedette.continue_trace`, with the scopes of this hub."""
        return self._isolation_in_charge().continue_trace(environ_or_headers, op, name, source)

    def get_traceparent(self) -> str | None:
        """As `vedette.get_traceparent`, with the scopes of this hub."""
        return self.run(api.get_traceparent)

    def get_baggage(self) -> str | None:
        """As `vedette.get_baggage`, with the scopes of this hub."""
        return self.run(api.get_baggage)

    def iter_trace_propagation_headers(self, span: Span | None = None) -> Iterator[tuple[str, str]]:
        """The names and values of the headers by which the next service continues the trace."""
        return iter(self.run(lambda: list(get_current_scope().iter_trace_propagation_headers())))

    def trace_propagation_meta(self, span: Span | None = None) -> str:
        """The headers as ``meta`` elements of an HTML page."""
        return self.run(lambda: get_current_scope().trace_propagation_meta())

    # --- not built yet -----------------------------------------------------------------------------------

    def start_span(self, instrumenter: str = "sentry", **kwargs: Any) -> Span:
        """A span that is not recorded: tracing is not built yet."""
        return tracing.start_span(**kwargs)

    def start_transaction(
        self,
        transaction: Transaction | None = None,
        instrumenter: str = "sentry",
        custom_sampling_context: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Transaction | NoOpSpan:
        """A transaction that is not recorded: tracing is not built yet."""
        return tracing.start_transaction(transaction, instrumenter, custom_sampling_context, **kwargs)

    def start_session(self, session_mode: str = "application") -> None:
        """Do nothing: sessions are not built yet."""
        check_ins.start_session(session_mode)

    def end_session(self) -> None:
        """Do nothing: sessions are not built yet."""
        check_ins.end_session()

    def stop_auto_session_tracking(self) -> None:
        """Do nothing: sessions are not built yet."""

    def resume_auto_session_tracking(self) -> None:
        """Do nothing: sessions are not built yet."""


_CURRENT = Hub.standing_for(None, None)
_MAIN = Hub.standing_for(Scope(ScopeType.ISOLATION), get_global_scope())
