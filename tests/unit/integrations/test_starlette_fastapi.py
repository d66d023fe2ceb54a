"""Starlette and FastAPI, the real ones: each failure once, with its request and route."""

from __future__ import annotations

import asyncio
import inspect
import logging
import subprocess
import sys
from contextlib import suppress
from typing import Any

import anyio
import fastapi
import httpx
import pytest
from fastapi.security import OAuth2PasswordBearer
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

import vedette
from vedette.integrations.asgi import SentryAsgiMiddleware
from vedette.integrations.fastapi import FastApiIntegration
from vedette.integrations.starlette import StarletteIntegration
from vedette.testing import MemoryTransport, capture_events

DSN = "http://key@localhost/1"
PLAIN = Starlette.__call__, ExceptionMiddleware.__call__


@pytest.fixture(autouse=True)
def client():
    return vedette.init(DSN, transport=MemoryTransport())


async def pay(request: Any) -> None:
    """An endpoint that reads the body and fails."""
    await request.body()
    raise ValueError(f"no stock of {request.path_params.get('item')}")


def starlette_app(**options: Any) -> Any:
    routes = [
        Route("/pay/{item:int}", pay, methods=["GET", "POST"]),
        Mount("/shop", routes=[Route("/pay/{item}", pay)]),
        Mount("/other", app=Starlette(routes=[Route("/pay/{item}", pay)])),
    ]
    return Starlette(routes=[*routes, *options.pop("routes", [])], **options)


def fastapi_app(**options: Any) -> Any:
    app = fastapi.FastAPI(**options)

    @app.api_route("/pay/{item}", methods=["GET", "POST"])
    async def pay(item: int, request: fastapi.Request) -> None:
        await request.body()
        raise ValueError(f"no stock of {item}")

    return app


MAKERS = {"starlette": starlette_app, "fastapi": fastapi_app}


async def ask_async(app: Any, path: str, method: str = "GET", **arguments: Any) -> Any:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
        return await client.request(method, path, **arguments)


def ask(app: Any, path: str = "/pay/3", method: str = "GET", **arguments: Any) -> Any:
    return asyncio.run(ask_async(app, path, method, **arguments))


@pytest.mark.spec(
    "FW-starlette-03", "FW-starlette-04", "FW-starlette-06", "FW-fastapi-03", "FW-fastapi-04", "FW-fastapi-08"
)
@pytest.mark.parametrize("name", MAKERS)
def test_what_an_endpoint_raises_arrives_once_with_its_request_and_route(name: str) -> None:
    headers = {"Authorization": "Bearer s3cret", "Cookie": "session=s3cret", "X-Thing": "thing"}
    with capture_events() as events:
        answer = ask(
            MAKERS[name](), "/pay/3?token=s3cret&a=1", "POST", json={"password": "s3cret", "card": 4}, headers=headers
        )
    assert answer.status_code == 500
    (event,) = events
    assert event["transaction"] == ("/pay/{item:int}" if name == "starlette" else "/pay/{item}")
    assert event["transaction_info"] == {"source": "route"}
    request = event["request"]
    assert request["url"] == "http://shop.example/pay/3"
    assert request["query_string"] == "token=[Filtered]&a=1"
    assert request["headers"]["authorization"] == "[Filtered]"
    assert request["headers"]["x-thing"] == "thing"
    assert request["data"] == {"password": "[Filtered]", "card": 4}
    assert "s3cret" not in str(request)
    exception = event["exception"]["values"][-1]
    assert exception["mechanism"]["type"] == name
    assert exception["mechanism"]["handled"] is False
    assert exception["stacktrace"]["frames"][-1]["function"].endswith("pay")


