"""One request of a WSGI server: what it is, and its run, from the call to the last byte of the answer.

Guarantees
- The application's result is handed on as it is, unless it may run code of the application's when it is iterated; then
  each step of that runs in the request's scope.
- What the application raises goes through, and is captured once.
- When the last byte is out, nothing of the request is held.
"""

from __future__ import annotations

import io

from vedette.api import get_client, isolation_scope
from vedette.integrations._web.bodies import TeedInput, is_structured, limit_of
from vedette.integrations._web.requests import REQUEST_KEY, UnderWay, WebRequest, quoted
from vedette.scope import use_isolation_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Final

    from vedette.scope import Scope

    Environ = dict[str, Any]
    App = Callable[[Environ, Any], Iterable[bytes]]

__all__ = ["WsgiRequest", "is_under_way", "run_in_request"]

_NO_CODE: Final = frozenset({list, tuple})
_FILES: Final = frozenset({io.BufferedReader, io.BytesIO, io.FileIO})
_STANDARD_PORTS: Final = {"http": "80", "https": "443"}


class WsgiRequest(WebRequest):
    """A request as PEP 3333 has it."""

    __slots__ = ("environ", "trusts_proxy")

    def __init__(self, environ: Environ, *, trusts_proxy: bool = False, mechanism: str = "wsgi") -> None:
        super().__init__(mechanism)
        self.environ: Environ = environ
        self.trusts_proxy: bool = trusts_proxy

    def end(self) -> None:
        """Let go of the environ, with the sockets in it."""
        super().end()
        self.environ = {}

    def method(self) -> str | None:
        """Of the environ."""
        return _text(self.environ, "REQUEST_METHOD") or None

    def url(self) -> str:
        """As the client has asked for it, as far as ``Host`` tells."""
        environ = self.environ
        scheme = _text(environ, "wsgi.url_scheme") or "http"
        host = ""
        if self.trusts_proxy:
            scheme = _text(environ, "HTTP_X_FORWARDED_PROTO") or scheme
            host = _text(environ, "HTTP_X_FORWARDED_HOST")
        host = host or _text(environ, "HTTP_HOST")
        if not host:
            host, port = _text(environ, "SERVER_NAME"), _text(environ, "SERVER_PORT")
            if port and port != _STANDARD_PORTS.get(scheme):
                host = f"{host}:{port}"
        elif host.endswith(f":{_STANDARD_PORTS.get(scheme)}"):
            host = host.rpartition(":")[0]
        return f"{scheme}://{host}{quoted(self.path())}"

    def path(self) -> str:
        """Where the application is mounted, and what was asked of it."""
        path = _text(self.environ, "SCRIPT_NAME").rstrip("/") + "/" + _text(self.environ, "PATH_INFO").lstrip("/")
        return path.encode("latin-1", "replace").decode("utf-8", "replace")

    def query(self) -> str:
        """Of the environ."""
        return _text(self.environ, "QUERY_STRING")

    def headers(self) -> Iterable[tuple[str, str]]:
        """The variables that are headers, under the names that these had."""
        for key in tuple(self.environ):
            if type(key) is str and (key.startswith("HTTP_") or key in {"CONTENT_TYPE", "CONTENT_LENGTH"}):
                value = _text(self.environ, key)
                if value:
                    yield key.removeprefix("HTTP_").replace("_", "-").title(), value

    def server(self) -> dict[str, str | None]:
        """Name and port of the server."""
        return {name: _text(self.environ, name) or None for name in ("SERVER_NAME", "SERVER_PORT")}

    def client_address(self) -> str | None:
        """The first address that proxies tell of, where the server is told to trust them; else the peer's."""
        if self.trusts_proxy:
            forwarded = _text(self.environ, "HTTP_X_FORWARDED_FOR").partition(",")[0].strip()
            forwarded = forwarded or _text(self.environ, "HTTP_X_REAL_IP")
            if forwarded:
                return forwarded
        return _text(self.environ, "REMOTE_ADDR") or None

    def transaction(self) -> tuple[str, str] | None:
        """The path: WSGI knows no routes."""
        return self.path(), "url"

    def note_body(self, limit: int) -> None:
        """Have what the application reads of the body noted, if it is of a kind that can be filtered."""
        environ = self.environ
        length = environ.get("CONTENT_LENGTH")
        if length in _NO_BODY and "HTTP_TRANSFER_ENCODING" not in environ:
            return
        stream = environ.get("wsgi.input")
        if stream is not None:
            body = self.keep_body(limit if is_structured(_text(environ, "CONTENT_TYPE")) else 0)
            environ["wsgi.input"] = TeedInput(stream, body)


