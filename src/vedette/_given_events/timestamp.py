"""``timestamp``: when it happened, in seconds since 1970 (EVT-05, EVT-06)."""

from __future__ import annotations

import time

from vedette._scopes.normal import seconds_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._given_events.faults import Faults

_FUTURE_SECONDS: Final = 60
_PAST_SECONDS: Final = 30 * 24 * 3600
_LONGEST: Final = 64  # characters; RFC 3339 takes 35
_LARGEST: Final = 1e12  # seconds, some 30 000 years


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


def read_time(given: object) -> float | None:
    """Seconds since 1970 of a number, a text or a ``datetime``; None for what is no time."""
    seconds: Any = seconds_of(given)
    if type(seconds) is str:
        return _parsed(seconds[:_LONGEST])
    return float(seconds) if -_LARGEST < seconds < _LARGEST else None


def _parsed(text: str) -> float | None:
    """Seconds of ``2026-11-25T12:00:00.5Z`` and its like; without a zone it is UTC."""
    from datetime import datetime, timezone  # noqa: PLC0415 - few give text, and no program should pay for the others

    text = text.strip()
    if text.endswith(("Z", "z")):
        text = f"{text[:-1]}+00:00"
    start, point, rest = text.partition(".")
    if point:  # Python 3.10 reads three or six digits
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        text = f"{start}.{digits[:6]:0<6}{rest[len(digits) :]}"
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo is not None else read.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None
