"""Files that are sent: looked at when an event is captured, read piece by piece when it goes out.

Guarantees
- Only regular files are opened: a pipe or a device could block, or never end.
- What is read are the bytes that the file had when it was looked at: what is appended later stays out, and
  a file that was removed or replaced is read as it was, as long as its descriptor is held. A file that has
  become shorter is an error. What is overwritten in place meanwhile is read as it is then.
- At most ``HELD_FILES`` descriptors are held in the process, none is inherited by other programs. Where
  none can be had (the bound, or Windows, where an open file cannot be deleted), the file is opened when it
  is sent, and has to be the same one: same device, same inode.

Relies on: ``list.append`` and ``pop`` being safe together; ``os.pread``, which shares no position.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

SMALL_BYTES: Final = 64 * 1024
"""A file of at most this many bytes is read at once, when it is looked at."""
HELD_FILES: Final = 16
PIECE_BYTES: Final = 64 * 1024

_FLAGS: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_CAN_HOLD: Final = hasattr(os, "pread")
_places: Final = list(range(HELD_FILES if _CAN_HOLD else 0))  # one is taken for each descriptor held


class FileTooLargeError(OSError):
    """The file has more bytes than were allowed; ``size`` says how many."""

    def __init__(self, size: int) -> None:
        super().__init__(f"it has {size} bytes")
        self.size = size


class FilePart:
    """The first ``size`` bytes of a regular file."""

    __slots__ = ("_fd", "_identity", "_path", "size")

    def __init__(self, path: str | bytes, status: os.stat_result, fd: int | None = None) -> None:
        self._path = path
        self._fd = fd
        self._identity = (status.st_dev, status.st_ino)
        self.size: int = status.st_size

    @classmethod
    def at(cls, path: str | bytes) -> FilePart:
        """A file that is opened when it is read. Raises OSError, ValueError for no path."""
        return cls(path, _status_of(path))

    def check(self) -> None:
        """Raise OSError if it cannot be read in full any more."""
        status = os.stat(self._path) if self._fd is None else os.fstat(self._fd)
        self._must_be_the_same(status)

    def pieces(self) -> Iterator[bytes]:
        """The bytes, in pieces of at most ``PIECE_BYTES``. Raises OSError, also after some of them."""
        held = self._fd
        fd = self._opened_again() if held is None else held
        try:
            at = 0
            while at < self.size:
                piece = _read_at(fd, min(PIECE_BYTES, self.size - at), at)
                if not piece:
                    raise OSError(f"{os.fsdecode(self._path)} has become shorter")
                yield piece
                at += len(piece)
        finally:
            if held is None:
                os.close(fd)

    def _opened_again(self) -> int:
        fd, status = _opened(self._path)
        try:
            self._must_be_the_same(status)
        except OSError:
            os.close(fd)
            raise
        return fd

    def _must_be_the_same(self, status: os.stat_result) -> None:
        if (status.st_dev, status.st_ino) != self._identity:
            raise OSError(f"{os.fsdecode(self._path)} is another file now")
        if status.st_size < self.size:
            raise OSError(f"{os.fsdecode(self._path)} has become shorter")

    def __del__(
        self, _close: Callable[[int], None] = os.close, _give_back: Callable[[int], None] = _places.append
    ) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            _close(fd)
            _give_back(0)


def look_at(path: str | bytes, limit: int) -> bytes | FilePart:
    """What a file holds now: its bytes if it is small, else the part of it that is to be sent.

    Raises FileTooLargeError above ``limit`` bytes, OSError if it cannot be read or is no regular file, ValueError
    for what is no path.
    """
    fd, status = _opened(path)
    try:
        if status.st_size > limit:
            raise FileTooLargeError(status.st_size)
        if status.st_size <= SMALL_BYTES:
            data = _read_small(fd)
            if len(data) > limit:
                raise FileTooLargeError(len(data))
            return data
        try:
            _places.pop()
        except IndexError:
            return FilePart(path, status)
        held, fd = fd, -1
        return FilePart(path, status, held)
    finally:
        if fd >= 0:
            os.close(fd)


def _opened(path: str | bytes) -> tuple[int, os.stat_result]:
    _status_of(path)
    fd = os.open(path, _FLAGS)
    try:
        return fd, _must_be_regular(os.fstat(fd), path)
    except OSError:
        os.close(fd)
        raise


def _status_of(path: str | bytes) -> os.stat_result:
    return _must_be_regular(os.stat(path), path)


def _must_be_regular(status: os.stat_result, path: str | bytes) -> os.stat_result:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"{os.fsdecode(path)} is no regular file")
    return status


def _read_small(fd: int) -> bytes:
    """To the end, which some files do not tell (those of /proc say that they are empty), within bounds."""
    pieces: list[bytes] = []
    left = SMALL_BYTES
    while left > 0:
        piece = os.read(fd, left)
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _read_at(fd: int, count: int, at: int) -> bytes:
    if _CAN_HOLD:
        return os.pread(fd, count, at)
    os.lseek(fd, at, os.SEEK_SET)
    return os.read(fd, count)


_PACKED: Final = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


def content_type_of(filename: str) -> str | None:
    """What the name suggests, None if it says nothing.

    The first call reads the system's tables, which takes some milliseconds: vedette makes it on its worker.
    """
    import mimetypes  # noqa: PLC0415 - for attachments only

    guess, encoding = mimetypes.guess_type(filename)
    if encoding is not None:
        return _PACKED.get(encoding)
    if guess is None and filename.lower().endswith(".log"):  # some systems know it, CPython itself does not
        return "text/plain"
    return guess
