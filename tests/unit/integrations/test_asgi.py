"""Any ASGI application behind the middleware: its errors with their request, and nothing changed for it."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

import vedette
from vedette.integrations.asgi import SentryAsgiMiddleware
from vedette.testing import MemoryTransport, capture_events

DSN = "http://key@localhost/1"


@pytest.fixture(autouse=True)
def client():
    return vedette.init(DSN, transport=MemoryTransport())


def http(path: str = "/", headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    pairs = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": pairs,
        "server": ("127.0.0.1", 8000),
        "client": ("192.0.2.7", 5),
    }
    return {**scope, **fields}


class Wire:
    """What a server gives an application."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = list(messages)
        self.received = 0
        self.sent: list[Any] = []

    async def receive(self) -> dict[str, Any]:
        self.received += 1
        return self.messages.pop(0) if self.messages else {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)


def body(*pieces: bytes) -> Wire:
    last = len(pieces) - 1
    return Wire(*({"type": "http.request", "body": piece, "more_body": n < last} for n, piece in enumerate(pieces)))


def call(app: Any, scope: dict[str, Any] | None = None, wire: Wire | None = None) -> Wire:
    wire = Wire() if wire is None else wire
    asyncio.run(app(http() if scope is None else scope, wire.receive, wire.send))
    return wire


