"""Where work crosses from one thread, task or greenlet to another: what is captured there has the scopes of whoever
asked for the work, and never those of another request.

Each way of crossing is tried by several requests at once, twice each and over the same threads, so that whatever a
worker keeps of one request shows in the next.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import logging
import random
import re
import subprocess
import sys
import threading
import weakref
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest
import trio
import trio.lowlevel
from asgiref.sync import async_to_sync, sync_to_async

import vedette
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Capture = Callable[[], None]

REQUESTS = 6
MARKER = re.compile(r"request-[0-9]+-")
LONG = 20.0  # seconds, for what takes milliseconds


@pytest.fixture
def transport():
    transport = MemoryTransport()
    vedette.init("http://key@localhost/1", transport=transport)
    return transport


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as pool:
        yield pool


class Request:
    """One request: its marker is in every place where a scope keeps data."""

    def __init__(self, number: int) -> None:
        self.marker = f"request-{number}-"

    def mark(self) -> None:
        vedette.set_tag("isolation", self.marker)
        vedette.get_current_scope().set_tag("current", self.marker)
        vedette.add_breadcrumb(message=self.marker)

    def capture(self) -> None:
        vedette.capture_message(self.marker)


def assert_own_data_only(events: list[Any], captured: int) -> None:
    """Each event has the data of its own request, all of it, and nothing of another."""
    assert len(events) == captured
    for event in events:
        marker = event["logentry"]["formatted"]
        assert set(MARKER.findall(json.dumps(event))) == {marker}
        assert event["tags"] == {"isolation": marker, "current": marker}
        assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == [marker]


# --- ways across, from functions that block ----------------------------------------------------------------


def by_thread(capture: Capture, pool: ThreadPoolExecutor) -> None:
    thread = threading.Thread(target=capture)
    thread.start()
    thread.join(LONG)


def by_timer(capture: Capture, pool: ThreadPoolExecutor) -> None:
    timer = threading.Timer(0.0, capture)
    timer.start()
    timer.join(LONG)


def by_pool(capture: Capture, pool: ThreadPoolExecutor) -> None:
    pool.submit(capture).result(LONG)


def by_map_of_a_pool(capture: Capture, pool: ThreadPoolExecutor) -> None:
    list(pool.map(lambda _: capture(), [1]))


def by_pool_in_a_pool(capture: Capture, pool: ThreadPoolExecutor) -> None:
    def outer() -> None:
        with ThreadPoolExecutor(1) as inner:
            inner.submit(capture).result(LONG)

    pool.submit(outer).result(LONG)


def by_thread_in_a_pool(capture: Capture, pool: ThreadPoolExecutor) -> None:
    pool.submit(by_thread, capture, pool).result(LONG)


def by_callback_of_a_task(capture: Capture, pool: ThreadPoolExecutor) -> None:
    go_on, called = threading.Event(), threading.Event()
    task = pool.submit(go_on.wait, LONG)
    task.add_done_callback(lambda _: (capture(), called.set()))
    go_on.set()
    assert called.wait(LONG)


def by_callback_of_what_is_done(capture: Capture, pool: ThreadPoolExecutor) -> None:
    task = pool.submit(int)
    task.result(LONG)
    task.add_done_callback(lambda _: capture())


def by_copied_context(capture: Capture, pool: ThreadPoolExecutor) -> None:
    contextvars.copy_context().run(capture)


def by_copied_context_in_a_pool(capture: Capture, pool: ThreadPoolExecutor) -> None:
    pool.submit(contextvars.copy_context().run, capture).result(LONG)


def by_copied_context_in_a_daemon(capture: Capture, pool: ThreadPoolExecutor) -> None:
    thread = threading.Thread(target=contextvars.copy_context().run, args=(capture,), daemon=True)
    thread.start()
    thread.join(LONG)


def by_generator(capture: Capture, pool: ThreadPoolExecutor) -> None:
    def generator():
        with vedette.new_scope():
            yield
            capture()
            yield

    suspended = generator()
    next(suspended)
    next(suspended)
    pool.submit(suspended.close).result(LONG)


def by_async_to_sync(capture: Capture, pool: ThreadPoolExecutor) -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        capture()

    async_to_sync(work)()


def by_there_and_back_in_asgiref(capture: Capture, pool: ThreadPoolExecutor) -> None:
    async def work() -> None:
        await sync_to_async(capture)()

    async_to_sync(work)()


BLOCKING = [
    by_thread,
    by_timer,
    by_pool,
    by_map_of_a_pool,
    by_pool_in_a_pool,
    by_thread_in_a_pool,
    by_callback_of_a_task,
    by_callback_of_what_is_done,
    by_copied_context,
    by_copied_context_in_a_pool,
    by_copied_context_in_a_daemon,
    by_generator,
    by_async_to_sync,
    by_there_and_back_in_asgiref,
]


@pytest.mark.spec("PAIN-07", "PAIN-08", "SCO-13")
@pytest.mark.parametrize("way", BLOCKING)
def test_what_threads_do_for_a_request_has_its_scopes(way, transport, pool) -> None:
    def work(number: int) -> None:
        with vedette.isolation_scope():
            request = Request(number)
            request.mark()
            way(request.capture, pool)
            request.capture()

    for _ in range(2):
        with ThreadPoolExecutor(REQUESTS) as server:
            list(server.map(work, range(REQUESTS)))
    assert_own_data_only(transport.events, 4 * REQUESTS)


# --- ways across, from coroutines --------------------------------------------------------------------------


async def by_to_thread(capture: Capture, pool: ThreadPoolExecutor) -> None:
    await asyncio.to_thread(capture)


async def by_default_executor(capture: Capture, pool: ThreadPoolExecutor) -> None:
    await asyncio.get_running_loop().run_in_executor(None, capture)


async def by_executor(capture: Capture, pool: ThreadPoolExecutor) -> None:
    await asyncio.get_running_loop().run_in_executor(pool, capture)


async def by_task(capture: Capture, pool: ThreadPoolExecutor) -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        capture()

    await asyncio.create_task(work())


async def by_call_soon(capture: Capture, pool: ThreadPoolExecutor) -> None:
    called = asyncio.Event()
    asyncio.get_running_loop().call_soon(lambda: (capture(), called.set()))
    await called.wait()


async def by_callback_of_a_future(capture: Capture, pool: ThreadPoolExecutor) -> None:
    called = asyncio.Event()
    future = asyncio.get_running_loop().run_in_executor(pool, int)
    future.add_done_callback(lambda _: (capture(), called.set()))
    await called.wait()


async def by_another_threads_loop(capture: Capture, pool: ThreadPoolExecutor) -> None:
    async def work() -> None:
        capture()

    loop = asyncio.get_running_loop()

    def hand_back() -> None:
        asyncio.run_coroutine_threadsafe(work(), loop).result(LONG)

    await asyncio.to_thread(hand_back)


async def by_sync_to_async(capture: Capture, pool: ThreadPoolExecutor) -> None:
    await sync_to_async(capture)()


async def by_sync_to_async_in_a_pool(capture: Capture, pool: ThreadPoolExecutor) -> None:
    await sync_to_async(capture, thread_sensitive=False, executor=pool)()


async def by_there_and_back_in_a_coroutine(capture: Capture, pool: ThreadPoolExecutor) -> None:
    async def work() -> None:
        capture()

    await sync_to_async(async_to_sync(work))()


async def by_async_generator(capture: Capture, pool: ThreadPoolExecutor) -> None:
    async def generator():
        with vedette.new_scope():
            yield
            capture()
            yield

    suspended = generator()
    await anext(suspended)
    await anext(suspended)
    await asyncio.create_task(suspended.aclose())  # in a context that is not its own


async def by_anyio_to_thread(capture: Capture, pool: ThreadPoolExecutor) -> None:
    await anyio.to_thread.run_sync(capture)


async def by_there_and_back_in_anyio(capture: Capture, pool: ThreadPoolExecutor) -> None:
    async def work() -> None:
        capture()

    await anyio.to_thread.run_sync(anyio.from_thread.run, work)


COROUTINES = [
    by_to_thread,
    by_default_executor,
    by_executor,
    by_task,
    by_call_soon,
    by_callback_of_a_future,
    by_another_threads_loop,
    by_sync_to_async,
    by_sync_to_async_in_a_pool,
    by_there_and_back_in_a_coroutine,
    by_async_generator,
    by_anyio_to_thread,
    by_there_and_back_in_anyio,
]


async def serve(way: Callable[..., Awaitable[None]], pool: ThreadPoolExecutor | None, number: int) -> None:
    with vedette.isolation_scope():
        request = Request(number)
        request.mark()
        await anyio.sleep(0.001 * random.random())
        await way(request.capture, pool)
        request.capture()


@pytest.mark.spec("PAIN-07", "PAIN-08", "SCO-13")
@pytest.mark.parametrize("way", COROUTINES)
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_what_is_done_for_a_request_of_an_event_loop_has_its_scopes(way, loop, transport, pool) -> None:
    new_loop = pytest.importorskip("uvloop").new_event_loop if loop == "uvloop" else asyncio.new_event_loop

    async def main() -> None:
        for _ in range(2):
            await asyncio.gather(*(serve(way, pool, number) for number in range(REQUESTS)))

    running = new_loop()
    try:
        running.run_until_complete(asyncio.wait_for(main(), LONG))
        running.run_until_complete(running.shutdown_default_executor())
    finally:
        running.close()
    assert_own_data_only(transport.events, 4 * REQUESTS)


async def by_anyio_task_group(capture: Capture, pool: object) -> None:
    async def work() -> None:
        await anyio.lowlevel.checkpoint()
        capture()

    async with anyio.create_task_group() as group:
        group.start_soon(work)


async def by_nursery(capture: Capture, pool: object) -> None:
    async def work() -> None:
        await trio.lowlevel.checkpoint()
        capture()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work)


async def by_trio_thread(capture: Capture, pool: object) -> None:
    await trio.to_thread.run_sync(capture)


async def by_there_and_back_in_trio(capture: Capture, pool: object) -> None:
    await trio.to_thread.run_sync(trio.from_thread.run_sync, capture)


IN_ANYIO = [by_anyio_task_group, by_anyio_to_thread, by_there_and_back_in_anyio]
IN_TRIO = [by_nursery, by_trio_thread, by_there_and_back_in_trio]
ELSEWHERE = [
    *((way, backend) for way in IN_ANYIO for backend in ("asyncio", "trio")),
    *((way, "trio") for way in IN_TRIO),
]


@pytest.mark.spec("PAIN-07", "PAIN-08", "SCO-13")
@pytest.mark.parametrize(("way", "backend"), ELSEWHERE)
def test_tasks_and_threads_of_anyio_and_trio_have_the_scopes_of_their_request(way, backend, transport) -> None:
    async def main() -> None:
        for _ in range(2):
            async with anyio.create_task_group() as group:
                for number in range(REQUESTS):
                    group.start_soon(serve, way, None, number)

    anyio.run(main, backend=backend)
    assert_own_data_only(transport.events, 4 * REQUESTS)


# --- where nothing is handed over --------------------------------------------------------------------------


class Capturing(logging.Handler):
    """A program's own way of reporting what was logged."""

    def emit(self, record: logging.LogRecord) -> None:
        vedette.capture_message("logged")


