"""The rows of the table: which figure of which scenario, what it is compared with, and the goal."""

from __future__ import annotations

from dataclasses import dataclass

from bench.cost.contenders import FLOORS, JOURNAL, LOGGING, NONE, OURS, PEER

SECONDS, COUNT, BYTES, PER_SECOND = "seconds", "count", "bytes", "per second"


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    title: str
    scenario: str
    """Module and function of `bench.cost`; those of the module `fresh` are what that script is told."""
    figure: str = "seconds"
    unit: str = SECONDS
    goal: float | None = None
    """What the ratio of ours to theirs is to be at most; at least, where ``more_is_better``."""
    more_is_better: bool = False
    most_added: float | None = None
    """Instead of a goal for the ratio: what ours may take beyond theirs."""
    ours: str = OURS
    theirs: str = PEER
    added_to: str | None = None
    """Whose figure is taken from both first: that of the same program without an SDK."""
    quick: bool = True
    """Whether `make bench-quick` has it."""

    @property
    def contenders(self) -> tuple[str, ...]:
        """Whose figures it needs."""
        return (self.ours, self.theirs, *([self.added_to] if self.added_to else []))


@dataclass(frozen=True)
class Section:
    """Rows under one heading."""

    heading: str
    rows: tuple[Row, ...]


CALLER = Section(
    "On the caller's thread",
    (
        Row("exception, 4 frames", "exceptions.four_frames", goal=0.08),
        Row("4 frames, beside `logging.exception`", "exceptions.four_frames", theirs=LOGGING, goal=1.0),
        Row("exception, 60 frames, 20 locals each (25 000 words, ...)", "exceptions.sixty_frames", goal=0.08),
        Row("60 frames, beside `logging.exception`", "exceptions.sixty_frames", theirs=LOGGING, goal=1.0),
        Row("60 frames, 20 small locals each", "exceptions.sixty_frames_of_small_locals"),
        Row("60 frames, without locals", "exceptions.sixty_frames_without_locals"),
        Row("chain of 3 exceptions", "exceptions.chain_of_three"),
        Row("first capture of a process, 4 frames", "fresh.first", goal=0.3),
        Row("message, 100 breadcrumbs and 20 tags", "scopes.message_with_breadcrumbs", goal=0.04),
        Row("`add_breadcrumb`, to 100", "scopes.add_breadcrumb", goal=0.35),
        Row("`set_tag`", "scopes.set_tag", goal=0.7),
        Row("`set_tag`, another value each time", "scopes.set_changing_tags", quick=False),
        Row("`new_scope`", "scopes.new_scope", goal=0.25),
        Row("`isolation_scope`", "scopes.isolation_scope", goal=0.25),
        Row("`isolation_scope`, and 10 tags in it", "scopes.tagged_request", quick=False),
        Row("capture before `init`", "refusals.before_init", goal=0.01, quick=False),
        Row("capture while disabled", "refusals.disabled", goal=0.01),
        Row("capture, sampled out", "refusals.sampled_out", goal=0.01),
        Row("capture, ignored", "refusals.ignored", goal=0.01),
        Row("capture, duplicate", "refusals.duplicate", goal=0.01),
        Row("capture, rate limited", "refusals.rate_limited"),
        Row("WSGI request that does nothing, added", "web_requests.wsgi", goal=0.2, added_to=NONE),
        Row("ASGI request that does nothing, added", "web_requests.asgi", goal=0.2, added_to=NONE),
        Row("WSGI request that fails, added", "web_requests.failing_wsgi", added_to=NONE),
    ),
)

