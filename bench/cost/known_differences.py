"""Where the events of both SDKs differ for the same failures: the page shows it, tests/e2e/test_same_events.py holds both to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One place of an event; ``*`` stands for any one step of the path."""

    where: str
    kind: str
    """As the test says it: who has it alone, or in what the values differ."""
    how: str


DIFFERENCES: tuple[Difference, ...] = ()
