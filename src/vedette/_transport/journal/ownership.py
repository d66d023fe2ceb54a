"""Who owns a segment: the process that holds the lock on its lock file.

Guarantees
- At most one process owns a segment, and in it at most one journal. A segment whose owner died, however it died, can
  be taken by anybody; one whose owner lives by nobody, its forked children included.
- Nothing here blocks; everything may be called in any thread and from a signal handler.

Relies on
- POSIX record locks (``lockf``): freed by the kernel at the process's end; not inherited by a forked child (``flock``
  would be). They do not exclude the own process, and any ``close`` of the file by the process loses them. So a stem is
  claimed in ``_Claims`` before its lock file is opened, and the claim is given back after it is closed.
- Stems are never used twice. A lock file is unlinked by its owner only; who locked one that is not (any more) the file
  of that name has locked nothing.
- ``dict.setdefault`` and ``pop`` being each done in one step, with and without the GIL.

On Windows a byte of the lock file is locked with ``msvcrt.locking``; that is untested.
"""

from __future__ import annotations

import errno
import os
import sys

from vedette._transport.journal import folder as places
from vedette._transport.journal.files import FLAGS, FileIdentity, close_own, unlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


_ATTEMPTS: Final = 10
_IS_HELD: Final = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


class _Claims:
    """The segments that this process has opened the lock files of."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.by_stem: dict[str, Ownership] = {}


_claims = _Claims()


def start_anew() -> None:
    """In a forked child: own nothing, and hold none of the parent's lock files open (does nothing elsewhere).

    A child that took a dead parent's segment would lose it again by closing what it has inherited.
    """
    global _claims  # noqa: PLW0603 - a process has one set of claims
    if _claims.pid == os.getpid():
        return
    inherited = _claims.by_stem
    while inherited:
        try:
            _, ownership = inherited.popitem()
        except KeyError:
            break
        ownership.close()
    _claims = _Claims()


class Ownership:
    """A segment that belongs to this process until it is released or removed."""

    __slots__ = ("_claims", "_descriptor", "_file", "folder", "stem")

    def __init__(self, folder: str, stem: str) -> None:
        self.folder = folder
        self.stem = stem
        self._claims = _claims.by_stem
        self._descriptor = -1
        self._file: FileIdentity | None = None

    def path(self, suffix: str) -> str:
        """The path of one of the segment's files."""
        return os.path.join(self.folder, self.stem + suffix)

    def take(self, *, new: bool) -> bool:
        """Try to become the owner. Raises OSError where no lock file can be opened or locked at all."""
        if self._claims.setdefault(self.stem, self) is not self:
            return False
        owned = False
        try:
            owned = self._open_and_lock(os.O_CREAT | os.O_EXCL if new else os.O_CREAT)
        finally:
            if not owned:
                self.release()
        return owned

    def _open_and_lock(self, how: int) -> bool:
        path = self.path(places.LOCK)
        self._descriptor = os.open(path, FLAGS | how, 0o600)
        self._file = FileIdentity(os.fstat(self._descriptor))
        try:
            _lock(self._descriptor)
        except OSError as error:
            if error.errno in _IS_HELD:
                return False
            raise
        try:
            return self._file.is_of(os.stat(path))
        except FileNotFoundError:
            return False  # its owner ended between our opening and locking it

    def release(self) -> None:
        """Let others have it."""
        self.close()
        if self._claims.get(self.stem) is self:
            self._claims.pop(self.stem, None)

    def remove(self) -> None:
        """Delete the lock file, as the last of the segment's files, and own it no more."""
        if sys.platform == "win32":  # where nothing open can be deleted
            self.release()
            unlink(self.path(places.LOCK))
        else:
            unlink(self.path(places.LOCK))
            self.release()

    def close(self) -> None:
        """Close the lock file, unless its descriptor is by now somebody else's."""
        descriptor, self._descriptor = self._descriptor, -1
        if self._file is not None:
            close_own(descriptor, self._file)


def own_new(folder: str, seconds: float) -> Ownership:
    """Own a segment of a new name. Raises OSError."""
    start_anew()
    for _ in range(_ATTEMPTS):  # somebody who looks for dead owners may take, and delete, it before we lock it
        ownership = Ownership(folder, places.new_stem(seconds))
        if ownership.take(new=True):
            return ownership
    raise OSError(errno.EAGAIN, "other processes took every lock file at once", folder)


def own_dead(folder: str, stem: str) -> Ownership | None:
    """Own a segment whose owner is dead; None if somebody lives who does, or it cannot be opened."""
    start_anew()
    ownership = Ownership(folder, stem)
    try:
        return ownership if ownership.take(new=False) else None
    except OSError:
        return None