PROCESS = Section(
    "Of the whole process",
    (
        Row("CPU per event, 200 a second, added", "loads.steady", "cpu_seconds", goal=0.15, added_to=NONE, quick=False),
        Row("peak memory of the process, 200 a second", "loads.steady", "peak_memory", BYTES, goal=0.6, quick=False),
        Row("peak memory, 200 a second, added", "loads.steady", "peak_memory", BYTES, added_to=NONE, quick=False),
        Row("bytes on the wire, 4 frames", "loads.steady", "wire_bytes", BYTES, quick=False),
        Row(
            "bytes on the wire, 60 frames of 20 small locals",
            "exceptions.sixty_frames_of_small_locals",
            "wire_bytes",
            BYTES,
        ),
        Row("bytes on the wire, message with 100 breadcrumbs", "scopes.message_with_breadcrumbs", "wire_bytes", BYTES),
        Row("burst of 100, until the last arrives", "loads.burst", "arrival_seconds"),
        Row("burst of 1 000, how many arrive", "loads.flood", "arrived", COUNT, more_is_better=True, quick=False),
        Row("peak memory of the process, burst of 1 000", "loads.flood", "peak_memory", BYTES, quick=False),
        Row(
            "events a second to a server 50 ms away",
            "loads.far_server",
            "per_second",
            PER_SECOND,
            goal=3.5,
            more_is_better=True,
            quick=False,
        ),
        Row("event loop's lag at 500 captures a second, p99", "loop_lag.loop_lag", "p99", goal=0.3, quick=False),
        Row("event loop's lag at 500 captures a second, median", "loop_lag.loop_lag", "p50", quick=False),
    ),
)

FRESH = Section(
    "Of a fresh process",
    (
        Row("`import`, time", "fresh.import", quick=False),
        Row("`import`, modules", "fresh.import", "modules", COUNT, quick=False),
        Row("`import` and `init`, time", "fresh.init", goal=0.2),
        Row("`import` and `init`, CPU", "fresh.init", "cpu_seconds"),
        Row("`import` and `init`, modules", "fresh.init", "modules", COUNT, goal=0.3),
        Row("`import` and `init`, added memory", "fresh.init", "memory", BYTES, goal=0.4),
        Row("time, after much of the standard library", "fresh.hosted", quick=False),
        Row("modules, after much of the standard library", "fresh.hosted", "modules", COUNT, quick=False),
    ),
)

JOURNALED = Section(
    "With the journal (`cache_dir`), beside vedette without",
    (
        Row("exception, 4 frames", "exceptions.four_frames", ours=JOURNAL, theirs=OURS),
        Row(
            "exception, 4 frames, 30 in a row",
            "exceptions.thirty_in_a_row",
            ours=JOURNAL,
            theirs=OURS,
            most_added=60e-6,
        ),
        Row(
            "exception, 60 frames of 20 small locals",
            "exceptions.sixty_frames_of_small_locals",
            ours=JOURNAL,
            theirs=OURS,
            goal=1.35,
        ),
        Row(
            "exception, 60 frames of 20 heavy locals",
            "exceptions.sixty_frames",
            ours=JOURNAL,
            theirs=OURS,
            goal=1.35,
            quick=False,
        ),
    ),
)

SECTIONS = (CALLER, PROCESS, FRESH, JOURNALED)
ROWS = tuple(row for section in SECTIONS for row in section.rows)

BESIDE_FLOORS = (
    ("4 frames", "exceptions.four_frames"),
    ("60 frames, 20 locals each (25 000 words, ...)", "exceptions.sixty_frames"),
    ("60 frames, 20 small locals each", "exceptions.sixty_frames_of_small_locals"),
    ("60 frames, without locals", "exceptions.sixty_frames_without_locals"),
    ("chain of 3", "exceptions.chain_of_three"),
)
"""The scenarios that are run with the floors as well."""


def measurements(rows: tuple[Row, ...] = ROWS, *, floors: bool = True) -> dict[str, list[str]]:
    """For each scenario the contenders that it is run with."""
    wanted: dict[str, list[str]] = {}
    for row in rows:
        wanted.setdefault(row.scenario, []).extend(row.contenders)
    for _, scenario in BESIDE_FLOORS if floors else ():
        if scenario in wanted:
            wanted[scenario].extend(FLOORS)
    return {scenario: list(dict.fromkeys(names)) for scenario, names in wanted.items()}
