"""Breadcrumbs of HTTPX, from sync and async clients; answers, streams and errors stay the program's."""

from __future__ import annotations

import asyncio
import inspect

import httpx
import pytest

import vedette
from tests.outgoing import DSN, as_the_path_says, asked, crumbs
from tests.programs import run_program
from tests.servers import RecordingServer, never, unused_port
from vedette.integrations.httpx import HttpxIntegration
from vedette.testing import MemoryTransport

UNPATCHED = httpx.Client.__dict__["send"], httpx.AsyncClient.__dict__["send"]
WAYS = ("sync", "async")

FOLLOWING = (
    {"follow_redirects": True} if hasattr(httpx, "USE_CLIENT_DEFAULT") else {}
)  # before, redirects were followed


@pytest.fixture
def transport():
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    return transport


@pytest.fixture
def server():
    with RecordingServer() as server:
        server.default = as_the_path_says
        yield server


def ask(way: str, method: str, url: str, *, client_options: dict | None = None, **options: object) -> httpx.Response:
    if way == "sync":
        with httpx.Client(trust_env=False, **client_options or {}) as client:
            return client.request(method, url, **options)

    async def request() -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, **client_options or {}) as client:
            return await client.request(method, url, **options)

    return asyncio.run(request())


@pytest.mark.spec("INT-32", "INT-33", "INT-34", "INT-38", "FW-httpx-01", "BRC-25", "BRC-26", "BRC-28")
@pytest.mark.parametrize("way", WAYS)
def test_a_request_is_one_breadcrumb_with_both_spellings_and_the_query_apart(transport, server, way) -> None:
    url = server.url.replace("://", "://user:hunter2@")
    response = ask(way, "POST", f"{url}/items?page=2&api_key=hunter2#top", content=b"12345")
    assert response.content == b"answer"
    assert crumbs(transport) == [
        {
            "type": "http",
            "category": "http",
            "level": "info",
            "data": {
                "url": f"{server.url}/items",
                "method": "POST",
                "http.request.method": "POST",
                "status_code": 200,
                "http.response.status_code": 200,
                "http.query": "page=2&api_key=[Filtered]",
                "http.fragment": "top",
                "http.request.body.size": 5,
                "http.response.body.size": 6,
            },
        }
    ]


