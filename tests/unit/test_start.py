"""What `import vedette` and `init` load of the standard library: each program pays for it at its start."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
if len(sys.argv) > 1:
    import threading  # which the integration for threads needs
before = set(sys.modules)
import vedette
vedette.init("http://key@127.0.0.1:9/1")
print(*sorted(set(sys.modules) - before))
"""
NEVER = frozenset(
    {"logging", "uuid", "dataclasses", "inspect", "re", "json", "typing", "socket", "ssl", "http", "email", "urllib"}
    | {"datetime", "random", "tempfile", "traceback", "linecache", "urllib3", "certifi", "msgspec", "decimal", "math"}
)


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a program has loaded when vedette is ready."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return set(subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.split())


def test_nothing_heavy_is_loaded() -> None:
    assert loaded_by() & NEVER == set()


def test_enumerations_and_queues_are_had_without_the_modules_for_them() -> None:
    assert loaded_by("beside threading") & {"enum", "collections", "functools"} == set()


@pytest.mark.skipif(sys.version_info < (3, 13), reason="its threading loads them itself")
def test_nor_does_threading_bring_them_on_newer_pythons() -> None:
    assert loaded_by() & {"enum", "collections", "functools"} == set()


def test_nothing_of_spotlight_is_loaded_unless_it_is_on() -> None:
    assert not [name for name in loaded_by() if name.startswith("vedette._spotlight")]
