"""``timestamp``: when it happened, in seconds since 1970 (EVT-05, EVT-06)."""

from __future__ import annotations

import time

from vedette._scopes.normal import read_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._given_events.faults import Faults

_FUTURE_SECONDS: Final = 60
_PAST_SECONDS: Final = 30 * 24 * 3600


def right_timestamp(given: Any, faults: Faults) -> float:
    """Seconds; now for what is no time, and for a time that servers refuse: in the future, or over 30 days ago."""
    seconds = read_time(given)
    now = time.time()
    if seconds is None:
        faults.note(("timestamp",), "expected seconds since 1970, or text as in RFC 3339")
        return now
    if now - _PAST_SECONDS <= seconds <= now + _FUTURE_SECONDS:
        return seconds
    when = "in the future" if seconds > now else "over 30 days ago"
    faults.note(("timestamp",), f"{seconds:.0f} is {when}; the time of the capture is taken instead")
    return now


def right_start(given: Any, faults: Faults) -> float | None:
    """Seconds of ``start_timestamp``; None for what is no time, or before 1970: servers refuse the whole event."""
    seconds = read_time(given)
    if seconds is not None and seconds >= 0:
        return seconds
    if given is not None:
        faults.note(("start_timestamp",), "expected seconds since 1970, or text as in RFC 3339")
    return None
