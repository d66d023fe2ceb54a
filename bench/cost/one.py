"""One scenario with one contender, in this process: `measuring.py` starts it many times.

python -c 'from bench.cost.one import main; main()' exceptions.four_frames vedette DSN perf_counter 0.6

Prints figures as JSON. Not run by ``-m``, which imports much before it begins.
"""

from __future__ import annotations

import os
import sys
import time

from bench.cost.contenders import contender, module_of
from bench.cost.sampling import Calls, sample


def main() -> None:
    """Leaves without an end of the interpreter: leaving is not what is measured here."""
    scenario, name, dsn, clock, patience = sys.argv[1:]
    module, _, function = scenario.partition(".")
    subject = contender(name)
    measured = getattr(module_of(f"bench.cost.{module}"), function)(subject, dsn)
    if isinstance(measured, Calls):
        measured = sample(measured, subject, dsn, getattr(time, clock), float(patience))
    import json

    print(json.dumps(measured), flush=True)
    os._exit(0)
