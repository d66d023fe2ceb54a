"""Programs of their own for tests: what a user's script does, with its output and its time."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float


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
    return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - start)
