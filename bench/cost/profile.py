"""Where the caller's time of a scenario goes in vedette, as text.

python -m bench.cost.profile exceptions.four_frames [seconds]

A timer interrupts the calls some thousand times a second and notes where they are: no function becomes dearer by it, as
with `cProfile`, which from Python 3.12 on also counts what the worker does meanwhile. *self* is the share of the time
in the function's own lines (and the C functions that they call), *with calls* includes what it calls.
"""

from __future__ import annotations

import importlib
import signal
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from random import random
from time import monotonic
from typing import TYPE_CHECKING

from bench.cost.contenders import OURS, contender
from bench.cost.receiver import receiving

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

INTERVAL = 0.0005
WARM_UP_SAMPLES = 20
LINES = 30


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


def main(scenario: str, seconds: str = "5") -> None:
    module, _, function = scenario.partition(".")
    prepare = getattr(importlib.import_module(f"bench.cost.{module}"), function)
    subject, sampler = contender(OURS), Sampler()
    with receiving() as port:
        calls = prepare(subject, f"http://key@127.0.0.1:{port}/1")
        until, number = monotonic() + float(seconds), 0
        while monotonic() < until:
            work = calls.prepare()
            run = partial(calls.run, work)
            sampler.run(run) if number > WARM_UP_SAMPLES else run()
            number += 1
            subject.flush()
    print(f"{scenario}: {sampler.count} interruptions of {(number - WARM_UP_SAMPLES) * calls.count} calls\n")
    print(f"{'self':>7}{'with calls':>12}")
    for code, alone in sampler.alone.most_common(LINES):
        print(f"{alone / sampler.count:>7.1%}{sampler.with_calls[code] / sampler.count:>12.1%}  {name_of(code)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
