"""The source lines around a line of a file, without running any code of the program.

Lines come from the file itself, from the zip archive that the module was imported from, or from what a shell,
a notebook or ``exec`` registered with ``linecache``. Where there is none, there is no context, and never an
error.

``linecache`` and ``tokenize`` are not imported for it: they bring ``re`` along, several milliseconds that the
first capture of a script would pay. A loader of the program's own is not asked: its ``get_source`` is foreign
code.

Read on the caller's thread, once per file and modification time; what was read is kept up to ``CACHE_BYTES``.
"""

from __future__ import annotations

import os
import sys
from stat import S_ISREG

from vedette._events.cache import BoundedCache
from vedette._events.reading_values import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    Context = tuple[list[str], str | None, list[str]]

CONTEXT_LINES: Final = 5
"""Lines before and after the line of a frame."""
MAX_LINE: Final = 512
"""Characters of a source line; what is longer is cut."""
CACHE_BYTES: Final = 8 * 1024 * 1024
MAX_FILE_BYTES: Final = 2 * 1024 * 1024
"""A larger file is generated code; reading and splitting it would take the caller over 10 ms."""

_BYTES_PER_LINE = 60  # what CPython needs for a str, beside its characters
_SHARED_NAMES = frozenset({"<string>", "<stdin>"})  # many pieces of code have these, linecache holds one of them

global_of: Callable[[dict[str, Any], str], object] = dict[str, object].get
"""A name in the globals of a frame: a dict or, through ``exec``, of a class derived from it."""

_lines_of_file = BoundedCache(max_entries=4096, max_cost=CACHE_BYTES)


def context_of(filename: str, module_globals: dict[str, Any], lineno: int | None) -> Context:
    """Lines before, the line itself, lines after; without line breaks, in order (ERR-09, EVT-44 to EVT-46).

    ``([], None, [])`` where the source or the line does not exist (ERR-10).
    """
    if lineno is None or lineno < 1:
        return [], None, []
    lines = _lines_of(filename, module_globals)
    if lineno > len(lines):
        return [], None, []
    at = lineno - 1
    before = lines[max(0, at - CONTEXT_LINES) : at]
    after = lines[lineno : lineno + CONTEXT_LINES]
    return [_cut(line) for line in before], _cut(lines[at]), [_cut(line) for line in after]


def _cut(line: str) -> str:
    return clean(line if len(line) <= MAX_LINE else line[: MAX_LINE - 1] + "…")


def _lines_of(filename: str, module_globals: dict[str, Any]) -> list[str]:
    if not filename.startswith("<"):
        lines = _lines_on_disk(filename)
        if lines is None:
            lines = _lines_in_archive(filename, module_globals)
        if lines is not None:
            return lines
    return _lines_in_linecache(filename)


def _lines_on_disk(filename: str) -> list[str] | None:
    try:
        status = os.stat(filename)
        # `python /dev/stdin` names a file that would block for ever.
        if not S_ISREG(status.st_mode) or status.st_size > MAX_FILE_BYTES:
            return None
        version = (status.st_mtime_ns, status.st_size)
        known = _lines_of_file.get(filename)
        if known is not None and known[0] == version:
            remembered: list[str] = known[1]
            return remembered
        with open(filename, "rb") as file:
            data = file.read(MAX_FILE_BYTES)
    except (OSError, ValueError):  # ValueError: a null character in the name
        return None
    lines = _split(data)
    _lines_of_file.put(filename, (version, lines), len(data) + _BYTES_PER_LINE * len(lines))
    return lines


def _lines_in_archive(filename: str, module_globals: dict[str, Any]) -> list[str] | None:
    """A module of a zip file or zipapp: its importer is the standard library's own, or isn't asked."""
    zipimport = sys.modules.get("zipimport")
    if zipimport is None:
        return None
    read: Callable[[object, str], bytes] = zipimport.zipimporter.get_data
    loader = global_of(module_globals, "__loader__")
    if type(loader) is not zipimport.zipimporter:
        return None
    try:
        data = read(loader, filename)
    except Exception:  # noqa: BLE001 - zlib, struct, zipimport, ..., if the archive was replaced
        return None
    return _split(data) if len(data) <= MAX_FILE_BYTES else None


def _lines_in_linecache(filename: str) -> list[str]:
    """What IPython, doctest, attrs and the interactive shell registered under a made-up name."""
    linecache = sys.modules.get("linecache")
    if linecache is None or filename in _SHARED_NAMES:
        return []
    cache: dict[str, Any] = linecache.cache
    entry: tuple[Any, ...] | None = cache.get(filename) if type(cache) is dict else None
    # An entry of another length is one that linecache would still have to ask a loader for.
    if type(entry) is not tuple or len(entry) != 4:  # noqa: PLR2004
        return []
    lines: list[Any] = entry[2]
    if type(lines) is not list:
        return []
    return ["".join(line.splitlines()) if type(line) is str else "" for line in lines]


def _split(data: bytes) -> list[str]:
    """Lines as Python's own parser counts them: form feeds and Unicode separators are no line ends."""
    text = _decoded(data)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _decoded(data: bytes) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        return data.decode(_declared_encoding(data), "replace")
    except (LookupError, ValueError):  # no such encoding, or none for text
        return data.decode("utf-8", "replace")


def _declared_encoding(data: bytes) -> str:
    """The encoding that one of the first two lines names in a comment (PEP 263), or UTF-8."""
    for line in data.split(b"\n", 2)[:2]:
        comment = line.strip()
        if comment and not comment.startswith(b"#"):
            break
        _, found, rest = comment.partition(b"coding")
        if found and rest[:1] in {b":", b"="}:
            words = rest[1:].split()
            if words:
                name = words[0].decode("ascii", "replace")
                return name.split(";", 1)[0].rstrip("*-")  # vim's and Emacs's ornaments
    return "utf-8"
