"""The stream as an ASGI application, without a socket: so that a reader can be as slow as it likes."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette

from tests.inboxes import envelope, order_failed
from vedette._inbox.limits import Refused
from vedette._inbox.settings import Settings
from vedette._inbox.store import Store
from vedette._inbox.streaming import Streams

WAIT = 5.0


class Reader:
    """One GET of the stream. ``send`` of the server waits while ``reads`` is not set."""

    def __init__(self, streams: Streams, **headers: str) -> None:
        self._headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        self._app = Starlette(routes=streams.routes())
        self._leaves = asyncio.Event()
        self._chunks: asyncio.Queue[str] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.sent = 0  # messages that the server wanted to send

    async def run(self, method: str = "GET") -> None:
        scope = {"type": "http", "method": method, "path": "/api/stream", "query_string": b"", "headers": self._headers}
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, object]:
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message) -> None:
        self.sent += 1
        await self.reads.wait()
        if message["type"] == "http.response.body":
            self._chunks.put_nowait(message["body"].decode())

    async def next(self) -> str:
        return await asyncio.wait_for(self._chunks.get(), WAIT)

    def leave(self) -> None:
        self._leaves.set()


@asynccontextmanager
async def reading(streams: Streams, **headers: str):
    reader = Reader(streams, **headers)
    task = asyncio.create_task(reader.run())
    yield reader
    reader.leave()
    await asyncio.wait_for(task, WAIT)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "inbox.db") as opened:
        yield opened


def streams_of(store: Store, **settings: float) -> Streams:
    return Streams(store, Settings("http://127.0.0.1:1", "", "", **settings))


def commit(store: Store, streams: Streams, *events: dict[str, object]) -> None:
    """As the writer does it: on a thread of its own."""

    def write() -> None:
        store.add_envelope("1", envelope(*events or [order_failed()]))
        streams.announce()

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()


def test_silence_is_broken_by_a_ping(store):
    async def run() -> None:
        async with reading(streams_of(store, ping_seconds=0.02)) as reader:
            assert await reader.next() == "retry: 1000\nid: 0-0-0-0\n\n"
            assert await reader.next() == ": ping\n\n"
            assert await reader.next() == ": ping\n\n"

    asyncio.run(run())


def test_a_reader_that_stands_still_is_told_the_sum_when_it_goes_on(store):
    async def run() -> None:
        streams = streams_of(store)
        async with reading(streams) as reader, reading(streams) as other:
            await reader.next()
            await other.next()
            reader.reads.clear()
            for count in range(1, 11):
                commit(store, streams)
                while f'"count":{count},' not in await other.next():
                    pass
            assert reader.sent <= 4  # head, first, and the message it is stuck in: nothing waits behind it
            reader.reads.set()
            told = await reader.next() + await reader.next()
            assert '"count":10,' in told
            assert told.count("event: issue") == 2

    asyncio.run(run())


def test_a_reader_that_missed_too_much_is_told_to_fetch_anew(store):
    async def run() -> None:
        streams = streams_of(store)
        async with reading(streams) as reader:
            await reader.next()
            reader.reads.clear()
            failures = [{"exception": {"values": [{"type": f"E{n}", "value": "v"}]}} for n in range(300)]
            commit(store, streams, order_failed())
            for failure in failures:
                store.add_envelope("1", envelope(failure))
            reader.reads.set()
            told = ""
            while "cleared" not in told:
                told = await reader.next()
            assert told == f'event: cleared\ndata: {{"reason":"missed"}}\nid: {store.position()}\n\n'

    asyncio.run(run())


def test_a_burst_is_told_in_few_messages(store):
    async def run() -> None:
        streams = streams_of(store)
        async with reading(streams) as reader:
            await reader.next()
            for _ in range(100):
                commit(store, streams)
            messages = 0
            told = ""
            while '"count":100,' not in told:
                told = await reader.next()
                messages += 1
            assert messages < 50

    asyncio.run(run())


def test_a_position_that_says_nothing_here_is_answered_with_fetch_anew(store):
    async def run() -> None:
        async with reading(streams_of(store), last_event_id="<b>") as reader:
            assert await reader.next() == 'event: cleared\ndata: {"reason":"missed"}\nid: 0-0-0-0\n\n'

    asyncio.run(run())


def test_who_comes_too_late_or_too_many_is_refused(store):
    async def run() -> None:
        streams = streams_of(store)
        readers = [Reader(streams) for _ in range(100)]
        tasks = [asyncio.create_task(reader.run()) for reader in readers]
        for reader in readers:
            await reader.next()
        with pytest.raises(Refused, match="at most 100"):
            await Reader(streams).run()
        readers[0].leave()
        await asyncio.wait_for(tasks[0], WAIT)
        async with reading(streams) as reader:
            await reader.next()
        streams.close()
        await asyncio.wait_for(asyncio.gather(*tasks), WAIT)
        with pytest.raises(Refused):
            await Reader(streams).run()

    asyncio.run(run())


def test_a_database_that_fails_ends_the_stream_quietly(store):
    async def run() -> None:
        reader = Reader(streams_of(store))
        task = asyncio.create_task(reader.run())
        await reader.next()
        store.close()
        await asyncio.wait_for(task, WAIT)

    asyncio.run(run())


def test_announcing_without_readers_or_after_the_end_does_nothing(store):
    streams = streams_of(store)
    streams.announce()

    async def run() -> None:
        async with reading(streams) as reader:
            await reader.next()

    asyncio.run(run())
    commit(store, streams)


def test_head_is_answered_at_once(store):
    async def run() -> None:
        await asyncio.wait_for(Reader(streams_of(store)).run("HEAD"), WAIT)

    asyncio.run(run())
