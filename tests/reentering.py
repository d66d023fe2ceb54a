"""A program that interrupts vedette wherever it goes: before each of its byte codes, on whichever thread, something
captures. What that is, the first argument says; see ``INTERRUPTIONS``.

Run by tests/faults/test_reentry.py, in a process of its own. Each byte code is interrupted once on the main thread and
once on others. Every step has to end within the watchdog's time, or the process shows its stacks and dies.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import faulthandler
import gc
import json
import logging
import os
import signal
import sys
import threading
import time
import warnings
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import vedette
from tests.interruptions import codes_of
from tests.waiting import wait_until
from vedette.integrations.atexit import AtexitIntegration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WATCHDOG_SECONDS = 30.0
"""For what takes a second: on a machine that is busy with other things interrupted steps took over 10."""
TOOL = 4  # of sys.monitoring: one that no debugger or profiler takes
NOT_AGAIN: Any = sys.monitoring.DISABLE if sys.version_info >= (3, 12) else None
PACKAGE = str(Path(vedette.__file__).parent)

_pid = os.getpid()
is_on = threading.Event()
"""Whether anything interrupts now."""
under_way: dict[object, None] = {}
"""Captures that interrupt, each from before it has looked at `is_on`: none is left once that is off and this empty."""
attempts: list[str] = []
ids: list[str] = []

_programs_locks: dict[int, Any] = {}


def programs_lock() -> Any:
    """A lock of the program's, which it holds when it captures, as handlers of ``logging`` hold theirs.

    In a forked child it is a new one, as theirs are.
    """
    return _programs_locks.setdefault(os.getpid(), threading.RLock())


def capture(who: str) -> None:
    """As programs do it in the places that this is about."""
    # Not beside the lock of the handler: then the program would have two that it takes in either order.
    with contextlib.nullcontext() if sys.argv[1] == "logging" else programs_lock():
        vedette.set_tag("from", who)
        vedette.set_context("from", {"whom": who})
        vedette.add_breadcrumb(message=who)
        attempts.append(who)
        found = vedette.capture_message(f"from {who}")
        if found:
            ids.append(found)


def interrupt(action: Callable[[], None]) -> None:
    """Do it if anything interrupts now; see `quiet`."""
    token = object()
    under_way[token] = None
    try:
        if is_on.is_set():
            action()
    finally:
        del under_way[token]


def quiet() -> None:
    """Nothing interrupts any more, on any thread: what was counted so far can be looked at, or forgotten."""
    is_on.clear()
    with step("quiet"):
        wait_until(lambda: not under_way, WATCHDOG_SECONDS * 2)
        gc.collect()  # a collection that another thread was at left `Cyclic` objects over


class Cyclic:
    """Lives until the collector finds it."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        capture("__del__")


class CapturingHandler(logging.Handler):
    """What a logging integration does."""

    def emit(self, record: logging.LogRecord) -> None:
        interrupt(lambda: capture(f"logging, {record.name}"))


def by_signal() -> None:
    signal.raise_signal(signal.SIGUSR1)  # on the main thread only, wherever it is raised


def by_destructor() -> None:
    Cyclic()
    gc.collect(0)


def by_collector() -> None:
    gc.collect(0)


def by_logging() -> None:
    logging.getLogger("program").error("something went wrong")


def by_warning() -> None:
    warnings.warn("unclosed file", ResourceWarning, stacklevel=1)


def by_call() -> None:
    """Of a trace function, or of C code that calls back."""
    capture("a call")


def from_collector(phase: str, _: dict[str, int]) -> None:
    interrupt(lambda: capture(f"gc, {phase}"))


def show_warning(*_args: object, **_kwargs: object) -> None:
    interrupt(lambda: capture("warnings"))


def set_up_signal() -> None:
    signal.signal(signal.SIGUSR1, lambda *_: capture("a signal handler"))


def set_up_collector() -> None:
    gc.callbacks.append(from_collector)


def set_up_logging() -> None:
    handler = CapturingHandler()
    logging.getLogger().addHandler(handler)
    logging.getLogger("vedette").addHandler(handler)


def set_up_warnings() -> None:
    warnings.showwarning = show_warning  # type: ignore[assignment]
    warnings.simplefilter("always")


