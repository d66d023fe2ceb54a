"""How long nothing is sent after a failure: growing from try to try, with full jitter (rulings 19, 20)."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

MOST_SECONDS: Final = 60.0
OFFLINE_SECONDS: Final = 0.1
"""The least pause after the network failed."""
REFUSED_SECONDS: Final = 1.0
"""The least pause after the server answered 5xx: what it is sent then is lost."""

_MOST_DOUBLINGS: Final = 10


class Backoff:
    """The pause of one client. Several threads may tell it how their requests ended."""

    def __init__(self, clock: Callable[[], float], random: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._random = _random if random is None else random
        self._failures = 0
        self._until = 0.0
        self._is_offline = False

    def is_on(self) -> bool:
        """Whether the last request failed; the next one is a probe."""
        return self._failures > 0

    def seconds_left(self) -> float:
        """For how long nothing may be sent."""
        return max(0.0, self._until - self._clock()) if self._failures else 0.0

    def succeeded(self) -> None:
        """The server took something, or refused it for what it is. A pause that was begun goes on."""
        if not self.seconds_left():
            self._failures = 0

    def offline(self) -> None:
        """The server could not be reached."""
        self._fail(OFFLINE_SECONDS)
        self._is_offline = True

    def refused(self) -> None:
        """The server answered 5xx."""
        self._fail(REFUSED_SECONDS)
        self._is_offline = False

    def may_probe(self) -> None:
        """Somebody waits for delivery: try again at once, unless it costs an event."""
        if self._is_offline:
            self._until = 0.0

    def _fail(self, least: float) -> None:
        if self._failures and self.seconds_left():
            return  # of requests that were on their way together one counts
        most = min(MOST_SECONDS, least * 2.0 ** min(self._failures + 1, _MOST_DOUBLINGS))
        self._failures += 1
        self._until = self._clock() + max(least, most * self._random())


def _random() -> float:
    """A number in [0.0, 1.0), safe after a fork; ``random`` would cost every program its import."""
    return int.from_bytes(os.urandom(6), "big") / (1 << 48)
