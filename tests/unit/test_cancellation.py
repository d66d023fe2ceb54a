"""Cancellation goes through everything of vedette that a task can be in, at once, and is no event (PAIN-21)."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import pytest
import trio
from asgiref.sync import sync_to_async

import vedette
from tests.waiting import wait_until
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

DSN = "http://key@localhost/1"
LONG = 20.0  # seconds, for what takes milliseconds

uvloop: Any = None
if sys.platform == "linux":
    import uvloop

LOOPS = {"asyncio": asyncio.new_event_loop, **({"uvloop": uvloop.new_event_loop} if uvloop else {})}


class Slow(vedette.Transport):
    """Takes as long as it is let."""

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.go_on = threading.Event()
        self.got = 0

    def capture_envelope(self, envelope: object) -> None:
        self.got += 1
        self.go_on.wait(LONG)


@pytest.fixture(params=list(LOOPS))
def run(request):
    """Runs a coroutine on a loop. What the loop's handler hears of fails the test."""
    heard: list[Any] = []
    loop = LOOPS[request.param]()
    loop.set_exception_handler(lambda _, context: heard.append(context))

    def run(main: Coroutine[Any, Any, Any]) -> Any:
        try:
            return loop.run_until_complete(asyncio.wait_for(main, LONG))
        finally:
            gc.collect()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())

    yield run
    loop.close()
    assert heard == []


@pytest.fixture
def slow():
    slow = Slow()
    yield slow
    slow.go_on.set()


@pytest.fixture
def transport():
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    return transport


