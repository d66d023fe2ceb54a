"""What a run found, on a terminal."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from bench.cost.contenders import FLOORS, OURS
from bench.cost.results import compare
from bench.cost.rows import BESIDE_FLOORS, SECONDS, SECTIONS
from bench.cost.showing import NOT_THERE, figure, goal, verdict

if TYPE_CHECKING:
    from bench.cost.results import Results

LAYOUT = "{:<58}{:>11}{:>12}{:>8}{:>16}{:>12}  {}"
FLOOR_LAYOUT = "{:<58}" + "{:>20}" * (1 + len(FLOORS))


def show(results: Results) -> None:
    """The table of ratios, then that of floors."""
    machine = results.machine
    print(f"vedette {machine.vedette} ({machine.commit}), sentry-sdk {machine.sentry_sdk}, CPython {machine.python}")
    print(f"{machine.processor}, {machine.cores} cores, load {machine.load}; {results.clock}, {results.rounds} rounds")
    for section in SECTIONS:
        found = [each for row in section.rows if (each := compare(results, row)) is not None]
        if found:
            print("\n" + LAYOUT.format(section.heading, "ours", "theirs", "ratio", "rounds", "goal", ""))
        for each in found:
            ours, theirs = (figure(statistics.median(values), each.row.unit) for values in (each.ours, each.theirs))
            ratios = f"{min(each.ratios):.3f}-{max(each.ratios):.3f}"
            said = verdict(each).strip("*")
            print(LAYOUT.format(each.row.title, ours, theirs, f"{each.ratio:.3f}", ratios, goal(each), said))
    show_floors(results)


def show_floors(results: Results) -> None:
    """What the standard library and loguru take for the same exceptions."""
    measured = [pair for pair in BESIDE_FLOORS if results.values(pair[1], FLOORS[0], "seconds")]
    if measured:
        print("\n" + FLOOR_LAYOUT.format("Floors", OURS, *FLOORS))
    for title, scenario in measured:
        columns = [results.values(scenario, name, "seconds") for name in (OURS, *FLOORS)]
        shown = [figure(statistics.median(values), SECONDS) if values else NOT_THERE for values in columns]
        print(FLOOR_LAYOUT.format(title, *shown))
