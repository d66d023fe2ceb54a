"""Scenarios: an exception of 4 frames is captured, and nothing is to come of it."""

from __future__ import annotations

from bench.cost.exceptions import captures
from bench.cost.sampling import Calls
from bench.cost.workload import shallow_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.cost.contenders import Contender

COUNT = 100


def before_init(contender: Contender, dsn: str) -> Calls:
    """Nobody has called ``init``."""
    return refused(contender)


def disabled(contender: Contender, dsn: str) -> Calls:
    """``init`` without a DSN, as on a developer's machine."""
    contender.init("")
    return refused(contender)


def sampled_out(contender: Contender, dsn: str) -> Calls:
    """``sample_rate=0``."""
    contender.init(dsn, sample_rate=0.0)
    return refused(contender)


def ignored(contender: Contender, dsn: str) -> Calls:
    """By ``ignore_errors``."""
    contender.init(dsn, ignore_errors=[ValueError])
    return refused(contender)


def duplicate(contender: Contender, dsn: str) -> Calls:
    """Captured again and again, as by a framework after the program itself."""
    contender.init(dsn)
    error = shallow_error()
    contender.capture_exception(error)
    contender.flush()
    capture = contender.capture_exception

    def run(_: object) -> None:
        for _ in range(COUNT):
            capture(error)

    return Calls(COUNT, run)


def rate_limited(contender: Contender, dsn: str) -> Calls:
    """The server has answered 429, come back in an hour."""
    address, _, project = dsn.rpartition("/")
    contender.init(f"{address}/refusing/{project}")
    contender.capture_exception(shallow_error())
    contender.flush()
    return refused(contender)


def refused(contender: Contender) -> Calls:
    """A new exception each time, so that it is not a duplicate that is refused."""
    return captures(contender, shallow_error, COUNT, sent=False)
