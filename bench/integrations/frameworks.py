"""Cases: one request to an application that does nothing, without a server."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from bench.cost.web_requests import asgi_scope, wsgi_request


def flask_app(sdk: Any) -> Any:
    """One request to a view of Flask's."""
    import flask

    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=lambda: "ok")
    return wsgi_request(app)


def django_app(sdk: Any) -> Any:
    """One request to a view of Django's, without middleware."""
    from types import ModuleType

    from django.conf import settings

    urls: Any = ModuleType("shop_urls")
    sys.modules["shop_urls"] = urls
    settings.configure(ROOT_URLCONF="shop_urls", SECRET_KEY="x", ALLOWED_HOSTS=["*"])
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    urls.urlpatterns = [path("", lambda request: HttpResponse(b"ok"))]
    return wsgi_request(get_wsgi_application())


def fastapi_app(sdk: Any) -> Any:
    """One request to an endpoint of FastAPI's."""
    import fastapi

    app = fastapi.FastAPI()

    @app.get("/")
    async def view() -> str:
        return "ok"

    loop = asyncio.new_event_loop()

    async def nothing(*_: Any) -> Any:
        return {"type": "http.request"}

    return lambda: loop.run_until_complete(app(asgi_scope(), nothing, nothing))


def aiohttp_application() -> Any:
    """An application of aiohttp that answers at once, and has no access log."""
    from aiohttp import web

    async def answer(request: Any) -> Any:
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.get("/items/{item}", answer)])
    return web.AppRunner(app, access_log=None)


class Wire:
    """What a server writes to, and that is thrown away."""

    answered: Any = None

    def write(self, data: bytes) -> None:
        """A piece of an answer."""
        if not self.answered.done():
            self.answered.set_result(None)

    writelines = write

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Who is at the other end."""
        return ("127.0.0.1", 1) if name in {"peername", "sockname"} else default

    def is_closing(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Nothing is open."""

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Nothing is read."""


def aiohttp_server(sdk: Any) -> Any:
    """One request to an application of aiohttp, on a connection that stays open, without a network."""
    loop = asyncio.get_event_loop()
    runner = aiohttp_application()
    loop.run_until_complete(runner.setup())
    wire, connection = Wire(), runner.server()
    connection.connection_made(wire)

    async def exchange() -> None:
        wire.answered = loop.create_future()
        connection.data_received(b"GET /items/7?page=2 HTTP/1.1\r\nHost: shop.invalid\r\n\r\n")
        await wire.answered

    return lambda: loop.run_until_complete(exchange())


def aiohttp_server_idle(sdk: Any) -> Any:
    """The same where the SDK is there, and nobody wants to know."""
    call = aiohttp_server(sdk)
    if sdk is not None:
        sdk.get_global_scope().set_client(None)
    return call
