"""What one logging library hands on to another is reported once (PAIN-17).

Handlers pass records of ``logging`` on to loguru, sinks pass messages of loguru on to ``logging``, and structlog mostly
ends there. The second library to see it must know: either a record of ``logging`` is still on its way through its
handlers, or the same was said in this context a moment ago.

Guarantees
- Nothing is kept but short-lived texts and names, for each context its own; nothing is done until a second library is
  in use (``watch``).
"""

from __future__ import annotations

import time
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token
    from typing import Final

__all__ = ["begin_handling", "end_handling", "handling", "is_watched", "tell", "was_told", "watch"]

_MOST_SECONDS: Final = 1.0  # that a library takes to hand on: longer ago, it was something else that said the same

_watched = False
_NOTHING: Final = (float("inf"), float("inf"))
_handling: ContextVar[tuple[float, float]] = ContextVar("vedette_logging_handles", default=_NOTHING)
_told: ContextVar[tuple[str, object, float] | None] = ContextVar("vedette_log_told", default=None)


def watch() -> None:
    """There are two logging libraries from now on."""
    global _watched  # noqa: PLW0603 - for the process: what has begun to hand on may go on to
    _watched = True


def is_watched() -> bool:
    """Whether there are two."""
    return _watched


def begin_handling(breadcrumbs_from: float, events_from: float) -> Token[tuple[float, float]]:
    """A record of ``logging`` goes through its handlers; from these levels on it is reported thereafter."""
    return _handling.set((breadcrumbs_from, events_from))


def end_handling(token: Token[tuple[float, float]]) -> None:
    """It has."""
    _handling.reset(token)


def handling() -> tuple[float, float]:
    """From which levels on there is nothing to do, for it is a record of ``logging`` that a handler passes on."""
    return _handling.get()


def tell(library: str, what: object) -> None:
    """``library`` has reported ``what``, by which another one can know it again: its text, or its logger and level."""
    _told.set((library, what, time.monotonic()))


def was_told(library: str, *signs: object) -> bool:
    """Whether another library than this has just reported it. What was told counts once."""
    told = _told.get()
    if told is None or told[0] == library or told[1] not in signs:
        return False
    _told.set(None)
    return time.monotonic() - told[2] <= _MOST_SECONDS
