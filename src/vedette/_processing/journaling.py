"""What the journal means for delivery: what is written when, what is read back, what waits and for how long.

An error is written on the thread that captures it; what then waits in memory is a handle of it, with the payload of
the first few. Other kinds are written by whoever sends them, before the first try; batches (logs, metrics) are not. An
item is settled once its fate is known: delivered, refused, or discarded by an answer of the server. After a failure of
the network it is kept, and tried again.

Guarantees
- Of what is kept nothing is sent while the back-off lasts, and nothing of a category that the server limits.
- What is sent again, was adopted from a process that died, or was captured while errors had to wait, keeps a distance
  of 100 ms (less if over 100 wait); what is new does not.

Relies on: ``deque.append`` and ``popleft`` being safe together. One thread at a time takes from the backlog.
"""

from __future__ import annotations

from vedette._host import deque
from vedette._processing.backoff import Backoff
from vedette._processing.buffer import Item
from vedette._processing.kinds import CAPTURED_TO_DISK, KINDS
from vedette._processing.outcomes import ADOPTED
from vedette._protocol.categories import DiscardReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from vedette._processing.accounts import Accounts
    from vedette._processing.kinds import Kind
    from vedette._processing.packing import Packer
    from vedette._protocol.categories import DataCategory
    from vedette._protocol.envelope import Item as Attachment
    from vedette._transport.delivery import Delivery
    from vedette._transport.journal import Journal

REPLAY_SECONDS: Final = 0.1
"""From one item that is sent again to the next (OFF-21), unless so many wait that this would take too long."""
REPLAY_ALL_SECONDS: Final = 10.0
"""At the pace that would send all in this time, then: errors that come in faster than ten a second pile up for ever."""
ADOPT_SECONDS: Final = 30.0
RECORDED_BYTES: Final = 1024 * 1024
"""Attachments of an event go into the journal with it if they are not larger than this together."""

_SERVER_ERROR: Final = 500


