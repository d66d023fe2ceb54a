"""Breadcrumbs of aiohttp's client, by the tracing that it offers."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.outgoing import DSN, as_the_path_says, asked, crumbs
from tests.programs import run_program
from tests.servers import Answer, RecordingServer, never, unused_port
from vedette.integrations.aiohttp import AioHttpIntegration
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

aiohttp = pytest.importorskip("aiohttp")
UNPATCHED = aiohttp.ClientSession.__dict__["__init__"]


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


async def get(session: Any, url: str, **options: Any) -> None:
    async with session.get(url, **options) as response:
        await response.read()


def in_session(work: Callable[[Any], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession(**options) as session:
            await work(session)

    asyncio.run(run())


@pytest.mark.spec("INT-32", "INT-33", "INT-34", "INT-38", "FW-aiohttp-01", "BRC-25", "BRC-26", "BRC-28")
def test_a_request_is_one_breadcrumb_with_both_spellings_and_the_query_apart(transport, server) -> None:
    async def work(session: Any) -> None:
        url = server.url.replace("://", "://user:hunter2@")
        async with session.post(f"{url}/items?api_key=hunter2#top", params={"page": "2"}, data=b"12345") as response:
            assert await response.read() == b"answer"

    in_session(work)
    [crumb] = crumbs(transport)
    data = crumb.pop("data")
    assert crumb == {"type": "http", "category": "http", "level": "info"}
    assert data == {
        "url": f"{server.url}/items",
        "method": "POST",
        "http.request.method": "POST",
        "status_code": 200,
        "http.response.status_code": 200,
        "http.query": "api_key=[Filtered]&page=2",
        "http.fragment": "top",
        "http.request.body.size": 5,
        "http.response.body.size": 6,
    }


@pytest.mark.spec("INT-35", "INT-36", "INT-37", "BRC-27")
def test_each_hop_is_a_request_and_its_status_decides_the_level(transport, server) -> None:
    async def work(session: Any) -> None:
        for path in ("/to/404", "/503"):
            async with session.get(f"{server.url}{path}"):
                pass

    in_session(work)
    assert asked(transport) == [
        ("GET", f"{server.url}/to/404", 302, "info"),
        ("GET", f"{server.url}/404", 404, "warning"),
        ("GET", f"{server.url}/503", 503, "error"),
    ]


def test_no_answer_is_one_breadcrumb_of_level_error_and_the_programs_own_exception(transport, server) -> None:
    gone = f"http://127.0.0.1:{unused_port()}/gone"

    async def work(session: Any) -> None:
        with pytest.raises(aiohttp.ClientConnectorError):
            await get(session, gone)
        with pytest.raises(aiohttp.ClientResponseError):
            await get(session, f"{server.url}/404", raise_for_status=True)
        server.answer(hang_up="after_reading")
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await session.post(f"{server.url}/gone")

    in_session(work)
    assert asked(transport) == [
        ("GET", gone, "ClientConnectorError", "error"),
        ("GET", f"{server.url}/404", 404, "warning"),
        ("POST", f"{server.url}/gone", "ServerDisconnectedError", "error"),
    ]


def test_a_cancelled_request_is_no_error(transport, server) -> None:
    server.answer(never())

    async def work(session: Any) -> None:
        async def ask() -> None:
            await get(session, f"{server.url}/cancelled")

        task = asyncio.create_task(ask())
        while not server.requests:  # noqa: ASYNC110 - another thread's
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    in_session(work)
    assert asked(transport) == [("GET", f"{server.url}/cancelled", "CancelledError", "info")]


@pytest.mark.spec("INT-31", "BRC-29")
def test_requests_to_the_server_of_the_dsn_are_left_out(server) -> None:
    transport = MemoryTransport()
    vedette.init(server.dsn(), transport=transport)

    async def work(session: Any) -> None:
        await get(session, f"{server.url}/api/7/envelope/")

    in_session(work)
    assert crumbs(transport) == []


def test_tracing_of_the_programs_own_goes_on_beside_ours(transport, server) -> None:
    own = aiohttp.TraceConfig()
    ended: list[str] = []

    async def note(session: Any, context: Any, params: Any) -> None:
        ended.append(context.trace_request_ctx)

    own.on_request_end.append(note)
    configs = [own]

    async def work(session: Any) -> None:
        await get(session, server.url, trace_request_ctx="mine")

    in_session(work, trace_configs=configs)
    assert ended == ["mine"]
    assert configs == [own]
    assert len(crumbs(transport)) == 1


def test_a_session_outlives_the_client_that_it_was_made_under(server) -> None:
    older = MemoryTransport()
    vedette.init(DSN, transport=older)
    newer = MemoryTransport()

    async def work(session: Any) -> None:
        vedette.init(DSN, transport=newer, disabled_integrations=[AioHttpIntegration()])
        await get(session, server.url)
        assert crumbs(newer) == []
        vedette.init(DSN, transport=newer)
        await get(session, server.url)
        assert len(crumbs(newer)) == 1

    in_session(work)
    assert older.events == []


def test_what_fails_in_vedette_stays_there(transport, server, monkeypatch) -> None:
    async def work(session: Any) -> None:
        async with session.get(f"{server.url}/404") as response:
            assert response.status == 404

    monkeypatch.setattr(type(vedette.get_client()), "parsed_dsn", property(lambda self: 1 / 0))
    in_session(work)
    monkeypatch.undo()
    assert crumbs(transport) == []


@pytest.mark.spec("INT-47", "INT-59", "INT-61", "INT-66", "INT-67")
def test_failed_requests_are_captured_on_request(server) -> None:
    transport = MemoryTransport()
    hints: list[Any] = []
    vedette.init(
        DSN,
        transport=transport,
        integrations=[AioHttpIntegration(capture_failed_requests=True)],
        before_send=lambda event, hint: hints.append(hint) or event,
    )
    server.answer(Answer(502, headers=(("X-Token", "hunter2"),)))

    async def work(session: Any) -> None:
        await get(session, f"{server.url}/", headers={"Authorization": "hunter2", "X-Shown": "s"})
        await get(session, f"{server.url}/404")

    in_session(work)
    [event] = transport.events
    assert event["exception"]["values"][0]["value"] == "HTTP Client Error with status code: 502"
    assert "work" in str([frame["function"] for frame in event["exception"]["values"][0]["stacktrace"]["frames"]])
    headers = dict(event["request"]["headers"])
    assert (headers["Authorization"], headers["X-Shown"]) == ("[Filtered]", "s")
    assert event["contexts"]["response"]["headers"]["X-Token"] == "[Filtered]"
    assert isinstance(hints[0]["response"], aiohttp.ClientResponse)


def test_an_unknown_transaction_style_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="transaction_style is 'handler_name' or 'method_and_path_pattern', got 'x'"):
        AioHttpIntegration("x")


@pytest.mark.spec("PAIN-33")
def test_the_session_looks_as_before_is_wrapped_once_and_close_restores_it() -> None:
    before = inspect.signature(aiohttp.ClientSession), inspect.signature(UNPATCHED)
    first = vedette.init(DSN, transport=MemoryTransport())
    second = vedette.Client(DSN, transport=MemoryTransport())
    ours = aiohttp.ClientSession.__dict__["__init__"]
    assert ours.__wrapped__ is UNPATCHED
    assert (inspect.signature(aiohttp.ClientSession), inspect.signature(ours)) == before
    first.close()
    second.close()
    assert aiohttp.ClientSession.__dict__["__init__"] is UNPATCHED


@pytest.mark.spec("PAIN-33", "PAIN-34", "FW-aiohttp-02")
def test_init_does_not_import_aiohttp_and_finds_it_when_the_program_does() -> None:
    ended = run_program(
        f"""
        import sys
        import vedette
        from vedette.testing import MemoryTransport

        client = vedette.init({DSN!r}, transport=MemoryTransport())
        assert "aiohttp" not in sys.modules
        import aiohttp
        assert client.get_integration("aiohttp") is not None
        """
    )
    assert (ended.code, ended.stderr) == (0, "")


@pytest.mark.spec("PAIN-07")
def test_requests_of_tasks_that_run_at_once_are_in_their_own_events_only(transport, server) -> None:
    async def unit(session: Any, number: int) -> None:
        with vedette.isolation_scope() as scope:
            scope.clear_breadcrumbs()
            for _ in range(5):
                async with session.get(f"{server.url}/unit/{number}"):
                    pass
            vedette.capture_message(str(number))

    async def work(session: Any) -> None:
        await asyncio.gather(*(unit(session, number) for number in range(4)))

    in_session(work)
    assert len(transport.events) == 4
    for event in transport.events:
        number = event["logentry"]["message"]
        urls = [crumb["data"]["url"] for crumb in event["breadcrumbs"]["values"]]
        assert urls == [f"{server.url}/unit/{number}"] * 5
