"""Applications of aiohttp behind its own server, over real connections: each failure once, with its request."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import logging
import sys
import weakref
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import vedette
from tests.outgoing import DSN
from tests.programs import run_program
from vedette.integrations.aiohttp import AioHttpIntegration
from vedette.testing import MemoryTransport, capture_events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup

aiohttp = pytest.importorskip("aiohttp")
from aiohttp import web, web_protocol  # noqa: E402 - it may not be there
from aiohttp.test_utils import RawTestServer, TestClient, TestServer  # noqa: E402 - as above

PLAIN = web_protocol.RequestHandler.__dict__["_handle_request"], web.Application.__dict__["_handle"]


@pytest.fixture(autouse=True)
def client():
    return vedette.init(DSN, transport=MemoryTransport())


async def pay(request: Any) -> Any:
    """A handler that reads the body and fails."""
    await request.read()
    raise ValueError(f"no stock of {request.match_info.get('item')}")


class Shop(web.View):
    """A class-based view."""

    async def get(self) -> Any:
        return await pay(self.request)


class Till:
    """Has a method and a partial function as handlers."""

    async def open(self, request: Any) -> Any:
        return await pay(request)


async def with_drawer(drawer: int, request: Any) -> Any:
    return await pay(request)


def shop(*more: Any, **options: Any) -> Any:
    app = web.Application(**options)
    app.add_routes([web.route("*", "/pay/{item:[a-z0-9-]+}", pay), web.get("/plain", pay), *more])
    return app


def answering(status: int = 200) -> Callable[[Any], Awaitable[Any]]:
    async def handler(request: Any) -> Any:
        return web.Response(status=status)

    return handler


def serving(app: Any, work: Callable[[Any], Awaitable[Any]]) -> Any:
    """Do this with a client of the application, while it serves."""

    async def main() -> Any:
        async with TestClient(TestServer(app)) as client:
            return await work(client)

    return asyncio.run(main())


async def in_low_level_server(handler: Any, work: Callable[[Any], Awaitable[Any]]) -> None:
    async with TestClient(RawTestServer(handler)) as client:
        await work(client)


def ask(app: Any, path: str = "/pay/3", method: str = "GET", **arguments: Any) -> int:
    """The status of the answer."""

    async def work(client: Any) -> int:
        async with client.request(method, path, allow_redirects=False, **arguments) as response:
            await response.read()
            return int(response.status)

    return int(serving(app, work))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it, on the event loop."""
    deadline = asyncio.get_running_loop().time() + 5
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.005)


