"""Whether Spotlight can be reached: pauses that grow while it cannot, and one complaint instead of many.

Asked and told by one thread at a time.
"""

from __future__ import annotations

from vedette._host import log
from vedette._protocol.categories import DiscardReason
from vedette._transport.delivery import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from vedette._transport.delivery import Delivery

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
SILENT_SECONDS: Final = 600.0
"""For so long a failure that lasts is not mentioned again (INT-109, INT-113)."""


class Reach:
    """The reach of one side-car; ``place`` is what it is called in messages."""

    def __init__(self, place: str, clock: Callable[[], float]) -> None:
        self._place = place
        self._clock = clock
        self._pause = FIRST_PAUSE
        self._until = 0.0
        self._mute_until = 0.0

    def seconds_left(self) -> float:
        """For how long nothing is sent (INT-110)."""
        return max(0.0, self._until - self._clock())

    def note(self, delivery: Delivery) -> None:
        """What became of a request. An answer of whatever kind ends the pauses (INT-97)."""
        if delivery.reason is DiscardReason.NETWORK_ERROR:
            self._failed(delivery.detail)
            return
        if self._mute_until:
            log.info("Spotlight at %s can be reached again", self._place)
        self._pause, self._until, self._mute_until = FIRST_PAUSE, 0.0, 0.0
        if delivery.outcome is not Outcome.DELIVERED:
            said = f"status {delivery.status}: {delivery.detail}" if delivery.status else delivery.detail
            key = f"spotlight {self._place} {delivery.status}"
            log.warn_once(key, "Spotlight at %s did not take what was captured: %s", self._place, said)

    def _failed(self, detail: str) -> None:
        now = self._clock()
        self._until = now + self._pause
        self._pause = min(LONGEST_PAUSE, 2.0 * self._pause)
        if now < self._mute_until:
            return
        self._mute_until = now + SILENT_SECONDS
        log.warning("Spotlight at %s cannot be reached; it is tried now and then: %s", self._place, detail)
