"""The integration: which hooks of Django's it uses."""

from __future__ import annotations

import sys

from vedette.api import get_client, get_isolation_scope, isolation_scope
from vedette.integrations import Integration, when_imported
from vedette.integrations._patching import look_like, put_in, take_out, users_of
from vedette.integrations._web import asgi, wsgi
from vedette.integrations._web.hang_ups import is_hang_up
from vedette.integrations._web.statuses import SERVER_ERRORS, status_codes
from vedette.integrations._web.stored import stored_in
from vedette.integrations.django._queries import hide_parameters, leave_connections, watch_connections
from vedette.integrations.django._requests import DjangoAsgiRequest, DjangoWsgiRequest, is_repeated
from vedette.integrations.django._templates import add_template_frame
from vedette.integrations.wsgi import HTTP_METHODS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from logging import LogRecord
    from typing import Any, ClassVar

_STYLES = ("url", "function_name")
_INTERNAL_ERROR = 500
_REQUESTS = frozenset({DjangoWsgiRequest, DjangoAsgiRequest})


class DjangoIntegration(Integration):
    """Captures what views and middleware raise and Django answers with status 500; queries are breadcrumbs.

    Under WSGI and ASGI, with sync and async views, with Django REST framework. Each request gets a scope of its own.

    Args:
        transaction_style: ``url`` names a transaction ``/shop/<item>``, ``function_name`` names it ``shop.views.pay``.
        failed_request_status_codes: With which answers to an exception it is captured; 400, 403 and 404 stand for
            Django's own exceptions of these.
        middleware_spans: Whether there will be spans of middleware, once vedette has tracing.
        signals_spans: The same for signals.
        cache_spans: The same for caches.
        db_transaction_spans: The same for transactions of the database.
        signals_denylist: Signals without spans.
        http_methods_to_capture: Of which requests there will be transactions then.

    Raises:
        ValueError: There is no such style, or these are no status codes.
    """

    identifier: ClassVar[str] = "django"
    library: ClassVar[str] = "django"
    minimum_version: ClassVar[tuple[int, ...]] = (3, 2)

    def __init__(
        self,
        transaction_style: str = "url",
        middleware_spans: bool = False,  # noqa: FBT001, FBT002 - the unified API's signature
        signals_spans: bool = True,  # noqa: FBT001, FBT002 - the same
        cache_spans: bool = False,  # noqa: FBT001, FBT002 - the same
        db_transaction_spans: bool = False,  # noqa: FBT001, FBT002 - the same
        signals_denylist: list[Any] | None = None,
        http_methods_to_capture: tuple[str, ...] = HTTP_METHODS,
        *,
        failed_request_status_codes: Any = SERVER_ERRORS,
    ) -> None:
        if transaction_style not in _STYLES:
            raise ValueError(f"DjangoIntegration: transaction_style is one of {_STYLES}, not {transaction_style!r}")
        self.transaction_style = transaction_style
        self.failed_request_status_codes: frozenset[int] = status_codes(
            failed_request_status_codes, "DjangoIntegration"
        )
        self.middleware_spans = middleware_spans
        self.signals_spans = signals_spans
        self.cache_spans = cache_spans
        self.db_transaction_spans = db_transaction_spans
        self.signals_denylist: list[Any] = signals_denylist or []
        self.http_methods_to_capture = http_methods_to_capture

        self._stop_waiting: list[Callable[[], None]] = []

    def setup(self, client: Any) -> None:
        """Have the hooks put in, each as soon as its part of Django is there: ``init`` may stand in the settings."""
        self._stop_waiting = [
            when_imported("django.core.handlers.base", self._take_over_responses),
            when_imported("django.core.handlers.wsgi", self._take_over_wsgi),
            when_imported("django.core.handlers.asgi", self._take_over_asgi),
            when_imported("django.db", watch_connections),
        ]

    def close(self) -> None:
        """Take them out."""
        for stop in self._stop_waiting:
            stop()
        was_in = users_of(_make_get_response)
        take_out(self)
        if was_in and not users_of(_make_get_response):  # else another client still listens
            sys.modules["django.core.signals"].got_request_exception.disconnect(dispatch_uid="vedette")
            if "django.db" in sys.modules:
                leave_connections()

    def repeats(self, record: LogRecord) -> bool:
        """Whether Django logs what became of an exception, for which there is the signal; all else it says counts."""
        return record.name == "django.server" or bool(record.exc_info)

    def process_event(self, event: Any, hint: Any, client: Any) -> Any:
        """Show the line of the template that has failed; leave out what is repeated, and the values of queries."""
        exc_info = hint.get("exc_info")
        if exc_info is not None:
            if is_repeated(get_isolation_scope().work, exc_info[1]):
                return None
            add_template_frame(event, exc_info[1])
            hide_parameters(event)
        return event

    def _take_over_responses(self) -> None:
        base, exception = (sys.modules[f"django.core.handlers.{name}"] for name in ("base", "exception"))
        sys.modules["django.core.signals"].got_request_exception.connect(
            _on_exception, weak=False, dispatch_uid="vedette"
        )
        put_in(self, base.BaseHandler, "get_response", _make_get_response)
        put_in(self, base.BaseHandler, "get_response_async", _make_get_response_async)
        put_in(self, exception, "response_for_exception", _make_response_for_exception)

    def _take_over_wsgi(self) -> None:
        put_in(self, sys.modules["django.core.handlers.wsgi"].WSGIHandler, "__call__", _make_wsgi_call)

    def _take_over_asgi(self) -> None:
        put_in(self, sys.modules["django.core.handlers.asgi"].ASGIHandler, "__call__", _make_asgi_call)

    def wsgi_request(self, environ: dict[str, Any]) -> DjangoWsgiRequest:
        """One request under WSGI."""
        return DjangoWsgiRequest(environ, self.transaction_style)

    def asgi_request(self, scope: dict[str, Any]) -> DjangoAsgiRequest:
        """One request under ASGI."""
        return DjangoAsgiRequest(scope, self.transaction_style)


