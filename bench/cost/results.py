"""What was measured, where and with what; kept as a file for each Python, so that one page can show several."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import sys
import sysconfig
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cost.floors import LOGURU
from bench.cost.rows import ROWS

if TYPE_CHECKING:
    from bench.cost.measuring import Figures
    from bench.cost.rows import Row

FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Machine:
    """What a figure depends on beside the code."""

    python: str
    compiler: str
    system: str
    processor: str
    cores: int
    load: float
    """The load average when the run began."""
    vedette: str
    commit: str
    sentry_sdk: str
    loguru: str
    date: str


@dataclass(frozen=True)
class Results:
    """One run on one Python."""

    machine: Machine
    rounds: int
    clock: str
    figures: Figures

    @property
    def python(self) -> str:
        """The version, and whether it is free-threaded."""
        return self.machine.python

    def values(self, scenario: str, name: str, figure: str) -> list[float]:
        """One of each round; empty where it was not measured."""
        return self.figures.get(scenario, {}).get(name, {}).get(figure, [])

    def save(self) -> None:
        """Beside those of other Pythons."""
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{self.python}.json").write_text(json.dumps(asdict(self), indent=1) + "\n")


def load() -> list[Results]:
    """All that are kept, the newest Python first."""
    found = [json.loads(path.read_text()) for path in FOLDER.glob("*.json")]
    results = [Results(**{**each, "machine": Machine(**each["machine"])}) for each in found]
    return sorted(results, key=lambda each: [int(part) for part in each.python.split("t")[0].split(".")], reverse=True)


@dataclass(frozen=True)
class Compared:
    """The figures of a row: medians of the rounds, and how far the rounds lie apart."""

    row: Row
    ours: list[float]
    theirs: list[float]

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return divided(statistics.median(self.ours), statistics.median(self.theirs))

    @property
    def ratios(self) -> list[float]:
        """Of each round."""
        return [divided(ours, theirs) for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def added(self) -> float:
        """What ours takes beyond theirs, of the medians."""
        return statistics.median(self.ours) - statistics.median(self.theirs)

    @property
    def is_met(self) -> bool | None:
        """None without a goal."""
        if self.row.most_added is not None:
            return self.added <= self.row.most_added
        if self.row.goal is None:
            return None
        return self.ratio >= self.row.goal if self.row.more_is_better else self.ratio <= self.row.goal


def divided(ours: float, theirs: float) -> float:
    """A ratio; infinite where there is nothing to divide by."""
    return ours / theirs if theirs else float("inf")


def compare(results: Results, row: Row) -> Compared | None:
    """None where this run has not measured it."""
    ours, theirs = (results.values(row.scenario, name, row.figure) for name in (row.ours, row.theirs))
    if not ours or not theirs:
        return None
    if row.added_to is not None:
        without = results.values(row.scenario, row.added_to, row.figure)
        if not without:
            return None
        base = statistics.median(without)
        ours, theirs = ([value - base for value in values] for values in (ours, theirs))
    return Compared(row, ours, theirs)


def missed_in(results: Results) -> list[Compared]:
    """The rows whose goal is missed."""
    found = [each for row in ROWS if (each := compare(results, row)) is not None]
    return [each for each in found if each.is_met is False]


def missed_scenarios(results: Results) -> list[str]:
    """Their scenarios, each once."""
    return list(dict.fromkeys(each.row.scenario for each in missed_in(results)))


# --- where ---------------------------------------------------------------------------------------------------------


def this_machine() -> Machine:
    """This one, now."""
    free_threaded = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    return Machine(
        python=platform.python_version() + free_threaded,
        compiler=platform.python_compiler(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=processor(),
        cores=len(os.sched_getaffinity(0)),
        load=round(os.getloadavg()[0], 1),
        vedette=importlib.metadata.version("vedette"),
        commit=commit(),
        sentry_sdk=importlib.metadata.version("sentry-sdk"),
        loguru=loguru_version(),
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
    )


def processor() -> str:
    """Its name, as Linux knows it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def commit() -> str:
    """Of the repository, read without git; "unknown" outside of one."""
    git = Path(__file__).parents[2] / ".git"
    if git.is_file():  # a worktree
        git = Path(git.read_text().partition(":")[2].strip())
    try:
        head = (git / "HEAD").read_text().strip()
        common = git / (git / "commondir").read_text().strip() if (git / "commondir").exists() else git
        return (common / head.removeprefix("ref: ")).read_text()[:9] if head.startswith("ref: ") else head[:9]
    except OSError:
        return "unknown"


def loguru_version() -> str:
    """From the folder that it is kept in."""
    found = importlib.metadata.distributions(path=[str(LOGURU)])
    return next((each.version for each in found if each.metadata["Name"] == "loguru"), "not there")


assert sys.platform == "linux", "memory and processor are read from /proc"
