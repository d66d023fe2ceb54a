"""Units of work at once, of every kind and inside each other: no event ever carries the data of another unit."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import json
import random
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import vedette
from vedette.feature_flags import add_feature_flag
from vedette.testing import MemoryTransport

UNITS = 24  # of each kind
MARKER = re.compile(r"unit-[0-9]+-")


@pytest.fixture
def transport():
    transport = MemoryTransport()
    vedette.init("http://key@localhost/1", transport=transport)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield transport
    sys.setswitchinterval(before)


class Unit:
    """One request: marks its scopes, captures in many places, and says which events must have come of it."""

    numbers = itertools.count()

    def __init__(self, pool):
        self.marker = f"unit-{next(self.numbers)}-"
        self.pool = pool
        self.captured = 0
        self.random = random.Random(self.marker)

    def mark(self):
        vedette.set_user({"id": self.marker})
        vedette.set_tag("of", self.marker)
        vedette.add_breadcrumb(message=self.marker, data={"of": self.marker})
        vedette.get_current_scope().set_extra("of", self.marker)
        add_feature_flag(self.marker, True)

    def capture(self):
        self.captured += 1
        vedette.capture_message(self.marker)

    def in_a_generator(self):
        def generator():
            with vedette.new_scope() as scope:
                scope.set_tag("inner", self.marker)
                self.capture()
                yield
                yield

        suspended = generator()
        next(suspended)
        self.capture()
        closers = [
            suspended.close,
            lambda: contextvars.copy_context().run(suspended.close),
            lambda: self.pool.submit(suspended.close).result(10),
        ]
        self.random.choice(closers)()
        self.capture()

    def in_a_thread(self):
        thread = threading.Thread(target=self.capture)
        thread.start()
        thread.join(10)

    def in_the_pool(self):
        self.pool.submit(self.capture).result(10)

    def work(self):
        with vedette.isolation_scope() as scope:
            scope.clear()
            self.mark()
            steps = [self.capture, self.in_a_generator, self.in_a_thread, self.in_the_pool]
            for step in self.random.sample(steps, len(steps)):
                step()

    async def work_async(self):
        async def generator():
            with vedette.new_scope() as scope:
                scope.set_tag("inner", self.marker)
                self.capture()
                yield
                await asyncio.sleep(0)
                yield

        with vedette.isolation_scope() as scope:
            scope.clear()
            self.mark()
            await asyncio.sleep(0)
            suspended = generator()
            await anext(suspended)
            await asyncio.to_thread(self.capture)
            await asyncio.create_task(self.close(suspended))  # in a context that is not its own
            self.capture()
            await asyncio.gather(*(asyncio.create_task(self.capture_later()) for _ in range(2)))

    async def close(self, generator):
        with vedette.new_scope():
            await generator.aclose()
            self.capture()

    async def capture_later(self):
        await asyncio.sleep(0)
        self.capture()


@pytest.mark.spec("PAIN-07", "PAIN-08", "PAIN-20")
def test_no_event_ever_carries_the_marker_of_another_unit(transport):
    with ThreadPoolExecutor(4) as pool, ThreadPoolExecutor(4) as workers:
        units = [Unit(pool) for _ in range(2 * UNITS)]

        async def run_async():
            await asyncio.gather(*(unit.work_async() for unit in units[:UNITS]))

        running = [workers.submit(unit.work) for unit in units[UNITS:]]
        asyncio.run(run_async())
        for each in running:
            each.result(30)
    assert len(transport.events) == sum(unit.captured for unit in units) == 6 * len(units)
    for event in transport.events:
        marker = event["logentry"]["formatted"]
        assert set(MARKER.findall(json.dumps(event))) == {marker}
        assert event["user"] == {"id": marker}
        assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == [marker]
