"""What nobody retrieved on an event loop is one event, with the data of its task; all else is left to the program."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
import subprocess
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from vedette.integrations.asyncio import AsyncioIntegration, enable_asyncio_integration, patch_asyncio
from vedette.integrations.logging import LoggingIntegration
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DSN = "http://key@localhost/1"
LONG = 20.0  # seconds, for what takes milliseconds

uvloop: Any = None
if sys.platform == "linux":
    import uvloop

LOOPS = {"asyncio": asyncio.new_event_loop, **({"uvloop": uvloop.new_event_loop} if uvloop else {})}
PATCHED = {"asyncio": asyncio.BaseEventLoop, **({"uvloop": uvloop.Loop} if uvloop else {})}


@pytest.fixture
def transport():
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    return transport


@pytest.fixture(params=list(LOOPS))
def loop(request):
    loop = LOOPS[request.param]()
    yield loop
    if not loop.is_closed():
        for task in asyncio.all_tasks(loop):
            task.cancel()  # of what is still pending when it is collected, there would be an event in another test
        loop.run_until_complete(turns())
        loop.close()


def run(loop: asyncio.AbstractEventLoop, main: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return loop.run_until_complete(asyncio.wait_for(main(), LONG))
    finally:
        gc.collect()
        loop.run_until_complete(loop.shutdown_asyncgens())


async def turns(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def failing(marker: str = "task") -> None:
    vedette.set_tag("of", marker)
    vedette.get_current_scope().set_tag("current", marker)
    vedette.add_breadcrumb(message=marker)
    await asyncio.sleep(0)
    raise ZeroDivisionError(marker)


def start_in_a_request(marker: str = "task") -> asyncio.Task[None]:
    """Which nobody will ask for its result."""
    with vedette.isolation_scope():
        return asyncio.create_task(failing(marker))


def said(event: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    value = event["exception"]["values"][-1]
    return value["type"], {key: value["mechanism"].get(key) for key in ("type", "handled")}


UNHANDLED = {"type": "asyncio", "handled": False}


@pytest.mark.spec("FW-asyncio-01", "FW-asyncio-03", "ERR-36", "ERR-41", "PAIN-07")
def test_what_nobody_retrieves_of_a_task_is_one_event_each_with_the_data_of_that_task(transport, loop) -> None:
    async def main() -> None:
        vedette.set_tag("of", "main")
        for number in range(3):
            start_in_a_request(f"task {number}")
        await turns()
        vedette.set_tag("of", "main, after")
        gc.collect()

    run(loop, main)
    assert [said(event) for event in transport.events] == [("ZeroDivisionError", UNHANDLED)] * 3
    for event in transport.events:
        marker = event["exception"]["values"][-1]["value"]
        assert event["tags"] == {"of": marker, "current": marker}
        assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == [marker]
    assert sorted(event["tags"]["of"] for event in transport.events) == ["task 0", "task 1", "task 2"]


@pytest.mark.spec("FW-asyncio-03")
def test_an_event_names_its_own_task_not_the_one_that_runs_when_it_is_reported(transport, loop) -> None:
    async def main() -> None:
        own = asyncio.create_task(failing(), name="own")
        future = loop.create_future()
        future.set_exception(OSError())
        await asyncio.wait([own])
        del own, future
        gc.collect()

    run(loop, main)
    named = {said(event)[0]: event["contexts"].get("asyncio") for event in transport.events}
    assert named["ZeroDivisionError"] == {"task": "own"}
    assert "task" not in (named["OSError"] or {})


@pytest.mark.spec("FW-asyncio-03")
def test_a_frame_of_an_event_is_the_programs(transport, loop) -> None:
    async def main() -> None:
        asyncio.create_task(failing())  # noqa: RUF006 - nobody is to retrieve it
        await turns()

    run(loop, main)
    frames = transport.events[0]["exception"]["values"][-1]["stacktrace"]["frames"]
    assert [frame["function"] for frame in frames] == ["failing"]


@pytest.mark.spec("FW-asyncio-03")
def test_errors_in_callbacks_have_the_data_of_whoever_scheduled_them(transport, loop) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    async def main() -> None:
        running = asyncio.get_running_loop()
        for number, schedule in enumerate((running.call_soon, lambda call: running.call_later(0.001, call))):
            with vedette.isolation_scope() as scope:
                scope.set_tag("of", str(number))
                schedule(fail)
        await asyncio.sleep(0.01)

    run(loop, main)
    assert [said(event) for event in transport.events] == [("ZeroDivisionError", UNHANDLED)] * 2
    assert [event["tags"] for event in transport.events] == [{"of": "0"}, {"of": "1"}]


@pytest.mark.spec("FW-asyncio-03")
def test_errors_in_protocols_futures_and_the_closing_of_async_generators_are_captured(transport, loop) -> None:
    class Failing(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            raise KeyError("protocol")

    async def generator():
        try:
            yield
        finally:
            raise ValueError("generator")

    async def main() -> None:
        running = asyncio.get_running_loop()
        server = await running.create_server(Failing, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"x")
        await reader.read()  # until the transport is closed, because its protocol failed
        writer.close()
        server.close()
        await server.wait_closed()
        future = running.create_future()
        future.set_exception(OSError("future"))
        del future
        collected, open_at_the_end = generator(), generator()
        await anext(collected)
        await anext(open_at_the_end)
        del collected
        await turns()
        gc.collect()
        kept.append(open_at_the_end)

    kept: list[object] = []
    run(loop, main)
    types = [said(event) for event in transport.events]
    assert types == [(kind, UNHANDLED) for kind in ("KeyError", "OSError", "ValueError", "ValueError")]


@pytest.mark.spec("PAIN-21")
def test_the_programs_handler_is_called_once_after_the_capture_with_what_the_loop_says(transport, loop) -> None:
    seen: list[tuple[Any, Any, int]] = []

    def handler(of: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        seen.append((of, context, len(transport.events)))
        vedette.capture_exception(context["exception"])  # as programs do that know of no integration

    async def main() -> None:
        start_in_a_request()
        await turns()

    loop.set_exception_handler(handler)
    run(loop, main)
    [(of, context, captured)] = seen
    assert (of, captured) == (loop, 1)
    assert context["message"] == "Task exception was never retrieved"
    assert "task" in context or "future" in context
    assert len(transport.events) == 1


def test_without_a_handler_the_loop_logs_what_it_logs_without_us(transport, loop, caplog) -> None:
    async def main() -> None:
        asyncio.create_task(failing())  # noqa: RUF006 - nobody is to retrieve it
        await turns()

    run(loop, main)
    [record] = [record for record in caplog.records if record.name == "asyncio" and record.levelno == logging.ERROR]
    assert "never retrieved" in record.getMessage()
    assert record.exc_info is not None


@pytest.mark.spec("PAIN-17")
def test_a_handler_of_the_logger_that_captures_makes_no_second_event(transport, loop) -> None:
    class Capturing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert record.exc_info
            logged.append(vedette.capture_exception(record.exc_info))

    async def main() -> None:
        start_in_a_request()
        await turns()

    logged: list[str | None] = []
    handler = Capturing(logging.ERROR)
    logging.getLogger("asyncio").addHandler(handler)
    try:
        run(loop, main)
    finally:
        logging.getLogger("asyncio").removeHandler(handler)
    assert logged == [None]
    assert len(transport.events) == 1


@pytest.mark.spec("PAIN-21")
def test_what_the_program_gets_itself_is_no_event(transport, loop) -> None:
    async def main() -> None:
        task = asyncio.create_task(failing())
        with pytest.raises(ZeroDivisionError):
            await task
        results = await asyncio.gather(failing(), failing(), return_exceptions=True)
        assert [type(each) for each in results] == [ZeroDivisionError] * 2
        cancelled = asyncio.create_task(asyncio.sleep(LONG))
        await turns()
        cancelled.cancel()
        await turns()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.sleep(LONG), 0.001)

    run(loop, main)
    assert transport.events == []


@pytest.mark.spec("PAIN-21")
def test_the_end_of_an_async_generator_is_no_event(transport, loop) -> None:
    async def empty():
        return
        yield

    async def main() -> None:
        asyncio.ensure_future(anext(empty()))  # noqa: RUF006 - nobody is to retrieve it
        await turns()

    heard: list[Any] = []
    loop.set_exception_handler(lambda _, context: heard.append(type(context["exception"])))
    run(loop, main)
    assert heard == [StopAsyncIteration]
    assert transport.events == []


@pytest.mark.spec("PAIN-21")
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_ends_programs_goes_through_and_is_no_event(kind, transport, loop) -> None:
    async def ending() -> None:
        raise kind

    async def main() -> None:
        asyncio.create_task(ending())  # noqa: RUF006 - nobody is to retrieve it
        await asyncio.sleep(LONG)

    with pytest.raises(kind):
        run(loop, main)
    loop.run_until_complete(turns())
    gc.collect()
    assert transport.events == []


@pytest.mark.parametrize("context", [{"message": "m"}, {"message": "m", "exception": "no exception"}])
def test_what_is_handed_in_without_an_exception_goes_to_the_handler_only(context, transport, loop) -> None:
    heard: list[Any] = []
    loop.set_exception_handler(lambda _, context: heard.append(context))
    loop.call_exception_handler(context)
    assert heard == [context]
    assert transport.events == []


def test_what_says_nothing_of_its_context_is_captured_where_it_is_reported(transport, loop) -> None:
    class Silent:
        def get_context(self) -> None:
            pass

    heard: list[Any] = []
    loop.set_exception_handler(lambda _, context: heard.append(context["exception"]))
    vedette.set_tag("of", "reporter")
    error = ZeroDivisionError()
    loop.call_exception_handler({"message": "m", "exception": error, "future": Silent()})
    assert heard == [error]
    assert [event["tags"] for event in transport.events] == [{"of": "reporter"}]


def test_what_cannot_be_read_is_left_to_the_loop_which_logs_it(transport, loop) -> None:
    class Raising:
        def get_context(self) -> None:
            raise RuntimeError

    loop.call_exception_handler({"message": "m", "exception": ZeroDivisionError(), "future": Raising()})
    assert [event["logger"] for event in transport.events] == ["asyncio"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there is no TaskGroup")
@pytest.mark.spec("PAIN-21", "PAIN-27")
def test_what_a_task_group_raises_is_the_programs_to_handle(transport, loop) -> None:
    async def main() -> None:
        async def fail_twice() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(failing("a"))
                group.create_task(failing("b"))

        with pytest.raises(BaseExceptionGroup) as raised:  # noqa: F821 - of Python 3.11
            await fail_twice()
        assert len(raised.value.exceptions) == 2

        async def fail_in_a_group() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(failing("c"))

        asyncio.create_task(fail_in_a_group())  # noqa: RUF006 - nobody is to retrieve it
        await turns(10)

    run(loop, main)
    [event] = transport.events
    types = [value["type"] for value in event["exception"]["values"]]
    assert sorted(types) == ["ExceptionGroup", "ZeroDivisionError"]
    assert event["exception"]["values"][-1]["mechanism"]["type"] == "asyncio"


@pytest.mark.spec("PAIN-07")
def test_a_task_collected_by_another_thread_keeps_its_own_data(transport, loop) -> None:
    tasks: list[asyncio.Task[None]] = []

    async def main() -> None:
        tasks.append(start_in_a_request())
        await turns()

    def collect() -> None:
        vedette.set_tag("of", "thread")
        tasks.clear()
        gc.collect()

    run(loop, main)
    thread = threading.Thread(target=collect)
    thread.start()
    thread.join(LONG)
    assert [event["tags"]["of"] for event in transport.events] == ["task"]


@pytest.mark.spec("PAIN-01")
def test_neither_the_task_nor_its_exception_is_kept_alive(transport, loop) -> None:
    class Mine(Exception):
        pass

    async def fail() -> None:
        error = Mine()
        seen.append(weakref.ref(error))
        raise error

    async def main() -> None:
        seen.extend([weakref.ref(asyncio.create_task(fail())) for _ in range(10)])
        await turns()

    seen: list[weakref.ref[Any]] = []
    loop.set_exception_handler(lambda *_: None)  # pytest keeps what is logged
    run(loop, main)
    gc.collect()
    assert len(transport.events) == 10
    assert [each for each in seen if each() is not None] == []


@pytest.mark.spec("PAIN-21")
def test_a_loop_is_left_as_it_is(transport, loop) -> None:
    async def main() -> tuple[Any, Any]:
        running = asyncio.get_running_loop()
        return running.get_task_factory(), running.get_exception_handler()

    assert run(loop, main) == (None, None)


@pytest.mark.spec("PAIN-33")
@pytest.mark.parametrize("name", list(PATCHED))
def test_the_patch_keeps_its_looks_is_put_in_once_and_is_undone_with_the_last_client(name) -> None:
    owner = PATCHED[name]
    own = owner.__dict__.get("call_exception_handler")
    before = owner.call_exception_handler
    clients = [vedette.Client(DSN, transport=MemoryTransport()) for _ in "ab"]
    patched = owner.call_exception_handler
    assert patched is not before
    assert patched.__wrapped__ is before
    assert (patched.__name__, patched.__doc__) == (before.__name__, before.__doc__)
    assert inspect.signature(patched) == inspect.signature(before)
    clients[0].close()
    assert owner.call_exception_handler is patched
    clients[1].close()
    assert owner.__dict__.get("call_exception_handler") is own
    assert owner.call_exception_handler is before


def test_it_can_be_left_out_and_enabled_later(loop) -> None:
    async def main() -> None:
        asyncio.create_task(failing())  # noqa: RUF006 - nobody is to retrieve it
        await turns()

    transport = MemoryTransport()
    client = vedette.init(DSN, transport=transport, disabled_integrations=[AsyncioIntegration(), LoggingIntegration])
    run(loop, main)
    assert transport.events == []
    enable_asyncio_integration(task_spans=False)
    found = client.get_integration(AsyncioIntegration)
    assert found is not None
    assert found.task_spans is False
    patch_asyncio()
    assert client.get_integration(AsyncioIntegration) is found
    run(loop, main)
    assert len(transport.events) == 1


def test_enabling_it_without_a_client_does_nothing() -> None:
    before = asyncio.BaseEventLoop.call_exception_handler
    enable_asyncio_integration()
    assert asyncio.BaseEventLoop.call_exception_handler is before


@pytest.mark.spec("PAIN-34")
@pytest.mark.parametrize("name", list(LOOPS))
def test_loops_are_found_when_they_are_imported_later_and_not_imported_for_vedette(name) -> None:
    program = f"""
import gc, sys, vedette
from vedette.testing import MemoryTransport
transport = MemoryTransport()
client = vedette.init("http://key@localhost/1", transport=transport)
assert "asyncio" not in sys.modules and "vedette.integrations.asyncio" not in sys.modules
assert client.get_integration("asyncio") is None
import {name}, asyncio
assert client.get_integration("asyncio") is not None
async def failing():
    raise ZeroDivisionError
async def main():
    asyncio.create_task(failing())
    await asyncio.sleep(0.001)
loop = {name}.new_event_loop()
loop.run_until_complete(main())
loop.close()
gc.collect()
assert len(transport.events) == 1, transport.events
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=LONG, stderr=subprocess.DEVNULL)
