from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

import pytest

import vedette
from vedette._events.contexts import add_contexts
from vedette.testing import MemoryTransport

DSN = "https://key@errors.example.org/7"


def contexts_of_a_message(**options: Any) -> dict[str, Any]:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, default_integrations=False, **options)
    vedette.capture_message("hello")
    found: dict[str, Any] = transport.events[-1]["contexts"]
    return found


@pytest.mark.spec("DAT-10", "DAT-11", "EVT-83", "EVT-84", "EVT-87", "EVT-88", "EVT-89", "EVT-97")
def test_an_event_says_what_the_program_runs_on() -> None:
    contexts = contexts_of_a_message()
    assert contexts.keys() == {"trace", "runtime", "os", "device"}
    assert contexts["runtime"]["name"] == "CPython"
    assert contexts["os"]["name"] == os.uname().sysname
    assert contexts["os"]["version"] == os.uname().release
    assert contexts["device"]["processor_count"] == os.cpu_count()
    assert contexts["device"]["memory_size"] > 1_000_000


@pytest.mark.spec("EVT-98")
def test_no_context_names_the_machine() -> None:
    assert os.uname().nodename not in str(contexts_of_a_message(server_name="web"))
    assert contexts_of_a_message()["device"].keys() <= {"arch", "processor_count", "memory_size"}


@pytest.mark.spec("EVT-86")
def test_what_the_program_set_wins_as_a_whole() -> None:
    vedette.set_context("os", {"name": "Plan 9"})
    vedette.set_context("asyncio", {"mine": True})
    contexts = contexts_of_a_message()
    assert contexts["os"] == {"name": "Plan 9"}
    assert contexts["asyncio"] == {"mine": True}


def test_a_hook_changes_the_contexts_of_its_own_event_only() -> None:
    def before_send(event: Any, _hint: Any) -> Any:
        event["contexts"]["os"]["name"] = "changed"
        return event

    assert contexts_of_a_message(before_send=before_send)["os"]["name"] == "changed"
    assert contexts_of_a_message()["os"]["name"] != "changed"


@pytest.mark.spec("PAIN-34")
def test_the_facts_cost_no_import() -> None:
    program = """
import sys
from vedette._events.contexts import add_contexts
before = set(sys.modules)
add_contexts({})
print(*(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_name_of_the_running_task_is_told() -> None:
    found: list[Any] = []

    async def work() -> None:
        contexts: dict[str, Any] = {}
        add_contexts(contexts)
        found.append(contexts["asyncio"])

    async def main() -> None:
        await asyncio.create_task(work(), name="import of orders")
        await asyncio.create_task(work())

    asyncio.run(main())
    named, unnamed = found
    assert named == {"task": "import of orders"}
    assert unnamed["task"].startswith("Task-")
    assert "asyncio" not in contexts_of_a_message()


class ForeignLoop(asyncio.SelectorEventLoop):
    asked = 0

    def __hash__(self) -> int:
        ForeignLoop.asked += 1
        return id(self)


class Name(str):
    __slots__ = ()

    def __getitem__(self, key: Any) -> str:
        raise AssertionError("asked the program's class")


def test_of_a_task_or_loop_of_the_programs_nothing_is_asked() -> None:
    found: list[Any] = []

    async def work() -> None:
        contexts: dict[str, Any] = {}
        before = ForeignLoop.asked
        add_contexts(contexts)
        found.append(("asyncio" in contexts, ForeignLoop.asked - before))

    async def main() -> None:
        task = asyncio.create_task(work())
        task.set_name(Name("odd"))
        await task

    for factory in (ForeignLoop, asyncio.SelectorEventLoop):
        loop = factory()
        try:
            loop.run_until_complete(main())
        finally:
            loop.close()
    assert found[0] == (False, 0)
    # `set_name` makes text of it on some Pythons, and keeps the object on others.
    assert found[1][1] == 0


def test_a_task_of_the_programs_class_is_not_named() -> None:
    found: list[Any] = []

    class Plain(asyncio.Task):  # type: ignore[type-arg]
        def get_name(self) -> str:
            raise AssertionError("asked the program's class")

    async def work() -> None:
        contexts: dict[str, Any] = {}
        add_contexts(contexts)
        found.append("asyncio" in contexts)

    loop = asyncio.SelectorEventLoop()
    loop.set_task_factory(lambda loop, coro, **_more: Plain(coro, loop=loop))
    try:
        loop.run_until_complete(work())
    finally:
        loop.close()
    assert found == [False]


@pytest.mark.spec("EVT-56", "EVT-57", "EVT-58")
@pytest.mark.parametrize(("handled", "crashed"), [(True, None), (False, True)])
def test_the_thread_of_an_exception_that_nobody_caught_has_crashed(handled: bool, crashed: Any) -> None:
    transport = MemoryTransport()
    client = vedette.init(DSN, transport=transport, default_integrations=False)
    client.capture_exception(ValueError("x"), mechanism={"type": "t", "handled": handled})
    (thread,) = transport.events[0]["threads"]["values"]
    assert thread.get("crashed") is crashed
    assert thread["current"] is True
    assert thread["main"] is True
