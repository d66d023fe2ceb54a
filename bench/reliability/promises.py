"""What vedette promises of the scenarios: the second of the conditions under which its delivery counts as done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.reliability.judging import Result
    from bench.reliability.running import Contender
    from bench.reliability.scenarios import Scenario

RATE_BESIDE_PEER = 3.5
EXIT_SECONDS = 2.0 + 0.3  # the option shutdown_timeout, and what leaving may take beside


def broken_promises(
    scenario: Scenario, contender: Contender, result: Result, peer: Result | None = None
) -> Iterable[str]:
    """One line for each that does not hold."""
    at = f"{scenario.name}, {contender.name}:"
    arrived = result.arrived + (result.arrived_next or 0)
    if result.hung:
        yield f"{at} {result.hung} processes hung"
    if result.exact is False:
        yield f"{at} stats() is not exact: {result.remarks[0]}"
    if result.exit_seconds is not None and result.exit_seconds > EXIT_SECONDS:
        yield f"{at} leaving took {result.exit_seconds:.2f} s"
    if result.unaccounted and (contender.journal or not scenario.killed):
        yield f"{at} {result.unaccounted} are unaccounted for"
    if contender.journal and arrived + result.answered_no != result.captured:
        yield f"{at} {result.captured - result.answered_no - arrived} never arrived"
    elif contender.journal and result.answered_no > scenario.refusable:
        yield f"{at} {result.answered_no} were sent to a server that was known to refuse"
    elif scenario.lossless and arrived != result.captured:
        yield f"{at} {result.captured - arrived} were lost"
    if scenario.rated and peer is not None and result.per_second < RATE_BESIDE_PEER * peer.per_second:
        yield f"{at} {result.per_second / peer.per_second:.1f} times the peer's rate"