@asynccontextmanager
async def connection(client: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(client.host, client.port)
    try:
        yield reader, writer
    finally:
        writer.close()


def lines(*lines: str) -> bytes:
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


@pytest.mark.spec(
    "FW-aiohttp-01", "FW-aiohttp-02", "FW-aiohttp-03", "FW-aiohttp-04", "FW-common-07", "FW-common-09", "FW-common-21"
)
def test_what_a_handler_raises_arrives_once_with_its_request_and_handler() -> None:
    headers = {"Authorization": "Bearer s3cret", "Cookie": "session=s3cret", "X-Thing": "thing", "Host": "shop.example"}
    with capture_events() as events:
        assert ask(shop(), "/pay/caf-3?token=s3cret&a=%C3%A9", "POST", headers=headers) == 500
    (event,) = events
    assert event["transaction"] == f"{__name__}.pay"
    assert event["transaction_info"] == {"source": "component"}
    request = event["request"]
    assert request["method"] == "POST"
    assert request["url"] == "http://shop.example/pay/caf-3"
    assert request["query_string"] == "token=[Filtered]&a=%C3%A9"
    assert request["headers"]["Authorization"] == "[Filtered]"
    assert request["headers"]["X-Thing"] == "thing"
    assert "s3cret" not in str(request)
    exception = event["exception"]["values"][-1]
    assert exception["mechanism"]["type"] == "aiohttp"
    assert exception["mechanism"]["handled"] is False
    frames = exception["stacktrace"]["frames"]
    assert frames[-1]["function"].endswith("pay")
    assert not any("vedette" in frame["module"].split(".") for frame in frames)


@pytest.mark.spec("FW-aiohttp-06", "FW-common-10", "FW-common-11", "PAIN-10")
def test_the_body_that_a_handler_has_read_is_there_if_it_can_be_filtered() -> None:
    async def never(request: Any) -> Any:
        raise ValueError("not read")

    sent: list[tuple[str, dict[str, Any], Any]] = [
        ("/pay/1", {"json": {"password": "s3cret", "card": 4}}, {"password": "[Filtered]", "card": 4}),
        ("/pay/1", {"data": {"password": "s3cret", "card": "4"}}, [["password", "[Filtered]"], ["card", "4"]]),
        ("/pay/1", {"data": b"s3cret"}, None),
        ("/never", {"json": {"card": 4}}, None),
        ("/pay/1", {"json": ["s3cret" * 5000]}, None),
    ]
    for path, arguments, expected in sent:
        with capture_events() as events:
            assert ask(shop(web.post("/never", never)), path, "POST", **arguments) == 500
        assert events[0]["request"].get("data") == expected
        assert "s3cret" not in str(events[0]["request"])


@pytest.mark.spec("FW-aiohttp-04", "FW-aiohttp-01")
@pytest.mark.parametrize(
    ("path", "by_handler", "by_pattern"),
    [
        ("/pay/3", "pay", "GET /pay/{item}"),
        ("/plain", "pay", "GET /plain"),
        ("/view", "Shop", "GET /view"),
        ("/method", "Till.open", "GET /method"),
        ("/partial", "with_drawer", "GET /partial"),
        ("/sub/pay/3", "pay", "GET /sub/pay/{item}"),
        ("/sub/below/plain", "pay", "GET /sub/below/plain"),
    ],
)
def test_a_transaction_has_the_name_of_its_handler_or_of_its_route(path: str, by_handler: str, by_pattern: str) -> None:
    for style, expected in ((None, f"{__name__}.{by_handler}"), ("method_and_path_pattern", by_pattern)):
        if style is not None:
            integration = AioHttpIntegration(transaction_style=style)
            vedette.init(DSN, transport=MemoryTransport(), integrations=[integration])
        partial = functools.partial(with_drawer, 1)
        app = shop(web.view("/view", Shop), web.get("/method", Till().open), web.get("/partial", partial))
        below = shop()
        below.add_subapp("/below", shop())
        app.add_subapp("/sub", below)
        with capture_events() as events:
            assert ask(app, path) == 500
        assert [event["transaction"] for event in events] == [expected]
        assert events[0]["transaction_info"] == {"source": "component" if style is None else "route"}


@pytest.mark.parametrize("style", ["handler_name", "method_and_path_pattern"])
def test_where_no_route_fits_the_path_is_the_name(style: str) -> None:
    integration = AioHttpIntegration(style, failed_request_status_codes={404, 405})
    vedette.init(DSN, transport=MemoryTransport(), integrations=[integration])
    with capture_events() as events:
        assert ask(shop(), "/nowhere/3") == 404
        assert ask(shop(), "/plain", "DELETE") == 405
    assert [event["transaction"] for event in events] == ["/nowhere/3", "/plain"]
    assert [event["transaction_info"]["source"] for event in events] == ["url", "url"]


@pytest.mark.spec("FW-aiohttp-03", "FW-aiohttp-05")
@pytest.mark.parametrize(
    ("codes", "status", "expected"),
    [(None, 503, 1), (None, 404, 0), (None, 302, 0), ({404}, 404, 1), ({404}, 503, 0), ([range(500, 502)], 500, 1)],
)
def test_an_answer_by_http_exception_is_captured_if_its_status_is_a_failure(
    codes: Any, status: int, expected: int
) -> None:
    if codes is not None:
        integration = AioHttpIntegration(failed_request_status_codes=codes)
        vedette.init(DSN, transport=MemoryTransport(), integrations=[integration])
    raised = {
        302: lambda: web.HTTPFound("/plain"),
        404: web.HTTPNotFound,
        500: web.HTTPInternalServerError,
        503: web.HTTPServiceUnavailable,
    }[status]

    async def view(request: Any) -> Any:
        raise raised()

    with capture_events() as events:
        assert ask(shop(web.get("/status", view)), "/status") == status
    assert len(events) == expected
    if expected:
        assert events[0]["exception"]["values"][-1]["mechanism"] == {
            "type": "aiohttp",
            "handled": True,
            "exception_id": 0,
        }


def test_what_an_application_answers_itself_is_no_event() -> None:
    @web.middleware
    async def handling(request: Any, handler: Any) -> Any:
        try:
            return await handler(request)
        except ValueError:
            return web.Response(status=500)

    with capture_events() as events:
        assert ask(shop(middlewares=[handling])) == 500
        assert ask(shop(web.get("/500", answering(500))), "/500") == 500
    assert events == []


def test_errors_of_middlewares_and_of_time_outs_arrive_with_their_request() -> None:
    @web.middleware
    async def failing(request: Any, handler: Any) -> Any:
        raise ValueError("in the middleware")

    async def late(request: Any) -> Any:
        raise asyncio.TimeoutError("too late")

    with capture_events() as events:
        assert ask(shop(middlewares=[failing])) == 500
        assert ask(shop(web.get("/late", late)), "/late") == 504
    assert [event["exception"]["values"][-1]["value"] for event in events] == ["in the middleware", "too late"]
    assert [event["transaction"] for event in events] == [f"{__name__}.pay", late.__module__ + "." + late.__qualname__]


@pytest.mark.spec("FW-common-13", "PAIN-07")
def test_requests_of_one_connection_have_scopes_of_their_own_without_what_was_before() -> None:
    async def note(request: Any) -> Any:
        marker = request.match_info["marker"]
        vedette.set_tag(f"tag-{marker}", marker)
        vedette.set_user({"id": marker})
        vedette.add_breadcrumb(message=marker)
        vedette.capture_message(marker)
        return web.Response(text=marker)

    async def work(client: Any) -> None:
        vedette.add_breadcrumb(message="of the program")
        async with connection(client) as (reader, writer):
            for marker in ("one", "two", "three"):
                writer.write(lines(f"GET /note/{marker} HTTP/1.1", "Host: shop.example"))
                await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(len(marker)) == marker.encode()
            # All at once, as a client that does not wait sends them:
            writer.write(b"".join(lines(f"GET /note/{n} HTTP/1.1", "Host: shop.example") for n in range(3)))
            for n in range(3):
                await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(1) == str(n).encode()
        vedette.capture_message("after")

    vedette.add_breadcrumb(message="of the program's start")
    with capture_events() as events:
        serving(shop(web.get("/note/{marker}", note)), work)
    assert len(events) == 7
    for event in events[:-1]:
        marker = event["logentry"]["message"]
        assert event["tags"] == {f"tag-{marker}": marker}
        assert event["user"] == {"id": marker}
        assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == [marker]
        assert event["request"]["url"] == f"http://shop.example/note/{marker}"
    assert len({event["contexts"]["trace"]["trace_id"] for event in events}) == 7
    after = events[-1]
    assert (after.get("tags"), after.get("user"), after.get("request")) == (None, None, None)
    assert "transaction" not in after


@pytest.mark.spec("PAIN-07", "FW-common-13", "PAIN-08")
def test_requests_at_the_same_time_never_mix() -> None:
    async def mix(request: Any) -> Any:
        marker = request.match_info["marker"]
        vedette.set_tag("marker", marker)
        vedette.add_breadcrumb(message=marker)
        await asyncio.gather(*(asyncio.sleep(0.001) for _ in range(3)))
        await asyncio.create_task(inner(marker))
        raise ValueError(marker)

    async def inner(marker: str) -> None:
        await asyncio.sleep(0.01)
        vedette.add_breadcrumb(message=f"{marker} below")

    async def work(client: Any) -> None:
        async def one(marker: str) -> None:
            async with client.get(f"/mix/{marker}") as response:
                assert response.status == 500

        await asyncio.gather(*(one(str(number)) for number in range(40)))

    with capture_events() as events:
        serving(shop(web.get("/mix/{marker}", mix)), work)
    assert len(events) == 40
    for event in events:
        marker = event["exception"]["values"][-1]["value"]
        assert event["tags"] == {"marker": marker}
        assert event["request"]["url"].endswith(f"/mix/{marker}")
        crumbs = [crumb["message"] for crumb in event["breadcrumbs"]["values"]]
        assert crumbs == [marker, f"{marker} below"]


@pytest.mark.spec("PROP-02", "PROP-05", "PROP-14")
def test_the_trace_of_the_caller_goes_on() -> None:
    headers = {"sentry-trace": f"{'a' * 32}-{'b' * 16}-1", "baggage": f"sentry-trace_id={'a' * 32},other=x"}
    with capture_events() as events:
        ask(shop(), headers=headers)
        ask(shop())
    first, second = (event["contexts"]["trace"] for event in events)
    assert (first["trace_id"], first["parent_span_id"]) == ("a" * 32, "b" * 16)
    assert second["trace_id"] != first["trace_id"]


def test_an_answer_that_is_streamed_keeps_its_scope_until_the_last_byte() -> None:
    async def stream(request: Any) -> Any:
        vedette.set_tag("where", "request")
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one")
        vedette.capture_message("while it writes")
        await response.write(b"two")
        return response

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        vedette.capture_message("while aiohttp writes")
        yield b"two"

    async def payload(request: Any) -> Any:
        vedette.set_tag("where", "request")
        return web.Response(body=pieces())

    with capture_events() as events:
        assert ask(shop(web.get("/stream", stream)), "/stream") == 200
        assert ask(shop(web.get("/payload", payload)), "/payload") == 200
    assert [event["logentry"]["message"] for event in events] == ["while it writes", "while aiohttp writes"]
    for event, name in zip(events, (stream, payload), strict=True):
        assert event["tags"] == {"where": "request"}
        assert event["transaction"] == f"{__name__}.{name.__qualname__}"


def test_what_fails_after_the_handler_is_one_event_of_the_request() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        raise ValueError("in the body")

    async def payload(request: Any) -> Any:
        return web.Response(body=pieces())

    async def stream(request: Any) -> Any:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one")
        raise ValueError("in the stream")

    async def on_prepare(request: Any, response: Any) -> None:
        if request.path == "/signal":
            raise ValueError("in the signal")

    app = shop(web.get("/body", payload), web.get("/stream", stream), web.get("/signal", answering()))
    app.on_response_prepare.append(on_prepare)

    async def work(client: Any) -> None:
        for path in ("/body", "/stream", "/signal"):
            with pytest.raises(aiohttp.ClientError):
                async with client.get(path) as response:
                    await response.read()

    with capture_events() as events:
        serving(app, work)
    assert [event["exception"]["values"][-1]["value"] for event in events] == [
        "in the body",
        "in the stream",
        "in the signal",
    ]
    assert [event["request"]["url"].rpartition("/")[2] for event in events] == ["body", "stream", "signal"]


def test_files_are_sent_as_before_and_belong_to_their_request(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("page" * 50_000)
    app = shop(web.static("/files", tmp_path))

    async def on_prepare(request: Any, response: Any) -> None:
        vedette.capture_message("prepared")

    app.on_response_prepare.append(on_prepare)

    async def work(client: Any) -> None:
        async with client.get("/files/page.html") as response:
            assert await response.text() == "page" * 50_000
        async with client.get("/files/none.html") as response:
            assert response.status == 404

    integration = AioHttpIntegration("method_and_path_pattern")
    vedette.init(DSN, transport=MemoryTransport(), integrations=[integration])
    with capture_events() as events:
        serving(app, work)
    assert [event["transaction"] for event in events] == ["GET /files"] * 2


def test_a_websocket_is_one_unit_and_what_fails_in_it_is_reported() -> None:
    async def feed(request: Any) -> Any:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        vedette.set_tag("feed", request.match_info["name"])
        async for message in socket:
            if message.data == "fail":
                raise ValueError("no stock")
            await socket.send_str(message.data)
        return socket

    async def work(client: Any) -> None:
        async with client.ws_connect("/feed/good") as socket:
            await socket.send_str("hello")
            assert await socket.receive_str() == "hello"
        async with client.ws_connect("/feed/bad") as socket:
            await socket.send_str("fail")
            await socket.receive()

    with capture_events() as events:
        serving(shop(web.get("/feed/{name}", feed)), work)
    (event,) = events
    assert event["tags"] == {"feed": "bad"}
    assert event["request"]["url"].endswith("/feed/bad")
    assert event["transaction"].endswith("feed")


@pytest.mark.spec("PAIN-21")
@pytest.mark.parametrize("cancels", [False, True], ids=["goes on", "is cancelled"])
@pytest.mark.parametrize("kind", ["reads", "writes", "pushes", "in a group", "without an application"])
def test_a_client_that_hangs_up_is_no_error(kind: str, cancels: bool) -> None:
    ended: list[BaseException | None] = []
    begun = asyncio.Event()

    async def reads(request: Any) -> Any:
        begun.set()
        return web.Response(body=await request.read())

    async def writes(request: Any) -> Any:
        response = web.StreamResponse()
        await response.prepare(request)
        begun.set()
        while True:
            await response.write(b"x" * 100_000)

    async def pushes(request: Any) -> Any:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        begun.set()
        while True:
            await socket.send_str("x" * 100_000)

    async def in_a_group(request: Any) -> Any:
        async with anyio.create_task_group() as group:
            group.start_soon(reads, request)

    handler = {"in a group": in_a_group, "reads": reads, "writes": writes, "pushes": pushes}.get(kind, reads)

    async def noting(request: Any) -> Any:
        try:
            return await handler(request)
        except BaseException as error:
            ended.append(error)
            raise
        finally:
            if not ended:
                ended.append(None)

    upgrade = (
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {'A' * 22}==",
    )

    async def work(client: Any) -> None:
        client.server.runner.server.handler_cancellation = cancels
        async with connection(client) as (_, writer):
            extra = {"writes": (), "pushes": upgrade}.get(kind, ("Content-Length: 100",))
            writer.write(lines("GET /hang HTTP/1.1", "Host: shop.example", *extra))
            await begun.wait()
            writer.transport.abort()
        await until(lambda: bool(ended))

    with capture_events() as events:
        if kind == "without an application":
            asyncio.run(in_low_level_server(noting, work))
        else:
            serving(shop(web.get("/hang", noting)), work)
    broken = (ConnectionError, ExceptionGroup)
    assert isinstance(ended[0], (asyncio.CancelledError, ExceptionGroup) if cancels else broken)
    assert events == []


@pytest.mark.spec("PAIN-21")
def test_a_connection_of_the_handlers_own_that_breaks_is_an_error() -> None:
    async def query(request: Any) -> Any:
        raise ConnectionResetError("the database has gone away")

    with capture_events() as events:
        assert ask(shop(web.get("/query", query)), "/query") == 500
    assert [event["exception"]["values"][-1]["type"] for event in events] == ["ConnectionResetError"]


def test_a_request_as_proxies_send_it_names_its_host() -> None:
    async def work(client: Any) -> None:
        async with connection(client) as (reader, writer):
            writer.write(lines("GET http://shop.example/plain?a=1 HTTP/1.0", "Host: proxy.example"))
            await reader.read()

    with capture_events() as events:
        serving(shop(), work)
    assert [event["request"]["url"] for event in events] == ["http://shop.example/plain"]


@pytest.mark.filterwarnings("ignore:Bare functions are deprecated:DeprecationWarning")
def test_a_handler_that_is_an_object_has_the_name_of_its_class() -> None:
    class Handler:
        async def __call__(self, request: Any) -> Any:
            raise ValueError("called")

    with capture_events() as events:
        assert ask(shop(web.get("/object", Handler())), "/object") == 500
    assert [event["transaction"] for event in events] == [f"{__name__}.{Handler.__qualname__}"]


@pytest.mark.spec("PAIN-21")
def test_what_is_no_http_is_no_error_of_the_program() -> None:
    async def work(client: Any) -> None:
        for sent in (b"\x16\x03\x01 this is TLS\r\n\r\n", lines("GET / HTTP/1.1", "this is no header")):
            async with connection(client) as (reader, writer):
                writer.write(sent)
                assert b" 400 Bad Request" in await reader.readline()

    with capture_events() as events:
        serving(shop(), work)
    assert events == []


@pytest.mark.spec("PAIN-21")
def test_a_request_that_is_cancelled_at_the_end_of_the_server_is_no_error() -> None:
    cancelled: list[bool] = []
    begun = asyncio.Event()

    async def waits(request: Any) -> Any:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def main() -> None:
        runner = web.AppRunner(shop(web.get("/waits", waits)), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(lines("GET /waits HTTP/1.1", "Host: shop.example"))
        await begun.wait()
        await runner.cleanup()
        writer.close()

    with capture_events() as events:
        asyncio.run(main())
    assert cancelled == [True]
    assert events == []


def test_what_fails_at_start_or_end_reaches_the_program_as_before_and_belongs_to_no_request() -> None:
    ended = run_program(
        f"""
        import asyncio
        import vedette
        from aiohttp import web
        from vedette.testing import MemoryTransport

        transport = MemoryTransport()
        vedette.init({DSN!r}, transport=transport)

        async def database(app):
            yield
            raise ValueError("at the end")

        async def main():
            app = web.Application()
            app.cleanup_ctx.append(database)
            runner = web.AppRunner(app)
            await runner.setup()
            await runner.cleanup()

        try:
            asyncio.run(main())
        except ValueError as error:
            print("raised", error)
        vedette.flush()
        print([event for event in transport.events])
        """,
        warnings="default",
    )
    assert ended.stdout.split("\n")[:2] == ["raised at the end", "[]"], ended.stderr


@pytest.mark.spec("PAIN-01")
def test_no_request_outlives_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("aiohttp.server"), "propagate", False)  # pytest keeps what is logged
    requests: list[weakref.ref[Any]] = []
    release = asyncio.Event()

    async def background() -> None:
        await release.wait()  # in the scope of its request, which it outlives
        vedette.capture_message("late")

    tasks: list[Any] = []

    async def handler(request: Any) -> Any:
        requests.append(weakref.ref(request))
        tasks.append(asyncio.create_task(background()))
        if request.path == "/fail":
            raise ValueError("failed")
        return web.Response()

    async def work(client: Any) -> None:
        for path in ("/fine", "/fail", "/fine"):
            async with connection(client) as (reader, writer):  # aiohttp keeps the last one of an open connection
                writer.write(lines(f"GET {path} HTTP/1.0"))
                await reader.read()

        def are_gone() -> bool:
            gc.collect()
            return all(request() is None for request in requests)

        await until(are_gone)
        release.set()
        await asyncio.gather(*tasks)

    with capture_events() as events:
        serving(shop(web.get("/fine", handler), web.get("/fail", handler)), work)
    late = [event for event in events if event.get("logentry")]
    assert len(requests) == len(late) == 3


def test_a_server_without_an_application_has_scopes_too() -> None:
    async def handler(request: Any) -> Any:
        vedette.set_tag("where", "request")
        raise ValueError("low")

    async def work(client: Any) -> None:
        async with client.get("/low") as response:
            assert response.status == 500

    with capture_events() as events:
        asyncio.run(in_low_level_server(handler, work))
    (event,) = events  # the logger of aiohttp tells of it, in the scope of the request
    assert event["tags"] == {"where": "request"}
    assert event["transaction"] == "/low"


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.spec("DAT-16")
def test_the_address_of_the_client_is_told_where_that_is_allowed(allowed: bool) -> None:
    vedette.init(DSN, transport=MemoryTransport(), send_default_pii=allowed)
    with capture_events() as events:
        ask(shop())
    assert events[0].get("user") == ({"ip_address": "127.0.0.1"} if allowed else None)
    assert events[0]["request"].get("env", {}).get("REMOTE_ADDR") == ("127.0.0.1" if allowed else None)


def test_what_fails_in_vedette_stays_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.integrations._aiohttp_server.AioHttpRequest", None)
    monkeypatch.setattr("vedette.integrations._aiohttp_server._has_hung_up", None)

    async def fails(request: Any) -> Any:
        raise ConnectionResetError

    assert ask(shop(web.get("/fine", answering())), "/fine") == 200
    assert ask(shop(web.get("/fails", fails)), "/fails") == 500


@pytest.mark.spec("PAIN-33")
def test_it_is_put_in_once_looks_like_the_original_and_is_taken_out_again() -> None:
    second = vedette.Client(DSN, transport=MemoryTransport())
    owners = (web_protocol.RequestHandler, "_handle_request"), (web.Application, "_handle")
    patched = [owner.__dict__[name] for owner, name in owners]
    for ours, plain in zip(patched, PLAIN, strict=True):
        assert ours.__wrapped__ is plain
        assert inspect.iscoroutinefunction(ours)
        assert inspect.signature(ours) == inspect.signature(plain)
        assert ours.__qualname__ == plain.__qualname__
    vedette.get_client().close()
    assert [owner.__dict__[name] for owner, name in owners] == patched
    second.close()
    assert tuple(owner.__dict__[name] for owner, name in owners) == PLAIN


@pytest.mark.spec("PAIN-34", "FW-aiohttp-02")
def test_only_programs_that_serve_load_the_server() -> None:
    ended = run_program(
        f"""
        import sys
        import vedette
        from vedette.testing import MemoryTransport

        client = vedette.init({DSN!r}, transport=MemoryTransport())
        import aiohttp
        assert client.get_integration("aiohttp") is not None
        assert not [name for name in sys.modules if name.startswith("aiohttp.web")]
        from aiohttp import web
        assert hasattr(web.Application._handle, "__wrapped__")
        client.close()
        assert not hasattr(web.Application._handle, "__wrapped__")
        """
    )
    assert (ended.code, ended.stderr) == (0, "")
