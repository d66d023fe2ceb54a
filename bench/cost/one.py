"""One scenario with one contender, in this process: `measuring.py` starts it many times.

python -m bench.cost.one exceptions.four_frames vedette DSN perf_counter 0.6    prints figures as JSON
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time

from bench.cost.contenders import contender
from bench.cost.sampling import Calls, sample


def main(scenario: str, name: str, dsn: str, clock: str, patience: str) -> None:
    module, _, function = scenario.partition(".")
    subject = contender(name)
    measured = getattr(importlib.import_module(f"bench.cost.{module}"), function)(subject, dsn)
    if isinstance(measured, Calls):
        measured = sample(measured, subject, dsn, getattr(time, clock), float(patience))
    print(json.dumps(measured), flush=True)
    os._exit(0)  # leaving is not what is measured here


if __name__ == "__main__":
    main(*sys.argv[1:])
