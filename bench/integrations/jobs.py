"""Cases: one task of a worker, a loop or an executor."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

AT_ONCE = 100  # tasks that wait in an executor


def celery(sdk: Any) -> Any:
    """One task, as a worker runs it."""
    from celery import Celery
    from celery.app.trace import build_tracer

    app = Celery("bench", broker="memory://", set_as_current=False)
    app.conf.task_ignore_result = True

    @app.task(name="bench.task", shared=False)
    def task(order: int) -> int:
        return order

    app.finalize()
    run = build_tracer(task.name, task, app=app)
    request = {"id": "1", "args": (1,), "kwargs": {}, "is_eager": False, "delivery_info": {}}

    def call() -> None:
        run("1", (1,), {}, request)

    return call


def task(sdk: Any) -> Any:
    """One asyncio task that ends well."""
    loop = asyncio.new_event_loop()

    async def work() -> None:
        pass

    async def main() -> None:
        await loop.create_task(work())

    return lambda: loop.run_until_complete(main())


def executor(sdk: Any) -> Any:
    """One task of a thread pool, as its submitter pays for it; the answer is waited for now and then only."""
    pool = ThreadPoolExecutor(1)
    waiting: list[Any] = []

    def call() -> None:
        waiting.append(pool.submit(int))
        if len(waiting) == AT_ONCE:
            waiting[-1].result()
            waiting.clear()

    return call
