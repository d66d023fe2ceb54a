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
from itertools import pairwise
from stat import S_ISREG

from vedette._events.cache import BoundedCache
from vedette._events.reading_values import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    Context = tuple[list[str], str | None, list[str]]

MAX_LINE: Final = 512
"""Characters of a source line; what is longer is cut."""
CACHE_BYTES: Final = 8 * 1024 * 1024
MAX_FILE_BYTES: Final = 2 * 1024 * 1024
"""A larger file is generated code; reading and splitting it would take the caller over 10 ms."""

_BYTES_PER_LINE = 60  # what CPython needs for a str, beside its characters
_MOST_FOLDERS = 50
_SHARED_NAMES = frozenset({"<string>", "<stdin>"})  # many pieces of code have these, linecache holds one of them

global_of: Callable[[dict[str, Any], str], object] = dict[str, object].get
"""A name in the globals of a frame: a dict or, through ``exec``, of a class derived from it."""

_lines_of_file = BoundedCache(max_entries=4096, max_cost=CACHE_BYTES)


def context_of(filename: str, module_globals: dict[str, Any], lineno: int | None, around: int) -> Context:
    """Up to ``around`` lines before, the line itself, as many after; without line breaks, in order.

    Implements ERR-09, EVT-44 to EVT-46. ``([], None, [])`` where the source or the line does not exist (ERR-10).
    """
    if lineno is None or lineno < 1:
        return [], None, []
    lines = _lines_of(filename, module_globals)
    if lineno > len(lines):
        return [], None, []
    at = lineno - 1
    before = lines[max(0, at - around) : at]
    after = lines[lineno : lineno + around]
    return [_cut(line) for line in before], _cut(lines[at]), [_cut(line) for line in after]


def context_of_command(lineno: int | None) -> Context:
    """The line of what ``python -c`` was given. No others: there is seldom more, and it may hold what is secret."""
    lines = _command().split("\n")
    if lineno is None or not 0 < lineno <= len(lines):
        return [], None, []
    return [], _cut(lines[lineno - 1]) or None, []


def _command() -> str:
    given: object = sys.orig_argv
    arguments = [one for one in given if type(one) is str] if type(given) is list else []
    for flags, source in pairwise(arguments[1:]):
        # -c ends its own cluster, such as -Ic; after W, X and m come values.
        if flags[:1] == "-" and flags[-1:] == "c" and flags[1:].isalpha() and not {"W", "X", "m"} & {*flags}:
            return source
    return ""


def path_of(filename: str, module_globals: dict[str, Any]) -> str:
    """The absolute path of a code object's file; ``<string>`` and the like stay as they are.

    A relative name, as ``python run.py``, Cython and freezers give it, is one of the module's own file if that
    ends alike; else, as a last resort, one of the current folder, which may have changed since.
    """
    if filename.startswith("<") or is_windows_path(filename):
        return filename
    if not os.path.isabs(filename):
        module_file = global_of(module_globals, "__file__")
        if type(module_file) is str and os.path.isabs(module_file):
            # __file__ may end in .pyc, or in .cpython-313-x86_64-linux-gnu.so
            folder, base = os.path.split(module_file)
            own = with_slashes(os.path.join(folder, base.partition(".")[0]))
            name = os.path.normpath(filename)
            wanted = with_slashes(os.path.splitext(name)[0])
            if own.endswith("/" + wanted):
                return own[: -len(wanted)] + name
    return absolute(filename)


def absolute(filename: str) -> str:
    """``os.path.abspath``, which fails where the current folder was deleted."""
    try:
        return os.path.abspath(filename)
    except (OSError, ValueError):
        return filename


def is_windows_path(path: str) -> bool:
    """Whether this is an absolute path of Windows, wherever it is read: byte code travels."""
    return path[1:3] in {":\\", ":/"} or path.startswith("\\\\")


def with_slashes(path: str) -> str:
    r"""The path with ``/`` between its parts, where ``\\`` is not just a character of a name."""
    return path.replace("\\", "/") if os.sep == "\\" or is_windows_path(path) else path


def _cut(line: str) -> str:
    return clean(line if len(line) <= MAX_LINE else line[: MAX_LINE - 1] + "…")


def _lines_of(filename: str, module_globals: dict[str, Any]) -> list[str]:
    if not filename.startswith("<"):
        lines = _lines_on_disk(path_of(filename, module_globals))
        if lines is None:
            lines = _lines_in_archive(filename, module_globals)
        if lines is None and not os.path.isabs(filename):
            lines = _lines_on_import_path(filename)
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


def _lines_on_import_path(filename: str) -> list[str] | None:
    """Where Python's own tracebacks look for a relative name."""
    for entry in sys.path[:_MOST_FOLDERS]:
        if type(entry) is str:
            lines = _lines_on_disk(os.path.join(entry, filename))
            if lines is not None:
                return lines
    return None


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