@pytest.mark.spec("PAIN-07", "PAIN-08")
def test_the_thread_of_a_process_pool_belongs_to_no_request_and_calls_back_for_each(transport) -> None:
    """There is one for all tasks, started by whoever submitted the first."""

    def call_back(request: Request) -> Any:
        def called(task: Future[int]) -> None:
            request.capture()
            raise ZeroDivisionError  # which the thread logs

        return called

    spawning = get_context("spawn")
    go_on = spawning.Event()
    logger, handler = logging.getLogger("concurrent.futures"), Capturing()
    logger.addHandler(handler)
    try:
        with ProcessPoolExecutor(1, spawning, initializer=go_on.wait, initargs=(LONG,)) as pool:
            for number in range(2):
                with vedette.isolation_scope():
                    request = Request(number)
                    request.mark()
                    pool.submit(int).add_done_callback(call_back(request))
            go_on.set()
    finally:
        logger.removeHandler(handler)
    logged = [event for event in transport.events if event["logentry"]["formatted"] == "logged"]
    assert [event.get("tags") for event in logged] == [None, None]
    by_the_pool = [event for event in transport.events if event.get("logger") == "concurrent.futures"]
    assert len(by_the_pool) == 2  # what a callback raises is told by nobody else
    own = [event for event in transport.events if event not in logged and event not in by_the_pool]
    assert_own_data_only(own, 2)


