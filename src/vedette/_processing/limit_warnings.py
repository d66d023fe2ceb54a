"""Rate limits are no silent loss: one warning for each category and window (PAIN-44).

Guarantees
- ``note`` and ``settle`` never block; they may be called from any thread and interrupt themselves.
- A window that the server makes longer, as long as it lasts, is the same one: it is warned of once.

Relies on: the items of a dict being replaced and popped atomically. Windows are opened under a try-lock, and nothing
is called out to while it is held.
"""

from __future__ import annotations

import _thread
import time

from vedette._host import log
from vedette._protocol.categories import DataCategory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Window:
    """A time in which the server takes nothing of a category."""

    __slots__ = ("end", "lost_before")

    def __init__(self, end: float, lost_before: int) -> None:
        self.end = end
        self.lost_before = lost_before


class LimitWarnings:
    """Says what the rate limits of one client cost.

    ``seconds_left`` tells for how long a category is limited, ``lost`` how many of it were lost to rate limits.
    """

    def __init__(
        self,
        seconds_left: Callable[[DataCategory], float],
        lost: Callable[[DataCategory], int],
        clock: Callable[[], float],
    ) -> None:
        self._seconds_left = seconds_left
        self._lost = lost
        self._clock = clock
        self._windows: dict[DataCategory, Window] = {}
        self._opening = _thread.allocate_lock()

    def note(self, category: DataCategory) -> None:
        """An item was lost to a limit, and counted: refused with 429, or dropped in the time that the server named."""
        if category is DataCategory.ATTACHMENT:
            return  # its bytes, which are counted beside the attachment itself
        if category is DataCategory.ATTACHMENT_ITEM:
            category = DataCategory.ATTACHMENT  # by which attachments are limited (ruling 11)
        now, left = self._clock(), self._seconds_left(category)
        window = self._windows.get(category)
        if window is not None and now < window.end:
            window.end = max(window.end, now + left)
            return
        if left <= 0.0:
            log.warn_once(f"429 {category}", "the server refused an item of category %r (429)", category.value)
            return
        if not self._opening.acquire(blocking=False):
            return  # somebody is at it; if it was for another category, the next loss will be told
        try:
            if self._windows.get(category) is not window:
                return  # it was opened by what interrupted this
            lost = self._lost(category)
            self._windows[category] = Window(now + left, lost - 1)
        finally:
            self._opening.release()
        if window is not None:
            _tell_cost(category, lost - 1 - window.lost_before)
        log.warning(
            "rate limit: the server takes nothing of category %r until %s UTC (for %.0f s); "
            "lost to rate limits so far: %d, and so will be what is captured until then",
            category.value,
            time.strftime("%H:%M:%S", time.gmtime(time.time() + left)),
            left,
            lost,
        )

    def settle(self, *, all_of_them: bool = False) -> None:
        """Tell what the windows have cost that are over."""
        if not self._windows:
            return
        now = self._clock()
        for category, window in list(self._windows.items()):
            if (all_of_them or now >= window.end) and self._windows.pop(category, None) is not None:
                _tell_cost(category, self._lost(category) - window.lost_before)


def _tell_cost(category: DataCategory, quantity: int) -> None:
    log.info("the rate limit on category %r has cost %d", category.value, quantity)