class Journaling:
    """The journal of one client in one process."""

    def __init__(
        self,
        journal: Journal,
        packer: Packer,
        accounts: Accounts,
        seconds_limited: Callable[[DataCategory], float],
        clock: Callable[[], float],
        *,
        max_items: int,
    ) -> None:
        self._journal = journal
        self._packer = packer
        self._accounts = accounts
        self._seconds_limited = seconds_limited
        self._clock = clock
        self._max_items = max_items
        self.backoff = Backoff(clock)
        self._backlog: deque[tuple[DataCategory, Item]] = deque()
        self._held_until = 0.0  # errors, the last time that they were
        self._is_probe = False
        self._next_replay = 0.0
        self._next_adoption = 0.0
        self._found_more = False
        self._closed = False

    # --- writing ---------------------------------------------------------------------------------------------

    def record(self, kind: Kind, category: DataCategory, item: Item) -> None:
        """Write an item to disk, if that can be done. The first ones in a buffer keep their payload besides.

        Raises TooLargeError, ScrubberError.
        """
        recorded = item.attachments if _fit(item) else ()
        entry = self._journal.append(category, *self._packer.record(kind, [item], recorded))
        if entry is None:
            return
        item.entry = entry
        if recorded:
            item.payload = {}
            item.recorded = tuple(item.quantities())
            item.attachments = ()
            self._accounts.let_go_attached(item)

    def postpone(self, category: DataCategory, item: Item) -> None:
        """It waits on disk only: there is no room for it in memory, or it could not be sent."""
        item.payload = {}
        self._backlog.append((category, item))
        self._next_replay = min(self._next_replay, self._clock() + self._distance())
        while len(self._backlog) > self._max_items and self._let_go_of_evicted():
            pass
        if self._closed:
            self._lose_riders(item)

    def _let_go_of_evicted(self) -> bool:
        """Forget the oldest item whose record the journal has evicted; False if there is none."""
        for waiting in self.backlog():
            category, item = waiting
            if item.entry is not None and not self._journal.holds(item.entry):
                try:
                    self._backlog.remove(waiting)
                except (ValueError, IndexError):  # somebody was faster, or others are at the backlog, too: look again
                    return True
                self._forget(category, item, DiscardReason.CACHE_OVERFLOW)
                return True
        return False

    def _lose_riders(self, item: Item) -> None:
        """What is not on disk of its attachments is lost: whoever sends the item later does not have it."""
        attachments, item.attachments = item.attachments, ()
        for category, quantity in (pair for each in attachments for pair in each.quantities()):
            self._accounts.outcomes.count(DiscardReason.NETWORK_ERROR, category, quantity)
        self._accounts.let_go_attached(item)

    # --- sending ---------------------------------------------------------------------------------------------

    def open(self, kind: Kind, category: DataCategory, item: Item) -> bool:
        """Make an item ready to be sent: write it, or read it back.

        False if it is gone, which is then counted; or left to the next process, for this journal was closed meanwhile.
        """
        if item.entry is None:
            if kind.batch == 1:
                self.record(kind, category, item)
            if item.entry is None:
                return True
        if item.payload and self._journal.claim(item.entry):  # it need not be read back
            return True
        body = self._journal.read(item.entry)
        if body is not None:
            try:
                self._unpack(body, item)
            except ValueError:  # written by another version, or damaged where no checksum tells
                body = None
        if body is None:
            if self._journal.is_left(item.entry):
                self.postpone(category, item)
            else:
                self._forget(category, item, DiscardReason.INTERNAL_SDK_ERROR)
        return body is not None

    def _unpack(self, body: bytes, item: Item) -> None:
        is_first_time = item.headers is None
        item.headers, item.payload, unpacked = self._packer.unpacked(body)
        item.is_finished = True
        item.recorded = ()
        item.unpacked = tuple(unpacked)
        item.attachments = (*unpacked, *item.attachments)
        if item.is_adopted and is_first_time:
            self._accounts.count_attached(ADOPTED, item)

    def _forget(self, category: DataCategory, item: Item, reason: DiscardReason) -> None:
        """An item whose record was evicted, and counted then; or is lost for a reason of ours, and counted now."""
        if self.settle(item):
            self._accounts.settle(reason, category, item)

    def keep(self, category: DataCategory, item: Item) -> None:
        """Have it wait on disk again; what is not on disk of its attachments waits in memory."""
        if item.entry is None:
            return
        self._journal.keep(item.entry)
        if item.unpacked is not None:
            self._pack(item, item.unpacked)
        self.postpone(category, item)

    def _pack(self, item: Item, unpacked: Sequence[Attachment]) -> None:
        """Let go of what was read back, all of which is still on disk, also what this try went without."""
        on_disk = {id(each) for each in unpacked}
        item.left_out = ()
        item.recorded = tuple(pair for each in unpacked for pair in each.quantities())
        item.attachments = tuple(each for each in item.attachments if id(each) not in on_disk)
        item.unpacked = None
        item.payload = {}

    def settle(self, item: Item) -> bool:
        """Its fate is known. True if that is to be counted, False if its record was evicted, and counted then."""
        if item.entry is None or self._journal.settle(item.entry):
            return True
        self._accounts.count_attached(DiscardReason.CACHE_OVERFLOW, item)
        self._accounts.let_go_attached(item)
        item.lose()
        return False

    def note(self, delivery: Delivery) -> None:
        """Learn from how a request ended when the next one makes sense."""
        if delivery.status is None:
            if delivery.reason is DiscardReason.NETWORK_ERROR:
                self.backoff.offline()
        elif delivery.status >= _SERVER_ERROR:
            self.backoff.refused()
        else:
            self.backoff.succeeded()
        if not self.seconds_held(CAPTURED_TO_DISK):  # which notes until when
            self._held_until = min(self._held_until, self._clock())  # it ended early, for somebody's flush

    # --- what waits ------------------------------------------------------------------------------------------

    def seconds_held(self, category: DataCategory) -> float:
        """For how long new items of a category must wait."""
        if category is not CAPTURED_TO_DISK:
            return self.backoff.seconds_left()
        seconds = max(self.backoff.seconds_left(), self._seconds_limited(category))
        if seconds:
            self._held_until = max(self._held_until, self._clock() + seconds)
        return seconds

    def has_waited(self, item: Item) -> bool:
        """Whether it is on disk from a time when nothing could be sent: then it keeps its distance."""
        return item.entry is not None and self._journal.written_at(item.entry) < self._held_until

    def seconds_to_replay(self) -> float | None:
        """In how many seconds something of the backlog can be sent; None if there is nothing."""
        if not self._backlog:
            return None
        return max(self.backoff.seconds_left(), self._next_replay - self._clock(), 0.0)

    def next_of_backlog(self) -> tuple[DataCategory, Item] | None:
        """The oldest of the backlog that can be sent now, or None."""
        if self.seconds_to_replay() != 0.0:
            return None
        for _ in range(len(self._backlog)):
            try:
                category, item = self._backlog.popleft()
            except IndexError:  # others have let go of what was evicted meanwhile
                return None
            if not self._seconds_limited(category):
                self._is_probe = self.backoff.is_on()
                return category, item
            self._backlog.append((category, item))
        limits = [self._seconds_limited(category) for category in {category for category, _ in tuple(self._backlog)}]
        self._next_replay = self._clock() + max(self._distance(), min(limits, default=0.0))
        return None

    def _distance(self) -> float:
        """Seconds from one that is sent again to the next."""
        return min(REPLAY_SECONDS, REPLAY_ALL_SECONDS / (len(self._backlog) or 1))

    def has_replayed(self) -> None:
        """One was sent: the next one keeps its distance. When all are, there may be more to adopt."""
        now = self._clock()
        self._next_replay = now + self._distance()
        if self._is_probe:  # until its answer nobody knew that the server is back
            self._held_until = max(self._held_until, now)
        if self._found_more and not self._backlog:
            self._found_more, self._next_adoption = False, 0.0

    def adopt(self) -> None:
        """Take over what processes left that died; at most every 30 s, but for what one round has left."""
        if self._clock() < self._next_adoption:
            return
        self._next_adoption = self._clock() + ADOPT_SECONDS
        for entry in self._journal.adopt():
            item = Item({})
            item.entry = entry
            item.is_adopted = True
            self._accounts.outcomes.count(ADOPTED, entry.category)
            if entry.category in KINDS:
                self._backlog.append((entry.category, item))
                self._found_more = True
            else:  # of another version
                self._forget(entry.category, item, DiscardReason.INTERNAL_SDK_ERROR)

    def kept(self) -> dict[DataCategory, int]:
        """How many items of each category are on disk, those that are just being sent included."""
        return self._journal.kept()

    def backlog(self) -> list[tuple[DataCategory, Item]]:
        """The items that wait on disk only."""
        while True:
            try:
                return list(self._backlog)
            except RuntimeError:  # something was added or taken in the middle: look again
                continue

    def waiting(self) -> int:
        """How many these are."""
        return len(self._backlog)

    def is_replaying(self) -> bool:
        """Whether some of the backlog is about to be sent."""
        seconds = self.seconds_to_replay()
        return seconds is not None and seconds <= REPLAY_SECONDS

    def begin_flush(self) -> bool:
        """Somebody waits for delivery: look for the dead at once, try once more. Whether there may be something."""
        self.backoff.may_probe()
        may_be_more = bool(self._backlog) or self._journal.has_dead()
        self._next_adoption = 0.0  # after that look: while it lasts, whoever adopts finds the segments taken
        return may_be_more

    def close(self) -> None:
        """Leave what waits on disk to whoever comes next."""
        self._closed = True
        for _, item in self.backlog():
            self._lose_riders(item)
        self._journal.close(keep_appending=True)


def _fit(item: Item) -> bool:
    """Whether the attachments go into the record: bytes, and not many."""
    if not item.attachments:
        return True
    payloads = [each.payload for each in item.attachments]
    if any(each.is_file for each in payloads):
        return False
    return sum(each.size() for each in payloads) <= RECORDED_BYTES