@pytest.mark.spec("FW-starlette-04", "FW-fastapi-04", "FW-fastapi-02")
@pytest.mark.parametrize("name", MAKERS)
def test_the_function_can_be_the_name_and_a_wrong_option_raises(name: str) -> None:
    kind = {"starlette": StarletteIntegration, "fastapi": FastApiIntegration}[name]
    vedette.init(DSN, transport=MemoryTransport(), integrations=[kind(transaction_style="endpoint")])
    with capture_events() as events:
        ask(MAKERS[name]())
    assert events[0]["transaction"].endswith("pay")
    assert events[0]["transaction_info"] == {"source": "component"}
    with pytest.raises(ValueError, match="transaction_style"):
        kind(transaction_style="path")
    with pytest.raises(ValueError, match="failed_request_status_codes"):
        kind(failed_request_status_codes={"500"})


@pytest.mark.parametrize(
    ("path", "expected"), [("/shop/pay/3", "/shop/pay/{item}"), ("/other/pay/3", "/other/pay/{item}")]
)
def test_mounted_routes_are_named_from_the_root_and_reported_once(path: str, expected: str) -> None:
    with capture_events() as events:
        assert ask(starlette_app(), path).status_code == 500
    assert [event["transaction"] for event in events] == [expected]
    assert events[0]["request"]["url"] == f"http://shop.example{path}"


async def failing_app(scope: Any, receive: Any, send: Any) -> None:
    raise ValueError("no stock")


@pytest.mark.spec("FW-starlette-04", "FW-common-21")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/acme/shop/pay/3", "/{tenant}/shop/pay/{item}"),
        ("/acme/app/pay/3", "/{tenant}/app/pay/{item}"),
        ("/acme/deep/de/pay/3", "/{tenant}/deep/{language}/pay/{item}"),
        ("/hosted/acme/pay/3", "/hosted/{tenant}/pay/{item}"),
        pytest.param(
            "/acme/foreign/pay/3",
            "/{tenant}/foreign",
            marks=pytest.mark.skipif(
                'scope["route"]' not in inspect.getsource(Router), reason="older versions do not say which mount it was"
            ),
        ),
    ],
)
def test_a_name_has_no_values_of_mounted_paths(path: str, expected: str) -> None:
    routes = [Route("/pay/{item}", pay)]
    app = Starlette(
        routes=[
            Mount("/hosted", routes=[Host("shop.example", Router([Mount("/{tenant}", routes=routes)]))]),
            Mount("/{tenant}/shop", routes=routes),
            Mount("/{tenant}/app", app=Starlette(routes=routes)),
            Mount("/{tenant}/deep", routes=[Mount("/{language}", app=Starlette(routes=routes))]),
            Mount("/{tenant}/foreign", app=failing_app),
        ]
    )
    with capture_events() as events:
        ask(app, path)
    assert [event["transaction"] for event in events] == [expected]
    assert events[0]["transaction_info"] == {"source": "route"}


@pytest.mark.spec("FW-fastapi-04", "FW-common-21")
@pytest.mark.parametrize("path", ["/v1/shop/acme/pay/3", "/v2/shop/acme/pay/3"])
def test_a_route_of_included_routers_is_named_with_their_prefixes(path: str) -> None:
    shop = fastapi.APIRouter(prefix="/{tenant}")
    shop.add_api_route("/pay/{item}", pay_of_fastapi)
    outer = fastapi.APIRouter()
    outer.include_router(shop, prefix="/shop")
    app = fastapi.FastAPI()
    app.include_router(outer, prefix="/v1")
    app.include_router(outer, prefix="/v2")
    with capture_events() as events:
        ask(app, path)
    assert [event["transaction"] for event in events] == [path[:3] + "/shop/{tenant}/pay/{item}"]


@pytest.mark.spec("FW-fastapi-04")
@pytest.mark.skipif(not hasattr(fastapi.routing, "_IncludedRouter"), reason="older versions do not include mounts")
def test_websockets_mounts_and_plain_routes_of_an_included_router_are_named_with_its_prefix() -> None:
    router = fastapi.APIRouter()
    router.add_route("/plain/{item}", pay)
    router.add_api_websocket_route("/feed/{item}", feed)
    router.mount("/{tenant}/app", fastapi_app())
    router.mount("/files", failing_app)
    app = fastapi.FastAPI()
    app.include_router(router, prefix="/v1")
    with capture_events() as events:
        ask(app, "/v1/plain/3")
        with suppress(ValueError):
            asyncio.run(connect(app, "/v1/feed/3"))
        ask(app, "/v1/acme/app/pay/3")
        ask(app, "/v1/files/3")
    names = [event["transaction"] for event in events]
    assert names == ["/v1/plain/{item}", "/v1/feed/{item}", "/v1/{tenant}/app/pay/{item}", "/v1/files"]


