"""Where a journal lies: ``cache_dir/journal-DSN_ID``, and the names in there.

One segment is up to three files: ``STEM.v1.journal`` (the records), ``STEM.v1.lock`` (whose lock says that the owner
lives) and, for moments, ``STEM.v1.tmp`` (a segment being compacted). A stem is the second of its birth and 16 random
hexadecimal digits. Whatever else lies in there, of another version or another program, is nobody's business here.
"""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

FOLDER_PREFIX: Final = "journal-"
DATA: Final = ".v1.journal"
LOCK: Final = ".v1.lock"
SCRATCH: Final = ".v1.tmp"

_SECONDS_DIGITS: Final = 12
_RANDOM_BYTES: Final = 8
_MAX_ID_LENGTH: Final = 200
_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH

# Their locks may be kept on one machine only, or be lost when the server is away. As /proc/self/mountinfo names them.
_NETWORK: Final = frozenset({
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "coda", "ceph", "lustre", "beegfs", "gpfs", "glusterfs",
    "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.ceph-fuse", "fuse.s3fs", "fuse.goofys", "fuse.gcsfuse",
    "fuse.rclone", "fuse.davfs", "fuse.davfs2", "fuse.blobfuse", "fuse.blobfuse2", "fuse.juicefs", "fuse.mount-s3",
    "fuse.lustre", "fuse.moosefs", "fuse.curlftpfs",
})  # fmt: skip


def prepare(directory: str, dsn_id: str) -> str:
    """Make the folder of this DSN, for this user alone, and return its path.

    Raises ValueError for a name that makes no folder, a network file system, a symbolic link in the
    folder's place, or a folder of another user; OSError where it cannot be made.
    """
    if not dsn_id or len(dsn_id) > _MAX_ID_LENGTH or not all(each.isalnum() or each in "-_." for each in dsn_id):
        raise ValueError(f"{dsn_id!r} cannot be part of a folder's name")
    path = os.path.join(os.path.abspath(directory), FOLDER_PREFIX + dsn_id)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    kind = network_file_system(path)
    if kind is not None:
        raise ValueError(
            f"{directory} is on a network file system ({kind}), where locks between processes cannot be relied on"
        )
    make(path)
    return path


def make(path: str) -> None:
    """The folder of a DSN itself, also again after somebody deleted it."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    if sys.platform == "win32":
        return
    status = os.lstat(path)  # where others may write, a link leads where one of them wants us to write
    if stat.S_ISLNK(status.st_mode):
        raise ValueError(f"{path} is a symbolic link")
    if status.st_uid != os.geteuid():
        raise ValueError(f"{path} belongs to another user")
    if status.st_mode & _OTHERS_MAY_WRITE:
        os.chmod(path, 0o700)


def network_file_system(path: str, mountinfo: str = "/proc/self/mountinfo") -> str | None:
    """The kind of network file system that this path is on; None if it is on none, or nobody tells."""
    try:
        with open(mountinfo, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.readlines()
    except OSError:
        return None
    real = os.path.realpath(path)
    longest, found = "", None
    for line in lines:
        fields, _, kinds = line.partition(" - ")
        point = _unescaped(fields.split(" ")[4])
        is_above = real == point or real.startswith(point.rstrip("/") + "/")
        if is_above and len(point) >= len(longest):  # of two on one point the later one is seen
            longest, found = point, kinds.split(" ")[0]
    return found if found in _NETWORK else None


def _unescaped(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def new_stem(seconds: float) -> str:
    """A name that no other segment ever had; names sort by their age."""
    return f"{max(0, int(seconds)):0{_SECONDS_DIGITS}d}-{os.urandom(_RANDOM_BYTES).hex()}"


def stems(names: Iterable[str]) -> list[str]:
    """The segments that these files belong to, oldest first."""
    found = {name[: -len(suffix)] for name in names for suffix in (DATA, LOCK) if name.endswith(suffix)}
    return sorted(stem for stem in found if _is_stem(stem))


def _is_stem(stem: str) -> bool:
    seconds, _, random = stem.partition("-")
    return (
        len(seconds) == _SECONDS_DIGITS
        and seconds.isdecimal()
        and len(random) == 2 * _RANDOM_BYTES
        and all(digit in "0123456789abcdef" for digit in random)
    )
