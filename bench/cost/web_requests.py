"""Scenarios: a request to an application that does nothing, or fails; without a server, through the middleware."""

from __future__ import annotations

import io

from bench.cost.sampling import Calls
from bench.cost.workload import read_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bench.cost.contenders import Contender, Sdk

COUNT = 50
NO_BODY = io.BytesIO()


def wsgi(contender: Contender, dsn: str) -> Calls:
    """Answered with a list."""
    contender.init(dsn)
    request = wsgi_request(wrapped(contender, "wsgi", "SentryWsgiMiddleware", answer))
    return repeated(request, COUNT)


def asgi(contender: Contender, dsn: str) -> Calls:
    """Answered with one message."""
    contender.init(dsn)
    request = asgi_request(wrapped(contender, "asgi", "SentryAsgiMiddleware", answer_async))
    return repeated(request, COUNT)


def failing_wsgi(contender: Any, dsn: str) -> Calls:
    """A view that raises, 4 frames down."""
    contender.init(dsn)
    request = wsgi_request(wrapped(contender, "wsgi", "SentryWsgiMiddleware", fail))

    def failing() -> None:
        try:
            request()
        except ValueError:
            return

    return repeated(failing, 5, sent=contender.delivers)


def repeated(request: Callable[[], None], count: int, *, sent: bool = False) -> Calls:
    """One request after the other."""

    def run(_: object) -> None:
        for _ in range(count):
            request()

    return Calls(count, run, sent=sent)


def wrapped(contender: Contender | Sdk, module: str, middleware: str, app: Any) -> Any:
    """The application in the SDK's middleware, if there is an SDK."""
    if not hasattr(contender, "module"):
        return app
    return getattr(contender.module(f"integrations.{module}"), middleware)(app)


# --- applications ------------------------------------------------------------------------------------------------


def answer(environ: Any, start_response: Any) -> list[bytes]:
    """WSGI."""
    start_response("200 OK", [])
    return [b"ok"]


def fail(environ: Any, start_response: Any) -> list[bytes]:
    """WSGI, with an error."""
    read_order({"id": 17, "quantity": "three", "sku": "B-205"})
    return []


async def answer_async(scope: Any, receive: Any, send: Any) -> None:
    """ASGI."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


# --- requests, as servers put them -------------------------------------------------------------------------------


def wsgi_request(app: Any) -> Callable[[], None]:
    """One request to a WSGI application."""

    def call() -> None:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "HTTP_HOST": "localhost",
            "wsgi.url_scheme": "http",
            "wsgi.input": NO_BODY,
        }
        response = app(environ, lambda status, headers, exc_info=None: None)
        for _ in response:
            pass
        if hasattr(response, "close"):
            response.close()

    return call


def asgi_scope() -> dict[str, Any]:
    """What an ASGI server says of a request."""
    return {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "scheme": "http",
    }


def asgi_request(app: Any) -> Callable[[], None]:
    """One request to an ASGI application that waits for nothing."""

    async def nothing(*_: Any) -> Any:
        return {}

    def call() -> None:
        try:
            app(asgi_scope(), nothing, nothing).send(None)
        except StopIteration:
            return

    return call
