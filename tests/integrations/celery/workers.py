"""Celery workers for tests: real ones, in processes of their own, with a broker that is a folder."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.programs import Running
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

# `init` is called where the environment says.
APP = """
import os, sys, time
import vedette
from celery import Celery, signals
from celery.exceptions import Ignore, Reject, SoftTimeLimitExceeded

def init(**_):
    vedette.init(os.environ["TEST_DSN"], **eval(os.environ.get("TEST_OPTIONS", "{}")))

PLACE = os.environ["TEST_INIT"]
if PLACE == "module":
    init()
else:
    for place in PLACE.split():
        getattr(signals, place).connect(init, weak=False)

folder = os.environ["TEST_FOLDER"]
app = Celery("shop", broker="filesystem://", backend="file://" + folder + "/results")
app.conf.update(
    broker_transport_options={
        "data_folder_in": folder + "/queue", "data_folder_out": folder + "/queue",
        "control_folder": folder + "/control",
        "processed_folder": folder + "/done",
    },
    broker_connection_retry_on_startup=True,
    worker_enable_remote_control=False,
    task_store_errors_even_if_ignored=True,
)

@app.task(name="shop.fail")
def fail(number):
    vedette.set_tag("number", number)
    raise ValueError(f"failure {number}")

@app.task(name="shop.say")
def say(number):
    vedette.capture_message(f"said {number}")
"""


class Worker:
    """A worker that runs, and its queue."""

    def __init__(self, running: Running, environment: dict[str, str], folder: Path) -> None:
        self.running = running
        self._environment = environment
        self._folder = folder

    def queue(self, *calls: str) -> None:
        """Run ``app`` statements in a program of its own, as whoever queues tasks does."""
        source = "from shop import *\n" + "\n".join(calls)
        environment = {**self._environment, "TEST_INIT": ""}
        with Running(sys.executable, "-c", source, env=environment, cwd=str(self._folder)) as program:
            ended = program.end()
        assert ended.code == 0, ended.stderr

    def beat(self) -> Running:
        """Celery beat, in a process of its own."""
        command = (sys.executable, "-m", "celery", "-A", "shop", "beat", "--schedule", str(self._folder / "beat"))
        return Running(*command, env=self._environment, cwd=str(self._folder))

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait for something to come of the tasks; if it does not, the worker's log says why."""
        try:
            wait_until(condition, 30)
        except AssertionError:
            raise AssertionError(self.running.stderr) from None

    def stop(self) -> None:
        """Warm shutdown: tasks that run are finished."""
        self.running.send_signal(signal.SIGTERM)
        ended = self.running.end(40)
        assert ended.code == 0, ended.stderr


@contextmanager
def worker(
    folder: Path, dsn: str, *arguments: str, init: str = "module", app: str = "", options: str = "{}"
) -> Iterator[Worker]:
    """A worker that is ready. ``app`` is added to the module ``shop`` that it runs."""
    for name in ("queue", "control", "done", "results"):
        (folder / name).mkdir()
    (folder / "shop.py").write_text(APP + textwrap.dedent(app))
    environment = {
        **os.environ,
        "TEST_DSN": dsn,
        "TEST_INIT": init,
        "TEST_FOLDER": str(folder),
        "TEST_OPTIONS": options,
    }
    command = [sys.executable, "-m", "celery", "-A", "shop", "worker", "--loglevel", "INFO", *arguments]
    with Running(*command, env=environment, cwd=str(folder)) as running:
        running.wait_for("ready.")
        yield Worker(running, environment, folder)
