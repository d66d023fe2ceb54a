"""The journal: what was captured is on disk before it is sent, and is found there after a kill (design decision 10).

Guarantees
- No method blocks on another thread, and none raises (but what a signal handler raises); each may be called in any
  thread, from a signal handler at any byte code of this package, in a forked child.
- Once ``append`` has returned an entry, the record survives the end of the process, however it comes: SIGKILL, an
  OOM kill. (Not that of the machine: nothing is synced.)
- An entry is live in one process at a time. It is sent twice only if a kill comes between the answer and the mark.

Assumes: a local file system.
"""

from __future__ import annotations

import errno
import os
import time

from vedette._host import log
from vedette._transport.journal import folder as places
from vedette._transport.journal import ownership as owners
from vedette._transport.journal.adoption import Adoption, is_any_dead
from vedette._transport.journal.holdings import Holdings
from vedette._transport.journal.segment import Segment, TornWriteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from vedette._protocol.categories import DataCategory
    from vedette._transport.journal.segment import Entry

_ATTEMPTS: Final = 10  # of an append: a full or deleted segment is followed by a new one
_RENEW_BYTES: Final = 256 * 1024  # a segment with nothing live gives way to a new one when it is this large
_NEW_SEGMENT_HELPS: Final = (errno.EFBIG, errno.EBADF)


