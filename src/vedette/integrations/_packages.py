"""Which packages are installed, in which versions: by the names of the folders that installers leave beside them.

``importlib.metadata`` looks there as well, but takes importing, and opens a file for each.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

__all__ = ["installed_packages", "version_beside"]

MAX_PACKAGES: Final = 1000
MAX_ENTRIES: Final = 20_000
"""Entries of folders that are looked at, in all: the program's own folder may be one of millions of files."""

_METADATA_BYTES: Final = 4096
_LONGEST_TEXT: Final = 100  # characters of a name or a version
_SUFFIXES: Final = (".dist-info", ".egg-info")


_read: list[dict[str, str]] = []  # once it was read, the one entry


def installed_packages() -> dict[str, str]:
    """Normalized names (PEP 503) and versions of what is installed along ``sys.path``; read once."""
    if not _read:
        found: dict[str, str] = {}
        for name, version in _packages(list(sys.path)):
            found.setdefault(name, version)  # the first is the one that is imported
            if len(found) >= MAX_PACKAGES:
                break
        _read.append(found)
    return _read[0].copy()


def _packages(path: list[str]) -> Iterator[tuple[str, str]]:
    left = MAX_ENTRIES
    for folder in dict.fromkeys(entry for entry in path if type(entry) is str and entry):
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    left -= 1
                    if left < 0:
                        return
                    if entry.name.endswith(_SUFFIXES):
                        name, version = _name_and_version(entry.name, entry.path)
                        if name and version:
                            yield name[:_LONGEST_TEXT], version[:_LONGEST_TEXT]
        except OSError:  # no folder, or none that may be read
            continue


def version_beside(folder: str, distribution: str) -> str:
    """The version of one package in a folder of packages, from the name of what its installer left; "" for none."""
    wanted = _normalized(distribution)
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SUFFIXES):
                    name, version = _name_and_version(entry.name, entry.path)
                    if name == wanted:
                        return version
    except OSError:
        pass
    return ""


def _name_and_version(base: str, path: str) -> tuple[str, str]:
    """``PyYAML-6.0.1.dist-info`` says both; of ``shop.egg-info`` the file in it does."""
    stem = base.rpartition(".")[0]
    name, _, rest = stem.partition("-")
    version = rest.partition("-")[0] if base.endswith(".egg-info") else rest  # shop-1.0-py3.13.egg-info
    return _normalized(name), version or _version_in(path)


def _normalized(name: str) -> str:
    words = name.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join(word for word in words if word)


def _version_in(path: str) -> str:
    for file in (os.path.join(path, "METADATA"), os.path.join(path, "PKG-INFO"), path):
        try:
            with open(file, "rb") as opened:
                text = opened.read(_METADATA_BYTES).decode("utf-8", "replace")
        except OSError:
            continue
        for line in text.splitlines():
            field, colon, value = line.partition(":")
            if colon and field.lower() == "version":
                return value.strip()
            if not line:
                break  # the description begins
    return ""
