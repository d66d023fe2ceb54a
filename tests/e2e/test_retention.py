"""After a capture has returned, nothing of the program is held: no exception, local, hint, task or thread."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import tracemalloc
import weakref
from pathlib import Path
from typing import Any

import pytest

import vedette
from tests.programs import run_program
from vedette.testing import MemoryTransport

DSN = "https://key@errors.example.org/7"


class Forgetful(MemoryTransport):
    """Takes everything and keeps nothing."""

    def capture_envelope(self, envelope: object) -> None:
        pass


class Payload:
    """What a program works with."""


class OrderError(Exception):
    """Can be referred to weakly."""


class Watch:
    """Weak references to what captures had in their hands."""

    def __init__(self) -> None:
        self.refs: list[weakref.ref[Any]] = []

    def __call__(self, thing: Any) -> Any:
        self.refs.append(weakref.ref(thing))
        return thing

    def alive(self) -> int:
        return sum(ref() is not None for ref in self.refs)


class Hook:
    """As a hook: looks at all that it is given, and lets everything pass."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def __call__(self, event: Any, hint: Any) -> Any:
        self.watch(hint["exc_info"][1])
        event["extra"] = {"payload": self.watch(Payload())}
        hint["payload"] = self.watch(Payload())
        return event


def fail(watch: Watch, number: int) -> None:
    payload = watch(Payload())
    try:
        raise OrderError(number, payload)
    except OrderError as error:
        watch(error)
        vedette.capture_exception(error, extras={"payload": payload}, tags={"number": number})
        vedette.capture_event({"extra": {"payload": payload}}, {"exc_info": sys.exc_info(), "payload": payload})


@pytest.mark.spec("PAIN-01")
@pytest.mark.parametrize("captures", [400, pytest.param(10_000, marks=pytest.mark.long)])
def test_nothing_that_a_capture_met_is_alive_while_tasks_and_threads_live_on(captures: int) -> None:
    watch = Watch()
    client = vedette.init(
        DSN, transport=Forgetful(), before_send=Hook(watch), before_breadcrumb=lambda crumb, _hint: crumb
    )
    client.on("before_envelope", lambda _envelope: None)
    with vedette.isolation_scope() as scope:
        scope.add_event_processor(Hook(watch))
        done = threading.Semaphore(0)
        go_on = threading.Event()

        def thread() -> None:
            with vedette.isolation_scope():
                for number in range(captures // 40):
                    fail(watch, number)
            done.release()
            go_on.wait(60)

        async def task(number: int, waiting: asyncio.Event) -> None:
            with vedette.new_scope() as own:
                own.add_event_processor(lambda event, _hint: event)
                vedette.add_breadcrumb(message="in a task", data={"payload": watch(Payload())})
                fail(watch, number)
            await waiting.wait()

        async def main() -> int:
            waiting = asyncio.Event()
            tasks = [asyncio.ensure_future(task(number, waiting)) for number in range(captures // 4)]
            await asyncio.sleep(0)
            gc.collect()
            alive = watch.alive()
            waiting.set()
            await asyncio.gather(*tasks)
            return alive

        threads = [threading.Thread(target=thread) for _ in range(10)]
        for each in threads:
            each.start()
        for _ in threads:
            assert done.acquire(timeout=50)
        alive = asyncio.run(main())
        go_on.set()
        for each in threads:
            each.join()
    assert client.stats().captured["error"] >= captures
    assert len(watch.refs) > 2 * captures
    assert alive == 0


@pytest.mark.long
@pytest.mark.spec("PAIN-01")
@pytest.mark.parametrize("how", ["sent", "sampled out", "dropped by before_send", "before_send raises", "ignored"])
def test_memory_does_not_grow_with_the_number_of_captures(how: str) -> None:
    def refuse(_event: Any, _hint: Any) -> Any:
        if how == "before_send raises":
            raise ValueError
        return None

    options: dict[str, dict[str, Any]] = {
        "sampled out": {"sample_rate": 0.0},
        "dropped by before_send": {"before_send": refuse},
        "before_send raises": {"before_send": refuse},
        "ignored": {"ignore_errors": [OrderError]},
    }
    vedette.init(DSN, transport=Forgetful(), **options.get(how, {}))
    watch = Watch()

    def some(count: int) -> int:
        with vedette.isolation_scope():
            for number in range(count):
                try:
                    raise OrderError(number)
                except OrderError as error:
                    vedette.capture_exception(error)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        some(300)  # caches fill
        before = some(300)
        after = some(900)
    finally:
        tracemalloc.stop()
    assert watch.alive() == 0
    assert after - before < 50_000  # an event takes several thousand bytes


NO_OP_REQUESTS = """
import gc, os, sys, vedette

class Processor:
    def __call__(self, event, hint):
        return event

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def requests(count):
    for number in range(count):
        with vedette.isolation_scope() as scope:
            scope.add_event_processor(Processor())
            vedette.set_tag("number", str(number))
            with vedette.new_scope():
                vedette.add_breadcrumb(message="nothing went wrong")

vedette.init(sys.argv[1], default_integrations=False)
requests(50_000)
sizes = []
for _ in range(10):
    requests(100_000)
    sizes.append(resident())
assert sum(type(each) is Processor for each in gc.get_objects()) == 0
grown = max(sizes[5:]) - max(sizes[:5])
assert grown < 300_000, sizes  # a third of a byte a request
"""


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
@pytest.mark.spec("PAIN-01")
def test_a_million_requests_in_which_nothing_goes_wrong_leave_no_memory_behind() -> None:
    ended = run_program(NO_OP_REQUESTS, DSN, timeout=59.0)
    assert ended.code == 0, ended.stderr
