"""The worker's thread: when it starts, when it ends, and that no wake-up is lost."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.waiting import wait_until
from vedette._processing.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable


class Job:
    """Counts how often it was done, and on which threads."""

    def __init__(self) -> None:
        self.done = 0
        self.threads: set[int] = set()

    def __call__(self) -> None:
        self.done += 1
        self.threads.add(threading.get_ident())


def raising(error: BaseException) -> Callable[..., int]:
    def start(*_args: object) -> int:
        raise error

    return start


def test_no_thread_before_the_first_wake() -> None:
    worker = Worker(Job())
    assert worker.ident is None


def test_wake_runs_the_work_on_another_thread() -> None:
    job = Job()
    worker = Worker(job)
    assert worker.wake()
    wait_until(lambda: job.done)
    assert threading.get_ident() not in job.threads
    worker.end()
    wait_until(lambda: worker.ident is None)


def test_the_thread_ends_after_its_idle_time_and_starts_again_when_woken() -> None:
    job = Job()
    worker = Worker(job, idle_seconds=0.01)
    worker.wake()
    wait_until(lambda: job.done and worker.ident is None)
    before = job.done
    worker.wake()
    wait_until(lambda: job.done > before)
    worker.end()
    wait_until(lambda: worker.ident is None)


def test_no_wake_is_lost_while_the_thread_is_about_to_end() -> None:
    # An idle time of nothing makes the thread end all the time; each item must still be seen.
    items: list[int] = []
    seen: list[int] = []

    def work() -> None:
        while items:
            seen.append(items.pop())

    worker = Worker(work, idle_seconds=0.0)
    for number in range(2000):
        items.append(number)
        worker.wake()
        wait_until(lambda: not items, interval=0.0001)
    assert sorted(seen) == list(range(2000))


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
def test_wake_says_so_where_no_thread_can_be_had(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    worker = Worker(Job())
    monkeypatch.setattr("vedette._host.os_threads.start_new_thread", raising(error))
    assert not worker.wake()
    monkeypatch.undo()
    assert worker.wake()
    worker.end()
    wait_until(lambda: worker.ident is None)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_raises_does_not_end_delivery(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        if len(calls) == 1:
            message = "a bug of ours"
            raise ValueError(message)

    worker = Worker(work)
    worker.wake()
    wait_until(lambda: len(calls) == 1)
    wait_until(lambda: "please report it" in caplog.text)
    worker.wake()
    wait_until(lambda: len(calls) > 1)
    worker.end()
    wait_until(lambda: worker.ident is None)


def test_work_that_falls_due_later_is_done_without_a_wake() -> None:
    due: list[float | None] = [0.01, 0.01, None]
    calls: list[int] = []

    def work() -> float | None:
        calls.append(1)
        return due[len(calls) - 1] if len(calls) <= len(due) else None

    worker = Worker(work, idle_seconds=60.0)
    worker.wake()
    wait_until(lambda: len(calls) >= len(due))
    worker.end()
    wait_until(lambda: worker.ident is None)