class Journal:
    """The part of a cache directory that belongs to one DSN, as one client of one process sees it.

    ``max_bytes``, ``max_items`` and ``max_age`` (seconds) bound what this process owns, the segments it has adopted
    included (OFF-01). ``on_evicted`` is called with category and number of what had to go, on whatever thread
    found it; it must neither block nor raise.

    Raises OSError or ValueError, with the reason, where the directory cannot be used.
    """

    def __init__(
        self,
        directory: str,
        dsn_id: str,
        *,
        max_bytes: int,
        max_items: int,
        max_age: float,
        on_evicted: Callable[[DataCategory, int], None],
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = places.prepare(directory, dsn_id)
        self._max_bytes = max_bytes
        self._max_items = max_items
        self._max_age = max_age
        self._on_evicted = on_evicted
        self._wall_clock = wall_clock
        self._clock = clock
        self._closed = False
        self._takes_appends = True
        self._holdings = self._new_holdings()
        self._open_segment(self._holdings)  # now, so that a directory without locks or without room is refused at once

    def _new_holdings(self) -> Holdings:
        return Holdings(self._max_bytes, self._max_items, self._on_evicted)

    def _here(self) -> Holdings:
        if self._holdings.pid != os.getpid():
            self.forked()
        return self._holdings

    def forked(self) -> None:
        """In a forked child: own nothing of the parent's, and begin a segment with the first append."""
        inherited = self._holdings
        if inherited.pid == os.getpid():
            return
        owners.start_anew()
        for segment in inherited.segments:
            segment.abandon()
        self._holdings = self._new_holdings()

    def append(self, category: DataCategory, *body: bytes) -> Entry | None:
        """Write a body, in one piece or several, to disk; None, and a warning, if that cannot be done."""
        if not self._takes_appends:
            return None
        size = sum(map(len, body))
        if size > self._max_bytes:
            log.warn_once("journal:size", "an envelope of %d bytes is too large for the journal", size)
            return None
        holdings = self._here()
        try:
            entry = self._write(holdings, category, body)
        except (OSError, ValueError) as error:
            log.warn_once(f"journal:{self._folder}", "the journal in %s cannot be written: %s", self._folder, error)
            return None
        if holdings.is_over():
            holdings.make_room()
        return entry

    def _write(self, holdings: Holdings, category: DataCategory, body: tuple[bytes, ...]) -> Entry:
        failure: OSError | None = None
        expires = self._clock() + self._max_age
        for _ in range(_ATTEMPTS):
            if holdings.is_current_full():
                self._renew(holdings)
            segment = holdings.current or self._open_segment(holdings)
            try:
                entry = segment.append(category, body, self._wall_clock(), expires)
            except TornWriteError as error:
                failure = error
                continue
            except OSError as error:
                if error.errno not in _NEW_SEGMENT_HELPS:
                    raise
                failure, entry = error, None
            if entry is not None:
                holdings.hold(entry)
                return entry
            self._retire(holdings, segment)
        raise failure or OSError(errno.EAGAIN, "its files are deleted again and again")

    def _open_segment(self, holdings: Holdings) -> Segment:
        """Put a new segment in the place of the current one."""
        wall_now = self._wall_clock()
        try:
            ownership = owners.own_new(self._folder, wall_now)
        except FileNotFoundError:
            places.make(self._folder)
            ownership = owners.own_new(self._folder, wall_now)
        try:
            segment = Segment.create(ownership)
        except OSError:
            ownership.remove()
            raise
        holdings.put_current(segment)
        return segment

    def _retire(self, holdings: Holdings, segment: Segment) -> None:
        if holdings.current is segment:
            holdings.current = None
        segment.retire()

    def read(self, entry: Entry) -> bytes | None:
        """The body, to be sent now: until ``settle`` or ``keep`` the entry is not evicted.

        None: it is damaged, was evicted, or is left to others; ``is_left`` and then ``settle`` tell which.
        """
        return entry.segment.read(entry) if self.claim(entry) else None

    def claim(self, entry: Entry) -> bool:
        """Keep the entry from being evicted, as `read` does; False if it was, or is left to others."""
        if not self._here().take(entry):
            return False
        if not self._closed:  # asked after the taking: `close` says so before it looks for what was taken
            return True
        self.keep(entry)
        return False

    def is_left(self, entry: Entry) -> bool:
        """Whether it was not taken before this journal was closed: it is for whoever adopts it."""
        return self._closed and self._here().is_idle(entry)

    def holds(self, entry: Entry) -> bool:
        """Whether it waits to be sent, or is being sent: it was neither settled nor evicted."""
        return entry in self._here().entries

    def written_at(self, entry: Entry) -> float:
        """When that was, on the monotonic clock."""
        return entry.expires - self._max_age

    def keep(self, entry: Entry) -> None:
        """It was read and not sent; it waits again."""
        holdings = self._here()
        holdings.give_back(entry)
        self._release_if_closed(holdings, entry.segment)

    def settle(self, entry: Entry) -> bool:
        """It was sent or discarded, and is never read again, by nobody.

        False: it was evicted or settled before, and has been counted.
        """
        holdings = self._here()
        was_live = holdings.drop(entry)
        segment = entry.segment
        if segment is holdings.current and not segment.live and segment.size > _RENEW_BYTES:
            self._renew(holdings)
        self._release_if_closed(holdings, segment)
        return was_live

    def _renew(self, holdings: Holdings) -> None:
        """Change to another segment, unless somebody keeps house, or the system refuses: the old one goes on."""
        if not holdings.housekeeping.acquire(blocking=False):
            return
        try:
            if not holdings.reuse_small():
                self._open_segment(holdings)
        except (OSError, ValueError):
            return
        finally:
            holdings.housekeeping.release()

    def adopt(self) -> list[Entry]:
        """Take over segments of dead processes; their entries, oldest first. Evicts what is too old, or too much.

        What was evicted is among them: it counts as adopted, and as lost. Not all at once, if there are many: when
        those are delivered there may be more. None once this journal is closed.
        """
        if self._closed:
            return []
        holdings = self._here()
        found = Adoption(self._folder, holdings, self._max_age, self._wall_clock(), self._clock()).run()
        self._release_all_if_closed(holdings)  # meanwhile
        return found

    def has_dead(self) -> bool:
        """Whether dead processes left something; one look at the folder, and at one lock for each segment in it."""
        return is_any_dead(self._folder)

    def kept(self) -> dict[DataCategory, int]:
        """How many live entries of each category this process owns, or owned when it was closed."""
        return self._here().counts()

    def is_idle(self) -> bool:
        """Whether nothing waits to be sent."""
        return not self._here().entries

    def close(self, *, keep_appending: bool) -> None:
        """Leave what is live to whoever adopts it, this process included; delete the rest.

        What is being sent can still be settled. ``keep_appending``: a late ``append`` begins a segment of its own.
        """
        holdings = self._here()
        self._closed = True
        self._takes_appends = keep_appending
        holdings.current = None
        self._release_all_if_closed(holdings)

    def _release_all_if_closed(self, holdings: Holdings) -> None:
        for segment in tuple(holdings.segments):
            self._release_if_closed(holdings, segment)

    def _release_if_closed(self, holdings: Holdings, segment: Segment) -> None:
        if self._closed and segment is not holdings.current and not holdings.is_busy(segment):
            segment.release()
