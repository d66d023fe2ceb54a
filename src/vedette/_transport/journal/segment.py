"""One append-only file of records, owned by this process, and the live entries in it.

Guarantees
- Any method may be called in any thread, and from a signal handler in the middle of any other; none blocks.
- A record is written by one call with O_APPEND, so that records of threads and signal handlers never mix.
- The file is deleted once it is retired (no more appends) and nothing in it is live; not while somebody uses it. A
  descriptor is never written to after it was closed, not even if its number is in use again.

How: whoever uses the file says so in ``_users`` first. Then either it is not retired yet, or the entry in question is
still live, or he must leave it alone. The last one to leave a retired segment without live entries ends it.

Relies on: ``append``, ``pop`` and length of a list, and ``dict`` operations, being each done in one step and seen by
all threads in one order, with and without the GIL; ``next`` of a counter being atomic. Where a record landed is known
for sure only when it was looked at: threads race for the end of the file.
"""

from __future__ import annotations

import os
import sys
from itertools import count

from vedette._protocol.categories import KNOWN_CATEGORIES, DataCategory
from vedette._transport.journal import folder as places
from vedette._transport.journal.files import FLAGS, FileIdentity, close_own, read_all, read_at, unlink, write
from vedette._transport.journal.record import age_of, find, live_records, pack, pack_mark, salt_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Final

    from vedette._transport.journal.ownership import Ownership
    from vedette._transport.journal.record import Record

_NAMES: Final[dict[DataCategory, bytes]] = {each: each.value.encode() for each in DataCategory}
_NEAR: Final = 256 * 1024
_APPENDING: Final = FLAGS | os.O_APPEND


class TornWriteError(OSError):
    """The system took a part of a record only; what is there of it is passed over by whoever reads."""


class Entry:
    """A record on disk that waits to be sent. Its attributes are for reading.

    ``category``: of what is in it. ``size``: in bytes, on disk. ``expires``: when it is too old to be sent, on the
    journal's monotonic clock.
    """

    __slots__ = ("category", "expires", "number", "position", "segment", "size")

    def __init__(
        self, segment: Segment, category: DataCategory, number: int, position: int, size: int, expires: float
    ) -> None:
        self.segment = segment
        self.category = category
        self.number = number
        self.position = position
        self.size = size
        self.expires = expires


