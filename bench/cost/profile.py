"""Where the time of a scenario goes in vedette, as text.

python -m bench.cost.profile exceptions.four_frames [seconds]    on the terminal
python -m bench.cost.profile                                     all whose goal is missed, into docs/profiles

A timer interrupts the calls some thousand times a second and notes where they are: no function becomes dearer by it, as
with `cProfile`, which from Python 3.12 on also counts what the worker does meanwhile. *self* is the share of the time
in the function's own lines (and the C functions that they call), *with calls* includes what it calls.

Of the whole process: as where threads are refused, the thread that flushes sends, so that the timer meets all. Of its
start: what each module takes, as Python itself counts it.
"""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from random import random
from time import monotonic
from typing import TYPE_CHECKING

from bench.cost.contenders import OURS, contender
from bench.cost.receiver import receiving
from bench.cost.results import load, missed_scenarios
from bench.cost.sampling import Calls
from bench.cost.workload import shallow_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

    from bench.cost.contenders import Contender

INTERVAL = 0.0005
WARM_UP_SAMPLES = 20
LINES = 30
OF_PROCESS, START = ("loads", "loop_lag"), "fresh.init"
FOLDER = Path(__file__).parents[2] / "docs" / "profiles"


class Sampler:
    """Counts where the main thread is, while it runs."""

    def __init__(self) -> None:
        self.alone: Counter[CodeType] = Counter()
        self.with_calls: Counter[CodeType] = Counter()
        self.count = 0
        self._runs = False
        signal.signal(signal.SIGALRM, self._look)

    def run(self, calls: Callable[[], None]) -> None:
        """Do the calls, and be interrupted again and again."""
        self._runs = True
        self._wind()
        calls()
        self._runs = False

    def _wind(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, INTERVAL * (0.5 + random()))  # no pattern of the calls' may match it

    def _look(self, _: int, frame: FrameType | None) -> None:
        if not self._runs or frame is None:
            return
        self.count += 1
        self.alone[frame.f_code] += 1
        codes = set()
        while frame is not None:
            codes.add(frame.f_code)
            frame = frame.f_back
        self.with_calls.update(codes)
        self._wind()


def name_of(code: CodeType) -> str:
    """File and function, the latter with its class where Python knows it."""
    return f"{Path(code.co_filename).name}: {getattr(code, 'co_qualname', code.co_name)}"


def profiled(scenario: str, seconds: float) -> str:
    """Shares of the time of one scenario's calls."""
    subject, sampler = contender(OURS), Sampler()
    with receiving() as port:
        calls = calls_of(scenario, subject, f"http://key@127.0.0.1:{port}/1")
        until, number = monotonic() + seconds, 0
        while monotonic() < until:
            work = calls.prepare()
            run = partial(calls.run, work)
            sampler.run(run) if number > WARM_UP_SAMPLES else run()
            number += 1
            subject.flush()
    count = (number - WARM_UP_SAMPLES) * calls.count
    lines = [f"{scenario}: {sampler.count} interruptions of {count} calls", "", f"{'self':>7}{'with calls':>12}"]
    for code, alone in sampler.alone.most_common(LINES):
        shares = f"{alone / sampler.count:>7.1%}{sampler.with_calls[code] / sampler.count:>12.1%}"
        lines.append(f"{shares}  {name_of(code)}")
    return "\n".join(lines)


def calls_of(scenario: str, subject: Contender, dsn: str) -> Calls:
    """What is measured, or, of the whole process, an error that is captured and sent."""
    module, _, function = scenario.partition(".")
    if module not in OF_PROCESS:
        calls: Calls = getattr(importlib.import_module(f"bench.cost.{module}"), function)(subject, dsn)
        return calls
    os_threads = importlib.import_module("vedette._host.os_threads")
    os_threads.start_new_thread = refuse
    subject.init(dsn)

    def run(errors: list[BaseException]) -> None:
        subject.capture_exception(errors.pop())
        subject.flush()

    return Calls(1, run, lambda: [shallow_error()])


def refuse(*_: object) -> None:
    """As where the system has no thread left."""
    raise RuntimeError("can't start new thread")


def start() -> str:
    """What importing and `init` import, the dearest last."""
    code = "import vedette; vedette.init('http://key@127.0.0.1:9/1', release='shop@1.0', environment='bench')"
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=True)
    lines = [line.removeprefix("import time:") for line in done.stderr.splitlines()]
    begin = next(number for number, line in enumerate(lines) if line.endswith("| site")) + 1
    modules = sorted(lines[begin:], key=lambda line: int(line.split("|")[0]))
    return "\n".join([f"{START}: {len(modules)} modules", "", lines[0], *modules])


def main(scenario: str | None = None, seconds: str = "5") -> None:
    """Show one, or write those whose goal is missed on the newest Python; each in a process of its own."""
    if scenario is not None:
        print(start() if scenario == START else profiled(scenario, float(seconds)))
        return
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for name in missed_scenarios(load()[0]):
        command = [sys.executable, "-m", "bench.cost.profile", name, seconds]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        (FOLDER / f"{name}.txt").write_text(done.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
