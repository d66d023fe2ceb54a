"""What the program runs on, and in which task: the technical contexts of an event (DAT-10, EVT-83 to EVT-89).

``runtime``, ``os`` and ``device`` are facts of the process, asked once: no subprocess, no ``platform``, which takes
milliseconds to import. ``device`` has no name and no identifier (EVT-98): the host is named by ``server_name`` alone,
so that taking that away takes the name away.

``asyncio`` holds the name of the running ``task``, read through the getters that CPython wrote in C: of a loop or task
class of the program's, nothing is asked.
"""

from __future__ import annotations

import os
import sys

from vedette._events.reading_values import clean, mro_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    Facts = dict[str, Any]

_OS_RELEASE: Final = ("/etc/os-release", "/usr/lib/os-release")
_OS_RELEASE_BYTES: Final = 4096
_OS_RELEASE_FIELDS: Final = {"ID": "distribution_name", "VERSION_ID": "distribution_version"}
_LONGEST_NAME: Final = 200  # characters of a task's

_facts: dict[str, Facts] = {}


def add_contexts(contexts: dict[str, Any]) -> None:
    """Add what is not there; what the program set under one of these names wins as a whole (EVT-86)."""
    if not _facts:
        _facts.update(runtime=_runtime(), os=_operating_system(), device=_device())
    for name, facts in _facts.items():
        if name not in contexts:
            contexts[name] = facts.copy()  # hooks may change events in place
    task = _name_of_task()
    if task is not None and "asyncio" not in contexts:
        contexts["asyncio"] = {"task": task}


def _runtime() -> Facts:
    name = sys.implementation.name
    return {
        "name": "CPython" if name == "cpython" else name,
        "version": ".".join(map(str, sys.version_info[:3])),
        "build": sys.version,
    }


def _device() -> Facts:
    facts: Facts = {"arch": _architecture(), "processor_count": os.cpu_count(), "memory_size": _memory()}
    return {name: fact for name, fact in facts.items() if fact}


if sys.platform == "win32":

    def _operating_system() -> Facts:
        version = sys.getwindowsversion()
        return {"name": "Windows", "version": f"{version.major}.{version.minor}.{version.build}"}

    def _architecture() -> str | None:
        return os.environ.get("PROCESSOR_ARCHITECTURE")

    def _memory() -> int | None:
        return None

else:

    def _operating_system() -> Facts:
        system = os.uname()
        if system.sysname == "Darwin":
            return {"name": "macOS", "kernel_version": system.release}
        return {"name": system.sysname, "version": system.release, **_distribution()}

    def _architecture() -> str | None:
        return os.uname().machine

    def _memory() -> int | None:
        """Bytes of main memory."""
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError):  # unknown to this system
            return None

    def _distribution() -> Facts:
        for path in _OS_RELEASE:
            try:
                with open(path, "rb") as file:
                    text = file.read(_OS_RELEASE_BYTES).decode("utf-8", "replace")
            except OSError:
                continue
            fields = (line.partition("=") for line in text.splitlines())
            found = {_OS_RELEASE_FIELDS.get(name): value.strip("\"' ") for name, _, value in fields}
            return {name: value for name, value in found.items() if name and value}
        return {}


def _name_of_task() -> str | None:
    """The name of the task that runs on this thread's loop, if there is one of CPython's own class."""
    asyncio = sys.modules.get("_asyncio")
    if asyncio is None:
        return None
    loop: object = asyncio._get_running_loop()  # noqa: SLF001 - the public function is this one
    if loop is None or not _hashes_by_identity(type(loop)):  # loops are the keys of the tasks
        return None
    if sys.version_info >= (3, 12):
        task: object = asyncio.current_task(loop)
    else:
        task = sys.modules["asyncio.tasks"]._current_tasks.get(loop)  # noqa: SLF001 - as current_task, without a frame
    if type(task) is not asyncio.Task:
        return None
    name: object = asyncio.Task.get_name(task)
    return clean(name[:_LONGEST_NAME]) if type(name) is str else None


def _hashes_by_identity(cls: type) -> bool:
    for base in mro_of(cls):
        if "__hash__" in type.__dict__["__dict__"].__get__(base):
            return base is object
    return False
