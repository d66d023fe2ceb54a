"""What the two sides say, held against each other: the receiver's tally, and the programs' own ``stats()``."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.reliability.running import Ended
    from bench.reliability.tally import Tally

OUTCOMES = ("delivered", "refused", "waiting", "kept")


@dataclass(frozen=True)
class Run:
    """One program from start to end, and what the receiver counted meanwhile."""

    ended: Ended
    tally: Tally
    killed: bool = False
    """It was killed on purpose, so what it says of itself is not its last word."""
    unclear: int = 0
    """So many answers may have come when the program had just given up waiting for them, as it left."""


@dataclass(frozen=True)
class Result:
    """One scenario with one SDK."""

    captured: int
    arrived: int
    """Distinct captures that the server accepted in the first run."""
    arrived_next: int | None
    """Those that it accepted in the next run only; None where there was none."""
    duplicates: int
    answered_no: int
    """Distinct captures that the server answered with an error and never accepted."""
    told: int
    """What the SDK says was lost, refused, or is still waiting at the end."""
    unaccounted: int
    """Captures that neither arrived nor are told of."""
    exit_seconds: float | None
    hung: int
    """Processes that had to be killed."""
    per_second: float
    exact: bool | None
    """Whether ``stats()`` says what the receiver says; None where there are no stats."""
    remarks: tuple[str, ...]
    """What is wrong, and what was printed on stderr."""


def judge(runs: list[Run]) -> Result:
    """The first run, and the next one if there was one."""
    first = runs[0]
    captured = sum(first.ended.captured.values())
    accepted_first, accepted = set(first.tally.accepted), set[str]()
    for run in runs:
        accepted |= set(run.tally.accepted)
    told = told_as_lost(runs)
    surplus = len(accepted) + told - captured
    unclear = sum(run.tally.unanswered + run.unclear for run in runs)
    faults = [fault for run in runs for fault in inexactnesses(run)]
    if surplus > unclear:
        faults.append(f"{surplus} more were accounted for than captured, {unclear} are unclear")
    for pair in itertools.pairwise(runs):
        faults += lost_between(*pair)
    has_stats = any(run.ended.stats for run in runs)
    hung = sum(run.ended.hung + run.ended.hung_children for run in runs)
    return Result(
        captured=captured,
        arrived=len(accepted_first),
        arrived_next=len(accepted) - len(accepted_first) if len(runs) > 1 else None,
        duplicates=sum(run.tally.accepted.total() for run in runs) - len(accepted),
        answered_no=len({text for run in runs for text in run.tally.refused} - accepted),
        told=told,
        unaccounted=max(0, -surplus),
        exit_seconds=first.ended.exit_seconds,
        hung=hung,
        per_second=first.tally.per_second,
        exact=not faults if has_stats else None,
        remarks=(*faults, *said_on_stderr(runs)),
    )


def told_as_lost(runs: list[Run]) -> int:
    """By ``stats()``; where there is none, by client reports and the server's own counting of what it answered 429."""
    told = 0
    for run in runs:
        if run.killed or not run.ended.stats:
            told += run.tally.reported.total() + run.tally.too_many
        else:
            told += sum(lost(stats) for stats in run.ended.stats.values())
    last = runs[-1]
    if not last.killed:
        told += sum(stats["waiting"] + stats["kept"] for stats in last.ended.stats.values())
    return told


def lost(stats: dict[str, Any]) -> int:
    """Dropped or refused."""
    return sum(stats["dropped"].values()) + int(stats["refused"])


def inexactnesses(run: Run) -> Iterable[str]:
    """Where ``stats()`` contradicts itself, the program or the receiver."""
    if run.tally.malformed:
        yield f"the server could not read {len(run.tally.malformed)} envelopes: {run.tally.malformed[0]}"
    if run.killed or not run.ended.stats:
        return
    for pid, stats in run.ended.stats.items():
        taken = stats["captured"] + stats["adopted"]
        outcomes = sum(stats[name] for name in OUTCOMES) + sum(stats["dropped"].values())
        if taken != outcomes:
            yield f"captured and adopted are {taken}, their outcomes {outcomes}: {stats}"
        if stats["captured"] != run.ended.captured[pid]:
            yield f"{run.ended.captured[pid]} were captured, but {stats}"
    if set(run.ended.captured) != set(run.ended.stats):
        yield f"{len(set(run.ended.captured) - set(run.ended.stats))} processes could not say their stats"
        return
    delivered = sum(stats["delivered"] for stats in run.ended.stats.values())
    answered = run.tally.accepted.total() - run.tally.unanswered
    if not answered - run.unclear <= delivered <= answered:
        yield f"delivered are {delivered}, the server accepted {answered} ({run.tally.unanswered} more unanswered)"
    refused = sum(stats["refused"] for stats in run.ended.stats.values())
    if refused != run.tally.too_many:
        yield f"refused are {refused}, the server answered 429 to {run.tally.too_many}"
    dropped = sum(sum(stats["dropped"].values()) for stats in run.ended.stats.values())
    if run.tally.reported.total() > dropped:
        yield f"client reports told of {run.tally.reported.total()} lost, stats of {dropped}"


def lost_between(first: Run, following: Run) -> Iterable[str]:
    """What the first run left on disk, and the next one did not find there."""
    if first.killed or set(first.ended.captured) != set(first.ended.stats):
        return
    left = sum(stats["waiting"] + stats["kept"] for stats in first.ended.stats.values())
    found = sum(stats["adopted"] for stats in following.ended.stats.values())
    if left != found:
        yield f"the first run kept {left}, the next one found {found}"


def said_on_stderr(runs: list[Run]) -> Iterable[str]:
    """The first and the last line of what each printed there."""
    for run in runs:
        lines = run.ended.stderr.strip().splitlines()
        if lines:
            yield f"{len(lines)} lines on stderr: {lines[0]} [...] {lines[-1]}"
