"""Runs scenarios: each with each of its contenders in a fresh process, one after the other, round by round."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.cost.contenders import OURS, PEER
from bench.cost.receiver import receiving
from bench.reliability.running import clean_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Figures = dict[str, dict[str, dict[str, list[float]]]]
    """By scenario, contender and name of the figure: one of each round."""

ROOT = Path(__file__).parents[2]
FRESH_SCRIPT = ROOT / "bench" / "cost" / "fresh.py"
MODULES = {OURS: "vedette", PEER: "sentry_sdk"}
PATIENCE = 0.6
"""For how many seconds calls are sampled in a process."""
TIMEOUT_SECONDS = 120
WARM_UP = {"fresh.hosted": (OURS, PEER), "exceptions.four_frames": (OURS, PEER)}
"""What leaves the byte code of both compiled: pip did that for one of them only."""


class Measuring:
    """One run: a receiver, and a folder for byte code. Use `measured`."""

    def __init__(
        self, port: int, byte_code: str, clock: str = "perf_counter", *, patience: float = PATIENCE, show: bool = False
    ) -> None:
        self._port = port
        self._projects = itertools.count(1)
        self._clock = clock
        self._patience = patience
        self._show = show
        self._environment = {**clean_environment(), "PYTHONPYCACHEPREFIX": byte_code}

    def rounds(self, wanted: Mapping[str, Sequence[str]], count: int) -> Figures:
        """In every second one the other way round, so that none always comes after the same."""
        found: Figures = {scenario: {name: {} for name in names} for scenario, names in wanted.items()}
        for number in range(count):
            for scenario, names in wanted.items():
                for name in names if number % 2 == 0 else reversed(names):
                    for figure, value in self.one(scenario, name).items():
                        found[scenario][name].setdefault(figure, []).append(value)
                self._say(f"\rround {number + 1} of {count}: {scenario:<50}")
        self._say("\n")
        return found

    def one(self, scenario: str, name: str) -> dict[str, float]:
        """In a process of its own. Exits with what that one says if it fails."""
        dsn = f"http://key@127.0.0.1:{self._port}/{next(self._projects)}"
        module, _, what = scenario.partition(".")
        if module == "fresh":
            command = [sys.executable, str(FRESH_SCRIPT), MODULES[name], what, dsn]
        else:
            arguments = [scenario, name, dsn, self._clock, str(self._patience)]
            command = [sys.executable, "-c", "from bench.cost.one import main; main()", *arguments]
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=self._environment,
            timeout=TIMEOUT_SECONDS,
        )
        if done.returncode or not done.stdout:
            sys.exit(f"{scenario} with {name}: {done.stderr}")
        figures: dict[str, float] = json.loads(done.stdout)
        return figures

    def _say(self, text: str) -> None:
        if self._show:
            sys.stderr.write(text)


def measured(
    wanted: Mapping[str, Sequence[str]], rounds: int, clock: str, *, patience: float = PATIENCE, show: bool = True
) -> Figures:
    """The figures of all rounds."""
    with receiving() as port, TemporaryDirectory(prefix="vedette-bench-") as byte_code:
        measuring = Measuring(port, byte_code, clock, patience=patience, show=show)
        for scenario, names in WARM_UP.items():
            for name in names:
                measuring.one(scenario, name)
        return measuring.rounds(wanted, rounds)
