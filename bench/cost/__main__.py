"""What vedette costs, beside the published peer.

    make bench          everything, and docs/performance.md is written anew (ten minutes)
    make bench-quick    what takes less than a minute, on the terminal only

README.md says how to read it, and how it is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from bench.cost import page
from bench.cost.measuring import PATIENCE, measured
from bench.cost.results import Results, load, this_machine
from bench.cost.rows import JOURNALED, ROWS, measurements
from bench.cost.terminal import show

ROUNDS, QUICK_ROUNDS = 7, 1
QUICK_PATIENCE = 0.2


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.cost", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer rows and one round")
    parser.add_argument("--rounds", type=int, help=f"more rounds, steadier medians (default: {ROUNDS})")
    parser.add_argument("--only", default="", metavar="TEXT", help="rows whose scenario or title contains this")
    parser.add_argument("--journal", action="store_true", help="what `cache_dir` adds, and nothing else")
    parser.add_argument("--cpu", action="store_true", help="the thread's CPU time, not wall time: for a busy machine")
    parser.add_argument("--json", action="store_true", help="all figures as JSON instead of a table")
    parser.add_argument("--page", action="store_true", help="keep the figures, and write docs/performance.md")
    return parser.parse_args()


def main() -> None:
    """Measure, show, and write if asked to."""
    asked = arguments()
    rows = JOURNALED.rows if asked.journal else ROWS
    rows = tuple(
        row
        for row in rows
        if (asked.only in row.scenario or asked.only in row.title) and (row.quick or not asked.quick)
    )
    if not rows:
        sys.exit(f"no row contains {asked.only!r}")
    rounds = asked.rounds or (QUICK_ROUNDS if asked.quick else ROUNDS)
    clock = "thread_time" if asked.cpu else "perf_counter"
    machine = this_machine()
    wanted = measurements(rows, floors=not (asked.quick or asked.journal))
    figures = measured(wanted, rounds, clock, patience=QUICK_PATIENCE if asked.quick else PATIENCE)
    results = Results(machine, rounds, clock, figures)
    if asked.json:
        print(json.dumps(asdict(results), indent=1))
    else:
        show(results)
    if asked.page:
        results.save()
        page.write(load())


if __name__ == "__main__":
    main()