@pytest.mark.spec("INT-35", "INT-36", "INT-37", "BRC-27")
@pytest.mark.parametrize("way", WAYS)
def test_each_hop_is_a_request_and_its_status_decides_the_level(transport, server, way) -> None:
    for path in ("/to/404", "/503"):
        ask(way, "GET", f"{server.url}{path}", **FOLLOWING)
    assert asked(transport) == [
        ("GET", f"{server.url}/to/404", 302, "info"),
        ("GET", f"{server.url}/404", 404, "warning"),
        ("GET", f"{server.url}/503", 503, "error"),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_no_answer_is_one_breadcrumb_of_level_error_and_the_programs_own_exception(transport, server, way) -> None:
    gone = f"http://127.0.0.1:{unused_port()}/gone"
    with pytest.raises(httpx.ConnectError):
        ask(way, "GET", gone)
    server.answer(never())
    with pytest.raises(httpx.ReadTimeout):
        ask(way, "GET", f"{server.url}/slow", timeout=0.1)
    assert asked(transport) == [
        ("GET", gone, "ConnectError", "error"),
        ("GET", f"{server.url}/slow", "ReadTimeout", "error"),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_where_a_redirect_fails_the_breadcrumb_names_where_it_led_to(transport, server, way) -> None:
    port = unused_port()
    server.answer(status=302, headers=(("Location", f"http://127.0.0.1:{port}/gone"),))
    with pytest.raises(httpx.ConnectError):
        ask(way, "GET", server.url, **FOLLOWING)
    assert asked(transport) == [("GET", f"http://127.0.0.1:{port}/gone", "ConnectError", "error")]


@pytest.mark.parametrize("way", WAYS)
def test_a_status_that_a_hook_of_the_programs_raises_for_is_still_the_status(transport, server, way) -> None:
    async def raise_async(response: httpx.Response) -> None:
        response.raise_for_status()

    hook = httpx.Response.raise_for_status if way == "sync" else raise_async
    with pytest.raises(httpx.HTTPStatusError):
        ask(way, "GET", f"{server.url}/404", client_options={"event_hooks": {"response": [hook]}})
    assert asked(transport) == [("GET", f"{server.url}/404", 404, "warning")]


def test_an_error_of_the_programs_own_that_looks_like_one_of_httpx_is_about_this_request(transport, server) -> None:
    class OwnError(Exception):
        request = None
        response = None

    def fail(request: httpx.Request) -> None:
        raise OwnError

    with pytest.raises(OwnError):
        ask("sync", "GET", f"{server.url}/a", client_options={"event_hooks": {"request": [fail]}})
    assert asked(transport) == [("GET", f"{server.url}/a", "OwnError", "error")]


def test_a_streamed_answer_is_not_read_before_the_program_does(transport, server) -> None:
    answer = b"0123456789"
    server.answer(body=answer, drip=0.01)
    with httpx.Client(trust_env=False) as client, client.stream("GET", f"{server.url}/stream") as response:
        assert len(crumbs(transport)) == 1
        assert not response.is_stream_consumed
        assert b"".join(response.iter_bytes()) == answer

    async def stream() -> bytes:
        async with httpx.AsyncClient(trust_env=False) as own, own.stream("GET", f"{server.url}/stream") as response:
            assert not response.is_stream_consumed
            return await response.aread()

    assert asyncio.run(stream()) == b"answer"
    assert len(crumbs(transport)) == 2


def test_a_cancelled_request_is_no_error(transport, server) -> None:
    server.answer(never())

    async def cancel() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            task = asyncio.create_task(client.get(f"{server.url}/cancelled"))
            while not server.requests:  # noqa: ASYNC110 - another thread's
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancel())
    assert asked(transport) == [("GET", f"{server.url}/cancelled", "CancelledError", "info")]
    assert len(transport.events) == 1  # the message that asked


@pytest.mark.spec("INT-31", "BRC-29")
@pytest.mark.parametrize("way", WAYS)
def test_requests_to_the_server_of_the_dsn_are_left_out(server, way) -> None:
    transport = MemoryTransport()
    vedette.init(server.dsn(), transport=transport)
    ask(way, "GET", f"{server.url}/api/7/envelope/")
    server.answer(never())
    with pytest.raises(httpx.TimeoutException):
        ask(way, "GET", f"{server.url}/api/7/envelope/", timeout=0.05)
    assert crumbs(transport) == []


def test_transports_and_clients_of_the_programs_own_are_covered(transport) -> None:
    if not hasattr(httpx, "MockTransport"):
        pytest.skip("HTTPX has transports to override from 0.18 on")

    class Own(httpx.Client):
        def send(self, request: httpx.Request, **options: object) -> httpx.Response:
            request.headers["X-Own"] = "1"
            return super().send(request, **options)

    with Own(transport=httpx.MockTransport(lambda request: httpx.Response(418))) as client:
        assert client.get("https://shop.invalid/tea").status_code == 418
    assert asked(transport) == [("GET", "https://shop.invalid/tea", 418, "warning")]


def test_what_fails_in_vedette_stays_there(transport, server, monkeypatch) -> None:
    client = vedette.get_client()
    monkeypatch.setattr(type(client), "parsed_dsn", property(lambda self: 1 / 0))
    assert ask("sync", "GET", f"{server.url}/404").status_code == 404
    assert ask("async", "GET", f"{server.url}/404").status_code == 404
    monkeypatch.undo()
    assert crumbs(transport) == []


@pytest.mark.spec("PAIN-33")
def test_send_looks_as_before_is_wrapped_once_and_close_restores_it() -> None:
    before = [inspect.signature(each) for each in UNPATCHED]
    first = vedette.init(DSN, transport=MemoryTransport())
    second = vedette.Client(DSN, transport=MemoryTransport())
    ours = httpx.Client.__dict__["send"], httpx.AsyncClient.__dict__["send"]
    assert [inspect.signature(each) for each in ours] == before
    assert [each.__wrapped__ for each in ours] == list(UNPATCHED)
    assert [inspect.iscoroutinefunction(each) for each in ours] == [False, True]
    assert [each.__qualname__ for each in ours] == ["Client.send", "AsyncClient.send"]
    first.close()
    second.close()
    assert (httpx.Client.__dict__["send"], httpx.AsyncClient.__dict__["send"]) == UNPATCHED


@pytest.mark.parametrize("way", WAYS)
def test_without_the_integration_nothing_is_noted_and_all_works(server, way) -> None:
    other = vedette.Client(DSN, transport=MemoryTransport())  # has it put in, and is not the one in charge
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, disabled_integrations=[HttpxIntegration()])
    assert ask(way, "GET", f"{server.url}/404").status_code == 404
    assert crumbs(transport) == []
    other.close()


@pytest.mark.spec("PAIN-33", "PAIN-34", "FW-httpx-01")
def test_init_does_not_import_httpx_and_finds_it_when_the_program_does() -> None:
    ended = run_program(
        f"""
        import sys
        import vedette
        from vedette.testing import MemoryTransport

        client = vedette.init({DSN!r}, transport=MemoryTransport())
        assert "httpx" not in sys.modules
        assert client.get_integration("httpx") is None
        import httpx
        assert client.get_integration("httpx") is not None
        assert hasattr(httpx.AsyncClient.send, "__wrapped__")
        """
    )
    assert (ended.code, ended.stderr) == (0, "")


@pytest.mark.spec("PAIN-07")
def test_requests_of_tasks_that_run_at_once_are_in_their_own_events_only(transport, server) -> None:
    async def unit(client: httpx.AsyncClient, number: int) -> None:
        with vedette.isolation_scope() as scope:
            scope.clear_breadcrumbs()
            for _ in range(5):
                await client.get(f"{server.url}/unit/{number}")
            vedette.capture_message(str(number))

    async def all_at_once() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await asyncio.gather(*(unit(client, number) for number in range(4)))

    asyncio.run(all_at_once())
    assert len(transport.events) == 4
    for event in transport.events:
        number = event["logentry"]["message"]
        urls = [crumb["data"]["url"] for crumb in event["breadcrumbs"]["values"]]
        assert urls == [f"{server.url}/unit/{number}"] * 5