INTERRUPTIONS: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
    "signal": (set_up_signal, by_signal),
    "del": (lambda: None, by_destructor),
    "gc": (set_up_collector, by_collector),
    "logging": (set_up_logging, by_logging),
    "warnings": (set_up_warnings, by_warning),
    "call": (lambda: None, by_call),
}


class Interrupter:
    """Calls ``action`` before byte codes of vedette: of each place in ``one_in`` of them, once a kind of thread."""

    def __init__(self, action: Callable[[], None], one_in: int) -> None:
        self._action = action
        self._one_in = one_in
        self._seen: set[tuple[int, int, bool]] = set()
        self._main = threading.get_ident()
        self._at_it = threading.local()
        self.places = 0

    def install(self) -> None:
        """Watch this thread and those that come."""
        if sys.version_info >= (3, 12):
            events = sys.monitoring.events
            sys.monitoring.use_tool_id(TOOL, "reentering")
            sys.monitoring.register_callback(TOOL, events.INSTRUCTION, self._arrive)
            for code in set(codes_of_vedette()):
                sys.monitoring.set_local_events(TOOL, code, events.INSTRUCTION)
            return
        start = _thread.start_new_thread

        def start_traced(function: Any, args: Any, *rest: Any) -> Any:
            def traced(*args: Any) -> None:
                sys.settrace(self._trace)
                function(*args)

            return start(traced, args, *rest)

        _thread.start_new_thread = start_traced  # type: ignore[assignment]
        sys.settrace(self._trace)

    def _trace(self, frame: Any, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            self._arrive(frame.f_code, frame.f_lasti)
        return self._trace

    def _arrive(self, code: Any, offset: int) -> object:
        if (offset // 2 + code.co_firstlineno) % self._one_in:
            return NOT_AGAIN
        if getattr(self._at_it, "is_now", False):
            return None
        is_main = threading.get_ident() == self._main
        place = (id(code), offset, is_main)
        if place not in self._seen:
            interrupt(lambda: self._act(place))
            return None
        return NOT_AGAIN if (id(code), offset, not is_main) in self._seen else None

    def _act(self, place: tuple[int, int, bool]) -> None:
        self._seen.add(place)
        self._at_it.is_now = True
        try:
            self.places += 1
            if place[-1] and self.places % 20 == 0:  # the main thread gets on, be it slowly
                watch()
            self._action()
        finally:
            self._at_it.is_now = False


def codes_of_vedette() -> Iterator[Any]:
    for name, module in tuple(sys.modules.items()):
        if name.split(".")[0] == "vedette" and isinstance(module, ModuleType):
            yield from codes_of(module)
    for each in gc.get_objects():  # functions inside of functions, lambdas and such
        if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(PACKAGE):
            yield each.__code__


def watch() -> None:
    """From now on the main thread has `WATCHDOG_SECONDS` to get on. Not in a child: see `fork`."""
    if os.getpid() == _pid:
        faulthandler.dump_traceback_later(WATCHDOG_SECONDS, exit=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """One that has to end in time."""
    watch()
    try:
        yield
    except BaseException:
        sys.stderr.write(f"in step {name!r}\n")
        raise
    finally:
        faulthandler.cancel_dump_traceback_later()


def main() -> None:
    """Arguments: what interrupts, one in how many places, where the server is, where none is, a directory or ""."""
    kind, one_in, dsn, nobodys_dsn, limited_dsn, directory = sys.argv[1:]
    options: dict[str, Any] = {
        "default_integrations": False,
        "integrations": [AtexitIntegration()],  # else what is captured after the last flush is nobody's to deliver
        "shutdown_timeout": WATCHDOG_SECONDS * 2 / 3,
    }
    if directory:
        options["cache_dir"] = directory
    set_up, action = INTERRUPTIONS[kind]
    vedette.init(dsn, **options)  # loads what there is to load, before the watch begins
    with step("warm up"):
        vedette.capture_message("warm up")
        vedette.flush(8)
    set_up()
    gc.collect()
    gc.freeze()
    interrupter = Interrupter(action, int(one_in))
    interrupter.install()
    run(interrupter, {"dsn": dsn, "nobody": nobodys_dsn, "limited": limited_dsn}, options)


def run(interrupter: Interrupter, dsns: dict[str, str], options: dict[str, Any]) -> None:
    atexit.register(report_at_exit, interrupter)  # runs after vedette's own
    for name, dsn, more in (
        ("limited", dsns["limited"], {"debug": True}),
        ("nobody is there", dsns["nobody"], {"transport_queue_size": 20}),
        ("all is well", dsns["dsn"], {}),
    ):
        quiet()
        attempts.clear()
        ids.clear()
        with step(f"{name}: init"):
            client = vedette.init(dsn, **{**options, **more})
            is_on.set()
        stop = start_others(name)
        use(name, is_up=dsn == dsns["dsn"])
        with step(f"{name}: others"):
            stop()
        quiet()  # or each look would capture
        settle(name, client, is_up=dsn == dsns["dsn"])
        is_on.set()
        if name != "all is well":
            with step(f"{name}: close"):
                client.close(0.5)
    with step("exit"):
        use("exit", is_up=True)
    watch()


def start_others(name: str) -> Callable[[], None]:
    """A thread that captures, with the program's lock held, and asks for what the client knows."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.003):
            capture(f"another thread, {name}")
            vedette.get_client().stats()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()

    def stop() -> None:
        ended.set()
        thread.join(WATCHDOG_SECONDS * 2)

    return stop


def use(name: str, *, is_up: bool) -> None:
    """Go where vedette holds a lock, swaps what it holds, or hands over."""
    client = vedette.get_client()
    for number in range(3):
        with step(f"{name}: captures"), vedette.isolation_scope() as scope:
            scope.set_user({"id": number})
            scope.add_attachment(bytes=b"some bytes", filename="some.bin")
            attempts.append("exception")
            try:
                raise ValueError(number)
            except ValueError as error:
                ids.append(vedette.capture_exception(error) or "")
            with vedette.new_scope() as inner:
                inner.set_extra("number", number)
                inner.set_level("warning")
                capture("main")
                inner.clear()
    with step(f"{name}: a burst"):
        for _ in range(40):
            capture("burst")
    with step(f"{name}: stats"):
        client.stats()
    with step(f"{name}: flush"):
        vedette.flush(5.0 if is_up else 0.3, lambda *_: None)
    if hasattr(os, "fork"):
        with step(f"{name}: fork"):
            fork()


def fork() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the threads, which is legitimate here
        child = os.fork()
    if not child:
        # By the system's clock: the thread of the other watchdog is not here, and its lock is still held.
        faulthandler.register(signal.SIGALRM, chain=True)
        signal.setitimer(signal.ITIMER_REAL, WATCHDOG_SECONDS - 2)
        vedette.capture_message("from the child")
        vedette.flush(0.5)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, "the child hung"


def settle(name: str, client: Any, *, is_up: bool) -> None:
    """All captures are accounted for, once; those that other threads are just making, too."""
    with step(f"{name}: the end"):
        deadline, pause = time.monotonic() + WATCHDOG_SECONDS / 2, threading.Event()
        while True:
            vedette.flush(1.0 if is_up else 0.05)
            stats = client.stats()
            if not (is_up and known_of(stats, "waiting")) and not unaccounted(stats):
                return
            if time.monotonic() > deadline:
                raise AssertionError((name, len(attempts), unaccounted(stats), stats))
            pause.wait(0.01)


def unaccounted(stats: Any) -> tuple[int, ...]:
    """Of captures and of what became of them: how many are missing; empty if none are."""
    known = sum(known_of(stats, part) for part in ("delivered", "refused", "waiting", "kept"))
    known += sum(stats.dropped.get("error", {}).values())
    captured = known_of(stats, "captured")
    missing = len(attempts) - captured, captured + known_of(stats, "adopted") - known
    return missing if any(missing) else ()


def known_of(stats: Any, part: str) -> int:
    return int(getattr(stats, part, {}).get("error", 0))


def report_at_exit(interrupter: Interrupter) -> None:
    quiet()
    watch()
    stats = vedette.get_client().stats()
    sys.stdout.write(
        json.dumps(
            {
                "places": interrupter.places,
                "attempts": len(attempts),
                "ids": ids,
                "captured": known_of(stats, "captured"),
                "delivered": known_of(stats, "delivered"),
                "unaccounted": unaccounted(stats),
                "dropped": dict(stats.dropped.get("error", {})),
            }
        )
    )


if __name__ == "__main__":
    main()
