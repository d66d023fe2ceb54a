from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request

from vedette._inbox.bodies import Bodies, ByteBudget, Received
from vedette._inbox.settings import Settings


def request(*chunks: bytes, length: int | None = None, hangs: bool = False) -> Request:
    """A request whose body comes in these chunks, and then, if it hangs, no more."""
    waiting = list(chunks)

    async def receive() -> dict[str, object]:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or hangs}
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def bodies(**limits: float) -> Bodies:
    return Bodies(Settings("http://127.0.0.1:1", "", "", **{"request_seconds": 0.05, **limits}))


def received(reader: Bodies, sent: Request) -> Received:
    async def run() -> Received:
        async with reader.body_of(sent) as found:
            return found

    return asyncio.run(run())


def test_who_asks_for_more_than_is_free_waits_until_it_is_given_back():
    async def run() -> None:
        budget = ByteBudget(10)
        await budget.take(8)
        waiting = asyncio.create_task(budget.take(5))
        await asyncio.sleep(0)
        assert not waiting.done()
        budget.give(3)
        await asyncio.wait_for(waiting, 1)

    asyncio.run(run())


def test_a_small_request_does_not_overtake_a_large_one_that_waits():
    async def run() -> None:
        budget = ByteBudget(10)
        await budget.take(8)
        large = asyncio.create_task(budget.take(9))
        await asyncio.sleep(0)
        small = asyncio.create_task(budget.take(1))
        await asyncio.sleep(0)
        assert not small.done()
        budget.give(8)
        await asyncio.wait_for(asyncio.gather(large, small), 1)

    asyncio.run(run())


def test_who_gives_up_waiting_lets_the_next_one_in():
    async def run() -> None:
        budget = ByteBudget(10)
        await budget.take(8)
        large = asyncio.create_task(budget.take(9))
        await asyncio.sleep(0)
        small = asyncio.create_task(budget.take(2))
        await asyncio.sleep(0)
        large.cancel()
        with pytest.raises(asyncio.CancelledError):
            await large
        await asyncio.wait_for(small, 1)

    asyncio.run(run())


def test_bytes_granted_to_a_request_that_is_cancelled_at_that_moment_come_back():
    async def run() -> None:
        budget = ByteBudget(10)
        await budget.take(10)
        waiting = asyncio.create_task(budget.take(10))
        await asyncio.sleep(0)
        budget.give(10)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.wait_for(budget.take(10), 1)

    asyncio.run(run())


def test_a_body_is_received_whole():
    found = received(bodies(), request(b"abc", b"def"))
    assert (bytes(found.body), found.size, found.refused) == (b"abcdef", 6, None)


def test_a_body_over_the_limit_keeps_its_beginning_only():
    found = received(bodies(max_body=5000), request(b"a" * 4096, b"b" * 900, b"c" * 5))
    assert (found.refused.status, found.size, bytes(found.body)) == (413, 5001, b"a" * 4096)


def test_a_body_without_end_is_not_read_for_ever():
    found = received(bodies(max_body=10), request(*[b"0123456789"] * 100))
    assert (found.refused.status, found.size) == (413, 50)


def test_a_sender_that_stops_in_the_middle_is_given_up():
    found = received(bodies(), request(b"abc", length=6, hangs=True))
    assert (found.refused.status, bytes(found.body)) == (408, b"abc")
    assert found.refused.detail == "the body was not there after 0.05 s"


def test_a_body_for_which_there_is_no_room_waits_and_is_then_refused():
    async def run() -> None:
        reader = bodies(max_in_flight=10)
        async with reader.body_of(request(b"0123456789", length=10)) as first:
            assert first.refused is None
            async with reader.body_of(request(b"a", length=1)) as second:
                assert second.refused.status == 503
        async with reader.body_of(request(b"a", length=1)) as third:
            assert third.refused is None

    asyncio.run(run())


def test_a_body_in_chunks_gives_back_what_it_did_not_need():
    async def run() -> None:
        reader = bodies(max_in_flight=10, max_body=10)
        async with reader.body_of(request(b"abc")), reader.body_of(request(b"0123456", length=7)) as second:
            assert second.refused is None

    asyncio.run(run())