def _integration() -> Any:
    return get_client().get_integration(DjangoIntegration)


# --- what fails ------------------------------------------------------------------------------------------


def _on_exception(**_: Any) -> None:
    """Django's signal for an exception that becomes an answer with status 500, before it is logged."""
    integration, error = _integration(), sys.exc_info()[1]
    if integration is None or error is None or is_hang_up(error):
        return
    if _INTERNAL_ERROR in integration.failed_request_status_codes:
        get_client().capture_uncaught(error, "django")
        work: Any = get_isolation_scope().work
        if type(work) in _REQUESTS:
            work.failures.append(id(error))


def _make_response_for_exception(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def response_for_exception(request: Any, exc: Exception) -> Any:
        __tracebackhide__ = True
        integration = _integration()
        if integration is not None and _status_of(exc) in integration.failed_request_status_codes:
            get_client().capture_exception(exc, mechanism={"type": "django", "handled": True})
        return previous(request, exc)

    return response_for_exception


def _status_of(error: Exception) -> int | None:
    """With which status Django answers an exception of its own; for others there is the signal."""
    for kind in type(error).__mro__:
        status = _STATUSES.get((kind.__module__, kind.__name__))
        if status is not None:
            return status
    return None


_STATUSES = {
    ("django.http.response", "Http404"): 404,
    ("django.core.exceptions", "PermissionDenied"): 403,
    ("django.core.exceptions", "SuspiciousOperation"): 400,
    ("django.core.exceptions", "BadRequest"): 400,
    ("django.http.multipartparser", "MultiPartParserError"): 400,
}


# --- scopes of requests ----------------------------------------------------------------------------------


def _make_wsgi_call(previous: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    @look_like(previous)
    def __call__(self: Any, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:  # noqa: N807 - as Django names it
        __tracebackhide__ = True
        integration = _integration()
        if integration is None:
            return previous(self, environ, start_response)

        def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            __tracebackhide__ = True
            return previous(self, environ, start_response)

        return wsgi.run_in_request(app, environ, start_response, integration.wsgi_request)

    return __call__


def _make_asgi_call(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    async def __call__(self: Any, scope: Any, receive: Any, send: Any) -> Any:  # noqa: N807 - as Django names it
        __tracebackhide__ = True
        integration = _integration()
        if integration is None:
            return await previous(self, scope, receive, send)

        async def app(scope: Any, receive: Any, send: Any) -> Any:
            __tracebackhide__ = True
            return await previous(self, scope, receive, send)

        return await asgi.run_in_request(app, scope, receive, send, integration.asgi_request)

    return __call__


def _make_get_response(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def get_response(self: Any, request: Any) -> Any:
        __tracebackhide__ = True
        integration = _integration()
        if integration is None or _is_noted(request):
            return previous(self, request)
        with isolation_scope() as scope:  # Django's test client, which calls no handler of a server
            work = scope.work = _without_server(request, integration)
            try:
                return previous(self, request)
            finally:
                work.end()

    return get_response


def _make_get_response_async(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    async def get_response_async(self: Any, request: Any) -> Any:
        __tracebackhide__ = True
        integration = _integration()
        if integration is None or _is_noted(request):
            return await previous(self, request)
        with isolation_scope() as scope:
            work = scope.work = _without_server(request, integration)
            try:
                return await previous(self, request)
            finally:
                work.end()

    return get_response_async


def _is_noted(request: object) -> bool:
    """Whether the request under way takes this one of Django's as what it is about."""
    work: Any = get_isolation_scope().work
    if type(work) not in _REQUESTS or work.request is not None:
        return False
    work.request = request
    return True


def _without_server(request: object, integration: DjangoIntegration) -> DjangoWsgiRequest | DjangoAsgiRequest:
    fields = stored_in(request)
    work: DjangoWsgiRequest | DjangoAsgiRequest
    if "scope" in fields:
        work = integration.asgi_request(fields["scope"])
    else:
        work = integration.wsgi_request(fields.get("environ") or fields.get("META") or {})
    work.request = request
    return work