async def pay_of_fastapi(item: str) -> None:
    raise ValueError(f"no stock of {item}")


async def feed(websocket: fastapi.WebSocket, item: str) -> None:
    raise ValueError(f"no stock of {item}")


async def connect(app: Any, path: str) -> None:
    """Open a WebSocket."""
    scope = {"type": "websocket", "path": path, "headers": [], "query_string": b"", "subprotocols": []}

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        return

    await app(scope, receive, send)


@pytest.mark.spec("FW-starlette-03", "FW-fastapi-03")
@pytest.mark.parametrize("name", MAKERS)
def test_answers_that_are_failures_are_seen_too_where_init_comes_after_the_first_request(name: str) -> None:
    async def down(request: fastapi.Request) -> None:
        raise HTTPException(503)

    vedette.get_client().close()
    app = MAKERS[name]()
    app.add_route("/down", down)
    ask(app, "/down")
    vedette.init(DSN, transport=MemoryTransport())
    with capture_events() as events:
        ask(app, "/down")
        ask(app, "/down")
    assert [event["exception"]["values"][-1]["type"] for event in events] == ["HTTPException"] * 2


def test_what_is_captured_where_no_route_fits_is_named_by_the_path() -> None:
    def missing(request: Any, error: Any) -> Any:
        vedette.capture_message("missing")
        return PlainTextResponse("", 404)

    with capture_events() as events:
        ask(starlette_app(exception_handlers={404: missing}), "/nowhere")
    assert events[0]["transaction"] == "/nowhere"
    assert events[0]["transaction_info"] == {"source": "url"}


@pytest.mark.parametrize("name", MAKERS)
def test_what_the_application_handles_is_no_event_but_500_is_raised_on(name: str) -> None:
    async def handler(request: Any, error: Any) -> Any:
        return PlainTextResponse("sorry", 503)

    for handled, expected in ((ValueError, 0), (500, 1), (Exception, 1)):
        with capture_events() as events:
            assert ask(MAKERS[name](exception_handlers={handled: handler})).status_code == 503
        assert len(events) == expected, handled


@pytest.mark.spec("FW-starlette-05", "FW-fastapi-03", "FW-fastapi-05")
@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("own_handler", [False, True])
@pytest.mark.parametrize(
    ("codes", "status", "expected"),
    [(None, 503, 1), (None, 404, 0), ({404}, 404, 1), ({404}, 503, 0), (set(), 503, 0), ([range(500, 502)], 501, 1)],
)
def test_an_answer_by_http_exception_is_captured_if_its_status_is_a_failure(
    name: str, own_handler: bool, codes: Any, status: int, expected: int
) -> None:
    if codes is not None:
        kinds = {"starlette": StarletteIntegration, "fastapi": FastApiIntegration}
        integration = kinds[name](failed_request_status_codes=codes)
        vedette.init(DSN, transport=MemoryTransport(), integrations=[integration])

    async def view(request: fastapi.Request) -> None:
        raise HTTPException(status)

    def handler(request: Any, error: Any) -> Any:
        return PlainTextResponse("mine", status)

    app = MAKERS[name](exception_handlers={HTTPException: handler} if own_handler else {})
    app.add_route("/status", view)
    with capture_events() as events:
        assert ask(app, "/status").status_code == status
    assert len(events) == expected
    if expected:
        assert events[0]["exception"]["values"][-1]["mechanism"] == {"type": name, "handled": True, "exception_id": 0}


