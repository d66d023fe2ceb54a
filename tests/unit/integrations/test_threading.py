"""Threads and executors: whose data their events get, and that nothing of the program notices."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import inspect
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import vedette
from vedette.integrations.threading import ThreadingIntegration
from vedette.scope import Scope, use_isolation_scope
from vedette.testing import MemoryTransport

DSN = "http://key@localhost/1"
UNPATCHED = threading.Thread.start, ThreadPoolExecutor.submit


@pytest.fixture
def transport():
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    return transport


def marked(event: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The marker as the isolation scope, the current scope and the breadcrumbs of an event have it."""
    tags = event.get("tags", {})
    crumbs = [crumb["message"] for crumb in event.get("breadcrumbs", {"values": []})["values"]]
    return tags.get("isolation"), tags.get("current"), crumbs


def mark(marker: str) -> None:
    vedette.set_tag("isolation", marker)
    vedette.get_current_scope().set_tag("current", marker)
    vedette.add_breadcrumb(message=marker)


def in_thread(function: Any, **options: Any) -> None:
    thread = threading.Thread(target=function, **options)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.spec("FW-threading-04", "PAIN-07", "PAIN-08")
def test_a_thread_gets_a_fork_of_the_scopes_of_the_one_that_starts_it(transport) -> None:
    def work() -> None:
        vedette.capture_message("inherited")
        mark("child")

    mark("parent")
    in_thread(work)
    vedette.capture_message("parent")
    assert [marked(event) for event in transport.events] == [("parent", "parent", ["parent"])] * 2
    traces = {event["contexts"]["trace"]["trace_id"] for event in transport.events}
    assert len(traces) == 1


def test_what_is_set_after_a_thread_was_started_does_not_reach_it(transport) -> None:
    go_on = threading.Event()

    def work() -> None:
        go_on.wait(10)
        vedette.capture_message("m")

    mark("before")
    thread = threading.Thread(target=work)
    thread.start()
    mark("after")
    go_on.set()
    thread.join(10)
    assert marked(transport.events[0]) == ("before", "before", ["before"])


def test_a_daemon_thread_gets_the_data_of_the_global_scope_only(transport) -> None:
    mark("request")
    vedette.get_global_scope().set_tag("region", "eu")
    in_thread(lambda: vedette.capture_message("m"), daemon=True)
    assert transport.events[0]["tags"] == {"region": "eu"}
    assert "breadcrumbs" not in transport.events[0]


@pytest.mark.parametrize("option", [{"propagate_scope": False}, {"propagate_hub": False}])
@pytest.mark.filterwarnings("ignore:.*propagate_hub:DeprecationWarning")
def test_propagation_can_be_turned_off(option) -> None:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, integrations=[ThreadingIntegration(**option)])
    mark("parent")
    in_thread(lambda: vedette.capture_message("m"))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(vedette.capture_message, "m").result()
    assert [marked(event) for event in transport.events] == [(None, None, [])] * 2
    assert (threading.Thread.start, ThreadPoolExecutor.submit) == UNPATCHED


def test_the_old_name_of_the_option_warns() -> None:
    with pytest.warns(DeprecationWarning, match="propagate_scope"):
        assert ThreadingIntegration(propagate_hub=True).propagate_scope


@pytest.mark.spec("FW-threading-03")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_ends_a_thread_is_captured_with_the_data_of_that_thread(transport) -> None:
    def work() -> None:
        vedette.set_tag("isolation", "child")
        raise ZeroDivisionError

    mark("parent")
    in_thread(work)
    assert marked(transport.events[0]) == ("child", "parent", ["parent"])


