"""One request of an ASGI server: what it is, and its run, until the application's coroutine ends.

Guarantees
- The application gets the same events from ``receive`` in the same number of calls, and ``send`` as it came.
- What the application raises goes through, and is captured once; cancellation and clients that hang up are no errors.
- A server that asks whether an application knows ``lifespan`` gets its answer, and nothing is captured.
"""

from __future__ import annotations

from vedette.api import get_client, isolation_scope
from vedette.integrations._web.bodies import is_structured, limit_of
from vedette.integrations._web.hang_ups import is_hang_up
from vedette.integrations._web.requests import REQUEST_KEY, UnderWay, WebRequest, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from typing import Any, Final

    from vedette.scope import Scope as SentryScope

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[Any]]

__all__ = ["AsgiRequest", "run_in_request"]

_STANDARD_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_CONNECTIONS: Final = frozenset({"http", "websocket"})
_NO_BODY: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"})


class AsgiRequest(WebRequest):
    """A request, or a WebSocket connection, as the ASGI specification has it."""

    __slots__ = ("scope",)

    def __init__(self, scope: Scope, *, mechanism: str = "asgi") -> None:
        super().__init__(mechanism)
        self.scope: Scope = scope

    def end(self) -> None:
        """Let go of the ASGI scope, where frameworks keep what they like."""
        super().end()
        self.scope = {}

    def method(self) -> str | None:
        """Of the ASGI scope; a WebSocket is opened with GET."""
        method = self.scope.get("method")
        return method if type(method) is str else "GET" if self.scope.get("type") == "websocket" else None

    def url(self) -> str:
        """As the client has asked for it, as far as ``Host`` tells."""
        scheme = self.scope.get("scheme")
        scheme = scheme if type(scheme) is str and scheme else "http"
        return f"{scheme}://{self._host(scheme)}{quoted(self.path())}"

    def _host(self, scheme: str) -> str:
        for name, value in self.headers():
            if name == "host" and value:
                return value.removesuffix(f":{_STANDARD_PORTS.get(scheme)}")
        server = self.scope.get("server")
        if type(server) not in {tuple, list} or not server:
            return ""
        host, port = server[0], server[1]
        return str(host) if port in {None, _STANDARD_PORTS.get(scheme)} else f"{host}:{port}"

    def path(self) -> str:
        """Where the application is mounted, and what was asked of it."""
        path, root = self.scope.get("path"), self.scope.get("root_path")
        path = path if type(path) is str else ""
        if type(root) is str and root and not path.startswith(root):  # older servers leave it out of the path
            return root.rstrip("/") + path
        return path

    def query(self) -> str:
        """Of the ASGI scope."""
        return _text(self.scope.get("query_string"))

    def headers(self) -> Iterable[tuple[str, str]]:
        """Of the ASGI scope; names are in lower case there."""
        pairs: Iterable[tuple[object, object]] = self.scope.get("headers") or ()
        for name, value in pairs:
            yield _text(name).lower(), _text(value)

    def server(self) -> dict[str, str | None]:
        """Name and port of the server."""
        server = self.scope.get("server")
        if type(server) not in {tuple, list} or not server:
            return {}
        return {"SERVER_NAME": str(server[0]), "SERVER_PORT": None if server[1] is None else str(server[1])}

    def client_address(self) -> str | None:
        """The peer's, or what a server that trusts a proxy has put in its place."""
        client = self.scope.get("client")
        return str(client[0]) if type(client) in {tuple, list} and client else None

    def transaction(self) -> tuple[str, str] | None:
        """The path: ASGI knows no routes."""
        return self.path(), "url"

    def noting(self, receive: Receive, limit: int) -> Receive:
        """``receive``, or one that notes the body, if it is of a kind that can be filtered."""
        if self.scope.get("type") != "http" or self.scope.get("method") in _NO_BODY:
            return receive
        content_type = next((value for name, value in self.headers() if name == "content-type"), "")
        body = self.keep_body(limit if is_structured(content_type) else 0)

        async def noted() -> dict[str, Any]:
            message = await receive()
            if message.get("type") == "http.request":
                piece = message.get("body")
                if type(piece) is bytes:
                    body.note(piece)
            return message

        return noted


def _text(value: object) -> str:
    return value.decode("latin-1") if type(value) is bytes else value if type(value) is str else ""


async def run_in_request(
    app: App, scope: Scope, receive: Receive, send: Send, make: Callable[[Scope], AsgiRequest] = AsgiRequest
) -> Any:
    """Call an ASGI application in a scope of the request's own.

    Inside a request that is under way already, as where a framework's integration meets a middleware, it is told what
    this caller knows of it: ``make(scope)`` then describes it.
    """
    __tracebackhide__ = True
    kind = scope.get("type")
    client = get_client()
    if not client.is_active():
        return await app(scope, receive, send)
    if kind not in _CONNECTIONS:
        return await (_run_lifespan(app, scope, receive, send) if kind == "lifespan" else app(scope, receive, send))
    under_way = scope.get(REQUEST_KEY)
    if under_way is not None and not under_way.request.is_over:
        return await _run_inside(app, scope, receive, send, under_way, make)
    with isolation_scope() as isolation:
        request = make(scope)
        scope[REQUEST_KEY] = under_way = UnderWay(request, isolation)
        receive = _begin(isolation, request, client, receive)
        try:
            return await app(scope, receive, send)
        except BaseException as error:
            capture(error, under_way.request.mechanism)
            raise
        finally:
            under_way.request.end()


async def _run_inside(
    app: App, scope: Scope, receive: Receive, send: Send, under_way: UnderWay, make: Callable[[Scope], AsgiRequest]
) -> Any:
    __tracebackhide__ = True
    request = make(scope)
    if type(request) is not AsgiRequest:  # a framework, which knows more than a middleware does
        request.body = under_way.request.body
        under_way.request = under_way.scope.work = request
    try:
        return await app(scope, receive, send)
    except BaseException as error:
        capture(error, under_way.request.mechanism)
        raise


def _begin(isolation: SentryScope, request: AsgiRequest, client: Any, receive: Receive) -> Receive:
    """A scope for one request: its own trace, or its caller's, and no breadcrumbs of what was before (PAIN-07)."""
    isolation.clear_breadcrumbs()
    isolation.work = request
    traced = {_text(name): _text(value) for name, value in request.scope.get("headers") or () if name in _OF_TRACES}
    if traced:
        isolation.generate_propagation_context(traced)
    else:
        isolation.set_new_propagation_context()
    limit = limit_of(client)
    return request.noting(receive, limit) if limit else receive


_OF_TRACES: Final = frozenset({b"sentry-trace", b"baggage"})


def capture(error: BaseException, mechanism: str) -> None:
    """Capture what an application has raised, unless the client has hung up."""
    if not is_hang_up(error):
        get_client().capture_uncaught(error, mechanism)


async def _run_lifespan(app: App, scope: Scope, receive: Receive, send: Send) -> Any:
    """An application that does not know ``lifespan`` raises before it receives anything; that is its answer."""
    __tracebackhide__ = True
    received: list[None] = []

    async def noted() -> dict[str, Any]:
        received.append(None)
        return await receive()

    try:
        return await app(scope, noted, send)
    except BaseException as error:
        if received:
            capture(error, "asgi")
        raise
