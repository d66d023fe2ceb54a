"""Scenarios: an exception is captured, in a program that has captured such ones before."""

from __future__ import annotations

from bench.cost.deep_workload import deep_error, heavy_error
from bench.cost.sampling import Calls
from bench.cost.workload import chained_error, shallow_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from bench.cost.contenders import Contender


def four_frames(contender: Contender, dsn: str) -> Calls:
    """A few locals each."""
    contender.init(dsn)
    return captures(contender, shallow_error, 5)


def thirty_in_a_row(contender: Contender, dsn: str) -> Calls:
    """The same, so many that the worker's wake-up and cold caches weigh little; too many for the peer."""
    contender.init(dsn)
    return captures(contender, shallow_error, 30)


def sixty_frames(contender: Contender, dsn: str) -> Calls:
    """With 20 locals each: a text of 25 000 words, nested dicts, bytes, objects."""
    contender.init(dsn)
    return captures(contender, heavy_error, 1)


def sixty_frames_of_small_locals(contender: Contender, dsn: str) -> Calls:
    """With 20 locals each: numbers, short texts, small dicts and lists."""
    contender.init(dsn)
    return captures(contender, deep_error, 1)


def sixty_frames_without_locals(contender: Contender, dsn: str) -> Calls:
    """The heavy ones, by the option that leaves local variables out."""
    contender.init(dsn, include_local_variables=False)
    return captures(contender, heavy_error, 1)


def chain_of_three(contender: Contender, dsn: str) -> Calls:
    """Raised one from another."""
    contender.init(dsn)
    return captures(contender, chained_error, 3)


def captures(contender: Contender, raised: Callable[[], BaseException], count: int, *, sent: bool = True) -> Calls:
    """A new exception for each call: one that was seen before is dropped as a duplicate."""
    capture = contender.capture_exception

    def run(errors: Sequence[Any]) -> None:
        for error in errors:
            capture(error)

    return Calls(count, run, lambda: [raised() for _ in range(count)], sent=sent)