class Overriding(threading.Thread):
    """A subclass that overrides what can be overridden."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self.log = log

    def start(self) -> None:
        self.log.append("start")
        super().start()

    def run(self) -> None:
        self.log.append("run")
        vedette.capture_message("m")


def test_subclasses_that_override_start_and_run_work_as_ever(transport) -> None:
    mark("parent")
    log: list[str] = []
    thread = Overriding(log)
    thread.start()
    thread.join(10)
    assert log == ["start", "run"]
    assert "run" not in vars(thread)
    assert marked(transport.events[0]) == ("parent", "parent", ["parent"])


def test_a_run_of_the_instances_own_is_run_and_stays(transport) -> None:
    ran: list[int] = []
    thread = threading.Thread()
    own = functools.partial(ran.append, 1)
    thread.run = own  # type: ignore[method-assign]
    thread.start()
    thread.join(10)
    assert ran == [1]
    assert thread.run is own


def test_a_thread_that_is_started_twice_says_so_and_is_left_as_it_was(transport) -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join(10)
    with pytest.raises(RuntimeError, match="threads can only be started once"):
        thread.start()
    assert "run" not in vars(thread)


@pytest.mark.spec("PAIN-01")
def test_neither_a_thread_nor_its_scopes_nor_a_task_are_kept_alive(transport) -> None:
    class Watched:
        def work(self) -> None:
            found.append(weakref.ref(vedette.get_isolation_scope()))

    found: list[weakref.ref[Any]] = []
    with ThreadPoolExecutor(1) as pool:
        for _ in range(10):
            watched = Watched()
            thread = threading.Thread(target=watched.work)
            found += [weakref.ref(thread), weakref.ref(watched)]
            thread.start()
            thread.join(10)
            with use_isolation_scope(Scope()):
                pool.submit(watched.work).result()
            del watched, thread
        gc.collect()
        assert [reference for reference in found if reference() is not None] == []


@pytest.mark.spec("PAIN-08", "PAIN-07")
def test_a_task_of_an_executor_has_the_scopes_of_whoever_submitted_it(transport) -> None:
    with ThreadPoolExecutor(1) as pool:  # one thread for all of them
        for marker in ("first", "second"):
            with vedette.isolation_scope(), vedette.new_scope():
                mark(marker)
                pool.submit(vedette.capture_message, "m").result()
        pool.submit(vedette.capture_message, "m").result()
    assert [marked(event) for event in transport.events] == [
        ("first", "first", ["first"]),
        ("second", "second", ["second"]),
        (None, None, []),
    ]


def test_tasks_share_the_isolation_scope_and_have_a_current_scope_of_their_own(transport) -> None:
    def work() -> None:
        vedette.set_tag("isolation", "task")
        vedette.get_current_scope().set_tag("current", "task")

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
    vedette.capture_message("m")
    assert marked(transport.events[0]) == ("task", None, [])


@pytest.mark.spec("PAIN-08")
def test_pools_inside_pools_and_threads_inside_pools_hand_on(transport) -> None:
    def outer() -> None:
        with ThreadPoolExecutor(1) as inner:
            inner.submit(in_thread, lambda: vedette.capture_message("m")).result()

    mark("request")
    with ThreadPoolExecutor(1) as pool:
        pool.submit(outer).result()
    assert marked(transport.events[0]) == ("request", "request", ["request"])


@pytest.mark.spec("PAIN-08")
def test_asyncio_hands_on_to_threads(transport) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(vedette.capture_message, "m")
        await loop.run_in_executor(None, vedette.capture_message, "m")
        with ThreadPoolExecutor(1) as pool:
            await loop.run_in_executor(pool, vedette.capture_message, "m")

    mark("request")
    asyncio.run(main())
    assert [marked(event) for event in transport.events] == [("request", "request", ["request"])] * 3


def test_context_variables_of_the_program_are_left_where_they_were(transport) -> None:
    connection: contextvars.ContextVar[str] = contextvars.ContextVar("connection", default="none")
    connection.set("of the submitter")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(connection.get).result() == "none"


def test_results_arguments_and_errors_of_tasks_are_untouched(transport) -> None:
    def work(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        return args, kwargs

    with ThreadPoolExecutor(2) as pool:
        assert pool.submit(work, 1, isolation=2, fn=3).result() == ((1,), {"isolation": 2, "fn": 3})
        assert list(pool.map(abs, [-1, 2])) == [1, 2]
        with pytest.raises(ZeroDivisionError):
            pool.submit(lambda: 1 / 0).result()
        with pytest.raises(TypeError):
            pool.submit()  # type: ignore[call-arg]


@pytest.mark.spec("PAIN-33")
def test_patches_keep_name_and_signature_wrap_once_and_are_undone_with_the_last_client() -> None:
    clients = [vedette.Client(DSN, transport=MemoryTransport(), integrations=[ThreadingIntegration()]) for _ in "ab"]
    start, submit = UNPATCHED
    for patched, original in ((threading.Thread.start, start), (ThreadPoolExecutor.submit, submit)):
        assert patched is not original
        assert patched.__wrapped__ is original  # type: ignore[attr-defined]
        assert (patched.__name__, patched.__doc__) == (original.__name__, original.__doc__)
        assert inspect.signature(patched) == inspect.signature(original)
    clients[0].close()
    assert threading.Thread.start is not start
    clients[1].close()
    assert (threading.Thread.start, ThreadPoolExecutor.submit) == UNPATCHED


def test_pools_are_found_when_they_are_imported_later_and_not_imported_for_vedette() -> None:
    program = """
import sys, vedette
from vedette.testing import MemoryTransport
transport = MemoryTransport()
vedette.init("http://key@localhost/1", transport=transport)
assert "concurrent.futures" not in sys.modules and "logging" not in sys.modules
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)
for marker in ("first", "second"):
    with vedette.isolation_scope() as scope:
        scope.set_tag("marker", marker)
        pool.submit(vedette.capture_message, "m").result()
assert [event["tags"] for event in transport.events] == [{"marker": "first"}, {"marker": "second"}]
pool.shutdown()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


# --- stacks ----------------------------------------------------------------------------------------------


def modules_of(event: dict[str, Any]) -> list[str]:
    """The modules of an event's frames, oldest call first."""
    holder = event["exception"] if "exception" in event else event["threads"]
    return [frame["module"] for value in holder["values"] for frame in value["stacktrace"]["frames"]]


def failing() -> None:
    raise ZeroDivisionError


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_stack_shows_the_programs_frames_and_the_standard_librarys_only() -> None:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, attach_stacktrace=True)
    in_thread(failing)
    in_thread(lambda: vedette.capture_message("m"))
    with ThreadPoolExecutor(1) as pool:
        vedette.capture_exception(pool.submit(failing).exception())
        pool.submit(vedette.capture_message, "m").result()
    with pytest.raises(RuntimeError) as raised:
        pool.submit(failing)
    vedette.capture_exception(raised.value)
    stacks = [modules_of(event) for event in transport.events]
    pools = "concurrent.futures.thread"
    assert [stack[-2:] for stack in stacks] == [
        ["threading", __name__],
        ["threading", __name__],
        [pools, __name__],
        [pools, pools],
        [__name__, pools],
    ]
    assert {module for stack in stacks for module in stack} == {"threading", pools, __name__}
    assert not any("_meta" in event for event in transport.events)  # what is left out is not said to be cut
