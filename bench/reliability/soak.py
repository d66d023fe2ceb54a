"""vedette under random faults for a long time: is its memory flat, and does it count right to the last event?

    make soak                (30 minutes)
    make soak SECONDS=120
    python -m bench.reliability.soak [--seconds S] [--seed N] [--only vedette|journal]

Two programs at once, one of them with a journal, each with a server of its own, capture 200 errors a second. The
faults come from the seed, which is printed. README.md says how to read the lines. Ends with status 1 if a verdict is
bad.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.reliability.faults import has_journal, next_run
from bench.reliability.judging import Result, Run, judge
from bench.reliability.plan import Down, Dropping, Fault, Refusing, Slow, Window
from bench.reliability.receiver import Receiver
from bench.reliability.running import JOURNAL, VEDETTE, Contender, Process
from bench.reliability.steadiness import Trend, second_half, trend

PER_SECOND = 200
DEFAULT_SECONDS = 1800.0
FLUSH_SECONDS = 120.0  # for the flush and the exit, and for a machine that cannot keep the pace
PAUSE_SECONDS = (2.0, 12.0)
FAULT_SECONDS = (0.1, 3.0)
SAMPLES_PER_SECOND = 2.0
SAID_EVERY_SECONDS = 60.0
FLAT_KB = 1024.0  # what the line may rise over the second half
PAGE_KB = os.sysconf("SC_PAGE_SIZE") / 1024 if hasattr(os, "sysconf") else 4.0
CONTENDERS = {"vedette": VEDETTE, "journal": JOURNAL}


def faults(seed: int, seconds: float) -> tuple[Window, ...]:
    """A plan that is made of luck, and the same for the same seed."""
    luck = random.Random(seed)
    kinds: list[Fault] = [
        Down(),
        Dropping(),
        Slow(0.02),
        Slow(0.2),
        Slow(1.0),
        Refusing(500),
        Refusing(503),
        Refusing(400),
        Refusing(429, retry_after=1),
    ]
    plan: list[Window] = []
    now = luck.uniform(*PAUSE_SECONDS)
    while now < seconds:
        end = now + luck.uniform(*FAULT_SECONDS)
        plan.append(Window(now, min(end, seconds), luck.choice(kinds)))
        now = end + luck.uniform(*PAUSE_SECONDS)
    return tuple(plan)


@dataclass
class Samples:
    """What was seen of a process from outside, with the seconds since it began."""

    memory_kb: list[tuple[float, float]] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    on_disk_kb: list[float] = field(default_factory=list)

    def take(self, pid: int, directory: str, seconds: float) -> None:
        """One more; from a process that has gone there is none."""
        try:
            pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
            threads, descriptors = (len([*Path(f"/proc/{pid}/{what}").iterdir()]) for what in ("task", "fd"))
        except (OSError, IndexError):
            return
        self.memory_kb.append((seconds, int(pages) * PAGE_KB))
        self.threads.append(threads)
        self.descriptors.append(descriptors)
        self.on_disk_kb.append(size_kb(directory))

    def memory_trend(self) -> Trend:
        """Of the second half."""
        return trend(second_half(self.memory_kb))


def size_kb(directory: str) -> float:
    """Of the files in it; one that goes meanwhile counts as nothing."""
    total = 0
    for path in Path(directory).rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total / 1024


class Soak(threading.Thread):
    """One program with its server, watched from beginning to end."""

    def __init__(self, contender: Contender, seconds: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.contender = contender
        self.samples = Samples()
        self.result: Result | None = None
        self.runs: list[Run] = []
        self._seconds = seconds
        self._seed = seed

    def run(self) -> None:
        """Capture under faults; then, where there is a journal, what is left of it on a server that is well."""
        with TemporaryDirectory() as directory, Receiver() as receiver:
            job = ("soak", str(self._seconds), str(PER_SECOND))
            with Process(self.contender, receiver.dsn, directory, job) as process:
                process.start()
                receiver.start(faults(self._seed, self._seconds))
                process.tell()
                self._watch(process, receiver, directory)
                ended = process.finish(FLUSH_SECONDS)
            receiver.settle(5.0)
            self.runs.append(Run(ended, receiver.tally()))
            if self.contender.journal:
                self.runs.append(next_run(self.runs[0], self.contender, receiver, directory))
        self.result = judge(self.runs)

    def _watch(self, process: Process, receiver: Receiver, directory: str) -> None:
        """Until it has captured all that it shall."""
        said = 0.0
        while (now := receiver.seconds()) < self._seconds and not process.is_over():
            self.samples.take(process.pid, directory, now)
            if now - said >= SAID_EVERY_SECONDS:
                said = now
                memory = self.samples.memory_kb[-1][1]
                print(
                    f"{now:6.0f} s  {self.contender.name:<20}{memory:8.0f} kB  {receiver.arrived()} arrived", flush=True
                )
            time.sleep(1 / SAMPLES_PER_SECOND)

    def is_flat(self) -> bool:
        """Whether memory stays where it is."""
        return bool(self.samples.memory_kb) and self.samples.memory_trend().growth < FLAT_KB

    def is_good(self) -> bool:
        """Flat, exact, and nothing hung."""
        result = self.result
        return self.is_flat() and result is not None and bool(result.exact) and not (result.hung or result.unaccounted)

    def findings(self) -> list[str]:
        """A line each."""
        if self.result is None or not self.samples.memory_kb:
            return ["it broke off"]
        lines = [self.of_memory(), self.of_events(self.result)]
        lines.append(f"at most {max(self.samples.threads)} threads and {max(self.samples.descriptors)} descriptors")
        if self.contender.journal:
            lines.append(f"at most {max(self.samples.on_disk_kb):.0f} kB on disk")
        lines += [f"stats: {stats}" for run in self.runs for stats in run.ended.stats.values()]
        return [*lines, *self.result.remarks]

    def of_memory(self) -> str:
        """The resident set, and the line through its second half."""
        kilobytes = [kb for _, kb in self.samples.memory_kb]
        line = self.samples.memory_trend()
        return (
            f"memory: {kilobytes[0]:.0f} kB at first, {max(kilobytes):.0f} at most, {kilobytes[-1]:.0f} at last; "
            f"in the second half {line.per_minute:+.1f} kB/min, which makes {line.growth:+.0f} kB: "
            f"{'flat' if self.is_flat() else 'NOT FLAT'}"
        )

    def of_events(self, result: Result) -> str:
        """What became of them."""
        later = "" if result.arrived_next is None else f" and {result.arrived_next} in the next run"
        return (
            f"captured {result.captured}, arrived {result.arrived}{later}, twice {result.duplicates}, "
            f"told as lost {result.told}, unaccounted {result.unaccounted}: "
            f"{'exact' if result.exact else 'NOT EXACT'}"
        )


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=DEFAULT_SECONDS)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--only", choices=CONTENDERS)
    return parser.parse_args()


def main() -> None:
    """Watch both, print the verdicts, and end with 1 if one is bad."""
    asked = arguments()
    contenders = [each for name, each in CONTENDERS.items() if asked.only in {None, name}]
    if not has_journal():
        print("this vedette has no cache_dir: n/a")
        contenders = [each for each in contenders if not each.journal]
    print(f"{asked.seconds:.0f} s at {PER_SECOND} captures a second, seed {asked.seed}", flush=True)
    soaks = [Soak(each, asked.seconds, asked.seed) for each in contenders]
    for each in soaks:
        each.start()
    all_good = True
    for each in soaks:
        each.join()
        all_good = all_good and each.is_good()
        print(f"\n{each.contender.name}: {'good' if each.is_good() else 'BAD'}", *each.findings(), sep="\n  ")
    sys.exit(not all_good)


if __name__ == "__main__":
    main()
