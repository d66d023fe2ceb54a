"""What `import vedette` and `init` load of the standard library: each program pays for it at its start."""

from __future__ import annotations

import os
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


def test_a_program_that_never_imports_threading_ends_though_our_worker_does() -> None:
    program = """
import sys
loaded = "threading" in sys.modules
import vedette
vedette.init("http://key@127.0.0.1:9/1", shutdown_timeout=0.1, default_integrations=False)
vedette.capture_message("hello")
vedette.flush(5)
import threading
assert threading.main_thread() is threading.current_thread()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_nothing_of_spotlight_is_loaded_unless_it_is_on() -> None:
    assert not [name for name in loaded_by() if name.startswith("vedette._spotlight")]


OURS = """
import sys
import vedette
vedette.init("http://key@127.0.0.1:9/1")
print(*sorted(name for name in sys.modules if name.partition(".")[0] == "vedette"))
"""
MOST = 88 if sys.version_info >= (3, 13) else 91  # with `threading` comes the integration for it
"""Modules of vedette's own: each takes every program 0.2 ms. There were 141 once, and a quarter of the peer's time."""
FOR_WHO_SENDS = frozenset(
    {"_events.shrink", "_privacy.event_scrubber", "_privacy.pairs", "_privacy.scrub", "_processing.before_envelope"}
    | {"_processing.dispatching", "_processing.journaling", "_processing.packing", "_processing.scheduler"}
    | {"_protocol.envelope", "_protocol.json", "_transport.compression", "_transport.connections"}
    | {"_processing.limit_warnings", "_transport.journal", "_transport.proxies", "_transport.sockets"}
    | {"_transport.streaming", "integrations._packages"}
)
FOR_FEW = frozenset(
    {"_attaching", "_events.array_values", "_feedback", "_given_events", "_hooks", "_host.off_loop", "_noops"}
    | {"_options.nested", "_processing.guest_sending", "_protocol.attachment", "_protocol.files", "compat", "testing"}
    | {"_scopes.flags"}
)


def test_what_only_sending_or_few_programs_need_is_not_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", OURS], check=True, capture_output=True, text=True, timeout=30)
    loaded = {name.removeprefix("vedette.") for name in done.stdout.split()}
    assert loaded & (FOR_WHO_SENDS | FOR_FEW) == set()
    assert len(loaded) <= MOST


BESIDE_FRAMEWORKS = """
import sys
import vedette
executed = 0
def count(frame, event, argument):
    global executed
    frame.f_trace_opcodes = True
    executed += event == "opcode"
    return count
sys.settrace(count)
vedette.init("http://key@127.0.0.1:9/1", **{options})
sys.settrace(None)
print(executed, *sorted(sys.modules))
"""
FEW_BYTE_CODES = 2500
"""What noting the libraries that are waited for may take: 0.1 ms. `init` is 40 000; to ask whether one is installed
would be 1000 for each, and to import Flask several millions."""


def byte_codes_and_modules(**options: object) -> tuple[int, set[str]]:
    """What `init` executes, and what is loaded after it."""
    command = [sys.executable, "-c", BESIDE_FRAMEWORKS.format(options=options)]
    env = {**os.environ, "PYTHONHASHSEED": "0"}  # the order of sets decides what is executed, too
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30, env=env)
    executed, *loaded = done.stdout.split()
    return int(executed), set(loaded)


@pytest.mark.spec("PAIN-34")
@pytest.mark.parametrize("imported", ["celery.signals", "django", "flask", "sqlalchemy"])
def test_a_framework_that_is_installed_but_not_imported_is_not_loaded_nor_what_is_for_it(imported: str) -> None:
    framework = imported.partition(".")[0]
    program = f"""
import sys, vedette
vedette.init("http://key@127.0.0.1:9/1")
print(*[name for name in sys.modules if {framework!r} in name.split(".")])
import {imported}
assert "vedette.integrations.{framework}" in sys.modules  # so this is what would have been loaded
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=30)
    assert done.stdout.split() == []


@pytest.mark.spec("PAIN-34")
def test_frameworks_that_are_not_imported_cost_init_as_good_as_nothing() -> None:
    executed, loaded = byte_codes_and_modules()
    without, loaded_without = byte_codes_and_modules(auto_enabling_integrations=False)
    assert loaded == loaded_without
    assert without < executed < without + FEW_BYTE_CODES
