"""Which categories the server will not take now, as its answers tell.

Purpose: ``is_limited`` is asked for each capture, ``update`` is told of each answer.

Guarantees
- Readers take no lock and never see half an update    (test_readers_never_see_half_an_update)
- No header, however broken, raises                     (test_no_header_ever_raises)
- No header takes more than a little memory             (test_a_header_of_megabytes_costs_little)
- The longest limit wins, whichever comes first         (test_the_longest_limit_wins)
- A forked child may update, whatever the parent did    (test_a_child_forked_during_an_update_can_update)

Assumes: replacing an attribute is atomic, with and without the GIL. Writers are serialized by an RLock, as an
update in a signal handler may interrupt one of the same thread; the older one may then forget the newer
limit, which the next answer repeats. Deadlines are of a monotonic clock: the system's time may change.
"""

from __future__ import annotations

import os
import time
from _thread import RLock

from vedette._protocol.categories import KNOWN_CATEGORIES, LIMITED_WITH, DataCategory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Final, TypeAlias

    # A category, None for all of them, or a namespace of metric_bucket.
    Key: TypeAlias = DataCategory | tuple[DataCategory, str] | None

TOO_MANY_REQUESTS: Final = 429
DEFAULT_RETRY_AFTER: Final = 60.0
"""Seconds that a 429 without any usable time counts for (RATE-18)."""

_MAX_HEADER: Final = 65_536  # characters that are read of a header
_MAX_NAMESPACES: Final = 100  # that are kept; a server could name ever new ones
_CATEGORIES, _NAMESPACES = 1, 4  # where they stand in retry_after:categories:scope:reason_code:namespaces


class RateLimits:
    """The limits of one DSN (RATE-20). ``clock`` is monotonic, ``wall_clock`` is for HTTP dates."""

    __slots__ = ("_clock", "_deadlines", "_lock", "_pid", "_wall_clock")

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._wall_clock = wall_clock
        self._deadlines: dict[Key, float] = {}  # replaced as a whole, never changed in place
        self._lock = RLock()
        self._pid = os.getpid()

    def update(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer, of any status (RATE-03). Header names count without case."""
        limits = _header(headers, "x-sentry-rate-limits")
        if limits is not None:
            self._extend(_longest(_parse(_bounded(limits))))
        elif status == TOO_MANY_REQUESTS:
            seconds = self._retry_after(_header(headers, "retry-after"))
            self._extend({None: DEFAULT_RETRY_AFTER if seconds is None else seconds})

    def is_limited(self, category: DataCategory, namespace: str | None = None) -> bool:
        """Whether the server takes none of it now: by its own limit, a related one, or one for all."""
        return self.seconds_left(category, namespace) > 0.0

    def seconds_left(self, category: DataCategory, namespace: str | None = None) -> float:
        """For how long the server will take none of it; 0.0 if it does now."""
        deadlines = self._deadlines
        if not deadlines:
            return 0.0
        now = self._clock()
        keys: tuple[Key, ...] = (None, category, *LIMITED_WITH.get(category, ()))
        if namespace is not None:
            keys = (*keys, (category, namespace))
        return max(0.0, max(deadlines.get(key, now) for key in keys) - now)

    def active(self) -> dict[DataCategory | None, float]:
        """Seconds left for each category that is limited now; None is for all. Without namespaces."""
        now = self._clock()
        return {
            key: deadline - now
            for key, deadline in self._deadlines.items()
            if deadline > now and not isinstance(key, tuple)
        }

    def _extend(self, seconds_by_key: dict[Key, float]) -> None:
        if os.getpid() != self._pid:  # forked: a thread that is no more may have held the lock
            self._lock = RLock()
            self._pid = os.getpid()
        with self._lock:
            now = self._clock()
            kept = {key: deadline for key, deadline in self._deadlines.items() if deadline > now}
            namespaces = sum(isinstance(key, tuple) for key in kept)
            for key, seconds in seconds_by_key.items():
                if isinstance(key, tuple) and key not in kept:
                    namespaces += 1
                    if namespaces > _MAX_NAMESPACES:
                        continue
                kept[key] = max(kept.get(key, 0.0), now + seconds)
            self._deadlines = kept

    def _retry_after(self, value: str | None) -> float | None:
        """Seconds, or an HTTP date (RFC 9110); None if missing or unreadable."""
        if value is None:
            return None
        seconds = _seconds(value.strip())
        if seconds is not None:
            return seconds
        import email.utils  # noqa: PLC0415 - rare

        try:
            date = email.utils.parsedate_to_datetime(value)
            return max(0.0, date.timestamp() - self._wall_clock())
        except (ValueError, TypeError, IndexError, OverflowError, OSError):
            return None


def _parse(header: str) -> Iterator[tuple[Key, float]]:
    """Keys and seconds of ``X-Sentry-Rate-Limits`` (RATE-05 to RATE-15, RATE-25 to RATE-30)."""
    for limit in "".join(header.split()).split(","):
        fields = limit.split(":")
        seconds = _seconds(fields[0])
        if seconds is None:
            continue
        categories = fields[_CATEGORIES] if len(fields) > _CATEGORIES else ""
        if not categories:
            yield None, seconds
            continue
        namespaces = fields[_NAMESPACES].split(";") if len(fields) > _NAMESPACES and fields[_NAMESPACES] else []
        for name in categories.split(";"):
            category = KNOWN_CATEGORIES.get(name)
            if category is DataCategory.METRIC_BUCKET and namespaces:
                for namespace in namespaces:
                    yield (category, namespace), seconds
            elif category is not None:
                yield category, seconds


def _bounded(header: str) -> str:
    """The whole entries at the beginning: half of one could mean something else."""
    return header if len(header) <= _MAX_HEADER else header[:_MAX_HEADER].rpartition(",")[0]


def _longest(limits: Iterator[tuple[Key, float]]) -> dict[Key, float]:
    longest: dict[Key, float] = {}
    for key, seconds in limits:
        longest[key] = max(longest.get(key, 0.0), seconds)
    return longest


def _seconds(text: str) -> float | None:
    """A plain integer or decimal number that is finite; None for anything else."""
    if not (text.isascii() and text.replace(".", "", 1).isdigit()):
        return None
    seconds = float(text)
    return seconds if seconds != float("inf") else None


def _header(headers: Mapping[str, str], name: str) -> str | None:
    for key in headers:
        if key.lower() == name:
            return headers[key]
    return None