class CancelledAt:
    """Awaits a coroutine, and has it cancelled where it awaits something for the n-th time."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], number: int) -> None:
        self.coroutine = coroutine
        self.number = number

    def __await__(self):
        for number in itertools.count(1):
            try:
                awaited = self.coroutine.send(None)
            except StopIteration:
                return "ended"
            if number == self.number:
                awaited._asyncio_future_blocking = False  # noqa: SLF001 - what it is handed over by; nobody will wait
                return self.cancel()
            yield awaited

    def cancel(self) -> str:
        own = asyncio.CancelledError()
        with pytest.raises(asyncio.CancelledError) as raised:
            self.coroutine.throw(own)
        return "cancelled" if raised.value is own and own.__context__ is None else "raised another"


async def cancelled_at_each_await(make: Callable[[], Coroutine[Any, Any, Any]]) -> list[str]:
    """What became of a coroutine, cancelled at its first, second, ... await, until it has no more."""
    outcomes: list[str] = []
    while outcomes[-1:] != ["ended"]:
        outcomes.append(await CancelledAt(make(), len(outcomes) + 1))
    return outcomes


@pytest.mark.spec("PAIN-21")
@pytest.mark.parametrize("method", ["flush_async", "close_async"])
def test_flush_and_close_raise_a_cancellation_at_each_of_their_awaits(method, run) -> None:
    clients: list[vedette.Client] = []

    def waiting() -> Coroutine[Any, Any, Any]:
        client = vedette.Client(DSN, transport=MemoryTransport(), default_integrations=False)
        client.capture_message("m")
        clients.append(client)
        return getattr(client, method)(LONG)

    outcomes = run(cancelled_at_each_await(waiting))
    assert outcomes == ["cancelled"] * (len(outcomes) - 1) + ["ended"]
    assert len(outcomes) > 1
    for client in clients:
        assert client.is_active() == (method == "flush_async")
        assert client.stats().delivered == {"error": 1}


@pytest.mark.spec("PAIN-21", "CLI-24")
@pytest.mark.parametrize("method", ["flush_async", "close_async"])
def test_a_time_out_of_the_program_ends_the_waiting_and_the_event_still_arrives(method, slow, run) -> None:
    client = vedette.Client(DSN, transport=slow, default_integrations=False)
    client.capture_message("m")
    wait_until(lambda: slow.got)

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(getattr(client, method)(LONG), 0.01)

    start = time.monotonic()
    run(main())
    assert time.monotonic() - start < LONG / 2
    assert client.is_active() == (method == "flush_async")
    slow.go_on.set()
    wait_until(lambda: client.stats().delivered == {"error": 1})


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there is no TaskGroup")
@pytest.mark.spec("PAIN-21")
def test_a_task_group_that_fails_cancels_those_that_flush(slow, run) -> None:
    vedette.init(DSN, transport=slow)
    vedette.capture_message("m")
    wait_until(lambda: slow.got)

    async def fail() -> None:
        raise ZeroDivisionError

    async def main() -> None:
        async def flush_beside_it() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(vedette.flush_async(LONG))
                group.create_task(fail())

        with pytest.raises(BaseExceptionGroup) as raised:  # noqa: F821 - of Python 3.11
            await flush_beside_it()
        assert [type(each) for each in raised.value.exceptions] == [ZeroDivisionError]

    run(main())
    assert slow.got == 1


# --- through what integrations put around the program's work -----------------------------------------------


def take_a_moment() -> None:
    """What cannot be cancelled, and is waited for."""
    threading.Event().wait(0.05)


async def in_scopes(reached: asyncio.Event) -> None:
    with vedette.isolation_scope(), vedette.new_scope() as scope:
        scope.set_tag("inside", "yes")
        reached.set()
        await asyncio.sleep(LONG)


async def in_a_thread(reached: asyncio.Event) -> None:
    loop, go_on = asyncio.get_running_loop(), threading.Event()

    def work() -> None:
        loop.call_soon_threadsafe(reached.set)
        go_on.wait(LONG)

    try:
        await asyncio.to_thread(work)
    finally:
        go_on.set()


async def in_a_thread_of_asgiref(reached: asyncio.Event) -> None:
    reached.set()
    await sync_to_async(take_a_moment, thread_sensitive=False)()


async def in_a_child(reached: asyncio.Event) -> None:
    await asyncio.gather(asyncio.create_task(in_scopes(reached)), asyncio.sleep(LONG))


async def in_an_async_generator(reached: asyncio.Event) -> None:
    async def generator():
        with vedette.new_scope():
            reached.set()
            await asyncio.sleep(LONG)
            yield

    async with contextlib.aclosing(generator()) as generated:
        async for _ in generated:
            pass


PLACES = [in_scopes, in_a_thread, in_a_thread_of_asgiref, in_a_child, in_an_async_generator]


@pytest.mark.spec("PAIN-21", "PAIN-20")
@pytest.mark.parametrize("place", PLACES)
def test_a_cancelled_task_ends_cancelled_leaves_its_scopes_and_is_no_event(place, transport, run) -> None:
    async def work(reached: asyncio.Event) -> None:
        try:
            await place(reached)
        finally:
            after.append(vedette.get_isolation_scope())
        raise AssertionError("it went on")

    async def main() -> None:
        mine = vedette.get_isolation_scope()
        reached = asyncio.Event()
        task = asyncio.create_task(work(reached))
        await reached.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert after == [mine]
        vedette.capture_message("after")

    after: list[Any] = []
    run(main())
    [event] = transport.events
    assert event["logentry"]["formatted"] == "after"
    assert "tags" not in event


@pytest.mark.spec("PAIN-21")
def test_a_cancellation_that_a_program_captures_itself_is_an_event(transport) -> None:
    vedette.capture_exception(asyncio.CancelledError())
    assert [event["exception"]["values"][0]["type"] for event in transport.events] == ["CancelledError"]


@pytest.mark.spec("PAIN-21")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancel_scopes_of_anyio_go_through_scopes_and_threads(backend, transport) -> None:
    async def in_scopes() -> None:
        with vedette.isolation_scope(), vedette.new_scope() as scope:
            scope.set_tag("inside", "yes")
            await anyio.sleep(LONG)

    async def in_a_thread() -> None:
        await anyio.to_thread.run_sync(take_a_moment)
        await anyio.sleep(LONG)

    async def main() -> None:
        for work in (in_scopes, in_a_thread):
            with anyio.move_on_after(0.02) as scope:
                await work()
            assert scope.cancelled_caught
            async with anyio.create_task_group() as group:
                group.start_soon(work)
                await anyio.sleep(0.01)
                group.cancel_scope.cancel()
        vedette.capture_message("after")

    anyio.run(main, backend=backend)
    assert [event.get("tags") for event in transport.events] == [None]


@pytest.mark.spec("PAIN-21")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_by_a_cancellation_of_trio_is_no_event(transport) -> None:
    cancellations: list[BaseException] = []

    async def main() -> None:
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.sleep(LONG)
            except trio.Cancelled as error:
                cancellations.append(error)
                raise

    def end_by(error: BaseException) -> None:
        raise error

    trio.run(main)
    for error in (*cancellations, ZeroDivisionError()):
        thread = threading.Thread(target=end_by, args=(error,))
        thread.start()
        thread.join(LONG)
    assert len(cancellations) == 1
    assert [event["exception"]["values"][-1]["type"] for event in transport.events] == ["ZeroDivisionError"]


@pytest.mark.spec("PAIN-21")
def test_neither_signal_handlers_nor_handlers_of_the_loop_are_installed(run) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), loop.get_task_factory()
        handler = loop.get_exception_handler()
        vedette.init(DSN, transport=MemoryTransport())
        vedette.capture_message("m")
        await vedette.flush_async(LONG)
        assert before == (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM), loop.get_task_factory())
        assert loop.get_exception_handler() is handler

    run(main())