class Segment:
    """Use ``create`` or ``adopt``."""

    def __init__(self, ownership: Ownership, descriptor: int) -> None:
        status = os.fstat(descriptor)
        self.live: dict[int, Entry] = {}
        self.size = status.st_size
        self.is_adopted = False
        self.is_gone = False
        self._ownership = ownership
        self._salt = salt_of(ownership.stem)
        self._file = FileIdentity(status)
        self._descriptors = [descriptor]  # whoever pops it, closes it
        self._descriptor = descriptor
        self._numbers = count(1)
        self._users: list[None] = []
        self._retired = False
        self._released = False
        self._keeps_file = False

    @classmethod
    def create(cls, ownership: Ownership) -> Segment:
        """A new file. Raises OSError."""
        path = ownership.path(places.DATA)
        return cls(ownership, os.open(path, _APPENDING | os.O_CREAT | os.O_EXCL, 0o600))

    @classmethod
    def adopt(cls, ownership: Ownership, max_age: float, wall_now: float, now: float) -> Segment | None:
        """Take over what a dead process left; None, and no file, if nothing in it is live. Raises OSError."""
        unlink(ownership.path(places.SCRATCH))
        try:
            descriptor = os.open(ownership.path(places.DATA), _APPENDING)
        except FileNotFoundError:
            ownership.remove()
            return None
        segment = cls(ownership, descriptor)
        try:
            records = live_records(read_all(descriptor), segment._salt)
        except BaseException:  # what cannot be read now is left as it is
            close_own(descriptor, segment._file)
            raise
        for record in records:
            expires = now + max_age - age_of(record.time, wall_now)
            segment.live[record.number] = segment._entry(record, expires)
        segment.is_adopted = True
        segment.retire()
        return None if segment.is_gone else segment

    def _entry(self, record: Record, expires: float) -> Entry:
        category = KNOWN_CATEGORIES.get(record.category, DataCategory.DEFAULT)
        return Entry(self, category, record.number, record.start, record.end - record.start, expires)

    def append(self, category: DataCategory, body: Sequence[bytes], time: float, expires: float) -> Entry | None:
        """Write a record; None if this segment takes none any more, or somebody deleted its file.

        Raises OSError if the system refuses, TornWriteError among them.
        """
        users = self._users
        users.append(None)
        try:
            if self._retired:
                return None
            status = os.fstat(self._descriptor)
            if status.st_nlink == 0 or not self._file.is_of(status):
                return None
            number = next(self._numbers)
            record = pack(self._salt, number, time, _NAMES[category], body)
            size = sum(map(len, record))
            entry = Entry(self, category, number, status.st_size, size, expires)
            self.live[number] = entry
            # A signal handler that raises from here on leaves the record to whoever comes after this process.
            try:
                written = write(self._descriptor, record)
                if written < size:
                    raise TornWriteError
            except OSError:
                self.live.pop(number, None)
                raise
            self.size = max(self.size, status.st_size + written)
            return entry
        finally:
            self._leave()

    def read(self, entry: Entry) -> bytes | None:
        """The body; None if it is damaged or not live any more."""
        self._users.append(None)
        try:
            if entry.number not in self.live:
                return None
            whole = os.fstat(self._descriptor).st_size
            near = entry.size + _NEAR  # if others appended at the same time
            for size, position in ((entry.size, entry.position), (near, entry.position), (whole, 0)):
                data = read_at(self._descriptor, size, position)
                record = find(data, self._salt, entry.number)
                if record is not None:
                    return data[record.body_start : record.end]
            return None
        except OSError:
            return None
        finally:
            self._leave()

    def settle(self, entry: Entry) -> None:
        """Say, on disk, that it needs no sending any more."""
        self._users.append(None)
        try:
            if entry.number in self.live:
                file = self._file
                self._write_mark(entry.number)
                self.live.pop(entry.number, None)
                if self._file is not file:  # the mark may have gone into the file before it was compacted
                    self._write_mark(entry.number)
        finally:
            self._leave()

    def _write_mark(self, number: int) -> None:
        mark = pack_mark(self._salt, number)
        try:
            if not self._file.is_of(os.fstat(self._descriptor)):
                return
            if os.write(self._descriptor, mark) < len(mark):
                raise TornWriteError
            self.size += len(mark)
        except OSError:
            self._overwrite(number)

    def _overwrite(self, number: int) -> None:
        """Where a full disk has no room for a mark, spoil the record itself, which needs none."""
        try:
            descriptor = os.open(self._ownership.path(places.DATA), FLAGS)
        except OSError:
            return  # nothing can be said: the file is gone, or the system refuses everything
        try:
            record = find(read_all(self._descriptor), self._salt, number)
            if record is not None and self._file.is_of(os.fstat(descriptor)):
                os.lseek(descriptor, record.start, os.SEEK_SET)
                os.write(descriptor, b"\0")
        except OSError:
            return
        finally:
            os.close(descriptor)

    def dead_bytes(self) -> int:
        """How much of the file is settled records, marks and damage."""
        return self.size - sum(entry.size for entry in tuple(self.live.values()))

    def oldest(self, among: set[Entry]) -> Entry | None:
        """The oldest of its live entries that is one of these."""
        while True:
            try:
                for entry in self.live.values():
                    if entry in among:
                        return entry
                return None
            except RuntimeError:  # something was appended or settled meanwhile: look again
                continue

    def compact(self) -> None:
        """Drop from a retired segment's file what is not live; not if somebody may still append. Raises OSError.

        Never two at a time, nor beside ``reopen``. The new file takes the old one's name in one step: a kill leaves
        the one or the other, whole.
        """
        self._users.append(None)
        try:
            if self.live and len(self._users) == 1:
                self._compact()
        finally:
            self._leave()

    def _compact(self) -> None:
        data = read_all(self._descriptor)
        records = [each for each in live_records(data, self._salt) if each.number in self.live]
        scratch = self._ownership.path(places.SCRATCH)
        descriptor = os.open(scratch, _APPENDING | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            for record in records:
                if os.write(descriptor, data[record.start : record.end]) < record.end - record.start:
                    raise TornWriteError
            os.replace(scratch, self._ownership.path(places.DATA))
            os.dup2(descriptor, self._descriptor, inheritable=False)  # the number stays: others are using it
        except OSError:
            unlink(scratch)
            raise
        finally:
            os.close(descriptor)
        self._file = FileIdentity(os.fstat(self._descriptor))
        self.size = self._moved(records)

    def _moved(self, records: Iterable[Record]) -> int:
        """Note where these records are in the new file, and mark those that were settled in the old one meanwhile."""
        position = 0
        for record in records:
            entry = self.live.get(record.number)
            if entry is None:
                self._write_mark(record.number)
            else:
                entry.position = position
            position += record.end - record.start
        return position

    def retire(self) -> None:
        """Take no more appends; the file goes when nothing in it is live."""
        self._users.append(None)
        self._retired = True
        self._leave()

    def reopen(self) -> bool:
        """Take appends again, if something in it is live; it is over otherwise. Not beside ``compact``."""
        self._users.append(None)
        if self.live and not self._released:
            self._retired = False
        self._leave()
        return not self._retired

    def release(self) -> None:
        """Leave the file, with what is live in it, to whoever adopts it."""
        self._users.append(None)
        self._released = True
        self._retired = True
        self._leave()

    def abandon(self) -> None:
        """In a forked child: close what the parent uses, and touch nothing of his."""
        self.is_gone = True
        self.live.clear()
        self._descriptors.clear()
        close_own(self._descriptor, self._file)

    def _leave(self) -> None:
        self._users.pop()
        if not self._retired or self._users:
            return
        if self.live:
            if not self._released:
                return
            self._keeps_file = True
            self.live.clear()
            if self._users:  # who came meanwhile may still have seen a live entry: he ends it
                return
        self._end()

    def _end(self) -> None:
        try:
            descriptor = self._descriptors.pop()
        except IndexError:
            return  # ended already
        self.is_gone = True
        if self._keeps_file:
            close_own(descriptor, self._file)
            self._ownership.release()
            return
        if sys.platform == "win32":  # where nothing open can be deleted
            close_own(descriptor, self._file)
            unlink(self._ownership.path(places.DATA))
        else:
            unlink(self._ownership.path(places.DATA))
            close_own(descriptor, self._file)
        self._ownership.remove()
