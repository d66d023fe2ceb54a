"""What is measured: the scenarios of `make faults`, one line of the table each."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from bench.reliability.plan import Down, Dropping, Refusing, Slow, Window

IN_FLIGHT = 4  # the option max_connections


@dataclass(frozen=True)
class Scenario:
    """A job of ``program.py``, and what the server suffers from meanwhile, in seconds from the first capture."""

    name: str
    title: str
    job: tuple[str, ...]
    plan: tuple[Window, ...] = ()
    killed: bool = False
    """The program ends by a signal, so nothing can be said at its end."""
    lossless: bool = False
    """Nothing may be lost, even without a journal."""
    refusable: int = 0
    """How many captures the server may answer with an error where there is a journal: those in flight when a time of
    refusals begins, or when it is tried again."""
    unclear: int = 0
    """How many answers may come just when the program gives up waiting for them, as it leaves."""
    rated: bool = False
    """How fast events arrived is what it is about."""


SCENARIOS = (
    Scenario("exit", "50 captures, then a plain exit", ("capture_and_leave", "50"), lossless=True),
    Scenario("burst", "burst of 2 000 captures", ("capture_and_live_on", "2000"), lossless=True),
    Scenario(
        "away",
        "80 captures in 8 s, the server is away for 3 s",
        ("capture_and_leave", "80", "10"),
        (Window(2, 5, Down()),),
    ),
    Scenario(
        "away-all",
        "50 captures, the server is away for the whole run",
        ("capture_and_leave", "50"),
        (Window(0, inf, Down()),),
    ),
    Scenario("sigkill", "50 captures, then SIGKILL", ("capture_and_die", "50", "SIGKILL"), killed=True),
    Scenario("sigterm", "50 captures, then SIGTERM", ("capture_and_die", "50", "SIGTERM"), killed=True),
    Scenario(
        "500",
        "100 captures in 4 s, 500s for 2 s",
        ("capture_and_leave", "100", "25"),
        (Window(1, 3, Refusing(500)),),
        refusable=3 * IN_FLIGHT,  # at first, and after pauses of at least one second
    ),
    Scenario(
        "429",
        "100 captures in 5 s, 429 with Retry-After: 2",
        ("capture_and_leave", "100", "20"),
        (Window(1, 1.5, Refusing(429, retry_after=2)),),
        refusable=IN_FLIGHT,
    ),
    Scenario(
        "drops",
        "80 captures in 8 s, connections dropped every other second",
        ("capture_and_leave", "80", "10"),
        tuple(Window(second, second + 1, Dropping()) for second in (1, 3, 5, 7)),
    ),
    Scenario("forks", "4 forked children, 10 captures each", ("fork_workers", "4", "10"), lossless=True),
    Scenario(
        "fork-load",
        "20 forks under the load of 4 capturing threads",
        ("fork_under_load", "20", "4"),
        lossless=True,
    ),
    Scenario("pool", "multiprocessing pool of 4, 40 captures", ("use_pool", "4", "40"), lossless=True),
    Scenario(
        "2s",
        "100 captures, then a plain exit; the server takes 2 s each",
        ("capture_and_leave", "100"),
        (Window(0, inf, Slow(2.0)),),
        unclear=IN_FLIGHT,  # two seconds are also the default of shutdown_timeout
    ),
    Scenario(
        "50ms",
        "200 captures; the server takes 50 ms each",
        ("capture_and_live_on", "200"),
        (Window(0, inf, Slow(0.05)),),
        lossless=True,
        rated=True,
    ),
)
