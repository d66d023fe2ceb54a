from __future__ import annotations

import asyncio

import pytest

from vedette._inbox.bodies import ByteBudget


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
