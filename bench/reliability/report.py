"""The tables: as they are printed, and as they stand in docs/reliability.md."""

from __future__ import annotations

import math
import platform
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.reliability.judging import Result
    from bench.reliability.running import Contender
    from bench.reliability.scenarios import Scenario

    Results = Mapping[tuple[Scenario, Contender], Result]

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- written by `make faults ARGS=--docs` -->", "<!-- end -->"
COLUMNS = ("captured", "arrived", "next run", "twice", "told", "unaccounted", "exit s", "hung", "per s", "exact")
WIDTHS = (8, 7, 8, 5, 5, 11, 6, 4, 6, 5)
NAME_WIDTH = 20
NOTHING = "-"


def heading(vedette: str, peer: str) -> str:
    """Who was measured, on what."""
    python, system = platform.python_version(), platform.system()
    return f"vedette {vedette}, sentry-sdk {peer}, Python {python}, {system}"


def details_head() -> list[str]:
    """The head of the lines of ``details``."""
    return [line(" " * NAME_WIDTH, COLUMNS)]


def details(contender: Contender, result: Result) -> str:
    """A line of figures, and one for each remark."""
    remarks = [f"      {remark}" for remark in result.remarks]
    return "\n".join([line(f"  {contender.name}", cells(result)), *remarks])


def not_there(contender: Contender) -> str:
    """The line of a contender that cannot be measured yet."""
    return line(f"  {contender.name}", ["n/a"] * len(COLUMNS))


def cells(result: Result) -> list[str]:
    """The figures of a result, as in COLUMNS."""
    return [
        str(result.captured),
        str(result.arrived),
        NOTHING if result.arrived_next is None else str(result.arrived_next),
        str(result.duplicates),
        str(result.told),
        str(result.unaccounted),
        NOTHING if result.exit_seconds is None else f"{result.exit_seconds:.2f}",
        str(result.hung),
        NOTHING if math.isnan(result.per_second) else f"{result.per_second:.0f}",
        {None: NOTHING, True: "yes", False: "NO"}[result.exact],
    ]


def line(name: str, figures: Sequence[str]) -> str:
    """One line of the printed table."""
    aligned = "  ".join(f"{figure:>{width}}" for figure, width in zip(figures, WIDTHS, strict=True))
    return f"{name:<{NAME_WIDTH}}{aligned}"


def in_a_word(result: Result | None) -> str:
    """What became of the captures: "38 + 12 next run", "31, 19 told"."""
    if result is None:
        return "n/a"
    words = [str(result.arrived) + (f" + {result.arrived_next} next run" if result.arrived_next else "")]
    if result.told:
        words.append(f"{result.told} told")
    if result.unaccounted:
        words.append(f"{result.unaccounted} lost silently")
    if result.duplicates:
        words.append(f"{result.duplicates} twice")
    if result.hung:
        words.append(f"{result.hung} hung")
    return ", ".join(words)


def side_by_side(scenarios: Sequence[Scenario], contenders: Sequence[Contender], results: Results) -> list[str]:
    """What arrived: a line for each scenario, a column for each contender; a table of Markdown."""
    rows = [["scenario", "captured", *(each.name for each in contenders)]]
    for scenario in scenarios:
        found = [results.get((scenario, each)) for each in contenders]
        captured = sorted({each.captured for each in found if each is not None})
        numbers = " to ".join(map(str, dict.fromkeys([captured[0], captured[-1]]))) if captured else NOTHING
        rows.append([scenario.title, numbers, *map(in_a_word, found)])
    return markdown(rows)


def markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table that is aligned, to be read as it is, too."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    padded.insert(1, ["-" * width for width in widths])
    return [f"| {' | '.join(row)} |" for row in padded]


def write(head: str, scenarios: Sequence[Scenario], contenders: Sequence[Contender], results: Results) -> None:
    """Put both tables between the markers of the page."""
    rows = [["scenario", "SDK", *COLUMNS]]
    for scenario in scenarios:
        for contender in contenders:
            result = results.get((scenario, contender))
            figures = ["n/a"] * len(COLUMNS) if result is None else cells(result)
            rows.append([scenario.name, contender.name, *figures])
    table = side_by_side(scenarios, contenders, results)
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text("\n".join([before + BEGIN, "", head + ".", "", *table, "", *markdown(rows), "", END + after]))
