"""Taking over what dead processes left, oldest first, within the bounds of whoever takes it.

A process holds at most ``MAX_ADOPTED`` segments of others, for each costs two descriptors; what a thousand crashed
processes left is taken bit by bit. The bounds hold for it at once all the same: a program that crashes every minute,
with a server that is away for a week, must not fill the disk.
"""

from __future__ import annotations

import os

from vedette._host import deque
from vedette._transport.journal import folder as places
from vedette._transport.journal.ownership import own_dead
from vedette._transport.journal.segment import Segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from vedette._transport.journal.holdings import Holdings
    from vedette._transport.journal.segment import Entry

MAX_ADOPTED: Final = 16


def is_any_dead(folder: str) -> bool:
    """Whether the owner of some segment is dead."""
    try:
        stems = places.stems(os.listdir(folder))
    except OSError:
        return False
    for stem in stems:
        ownership = own_dead(folder, stem)
        if ownership is not None:
            ownership.release()
            return True
    return False


class Adoption:
    """One round of it. ``wall_now`` and ``now``: the time, on the clock of the records and on the journal's own."""

    def __init__(self, folder: str, holdings: Holdings, max_age: float, wall_now: float, now: float) -> None:
        self._folder = folder
        self._holdings = holdings
        self._max_age = max_age
        self._wall_now = wall_now
        self._now = now
        self._found: list[Entry] = []
        self._left: deque[tuple[str, int]] = deque()  # stems and bytes of dead segments that there is no room for

    def run(self) -> list[Entry]:
        """The entries that were taken, oldest first, also those that were evicted at once, and told of as such."""
        holdings = self._holdings
        holdings.recount()
        for stem in self._stems():
            if self._has_room():
                self._take(stem)
            else:
                self._leave_if_dead(stem)
        holdings.expire(self._now)
        self._bound_what_is_left()
        holdings.recount()
        holdings.make_room()
        return sorted(self._found, key=lambda each: each.expires)

    def _has_room(self) -> bool:
        return sum(segment.is_adopted for segment in tuple(self._holdings.segments)) < MAX_ADOPTED

    def _stems(self) -> list[str]:
        try:
            return places.stems(os.listdir(self._folder))
        except OSError:
            return []

    def _take(self, stem: str) -> None:
        ownership = own_dead(self._folder, stem)
        if ownership is None:
            return
        try:
            segment = Segment.adopt(ownership, self._max_age, self._wall_now, self._now)
        except OSError:  # what cannot be read now may be another time
            ownership.release()
            return
        if segment is None:
            return
        self._holdings.segments[segment] = None
        for entry in tuple(segment.live.values()):
            self._holdings.hold(entry)
            self._found.append(entry)

    def _leave_if_dead(self, stem: str) -> None:
        ownership = own_dead(self._folder, stem)
        if ownership is None:
            return
        try:
            self._left.append((stem, os.stat(ownership.path(places.DATA)).st_size))
        except OSError:
            ownership.remove()  # there is nothing but the lock file
        else:
            ownership.release()

    def _bound_what_is_left(self) -> None:
        """Evict the oldest until the rest fits beside what was taken; each segment counts as one item at least."""
        holdings = self._holdings
        left = self._left
        left_bytes = sum(size for _, size in left)
        while left and holdings.is_over(len(left), left_bytes):
            if self._has_room():
                stem, size = left.popleft()
                left_bytes -= size
                self._take(stem)
            elif not holdings.evict_oldest():
                return
            holdings.recount()
