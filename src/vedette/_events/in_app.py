"""Whose code a frame is, and the name that its file has in an event.

Both are decided from names alone: nothing is imported, no file is opened.
"""

from __future__ import annotations

import os
import sys

from vedette._events.cache import BoundedCache
from vedette._events.source import absolute, global_of, with_slashes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vedette._events.settings import EventSettings

_LIBRARY_FOLDERS = ("/site-packages/", "/dist-packages/")
_OWN_PACKAGE = "vedette"


def _folder(path: str) -> str:
    """A folder's path in a form that what lies in it starts with."""
    return with_slashes(path).rstrip("/") + "/"


def _is_in(path: str, folder: str) -> bool:
    """Whether a path lies in a folder; Windows does not tell ``C:/Shop`` from ``c:/shop``."""
    return path.startswith(folder) or (os.sep == "\\" and path[: len(folder)].lower() == folder.lower())


_STANDARD_LIBRARY = _folder(os.path.dirname(os.path.abspath(os.__file__)))


class InAppRules:
    """The rules of one client: which frames are the application's (ERR-05 to ERR-08, EVT-47).

    In this order:

    1. ``include`` and ``exclude`` hold prefixes of module names, compared by whole dotted parts. The longer
       match wins; a name in both is included. vedette's own modules are excluded.
    2. Frozen modules and files below ``site-packages`` or ``dist-packages`` are not the application's.
    3. Of ``root`` and the standard library's folder, the longer one that the file lies in decides.
    4. All else is: ``<string>``, ``<stdin>``, notebook cells, a script elsewhere.

    A file below ``root`` is a library's only if ``site-packages`` comes after ``root`` in its path.
    """

    __slots__ = ("_exclude", "_include", "_root")

    def __init__(self, include: tuple[str, ...], exclude: tuple[str, ...], root: str | None) -> None:
        self._include = include
        self._exclude = (*exclude, _OWN_PACKAGE)
        self._root = _folder(_current_folder() if root is None else os.path.abspath(root))

    def is_in_app(self, module: str | None, path: str) -> bool:
        """Whether code of this module, from this absolute path or ``<name>``, is the application's."""
        if module is not None:
            included = _longest_prefix(self._include, module)
            excluded = _longest_prefix(self._exclude, module)
            if included or excluded:
                return included >= excluded
        if path.startswith("<"):
            return not path.startswith("<frozen ")
        return not self._is_library(with_slashes(path))

    def short_name(self, module: str | None, filename: str, path: str) -> str:
        """The file's name in events: the same wherever the program is installed (EVT-37 to EVT-39).

        A module of a package, or of a library, is named as it is imported: ``shop/cart.py``. Any other file
        of the application is relative to the root, else to the longest entry of ``sys.path`` that it lies in.
        The folder of a script then stays in the name, for ``run.py`` alone could be many files.
        """
        if filename.startswith("<"):
            return filename
        path = with_slashes(path)
        frozen_in = _unpacked_folder()
        if frozen_in and _is_in(path, frozen_in):  # a new one for each run
            return path[len(frozen_in) :]
        in_library = self._is_library(path)
        if module is not None and ("." in module or in_library):
            named = _name_by_module(module, path)
            if named:
                return named
        if not in_library and _is_in(path, self._root):
            return path[len(self._root) :]
        folder = _longest_folder(path)
        name = path[len(folder) :]
        if folder and "/" not in name and name.partition(".")[0] != module:
            return path[folder.rstrip("/").rfind("/") + 1 :]
        return name

    def _is_library(self, path: str) -> bool:
        beyond = path
        in_root = _is_in(path, self._root)
        if in_root:
            beyond = path[len(self._root) - 1 :]
        if any(folder in beyond for folder in _LIBRARY_FOLDERS):
            return True
        if not _is_in(path, _STANDARD_LIBRARY):
            return False
        return not in_root or len(_STANDARD_LIBRARY) > len(self._root)


_rules = BoundedCache(max_entries=64, max_cost=64)


def rules_of(settings: EventSettings) -> InAppRules:
    """The rules by their values, so that no client or hook is held by a cache."""
    key = (settings.in_app_include, settings.in_app_exclude, settings.project_root)
    rules: InAppRules | None = _rules.get(key)
    if rules is None:
        rules = InAppRules(*key)
        _rules.put(key, rules, 1)
    return rules


def origin_of(filename: str, path: str, module: str | None, module_globals: dict[str, Any]) -> str:
    """The absolute path that says whose code this is; ``<...>`` if it comes from no file.

    Code generated in a module, such as a data class's ``__init__``, is its module's.
    """
    if filename.startswith("<frozen "):
        return filename
    if filename.startswith("<"):
        module_file = global_of(module_globals, "__file__")
        if type(module_file) is not str:
            return filename
        filename, path = module_file, absolute(module_file)
    if not os.path.isabs(filename) and _is_standard_module(module):
        return "<frozen " + filename + ">"  # as PyInstaller and the like name what they froze
    return path


def _unpacked_folder() -> str | None:
    """Where PyInstaller unpacked the program, if it did."""
    folder = getattr(sys, "_MEIPASS", None)
    return _folder(folder) if type(folder) is str else None


def _is_standard_module(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in sys.stdlib_module_names


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "."


def _longest_prefix(prefixes: tuple[str, ...], module: str) -> int:
    """The length of the longest of these that the name starts with, by whole dotted parts; 0 for none."""
    longest = 0
    for prefix in prefixes:
        if module.startswith(prefix) and (len(module) == len(prefix) or module[len(prefix)] == "."):
            longest = max(longest, len(prefix))
    return longest


def _name_by_module(module: str, path: str) -> str:
    """The end of the path that spells the module's name: ``shop/cart.py``, ``shop/__init__.py``."""
    stem, extension = os.path.splitext(path)
    spelled = module.replace(".", "/")
    for end in (spelled, spelled + "/__init__"):
        if stem.endswith("/" + end):
            return end + extension
    return ""


def _longest_folder(path: str) -> str:
    longest = ""
    for entry in tuple(sys.path):
        if type(entry) is str and entry:
            folder = _folder(entry)
            if len(folder) > len(longest) and _is_in(path, folder):
                longest = folder
    return longest
