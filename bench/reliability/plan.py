"""What a server can suffer from, and when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Healthy:
    """Answers 200 at once."""


@dataclass(frozen=True)
class Down:
    """Refuses connections, and cuts those that there are."""


@dataclass(frozen=True)
class Dropping:
    """Accepts connections, cuts those that there are, and hangs up on every request without an answer."""


@dataclass(frozen=True)
class Slow:
    """Takes so many seconds before it answers 200."""

    seconds: float


@dataclass(frozen=True)
class Refusing:
    """Answers with this status, and with Retry-After if that is given."""

    status: int
    retry_after: int | None = None


Fault = Healthy | Down | Dropping | Slow | Refusing
HEALTHY = Healthy()


@dataclass(frozen=True)
class Window:
    """A fault from ``start`` until ``end``, in seconds of the receiver's clock; windows don't overlap."""

    start: float
    end: float
    fault: Fault