async def failing(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    raise ValueError("no stock")


@pytest.mark.spec("FW-asgi-03", "FW-asgi-04", "FW-common-07", "EVT-60", "EVT-67", "DAT-103", "DAT-107")
def test_what_the_application_raises_arrives_once_with_its_request() -> None:
    headers = {"Host": "shop.example", "Authorization": "Bearer s3cret", "Cookie": "session=s3cret", "X-Thing": "thing"}
    scope = http("/pay me", headers, query_string=b"basket=3&token=s3cret", root_path="/shop", scheme="https")
    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(SentryAsgiMiddleware(failing), scope)
    (event,) = events
    request = event["request"]
    assert request["url"] == "https://shop.example/shop/pay%20me"
    assert request["method"] == "GET"
    assert request["query_string"] == "basket=3&token=[Filtered]"
    assert request["headers"] == {"host": "shop.example", "authorization": "[Filtered]", "x-thing": "thing"}
    assert "cookies" not in request
    assert request["env"] == {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000"}
    assert "user" not in event
    assert event["transaction"] == "/shop/pay me"
    exception = event["exception"]["values"][-1]
    assert exception["mechanism"] == {"type": "asgi", "handled": False, "exception_id": 0}
    assert [frame["function"] for frame in exception["stacktrace"]["frames"]] == ["failing"]


@pytest.mark.spec("FW-asgi-05", "DAT-16")
def test_who_asked_is_told_only_where_that_is_allowed() -> None:
    vedette.init(DSN, transport=MemoryTransport(), send_default_pii=True)
    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(SentryAsgiMiddleware(failing), http(headers={"Cookie": "theme=dark; session=s3cret"}))
    assert events[0]["request"]["cookies"] == "theme=dark; session=[Filtered]"
    assert events[0]["user"] == {"ip_address": "192.0.2.7"}


@pytest.mark.spec("PAIN-10", "FW-common-10", "DAT-40")
@pytest.mark.parametrize(
    "pieces", [(b'{"card": 4, "password": "s3cret"}',), (b'{"card": 4, "pass', b'word": "s3cret"}')]
)
def test_the_body_is_told_as_far_as_the_application_has_read_it(pieces: tuple[bytes, ...]) -> None:
    scope = http(method="POST", headers={"Content-Type": "application/json"})
    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(SentryAsgiMiddleware(failing), scope, body(*pieces))
    assert events[0]["request"]["data"] == {"card": 4, "password": "[Filtered]"}


@pytest.mark.spec("PAIN-10")
@pytest.mark.parametrize("calls", [0, 1, 2, 3])
def test_the_application_receives_what_it_asks_for_and_no_more_is_asked(calls: int) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append([await receive() for _ in range(calls)])

    scope = http(method="POST", headers={"Content-Type": "application/json"})
    bare, wrapped = body(b"[1,", b"2]"), body(b"[1,", b"2]")
    call(app, dict(scope), bare)
    call(SentryAsgiMiddleware(app), dict(scope), wrapped)
    assert seen[0] == seen[1]
    assert bare.received == wrapped.received == calls


@pytest.mark.spec("FW-asgi-06", "FW-common-13", "PAIN-07")
def test_requests_at_the_same_time_never_mix() -> None:
    vedette.add_breadcrumb(message="at start")

    async def main() -> None:
        gate = asyncio.Event()
        count = 0

        async def app(scope: Any, receive: Any, send: Any) -> None:
            nonlocal count
            marker = scope["path"]
            vedette.set_tag("marker", marker)
            vedette.add_breadcrumb(message=marker)
            count += 1
            if count == 20:
                gate.set()
            await gate.wait()
            vedette.capture_message(marker)

        wrapped, wire = SentryAsgiMiddleware(app), Wire()
        await asyncio.gather(*(wrapped(http(f"/{n}"), wire.receive, wire.send) for n in range(20)))

    with capture_events() as events:
        asyncio.run(main())
    assert len(events) == 20
    for event in events:
        marker = event["logentry"]["message"]
        assert event["tags"] == {"marker": marker}
        assert event["request"]["url"].endswith(marker)
        assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == [marker]
    assert len({event["contexts"]["trace"]["trace_id"] for event in events}) == 20


def test_requests_one_after_the_other_in_one_task_leave_nothing_behind() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        vedette.set_tag("marker", scope["path"])

    async def main() -> None:
        wire = Wire()
        await SentryAsgiMiddleware(app)(http("/first"), wire.receive, wire.send)
        vedette.capture_message("after")

    with capture_events() as events:
        asyncio.run(main())
    assert "tags" not in events[0]
    assert "request" not in events[0]


@pytest.mark.spec("PAIN-21")
def test_a_cancelled_request_and_a_client_that_hangs_up_are_no_errors() -> None:
    async def hanging(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    async def hung_up(scope: Any, receive: Any, send: Any) -> None:
        raise ClientDisconnect

    async def main() -> None:
        wire = Wire()
        task = asyncio.ensure_future(SentryAsgiMiddleware(hanging)(http(), wire.receive, wire.send))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(ClientDisconnect):
            await SentryAsgiMiddleware(hung_up)(http(), wire.receive, wire.send)

    with capture_events() as events:
        asyncio.run(main())
    assert events == []


@pytest.mark.parametrize("startup", [False, True])
def test_a_server_that_asks_for_lifespan_gets_its_answer_and_only_a_failed_startup_is_an_error(startup: bool) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if startup:
            await receive()
        raise ValueError("no lifespan here")

    with capture_events() as events, pytest.raises(ValueError, match="no lifespan"):
        call(SentryAsgiMiddleware(app), {"type": "lifespan"}, Wire({"type": "lifespan.startup"}))
    assert len(events) == startup


def test_a_websocket_has_a_scope_and_a_request_too() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("no stock")

    scope = http("/feed", {"Host": "shop.example"}, type="websocket", scheme="wss")
    del scope["method"]
    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(SentryAsgiMiddleware(app), scope)
    assert events[0]["request"]["url"] == "wss://shop.example/feed"
    assert events[0]["request"]["method"] == "GET"


class Double:
    def __init__(self, scope: Any) -> None:
        self.scope = scope

    async def __call__(self, receive: Any, send: Any) -> None:
        await failing(self.scope, receive, send)


class DoubleObject:
    def __call__(self, scope: Any) -> Any:
        return Double(scope)


class SingleObject:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await failing(scope, receive, send)


@pytest.mark.spec("FW-asgi-03")
@pytest.mark.parametrize("app", [failing, SingleObject(), SingleObject().__call__, Double, DoubleObject()])
def test_both_versions_of_asgi_are_known_apart(app: Any) -> None:
    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(SentryAsgiMiddleware(app))
    assert len(events) == 1


def test_an_error_in_a_task_of_the_request_carries_the_request() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def child() -> None:
            vedette.capture_message("child")

        await asyncio.create_task(child())
        await asyncio.to_thread(vedette.capture_message, "thread")

    with capture_events() as events:
        call(SentryAsgiMiddleware(app), http("/parent"))
    assert [event["request"]["url"] for event in events] == ["http://127.0.0.1:8000/parent"] * 2


def test_without_a_client_the_application_is_called_as_it_is() -> None:
    vedette.get_global_scope().set_client(None)
    with pytest.raises(ValueError, match="no stock"):
        call(SentryAsgiMiddleware(failing))


def test_one_scope_given_to_several_applications_is_a_request_each_time() -> None:
    async def first(scope: Any, receive: Any, send: Any) -> None:
        vedette.set_tag("first", "1")

    scope = http()
    call(SentryAsgiMiddleware(first), scope)
    with capture_events() as events:
        for _ in range(2):
            with pytest.raises(ValueError, match="no stock"):
                call(SentryAsgiMiddleware(failing), scope)
    assert all("url" in event["request"] for event in events)
    assert not any("tags" in event for event in events)
    assert len({event["contexts"]["trace"]["trace_id"] for event in events}) == 2


def test_a_scope_can_be_copied_and_pickled_as_without_us() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert copy.deepcopy(scope)["path"] == pickle.loads(pickle.dumps(scope))["path"]

    call(SentryAsgiMiddleware(app))
