"""Opening, reading and closing of a journal's files, on POSIX and (untested) on Windows."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

FLAGS: Final[int] = (
    os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NOINHERIT", 0) | getattr(os, "O_BINARY", 0)
)  # fmt: skip
"""With which every file of a journal is opened."""

if sys.platform == "win32":

    def write(descriptor: int, pieces: Sequence[bytes]) -> int:
        """Write these pieces by one call; how many bytes the system took."""
        return os.write(descriptor, b"".join(pieces))

    def read_at(descriptor: int, size: int, position: int) -> bytes:
        """At most so many bytes from there on."""
        # Threads that race here read nonsense, which no checksum fits.
        os.lseek(descriptor, position, os.SEEK_SET)
        return os.read(descriptor, size)
else:

    def write(descriptor: int, pieces: Sequence[bytes]) -> int:
        """Write these pieces by one call; how many bytes the system took."""
        return os.writev(descriptor, pieces)

    def read_at(descriptor: int, size: int, position: int) -> bytes:
        """At most so many bytes from there on."""
        return os.pread(descriptor, size, position)


def read_all(descriptor: int) -> bytes:
    """The whole file."""
    return read_at(descriptor, os.fstat(descriptor).st_size, 0)


class FileIdentity:
    """Which file a descriptor stood for: the host may have closed it, and got its number for a file of its own."""

    __slots__ = ("_device", "_inode")

    def __init__(self, status: os.stat_result) -> None:
        self._device = status.st_dev
        self._inode = status.st_ino

    def is_of(self, status: os.stat_result) -> bool:
        """Whether that is still the same file."""
        return status.st_ino == self._inode and status.st_dev == self._device


def close_own(descriptor: int, file: FileIdentity) -> None:
    """Close a descriptor of ours, if it still is."""
    try:
        if file.is_of(os.fstat(descriptor)):
            os.close(descriptor)
    except OSError:
        return


def unlink(path: str) -> None:
    """Delete a file, if it is there and can be deleted."""
    try:
        os.unlink(path)
    except OSError:
        return
