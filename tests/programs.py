"""Programs of their own for tests: what a user's script does, with its output and its time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeVar

from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from typing_extensions import Self

T = TypeVar("T")
R = TypeVar("R")

MOST_AT_ONCE = 4
"""Programs of one test that run beside each other: enough to wait together, few enough for two cores."""


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    at: float = 0.0
    """When, on the clock ``time.monotonic`` that all processes of a Linux system share."""


def run_program(
    source: str, *arguments: str, timeout: float = 30.0, env: dict[str, str] | None = None, warnings: str = "error"
) -> Ended:
    """Run a script with this Python, its warnings as errors unless told otherwise, and wait until it ends."""
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", warnings, "-c", textwrap.dedent(source), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=env,
    )
    end = time.monotonic()
    return Ended(done.returncode, done.stdout, done.stderr, end - start, end)


class Running:
    """A program with a session of its own, which may fork, be sent signals, and be read while it runs.

    Its output goes to files: a child that is left over holds up nobody who reads a pipe to its end. Left by its
    ``with`` block, it is killed with everything that it started.
    """

    def __init__(self, *command: str, env: Mapping[str, str] | None = None, cwd: str | None = None) -> None:
        self._stdout = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - as above
        self._start = time.monotonic()
        self._process = subprocess.Popen(
            command, stdout=self._stdout, stderr=self._stderr, env=env, cwd=cwd, start_new_session=True
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._kill_all()
        self._process.wait()
        self._stdout.close()
        self._stderr.close()

    @property
    def stdout(self) -> str:
        """What was printed so far."""
        return _read(self._stdout)

    @property
    def stderr(self) -> str:
        return _read(self._stderr)

    def send_signal(self, number: int) -> float:
        """When it was sent."""
        self._process.send_signal(number)
        return time.monotonic()

    def wait_for(self, text: str, timeout: float = 20.0) -> None:
        """Return once the program has printed this, on either stream."""
        try:
            wait_until(lambda: text in self.stdout or text in self.stderr, timeout)
        except AssertionError:
            raise AssertionError(f"{text!r} was not printed:\n{self.stdout}{self.stderr}") from None

    def end(self, timeout: float = 30.0) -> Ended:
        """Wait until the program itself has ended; fail, and kill all of it, if it has not after ``timeout`` s."""
        late = threading.Timer(timeout, self._kill_all)
        late.start()
        code = self._process.wait()  # without a time-out: with one it polls, which blurs the time
        at = time.monotonic()
        late.cancel()
        assert at - self._start < timeout or code != -signal.SIGKILL, f"still running after {timeout} s: {self.stderr}"
        return Ended(code, self.stdout, self.stderr, at - self._start, at)

    def is_alone(self) -> bool:
        """Whether none of the processes that it started are left."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def _kill_all(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def start_program(
    source: str, *arguments: str, warnings: str = "error", env: Mapping[str, str] | None = None
) -> Running:
    """As ``run_program``, but don't wait for its end."""
    return Running(sys.executable, "-W", warnings, "-c", textwrap.dedent(source), *arguments, env=env)


def run_forking_program(
    source: str, *arguments: str, warnings: str = "always", timeout: float = 30.0, file: Path | None = None
) -> Ended:
    """Run a script that forks, until it and all of its children have ended: a child that hangs fails the test.

    Its warnings are printed, once for each time: made an error, the one about threads at a fork (3.12+) is swallowed.
    With a ``file`` it is run from there: children that are not forked import it.
    """
    command = ("-c", textwrap.dedent(source))
    if file is not None:
        file.write_text(textwrap.dedent(source))
        command = (str(file),)
    with Running(sys.executable, "-W", warnings, *command, *arguments) as running:
        ended = running.end(timeout)
        wait_until(running.is_alone, timeout)
        return Ended(ended.code, running.stdout, running.stderr, ended.seconds, ended.at)


def side_by_side(run: Callable[[T], R], cases: Iterable[T], most: int = MOST_AT_ONCE) -> dict[T, R]:
    """What ``run`` returns for each case; for programs that mostly wait."""
    cases = list(cases)
    with ThreadPoolExecutor(most) as pool:
        return dict(zip(cases, pool.map(run, cases), strict=True))


def _read(file: IO[bytes]) -> str:
    """From the start, and without moving the place at which the program writes, which it shares."""
    return os.pread(file.fileno(), 1 << 24, 0).decode(errors="replace")