@pytest.mark.spec("PAIN-01")
def test_a_future_does_not_keep_the_scopes_of_its_callbacks(transport) -> None:
    """It keeps the callbacks themselves for as long as it is there."""
    go_on = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with vedette.isolation_scope() as scope:
            seen = weakref.ref(scope)
            task = pool.submit(go_on.wait, LONG)
            task.add_done_callback(lambda _: None)
        del scope
        go_on.set()
        task.result(LONG)
    gc.collect()
    assert seen() is None
    assert task.done()


GREENLETS = """
from gevent import monkey
monkey.patch_all()
import gevent, threading, vedette
from concurrent.futures import ThreadPoolExecutor
from vedette.testing import MemoryTransport
transport = MemoryTransport()
vedette.init("http://key@localhost/1", transport=transport)
vedette.get_global_scope().set_tag("region", "eu")
pool = ThreadPoolExecutor(2)
def work(number):
    with vedette.isolation_scope() as scope:
        scope.set_tag("request", str(number))
        gevent.sleep(0)
        thread = threading.Thread(target=vedette.capture_message, args=(f"thread {number}",), daemon=False)
        thread.start()
        thread.join()
        pool.submit(vedette.capture_message, f"pool {number}").result()
        gevent.spawn(vedette.capture_message, f"greenlet {number}").join()
        vedette.capture_message(f"itself {number}")
gevent.joinall([gevent.spawn(work, number) for number in range(20)], raise_error=True)
assert len(transport.events) == 80, len(transport.events)
for event in transport.events:
    kind, number = event["logentry"]["formatted"].split()
    expected = {"region": "eu"} if kind == "greenlet" else {"region": "eu", "request": number}
    assert event["tags"] == expected, (kind, event["tags"])
"""


@pytest.mark.spec("PAIN-07", "PAIN-08", "PAIN-14")
def test_threads_of_greenlets_have_their_scopes_and_spawned_greenlets_begin_with_none() -> None:
    """gevent gives each greenlet an empty context. Nothing of vedette reaches into gevent."""
    pytest.importorskip("gevent")
    subprocess.run([sys.executable, "-c", GREENLETS], check=True, timeout=LONG)
