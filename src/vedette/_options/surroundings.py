"""Which release a program is, where nobody said it: what git and the platform tell.

Nothing here raises, starts a process, or waits: git's files are read directly, and only if they are regular files.
Read once, when a client is made.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Final

PLATFORM_VARIABLES: Final = (
    "HEROKU_BUILD_COMMIT",
    "HEROKU_SLUG_COMMIT",
    "SOURCE_VERSION",
    "CODEBUILD_RESOLVED_SOURCE_VERSION",
    "CIRCLE_SHA1",
    "GAE_DEPLOYMENT_ID",
    "K_REVISION",
    "RENDER_GIT_COMMIT",
    "RAILWAY_GIT_COMMIT_SHA",
    "VERCEL_GIT_COMMIT_SHA",
)
"""In which platforms say what they run: Heroku, CodeBuild, CircleCI, Google App Engine and Cloud Run, Render, ..."""

_MOST_FOLDERS: Final = 64
_MOST_LINKS: Final = 5  # of symbolic refs, as git has it
_SMALL_FILE: Final = 4096
_PACKED_REFS: Final = 16 * 1024 * 1024
_HEX: Final = frozenset("0123456789abcdef")
_HASHES: Final = (40, 64)  # characters of SHA-1 and SHA-256


def release_of(folder: str | None, env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Where a release can be found, and what stands there; the best first."""
    commit = commit_of(folder) if folder is not None else None
    if commit is not None:
        yield "git", commit
    for name in PLATFORM_VARIABLES:
        value = env.get(name)
        if value:
            yield name, value


def commit_of(folder: str) -> str | None:
    """The hash of the commit that is checked out around this folder, or None."""
    try:
        git = _git_folder(os.path.abspath(folder))
        return None if git is None else _commit(git)
    except (OSError, ValueError):  # no permission, no UTF-8, a NUL in a path
        return None


def _git_folder(folder: str) -> str | None:
    """``.git`` of this folder or of the nearest one above, on the same file system, as git looks for it."""
    device = os.stat(folder).st_dev
    for _ in range(_MOST_FOLDERS):
        found = _named_by(os.path.join(folder, ".git"))
        if found is not None:
            return found
        above = os.path.dirname(folder)
        if above == folder or os.stat(above).st_dev != device:
            return None
        folder = above
    return None


def _named_by(path: str) -> str | None:
    """The folder itself, or the one that a worktree's or submodule's file names."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return None
    if stat.S_ISDIR(mode):
        return path
    prefix, _, target = (_read(path) or "").partition(":")
    return os.path.join(os.path.dirname(path), target.strip()) if prefix == "gitdir" else None


def _commit(git: str) -> str | None:
    common = _read(os.path.join(git, "commondir"))  # a worktree has its refs in the main repository
    folders = (git,) if common is None else (git, os.path.join(git, common.strip()))
    text = _read(os.path.join(git, "HEAD"))
    for _ in range(_MOST_LINKS):
        if text is None or not text.startswith("ref:"):
            return _hash(text)
        ref = text[len("ref:") :].strip()
        if not ref.startswith("refs/") or ".." in ref:
            return None
        loose = (_read(os.path.join(folder, ref)) for folder in folders)
        text = next((found for found in loose if found is not None), None) or _packed(folders[-1], ref)
    return None


def _packed(git: str, ref: str) -> str | None:
    """From ``packed-refs``, whose lines are ``HASH refs/heads/main``. It may hold megabytes: none of it is copied."""
    data = _bytes(os.path.join(git, "packed-refs"), _PACKED_REFS) or b""
    end = data.find(b" " + ref.encode() + b"\n")
    return data[data.rfind(b"\n", 0, end) + 1 : end].decode() if end > 0 else None


def _hash(text: str | None) -> str | None:
    found = (text or "").strip()
    return found if len(found) in _HASHES and _HEX.issuperset(found) else None


def _read(path: str) -> str | None:
    data = _bytes(path, _SMALL_FILE)
    return None if data is None else data.decode()


def _bytes(path: str, most: int) -> bytes | None:
    """What a regular file holds, at most so many bytes; None if there is none. A pipe would make us wait."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        number = os.open(path, flags)
    except OSError:
        return None
    try:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            return None
        with open(number, "rb", buffering=0, closefd=False) as file:
            return file.read(min(most, status.st_size))  # of `most`, all would be allocated
    finally:
        os.close(number)
