"""Reading the times that senders write."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

_RFC3339: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)?")


def seconds_of_rfc3339(text: str) -> float | None:
    """Seconds since the epoch, of any number of digits, in UTC where no zone is named; None for any other text.

    Raises ValueError or OverflowError for a time that no calendar has.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    day, time, fraction, zone = match.groups()
    zone = "+00:00" if zone in {None, "Z", "z"} else zone
    return datetime.fromisoformat(f"{day}T{time}{zone}").timestamp() + float(fraction or 0)
