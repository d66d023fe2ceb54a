"""What one process owns of a journal, kept within its bounds.

Guarantees
- Past a bound the oldest entries go first, over all segments, and are named to ``on_evicted`` once. An entry that
  somebody is sending stays: it is either sent or evicted, never both.
- Nothing blocks, in any thread or signal handler. One at a time keeps house (makes room, changes the current
  segment); others leave it to him, so that for a moment the journal may be over a bound by what was appended meanwhile.
- At most some 40 segments, each of which costs two descriptors: a small one is appended to again.

Relies on: ``set.remove``, ``dict.pop`` and the like being each done in one step, with and without the GIL.
"""

from __future__ import annotations

import _thread
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from vedette._protocol.categories import DataCategory
    from vedette._transport.journal.segment import Entry, Segment

_PARTS: Final = 16  # of the bytes: one segment takes one of them, so that freeing the oldest frees little more


class Holdings:
    """Segments and live entries of one process. ``on_evicted`` gets category and number of what had to go."""

    def __init__(self, max_bytes: int, max_items: int, on_evicted: Callable[[DataCategory, int], None]) -> None:
        self.pid = os.getpid()
        self.current: Segment | None = None
        self.segments: dict[Segment, None] = {}
        self.entries: dict[Entry, bool] = {}
        self._idle: set[Entry] = set()
        self._sending: set[Entry] = set()  # an entry that is in neither is just being evicted, or settled
        self._max_bytes = max_bytes
        self._max_items = max_items
        self._segment_bytes = max_bytes // _PARTS
        self._on_evicted = on_evicted
        self.housekeeping = _thread.allocate_lock()  # never waited for
        self._bytes_elsewhere = 0  # in all segments but the current one, when last counted

    def hold(self, entry: Entry) -> None:
        """Count it in."""
        self._idle.add(entry)  # first: who is interrupted in between shall not seem to be sending it
        self.entries[entry] = True

    def take(self, entry: Entry) -> bool:
        """Keep it from being evicted; False if it was already, or is settled."""
        try:
            self._idle.remove(entry)
        except KeyError:
            return entry in self._sending  # taken already
        self._sending.add(entry)
        return True

    def give_back(self, entry: Entry) -> None:
        """It waits again, and can be evicted."""
        self._sending.discard(entry)
        if entry in self.entries:
            self._idle.add(entry)

    def drop(self, entry: Entry) -> bool:
        """Count it out, and mark it on disk; False if somebody did before, or is at it."""
        for claims in (self._idle, self._sending):
            try:
                claims.remove(entry)
            except KeyError:
                continue
            return self._end(entry)
        return False

    def _end(self, entry: Entry) -> bool:
        """What only the one may do who has taken it out of the idle, or of those that are being sent."""
        entry.segment.settle(entry)  # first: while it counts as being sent, `close` leaves the file to us
        return self.entries.pop(entry, False)

    def is_busy(self, segment: Segment) -> bool:
        """Whether somebody is sending an entry of it."""
        return any(entry in self.entries and entry not in self._idle for entry in tuple(segment.live.values()))

    def is_idle(self, entry: Entry) -> bool:
        """Whether it waits, and nobody is sending, evicting or settling it."""
        return entry in self._idle

    def counts(self) -> dict[DataCategory, int]:
        """Live entries by category."""
        found: dict[DataCategory, int] = {}
        for entry in tuple(self.entries):
            found[entry.category] = found.get(entry.category, 0) + 1
        return found

    def is_current_full(self) -> bool:
        """Whether the next append should go to a new segment."""
        current = self.current
        return current is not None and current.size > self._segment_bytes

    def put_current(self, segment: Segment) -> None:
        """Append to this one from now on."""
        self.segments[segment] = None
        self.current = segment
        for other in tuple(self.segments):  # also one that another thread made at the same time: it will come back
            if other is not self.current:
                other.retire()
        self.recount()

    def reuse_small(self) -> bool:
        """Append again to a segment of which little was left; only by who keeps house."""
        small = [each for each in tuple(self.segments) if each.size <= self._segment_bytes // 2]
        for segment in small:
            if segment is not self.current and not segment.is_adopted and segment.reopen():
                self.put_current(segment)
                return True
        return False

    def recount(self) -> int:
        """Bytes on disk; forgets segments that are gone."""
        total = 0
        current = self.current
        for segment in tuple(self.segments):
            if segment.is_gone:
                self.segments.pop(segment, None)
            elif segment is not current:
                total += segment.size
        self._bytes_elsewhere = total
        return total + (current.size if current is not None else 0)

    def is_over(self, more_items: int = 0, more_bytes: int = 0) -> bool:
        """Whether a bound is passed, with so much more, as far as can be told cheaply."""
        current = self.current
        used = self._bytes_elsewhere + (current.size if current is not None else 0)
        return used + more_bytes > self._max_bytes or len(self.entries) + more_items > self._max_items

    def make_room(self) -> None:
        """Evict what is over the bounds, and free the disk of it."""
        if not self.housekeeping.acquire(blocking=False):
            return
        try:
            while len(self.entries) > self._max_items and self.evict_oldest():
                pass
            if self.recount() > self._max_bytes:
                self._free_bytes()
        finally:
            self.housekeeping.release()

    def evict_oldest(self) -> int:
        """The size of what had to go; 0 if there is nothing that can."""
        oldest = self._oldest()
        if oldest is None:
            return 0
        self._evict(oldest)
        return oldest.size

    def expire(self, now: float) -> None:
        """Evict what is too old."""
        if not self.housekeeping.acquire(blocking=False):
            return
        try:
            oldest = self._oldest()
            while oldest is not None and oldest.expires <= now:
                self._evict(oldest)
                oldest = self._oldest()
        finally:
            self.housekeeping.release()

    def _free_bytes(self) -> None:
        """Down to seven eighths, so that it is done seldom: evict what is too much, then drop what is dead on disk."""
        self._retire_current()
        enough = self._max_bytes - self._max_bytes // 8
        live = sum(entry.size for entry in tuple(self.entries))
        while live > enough and (evicted := self.evict_oldest()):
            live -= evicted
        for segment in sorted(self.segments, key=lambda each: each.dead_bytes(), reverse=True):
            if self.recount() <= enough:
                break
            if segment is self.current or segment.is_gone:
                continue
            try:
                segment.compact()
            except OSError:  # no room to do it in
                break
        self.recount()

    def _retire_current(self) -> None:
        current = self.current
        if current is not None and self.is_current_full():
            self.current = None
            current.retire()

    def _oldest(self) -> Entry | None:
        heads = [segment.oldest(self._idle) for segment in tuple(self.segments)]
        return min((head for head in heads if head is not None), key=lambda each: each.expires, default=None)

    def _evict(self, entry: Entry) -> None:
        try:
            self._idle.remove(entry)
        except KeyError:
            return  # somebody has just taken it
        if self._end(entry):
            self._on_evicted(entry.category, 1)