_NO_BODY: Final = frozenset({None, "", "0"})


def _text(environ: Environ, key: str) -> str:
    """A variable, if it is a text: who fills an environ by hand may have put anything there."""
    value = environ.get(key)
    return value if type(value) is str else ""


def run_in_request(
    app: App, environ: Environ, start_response: Any, make: Callable[[Environ], WsgiRequest] = WsgiRequest
) -> Iterable[bytes]:
    """Call a WSGI application in a scope of the request's own.

    Inside a request that is under way already, as where a framework's integration meets a middleware, it is told what
    this caller knows of it: ``make(environ)`` then describes it.
    """
    __tracebackhide__ = True
    client = get_client()
    if not client.is_active():
        return app(environ, start_response)
    under_way = environ.get(REQUEST_KEY)
    if under_way is not None and not under_way.request.is_over:  # a cascade of applications shares one environ
        return _run_inside(app, environ, start_response, under_way, make)
    context = isolation_scope()
    scope = context.__enter__()
    try:
        request = make(environ)
        environ[REQUEST_KEY] = UnderWay(request, scope)
        _begin(scope, request, client)
        try:
            response = app(environ, start_response)
        except BaseException as error:
            client.capture_uncaught(error, request.mechanism)
            request.end()
            raise
        if type(response) in _NO_CODE or _is_a_file(environ, response):
            request.end()
            return response
        return _Response(response, environ[REQUEST_KEY])
    finally:
        context.__exit__(None, None, None)


def is_under_way(environ: Environ, kind: type[WsgiRequest]) -> bool:
    """Whether this environ's request is described by that kind already."""
    under_way = environ.get(REQUEST_KEY)
    return under_way is not None and type(under_way.request) is kind and not under_way.request.is_over


def _run_inside(
    app: App, environ: Environ, start_response: Any, under_way: UnderWay, make: Callable[[Environ], WsgiRequest]
) -> Iterable[bytes]:
    __tracebackhide__ = True
    request, known = make(environ), under_way.request
    if type(request) is not WsgiRequest:  # a framework, which knows more than a middleware does
        request.body, request.trusts_proxy = known.body, request.trusts_proxy or known.trusts_proxy
        under_way.request = under_way.scope.work = request
    try:
        return app(environ, start_response)
    except BaseException as error:
        get_client().capture_uncaught(error, under_way.request.mechanism)
        raise


def _begin(scope: Scope, request: WsgiRequest, client: Any) -> None:
    """A scope for one request: its own trace, or its caller's, and no breadcrumbs of what was before (PAIN-07)."""
    scope.clear_breadcrumbs()
    scope.work = request
    environ = request.environ
    if "HTTP_SENTRY_TRACE" in environ:
        names = ("HTTP_SENTRY_TRACE", "HTTP_BAGGAGE")
        scope.generate_propagation_context({name: _text(environ, name) for name in names})
    else:
        scope.set_new_propagation_context()
    limit = limit_of(client)
    if limit:
        request.note_body(limit)


def _is_a_file(environ: Environ, response: object) -> bool:
    """Whether the server is to send a file by itself (PEP 3333, ``wsgi.file_wrapper``).

    Most servers know it by the class of the wrapper; uWSGI's is a function that hands the file on as it is.
    """
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is None:
        return False
    return isinstance(response, wrapper) if isinstance(wrapper, type) else type(response) in _FILES


class _Response:
    """An answer that runs the application's code while it is sent: each step of it in the request's scope."""

    __slots__ = ("_iterator", "_response", "_under_way")

    def __init__(self, response: Iterable[bytes], under_way: UnderWay) -> None:
        self._response: Any = response
        self._under_way = under_way
        self._iterator: Iterator[bytes] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    def __iter__(self) -> _Response:
        return self

    def __next__(self) -> bytes:
        __tracebackhide__ = True
        with use_isolation_scope(self._under_way.scope):
            try:
                if self._iterator is None:
                    self._iterator = iter(self._response)
                return next(self._iterator)
            except StopIteration:
                raise
            except BaseException as error:
                self._capture(error)
                raise

    def close(self) -> None:
        """The server calls it in the end, whatever has happened."""
        __tracebackhide__ = True
        try:
            close = getattr(self._response, "close", None)
            if close is not None:
                with use_isolation_scope(self._under_way.scope):
                    try:
                        close()
                    except BaseException as error:
                        self._capture(error)
                        raise
        finally:
            self._under_way.request.end()

    def _capture(self, error: BaseException) -> None:
        get_client().capture_uncaught(error, self._under_way.request.mechanism)
