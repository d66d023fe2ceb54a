"""The tables of docs/performance.md, each between markers of its own; the prose around them is written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.cost.contenders import FLOORS, OURS
from bench.cost.known_differences import DIFFERENCES
from bench.cost.remarks import REMARKS, UNEXPLAINED
from bench.cost.results import compare, missed_in
from bench.cost.rows import BESIDE_FLOORS, JOURNALED, ROWS, SECONDS, SECTIONS
from bench.cost.showing import NOT_THERE, goal, markdown, reached, spread, three_digits, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.cost.results import Compared, Results
    from bench.cost.rows import Row, Section

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
BEGIN, END = "<!-- {}: written by `make bench` -->", "<!-- end of {} -->"


def write(runs: Sequence[Results]) -> None:
    """Put all tables in their places; the first of the runs is shown whole, the others by their ratios."""
    newest = runs[0]
    blocks = {
        "machine": machine(runs),
        "costs": costs(newest),
        "missed": missed(newest),
        "floors": floors(newest),
        "pythons": pythons(runs),
        "differences": differences(),
    }
    text = PAGE.read_text()
    for name, lines in blocks.items():
        text = replaced(text, name, lines)
    PAGE.write_text(text)


def replaced(text: str, name: str, lines: Sequence[str]) -> str:
    """The page with another text between two markers. Raises ValueError where they are not in it."""
    begin, end = BEGIN.format(name), END.format(name)
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(f"{PAGE.name} has no place for {name!r}")
    return "\n".join([before + begin, "", *lines, "", end + after])


def machine(runs: Sequence[Results]) -> list[str]:
    """What was run, on what."""
    head = [
        "CPython",
        "vedette",
        "sentry-sdk",
        "loguru",
        "processor",
        "cores",
        "load",
        "system",
        "rounds",
        "clock",
        "date",
    ]
    rows = [head]
    for run in runs:
        it = run.machine
        ours = f"{it.vedette} ({it.commit})"
        cells = (it.python, ours, it.sentry_sdk, it.loguru, it.processor, it.cores, it.load, it.system)
        rows.append([*map(str, cells), str(run.rounds), run.clock, it.date])
    return markdown(rows)


def costs(run: Results) -> list[str]:
    """A table for each section."""
    lines: list[str] = [f"CPython {run.python}."]
    for section in SECTIONS:
        lines += ["", f"### {section.heading}", "", *markdown([section_head(section), *section_rows(run, section)])]
    return lines


def section_head(section: Section) -> list[str]:
    """The journal is compared with vedette itself."""
    ours, theirs = ("with", "without") if section is JOURNALED else ("vedette", "sentry-sdk")
    return ["", ours, theirs, "ratio", "of the rounds", "goal", ""]


def section_rows(run: Results, section: Section) -> list[list[str]]:
    """A line for each row that was measured."""
    return [cells(each) for row in section.rows if (each := compare(run, row)) is not None]


def cells(compared: Compared) -> list[str]:
    """Medians with the lowest and the highest of the rounds; ratios; whether the goal is met."""
    ours, theirs = (spread(values, compared.row.unit) for values in (compared.ours, compared.theirs))
    ratios = f"{three_digits(min(compared.ratios))} to {three_digits(max(compared.ratios))}"
    ratio = three_digits(compared.ratio)
    return [compared.row.title, ours, theirs, ratio, ratios, goal(compared), verdict(compared)]


def missed(run: Results) -> list[str]:
    """Each goal that is missed, with what is known about it."""
    found = missed_in(run)
    if not found:
        return ["None."]
    return [missed_one(each) for each in found]


def missed_one(compared: Compared) -> str:
    """By how much, and why."""
    row = compared.row
    why, profile = REMARKS.get(row.title, UNEXPLAINED), f"[Profile](profiles/{row.scenario}.txt)"
    return f"- **{whole_title(row)}**: {reached(compared)}, goal {goal(compared)}. {why} {profile}"


def floors(run: Results) -> list[str]:
    """Seconds of the same exceptions without an SDK."""
    rows = [["", OURS, *FLOORS]]
    for title, scenario in BESIDE_FLOORS:
        columns = [run.values(scenario, name, "seconds") for name in (OURS, *FLOORS)]
        rows.append([title, *(spread(values, SECONDS) if values else NOT_THERE for values in columns)])
    return markdown(rows)


def pythons(runs: Sequence[Results]) -> list[str]:
    """The ratios of the rows that have a goal, on each Python; in bold where the goal is missed."""
    table = [["", "goal", *(run.python for run in runs)]]
    for row in ROWS:
        found = [compare(run, row) for run in runs]
        first = next((each for each in found if each is not None), None)
        if first is not None and first.is_met is not None:
            table.append([whole_title(row), goal(first), *map(short, found)])
    return markdown(table)


def whole_title(row: Row) -> str:
    """With what it is about where its section does not say so."""
    return row.title + (", with the journal" if row in JOURNALED.rows else "")


def short(compared: Compared | None) -> str:
    """A ratio by itself."""
    if compared is None:
        return NOT_THERE
    found = reached(compared)
    return found if compared.is_met else f"**{found}**"


def differences() -> list[str]:
    """Where the events of both differ for the same failure, as the suite holds them to it."""
    rows = [[f"`{each.where}`", each.kind, each.how] for each in DIFFERENCES]
    return markdown([["where", "", "vedette, beside sentry-sdk"], *rows])
