"""aiohttp's server: a scope for each request, and what its applications raise.

Guarantees
- A request's scope begins before its application is asked, and ends when the last byte of the answer is written: files,
  bodies that are made while they are sent, and signals are in it. The next request of a connection has a scope of its
  own, whether aiohttp gives it a task of its own or not.
- The server gets the same answers and exceptions; cancellation and clients that hang up are no errors.

aiohttp has signals and middlewares of one application each, but none of all applications, and none of these sees what
the others raise. So two methods are wrapped: the one that runs a request, and the one by which an application answers.
They have been there under these names since aiohttp 3.7.
"""

from __future__ import annotations

import sys

from vedette.api import get_client, get_isolation_scope, isolation_scope
from vedette.integrations._http_client import quietly
from vedette.integrations._patching import look_like, put_in
from vedette.integrations._web.bodies import is_structured, limit_of
from vedette.integrations._web.requests import WebRequest
from vedette.integrations._web.stored import stored_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from logging import LogRecord
    from typing import Any, Final

    from vedette.integrations.aiohttp import AioHttpIntegration
    from vedette.scope import Scope

_NAME: Final = "aiohttp"
MODULE: Final = "aiohttp.web_app"
"""What a program imports to have an application; programs that are clients only do not."""


def take_over(user: AioHttpIntegration) -> None:
    """Give each request a scope, and see what applications raise."""
    put_in(user, sys.modules["aiohttp.web_protocol"].RequestHandler, "_handle_request", _make_handle_request)
    put_in(user, sys.modules[MODULE].Application, "_handle", _make_handle)


# --- a scope for each request ----------------------------------------------------------------------------


