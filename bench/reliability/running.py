"""Runs ``program.py`` as a process of its own, bounded in time, and collects what it says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

PROGRAM = Path(__file__).with_name("program.py")
START_SECONDS = 20.0


@dataclass(frozen=True)
class Contender:
    """An SDK with its options."""

    name: str
    sdk: str
    journal: bool = False

    def options(self, directory: str) -> dict[str, Any]:
        """The keyword arguments of ``init`` beside the DSN."""
        return {"cache_dir": directory} if self.journal else {}


VEDETTE = Contender("vedette", "vedette")
JOURNAL = Contender("vedette, cache_dir", "vedette", journal=True)
PEER = Contender("sentry-sdk", "sentry_sdk")


@dataclass
class Ended:
    """What became of a process and its children."""

    captured: dict[int, int] = field(default_factory=dict)
    """By process id."""
    stats: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Of the processes that could say it at their very end, and whose SDK has it."""
    hung_children: int = 0
    hung: bool = False
    """It had to be killed."""
    exit_seconds: float | None = None
    """From the end of the main program to the end of the process; None where it did not get there."""
    returncode: int | None = None
    stderr: str = ""


class Process:
    """A program that is running, as a context manager that leaves no process behind."""

    def __init__(self, contender: Contender, dsn: str, directory: str, job: tuple[str, ...]) -> None:
        name, *arguments = job
        options = json.dumps(contender.options(directory))
        self.ended = Ended()
        self._ready = threading.Event()
        self._is_ready = False
        self._left_at: float | None = None
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), contender.sdk, name, dsn, options, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(),
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=each, daemon=True) for each in (self._read_stdout, self._read_stderr, self._wait)
        ]
        self._over_at: float | None = None
        self._over = threading.Event()
        for each in self._readers:
            each.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        for each in self._readers:
            each.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()

    @property
    def pid(self) -> int:
        """Of the program, and of the process group that it and its children are."""
        return self._process.pid

    def is_over(self) -> bool:
        """Whether the program has ended; its children may still be there."""
        return self._over.is_set()

    def start(self) -> None:
        """Wait until it is ready. Exits with what it said if it never is."""
        self._ready.wait(START_SECONDS)
        if not self._is_ready:
            self.__exit__()
            sys.exit(f"the program did not start:\n{self.ended.stderr}")

    def tell(self) -> None:
        """Let it begin, or end."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(b"go\n")
            self._process.stdin.flush()

    def finish(self, seconds: float) -> Ended:
        """Wait until it has ended, for so long at most, and return what became of it."""
        self.ended.hung = not self._over.wait(seconds)
        self.__exit__()
        self.ended.returncode = self._process.returncode
        if self._left_at is not None and self._over_at is not None and not self.ended.hung:
            self.ended.exit_seconds = max(0.0, self._over_at - self._left_at)
        return self.ended

    def _wait(self) -> None:
        self._process.wait()
        self._over_at = time.monotonic()
        self._over.set()

    def _read_stdout(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._take(json.loads(line))
        self._ready.set()  # or it never will be

    def _take(self, said: dict[str, Any]) -> None:
        if "ready" in said:
            self._is_ready = True
            self._ready.set()
        if "leaving" in said:
            self._left_at = said["leaving"]
        if "hung_child" in said:
            self.ended.hung_children += 1
        if "captured" in said:
            self.ended.captured[said["pid"]] = said["captured"]
        if said.get("stats") is not None:
            self.ended.stats[said["pid"]] = said["stats"]

    def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        self.ended.stderr = self._process.stderr.read().decode(errors="replace")


def clean_environment() -> dict[str, str]:
    """Without what would reach into an SDK from outside."""
    reaching = ("SENTRY_", "VEDETTE_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(reaching)}