def test_errors_in_middleware_and_in_background_tasks_arrive_with_their_request() -> None:
    class Failing:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http" and scope["path"] == "/middleware":
                raise ValueError("in middleware")
            await self.app(scope, receive, send)

    def task() -> None:
        raise ValueError("in the background")

    async def view(request: Any) -> Any:
        return PlainTextResponse("ok", background=BackgroundTask(task))

    app = starlette_app(middleware=[Middleware(Failing)], routes=[Route("/background", view)])
    with capture_events() as events:
        ask(app, "/middleware")
        ask(app, "/background")
    assert [event["request"]["url"] for event in events] == [
        "http://shop.example/middleware",
        "http://shop.example/background",
    ]
    assert events[1]["transaction"] == "/background"


def test_a_streaming_answer_keeps_its_scope_until_the_last_byte() -> None:
    async def stream() -> Any:
        yield b"one"
        vedette.capture_message("between")
        yield b"two"

    async def view(request: Any) -> Any:
        vedette.set_tag("where", "request")
        return StreamingResponse(stream())

    with capture_events() as events:
        assert ask(starlette_app(routes=[Route("/stream", view)]), "/stream").text == "onetwo"
    assert events[0]["tags"] == {"where": "request"}
    assert events[0]["transaction"] == "/stream"


@pytest.mark.spec("PAIN-07", "FW-common-13", "PAIN-08")
@pytest.mark.parametrize("sync", [False, True])
def test_requests_at_the_same_time_never_mix(sync: bool) -> None:
    app = fastapi.FastAPI()

    def enter(marker: str) -> None:
        vedette.set_tag("marker", marker)
        vedette.add_breadcrumb(message=marker)

    if sync:

        @app.get("/mix/{marker}")
        def view(marker: str) -> None:
            enter(marker)
            raise ValueError(marker)

    else:

        @app.get("/mix/{marker}")
        async def view(marker: str) -> None:
            enter(marker)
            await asyncio.sleep(0.01)
            raise ValueError(marker)

    async def main() -> None:
        await asyncio.gather(*(ask_async(app, f"/mix/{n}") for n in range(12)))

    with capture_events() as events:
        asyncio.run(main())
    assert len(events) == 12
    for event in events:
        marker = event["exception"]["values"][-1]["value"]
        assert event["tags"] == {"marker": marker}
        assert event["request"]["url"].endswith(f"/{marker}")
        crumbs = [crumb["message"] for crumb in event["breadcrumbs"]["values"] if crumb.get("category") is None]
        assert crumbs == [marker]


@pytest.mark.spec("PAIN-10")
def test_an_endpoint_that_never_reads_the_body_or_reads_it_twice_is_not_hindered() -> None:
    app = fastapi.FastAPI()

    @app.post("/twice")
    async def twice(request: fastapi.Request) -> Any:
        return [len(await request.body()), await request.json()]

    @app.post("/never")
    async def never() -> str:
        return "ok"

    assert ask(app, "/twice", "POST", json=[1]).json() == [3, [1]]
    assert ask(app, "/never", "POST", json=[1]).json() == "ok"


@pytest.mark.spec("FW-starlette-07", "FW-fastapi-09", "DAT-16", "DAT-17")
@pytest.mark.parametrize("allowed", [False, True])
def test_the_user_is_told_where_that_is_allowed(allowed: bool) -> None:
    vedette.init(DSN, transport=MemoryTransport(), send_default_pii=allowed)

    class Backend(AuthenticationBackend):
        async def authenticate(self, conn: Any) -> Any:
            return AuthCredentials(["authenticated"]), SimpleUser("me")

    with capture_events() as events:
        ask(starlette_app(middleware=[Middleware(AuthenticationMiddleware, backend=Backend())]))
    assert events[0].get("user") == ({"username": "me", "ip_address": "127.0.0.1"} if allowed else None)


