"""Where the time of a scenario goes in vedette, as text.

python -m bench.cost.profile exceptions.four_frames    the caller's thread, function by function

The profiler makes each call dearer, small functions above all: read the order, not the times. Of a capture the last
column but one (``cumtime``) says which stage it is.
"""

from __future__ import annotations

import cProfile
import importlib
import pstats
import sys

from bench.cost.contenders import OURS, contender
from bench.cost.receiver import receiving

SAMPLES = 300
LINES = 30


def main(scenario: str) -> None:
    module, _, function = scenario.partition(".")
    prepare = getattr(importlib.import_module(f"bench.cost.{module}"), function)
    subject = contender(OURS)
    with receiving() as port:
        calls = prepare(subject, f"http://key@127.0.0.1:{port}/1")
        profiler = cProfile.Profile()
        for number in range(SAMPLES):
            work = calls.prepare()
            if number:  # the first one is cold
                profiler.enable()
            calls.run(work)
            profiler.disable()
            subject.flush()
    print(f"{scenario}: {(SAMPLES - 1) * calls.count} calls")
    pstats.Stats(profiler, stream=sys.stdout).strip_dirs().sort_stats("tottime").print_stats(LINES)


if __name__ == "__main__":
    main(*sys.argv[1:])
