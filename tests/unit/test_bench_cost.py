"""`make bench`: what it says is what it measured, and a run that did other work than it was to is no result."""

from __future__ import annotations

import gc
import importlib
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from bench.cost import page
from bench.cost.asking import ask
from bench.cost.contenders import FLOORS, NONE, OURS, PEER, contender
from bench.cost.measuring import Measuring
from bench.cost.receiver import receiving
from bench.cost.results import Machine, Results, compare
from bench.cost.rows import BESIDE_FLOORS, ROWS, Row, measurements
from bench.cost.sampling import Calls, sample
from bench.cost.showing import figure, goal, spread, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MACHINE = Machine("3.13.0", "GCC", "Linux", "some CPU", 2, 0.1, "0.1.0", "abc", "2.75.0", "0.7.3", "2026-11-26")


def results(**figures: dict[str, dict[str, list[float]]]) -> Results:
    return Results(MACHINE, 3, "perf_counter", {f"loads.{name}": each for name, each in figures.items()})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with receiving() as listening:
        yield listening


@pytest.fixture
def no_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite's process has so many objects that collecting garbage before each sample takes seconds."""
    monkeypatch.setattr(gc, "collect", lambda: 0)


def test_each_row_names_a_scenario_that_there_is() -> None:
    for row in ROWS:
        module, _, function = row.scenario.partition(".")
        if module == "fresh":
            assert function in {"import", "init", "hosted", "first"}
        else:
            assert callable(getattr(importlib.import_module(f"bench.cost.{module}"), function)), row.title
    assert len({(row.title, row.ours, row.theirs) for row in ROWS}) == len(ROWS)


def test_a_scenario_is_measured_with_whoever_one_of_its_rows_needs_and_exceptions_beside_the_floors() -> None:
    wanted = measurements()
    assert {OURS, PEER, NONE} == set(wanted["web_requests.wsgi"])
    assert {OURS, PEER, *FLOORS} <= set(wanted["exceptions.four_frames"])
    assert all(set(FLOORS) <= set(wanted[scenario]) for _, scenario in BESIDE_FLOORS)


def test_medians_are_compared_and_the_goal_is_met_or_missed_by_so_much() -> None:
    row = Row("x", "loads.x", "seconds", goal=0.25)
    found = compare(results(x={OURS: {"seconds": [1.0, 9.0, 2.0]}, PEER: {"seconds": [4.0, 5.0, 3.0]}}), row)
    assert found is not None
    assert found.ratio == 0.5
    assert (min(found.ratios), max(found.ratios)) == (0.25, 1.8)
    assert (goal(found), verdict(found)) == ("≤ 0.25", "**missed by 100%**")


def test_what_the_program_itself_takes_is_taken_from_both() -> None:
    row = Row("x", "loads.x", "cpu", goal=3, more_is_better=True, added_to=NONE)
    found = compare(results(x={OURS: {"cpu": [10.0]}, PEER: {"cpu": [4.0]}, NONE: {"cpu": [1.0]}}), row)
    assert found is not None
    assert found.ratio == 3
    assert (goal(found), verdict(found)) == ("≥ 3", "met")


def test_what_was_not_measured_has_no_row() -> None:
    assert compare(results(), ROWS[0]) is None


def test_figures_have_three_digits_and_a_unit() -> None:
    shown = [figure(value, unit) for value, unit in ((12.3456e-6, "seconds"), (0.25, "seconds"), (3e6, "bytes"))]
    assert shown == ["12.3 µs", "250 ms", "2.86 MiB"]
    assert figure(114, "count") == "114"
    assert spread([3e-6, 1e-6, 2e-6], "seconds") == "2.00 µs (1.00 µs to 3.00 µs)"


def test_the_page_keeps_its_prose_and_gets_all_tables_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = tmp_path / "performance.md"
    written.write_text(page.PAGE.read_text() + "Prose at the end.\n")
    monkeypatch.setattr(page, "PAGE", written)
    run = results(steady={OURS: {"peak_memory": [9e6]}, PEER: {"peak_memory": [1e7]}})
    page.write([run])
    once = written.read_text()
    page.write([run])
    assert written.read_text() == once
    assert once.endswith("Prose at the end.\n")
    assert "- **peak memory of the process, 200 a second**: 0.900, goal ≤ 0.6. " in once
    assert "some CPU" in once


def test_a_scenario_runs_in_a_process_of_its_own_and_its_events_are_counted(port: int, tmp_path: Path) -> None:
    measuring = Measuring(port, str(tmp_path), patience=0.01)
    figures = measuring.one("exceptions.four_frames", OURS)
    assert 0 < figures["seconds"] < 1
    assert 500 < figures["wire_bytes"] < 20_000
    assert ask(f"http://key@127.0.0.1:{port}/1", "tally")["events"] > 0
    assert measuring.one("refusals.rate_limited", OURS)["seconds"] > 0


@pytest.mark.usefixtures("no_garbage")
def test_a_run_whose_events_do_not_arrive_is_no_result(port: int) -> None:
    dsn = f"http://key@127.0.0.1:{port}/1001"
    ours: Any = contender(OURS)
    ours.init(dsn, sample_rate=0.0)
    sent = Calls(2, lambda _: [vedette.capture_message("x") for _ in range(2)], sent=True)
    with pytest.raises(SystemExit, match=r"^0 events arrived of 16 that were to$"):
        sample(sent, ours, dsn, clock=lambda: 0.0, patience=0.0)


@pytest.mark.usefixtures("no_garbage")
def test_nor_is_one_whose_events_arrive_though_none_was_to(port: int) -> None:
    dsn = f"http://key@127.0.0.1:{port}/1002"
    ours: Any = contender(OURS)
    ours.init(dsn)
    with pytest.raises(SystemExit, match=r"^8 events arrived of 0 that were to$"):
        sample(Calls(1, lambda _: vedette.capture_message("x")), ours, dsn, clock=lambda: 0.0, patience=0.0)