def test_a_websocket_that_fails_is_reported_with_its_route() -> None:
    async def feed(socket: Any) -> None:
        await socket.accept()
        raise ValueError("no stock")

    app = starlette_app(routes=[WebSocketRoute("/feed/{item}", feed)])
    scope = {"type": "websocket", "path": "/feed/3", "headers": [], "query_string": b"", "subprotocols": []}

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        return

    with capture_events() as events, suppress(ValueError):
        asyncio.run(app(scope, receive, send))
    assert [event["transaction"] for event in events] == ["/feed/{item}"]


@pytest.mark.spec("PAIN-33")
def test_it_is_put_in_once_looks_like_the_original_and_is_taken_out_again() -> None:
    second = vedette.Client(DSN, transport=MemoryTransport())
    patched = Starlette.__call__
    assert patched.__wrapped__ is PLAIN[0]
    assert inspect.iscoroutinefunction(patched)
    assert inspect.signature(patched) == inspect.signature(PLAIN[0])
    assert inspect.signature(ExceptionMiddleware.__call__) == inspect.signature(PLAIN[1])
    vedette.get_client().close()
    assert Starlette.__call__ is patched
    second.close()
    assert (Starlette.__call__, ExceptionMiddleware.__call__) == PLAIN


@pytest.mark.spec("DAT-103")
def test_what_fastapi_keeps_of_a_token_is_hidden_where_a_dependency_fails() -> None:
    bearer = OAuth2PasswordBearer(tokenUrl="login")

    async def user(token: str = fastapi.Depends(bearer)) -> None:
        raise ValueError("no such user")

    app = fastapi.FastAPI()
    app.add_api_route("/mine", lambda: None, dependencies=[fastapi.Depends(bearer), fastapi.Depends(user)])
    with capture_events() as events:
        ask(app, "/mine", headers={"Authorization": "Bearer s3cret"})
    (event,) = events
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert not any("s3cret" in str(frame["vars"]) for frame in frames if "vars" in frame)


@pytest.mark.parametrize("error", [ClientDisconnect(), WebSocketDisconnect(1001)])
@pytest.mark.parametrize("server", ["uvicorn.error", "hypercorn.error"])
def test_what_a_server_says_of_a_client_that_hung_up_is_no_event(server: str, error: Exception) -> None:
    async def endpoint(request: Any) -> None:
        raise error

    with capture_events() as events:
        try:
            asyncio.run(ask_loudly(Starlette(routes=[Route("/relay", endpoint)])))
        except type(error):
            logging.getLogger(server).exception("Exception in ASGI application")
    assert events == []


async def ask_loudly(app: Any) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.example") as client:
        await client.get("/relay")


def test_a_client_that_hangs_up_while_tasks_read_from_it_is_no_error() -> None:
    async def relay(request: Any) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(request.body)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        return

    scope = {"type": "http", "method": "POST", "path": "/relay", "headers": [], "query_string": b""}
    with capture_events() as events, suppress(Exception):
        asyncio.run(Starlette(routes=[Route("/relay", relay, methods=["POST"])])(scope, receive, send))
    assert events == []


@pytest.mark.parametrize("name", MAKERS)
def test_in_a_plain_middleware_there_is_one_event_and_it_knows_the_route(name: str) -> None:
    with capture_events() as events:
        ask(SentryAsgiMiddleware(MAKERS[name]()))
    assert len(events) == 1
    assert events[0]["transaction"].startswith("/pay/{item")
    assert events[0]["exception"]["values"][-1]["mechanism"]["type"] == name


@pytest.mark.spec("PAIN-34", "FW-fastapi-02", "FW-starlette-02", "FW-common-01")
def test_init_does_not_import_them_and_they_are_set_up_when_the_program_does() -> None:
    program = f"""
import sys, vedette
client = vedette.init({DSN!r})
assert not any(name.partition(".")[0] in ("starlette", "fastapi") for name in sys.modules)
import fastapi
assert client.get_integration("fastapi") is not None and client.get_integration("starlette") is not None
from starlette.applications import Starlette
assert hasattr(Starlette.__call__, "__wrapped__")
client.close()
assert not hasattr(Starlette.__call__, "__wrapped__")
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