def _make_handle_request(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    async def _handle_request(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        integration = get_client().get_integration(_NAME)
        if integration is None:
            return await previous(self, request, *args, **kwargs)
        with isolation_scope() as scope:
            described = quietly(_NAME, _begin, scope, request, integration)
            try:
                return await previous(self, request, *args, **kwargs)
            except ConnectionError:  # aiohttp takes it for a client that has hung up, and ignores it
                raise
            except BaseException as error:
                # Of a body that is made while it is sent, or of a signal: handlers' own have become answers by now.
                quietly(_NAME, get_client().capture_uncaught, error, _NAME)
                raise
            finally:
                if described is not None:
                    described.end()

    return _handle_request


def _begin(scope: Scope, request: Any, integration: AioHttpIntegration) -> AioHttpRequest:
    """Its own trace, or its caller's, and no breadcrumbs of what was before (PAIN-07)."""
    scope.clear_breadcrumbs()
    headers = request.headers
    traced = {name: ",".join(headers.getall(name)) for name in ("sentry-trace", "baggage") if name in headers}
    if traced:
        scope.generate_propagation_context(traced)
    else:
        scope.set_new_propagation_context()
    described = scope.work = AioHttpRequest(request, integration)
    return described


# --- what applications raise -----------------------------------------------------------------------------


def _make_handle(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    async def _handle(self: Any, request: Any) -> Any:
        __tracebackhide__ = True
        try:
            return await previous(self, request)
        except BaseException as error:
            quietly(_NAME, _capture, error, request)
            raise

    return _handle


def _capture(error: BaseException, request: Any) -> None:
    client = get_client()
    integration = client.get_integration(_NAME)
    if integration is None:
        return
    if isinstance(error, sys.modules["aiohttp.web_exceptions"].HTTPException):
        if stored_in(error).get("_status") in integration.failed_request_status_codes:
            client.capture_exception(error, mechanism={"type": _NAME, "handled": True})
        return
    described = _under_way()
    if described is not None:
        described.has_failed = True
    if not (_is_of_a_connection(error) and _has_hung_up(request)):
        client.capture_uncaught(error, _NAME)


def _under_way() -> AioHttpRequest | None:
    work: Any = get_isolation_scope().work
    return work if type(work) is AioHttpRequest else None


def _is_of_a_connection(error: BaseException | None) -> bool:
    """Whether connections broke, and nothing else has failed: task groups wrap what they end with."""
    if type(error).__name__ in {"BaseExceptionGroup", "ExceptionGroup"}:
        inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
        return bool(inner) and all(map(_is_of_a_connection, inner))
    return isinstance(error, ConnectionError)


def _has_hung_up(request: Any) -> bool:
    """Whether nobody is there any more; what a handler reads or writes then fails, through no fault of its own."""
    transport = request.transport
    return transport is None or transport.is_closing()


def is_known(record: LogRecord) -> bool:
    """Whether what aiohttp logs was captured, or is what a client did: it hung up, or sent what is no HTTP."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, sys.modules["aiohttp.http_exceptions"].HttpProcessingError):
        return True
    described = _under_way()
    if described is None or described.is_over:
        return False
    return described.has_failed or (_is_of_a_connection(error) and _has_hung_up(described.request))


# --- what a request says of itself -----------------------------------------------------------------------


class AioHttpRequest(WebRequest):
    """A request as aiohttp has stored it: headers and URL are values of its own, and immutable."""

    __slots__ = ("has_failed", "integration", "request")

    def __init__(self, request: Any, integration: AioHttpIntegration) -> None:
        super().__init__(_NAME)
        self.request: Any = request
        self.has_failed: bool = False
        """Whether the application has raised, and it was captured, or was no error; aiohttp logs it as well."""
        self.integration: AioHttpIntegration = integration

    def end(self) -> None:
        """Let go of the request, and with it of the connection and the application."""
        super().end()
        self.request = None

    def describe(self, event: dict[str, Any], client: Any) -> None:
        """As any request; the body is what the application has read of it, which aiohttp keeps."""
        read = self._stored("_read_bytes")
        limit = limit_of(client)
        if limit and type(read) is bytes and self.body is None:
            content_type = self._headers().get("Content-Type", "")
            self.keep_body(limit if is_structured(content_type) else 0).note(read)
        super().describe(event, client)

    def _stored(self, name: str) -> Any:
        return stored_in(self.request).get(name)

    def _headers(self) -> Any:
        return self._stored("_headers") or {}

    def method(self) -> str | None:
        """As it came."""
        method: str | None = self._stored("_method")
        return method

    def url(self) -> str:
        """As the client has asked for it, as far as ``Host`` tells."""
        given: dict[str, Any] = (
            self._stored("_cache") or {}
        )  # by whoever replaced the request: a middleware that trusts a proxy
        scheme = given.get("scheme") or ("https" if self._stored("_transport_sslcontext") else "http")
        host = given.get("host") or self._headers().get("Host", "")
        return f"{scheme}://{host}{self._stored('_rel_url').raw_path}"

    def query(self) -> str:
        """As it came."""
        query: str = self._stored("_rel_url").raw_query_string
        return query

    def headers(self) -> Iterable[tuple[str, str]]:
        """As they came."""
        return self._headers().items()  # type: ignore[no-any-return]

    def server(self) -> dict[str, str | None]:
        """Address and port of the server, of which aiohttp knows since 3.13."""
        name = self._stored("_transport_sockname")
        return {"SERVER_NAME": str(name[0]), "SERVER_PORT": str(name[1])} if _is_address(name) else {}

    def client_address(self) -> str | None:
        """The peer's."""
        peer = self._stored("_transport_peername")
        return str(peer[0]) if _is_address(peer) else None

    def transaction(self) -> tuple[str, str] | None:
        """The handler, or method and pattern of the route; where none fits, the path."""
        route = getattr(self._stored("_match_info"), "_route", None)
        stored = stored_in(route)
        if route is None or "_http_exception" in stored:  # a route of aiohttp's own, which says that there is none
            return self._stored("_rel_url").path, "url"
        if self.integration.transaction_style == "handler_name":
            return _name_of(stored.get("_handler")), "component"
        resource = stored_in(stored.get("_resource"))
        pattern = next((resource[name] for name in _PATTERNS if name in resource), None)
        if type(pattern) is not str:
            return self._stored("_rel_url").path, "url"
        return f"{self.method()} {pattern}", "route"


def _is_address(name: object) -> bool:
    """Whether a socket is bound to host and port; that of a Unix socket is a path, or nothing."""
    return type(name) is tuple


_PATTERNS: Final = ("_formatter", "_path", "_prefix")
"""Where dynamic, plain and static resources store what they stand for, with the prefix of the application above."""


def _name_of(handler: Any) -> str:
    """Of ``hello`` in the module ``shop``, ``shop.hello``; of a view that is a class, the class."""
    from functools import partial  # noqa: PLC0415 - asyncio has imported it

    while type(handler) is partial:
        handler = handler.func
    wrapped: object = stored_in(handler).get("__wrapped__")
    if wrapped is not None and not hasattr(type(wrapped), "__get__"):  # an instance that aiohttp has wrapped
        handler = type(wrapped)
    return f"{handler.__module__}.{handler.__qualname__}"
