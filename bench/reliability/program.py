"""The program that is measured. One file for every SDK: it uses only names that all of them have.

    python bench/reliability/program.py SDK JOB DSN [OPTIONS as JSON]

It says what happens in lines of JSON on standard output: ``ready`` once it may begin (it then waits for a line on
standard input), ``captured`` how many errors a process has captured, ``leaving`` the monotonic time at the end of the
main program, and, once the SDK has done whatever it does at exit, ``stats`` of each process: its own, if it has any.
"""

from __future__ import annotations

import atexit
import importlib
import json
import multiprocessing
import multiprocessing.util
import os
import signal
import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

CHILD_SECONDS = 10.0  # after which a child hangs
FLUSH_SECONDS = 30.0
STATS_FIELDS = ("captured", "adopted", "delivered", "refused", "dropped", "waiting", "kept")

sdk: Any = importlib.import_module(sys.argv[1])
captured: Counter[tuple[int, int]] = Counter()  # by process and thread, so that no count is shared


# --- what it captures ------------------------------------------------------------------------------------------------


def fail(text: str) -> None:
    """The innermost frame."""
    raise ValueError(text)


def work(text: str) -> None:
    """The frame around it."""
    fail(text)


def capture(times: int = 1, per_second: float | None = None) -> None:
    """Capture so many errors, each of them raised, and with a text of its own."""
    key = (os.getpid(), threading.get_ident())
    due = time.monotonic()
    for _ in range(times):
        captured[key] += 1
        try:
            work(f"{key[0]}-{key[1]}-{captured[key]}")
        except ValueError as error:
            sdk.capture_exception(error)
        if per_second is not None:
            due += 1 / per_second
            time.sleep(max(0.0, due - time.monotonic()))


# --- what it says ----------------------------------------------------------------------------------------------------


def say(**fields: Any) -> None:
    """One line, written at once: processes that share the pipe don't mix theirs."""
    fields["pid"] = os.getpid()
    os.write(1, json.dumps(fields).encode() + b"\n")


def say_captured(**fields: Any) -> None:
    """How many errors this process captured so far."""
    say(captured=sum(number for (pid, _), number in captured.items() if pid == os.getpid()), **fields)


def say_result() -> None:
    """The same, with what the SDK says became of them."""
    say_captured(stats=errors_of(sdk.get_client()))


def errors_of(client: Any) -> dict[str, Any] | None:
    """The part of ``stats()`` that counts errors, or None where there are no stats."""
    if not hasattr(client, "stats"):
        return None
    stats = client.stats()
    found = {name: getattr(stats, name, {}).get("error", 0) for name in STATS_FIELDS}
    found["dropped"] = dict(found["dropped"] or {})
    return found


# --- jobs ------------------------------------------------------------------------------------------------------------


def capture_and_leave(times: str, per_second: str = "") -> None:
    """Capture, and end like any program."""
    capture(int(times), float(per_second) if per_second else None)


def capture_and_live_on(times: str) -> None:
    """Capture all at once in a program that goes on."""
    capture(int(times))
    sdk.flush(timeout=FLUSH_SECONDS)


def capture_and_die(times: str, signal_name: str) -> None:
    """Capture, and be killed at once."""
    capture(int(times))
    say_captured()
    os.kill(os.getpid(), getattr(signal, signal_name))
    time.sleep(CHILD_SECONDS)  # a signal may take a moment


def wait_for_more() -> None:
    """Capture nothing: the next start of a program, which lives until it is told to end."""
    sys.stdin.readline()


def fork_workers(children: str, times: str) -> None:
    """A parent that has captured forks children that capture and end like any program."""
    capture(5)
    wait_for([fork(int(times)) for _ in range(int(children))])
    capture(5)


def fork_under_load(children: str, threads: str) -> None:
    """Fork while threads are capturing all the time."""
    done = threading.Event()

    def load() -> None:
        while not done.is_set():
            capture(1, per_second=100)

    loads = [threading.Thread(target=load) for _ in range(int(threads))]
    for each in loads:
        each.start()
    forked = []
    for _ in range(int(children)):
        time.sleep(0.1)
        forked.append(fork(5))
    wait_for(forked)
    done.set()
    for each in loads:
        each.join()


def fork(times: int) -> int:
    """Fork a child that captures so many errors, then ends like any program."""
    pid = os.fork()
    if not pid:
        capture(times)
        say_captured()
        sys.exit()
    return pid


def wait_for(children: list[int]) -> None:
    """Wait until all have ended; those that don't are ended, and told of."""
    deadline = time.monotonic() + CHILD_SECONDS
    left = set(children)
    while left:
        for pid in list(left):
            if os.waitpid(pid, os.WNOHANG)[0]:
                left.discard(pid)
            elif time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                left.discard(pid)
                say(hung_child=pid)
        time.sleep(0.01)


def use_pool(processes: str, times: str) -> None:
    """A parent that has captured lets a pool work, whose processes capture and end with the pool."""
    capture()
    context = multiprocessing.get_context("fork")
    with context.Pool(int(processes), initializer=say_result_at_the_end_of_a_worker) as pool:
        pool.map(capture_in_worker, range(int(times)), chunksize=1)
        pool.close()
        deadline = time.monotonic() + CHILD_SECONDS
        while (children := multiprocessing.active_children()) and time.monotonic() < deadline:
            time.sleep(0.01)
        for each in children:
            say(hung_child=each.pid)


def capture_in_worker(_: int) -> None:
    """One task."""
    capture()
    say_captured()


def say_result_at_the_end_of_a_worker() -> None:
    """Processes of ``multiprocessing`` run no ``atexit``, but these; the lowest priority is the last."""
    multiprocessing.util.Finalize(None, say_result, exitpriority=-1_000_000)


def soak(seconds: str, per_second: str) -> None:
    """Capture at this rate for so long."""
    capture(round(float(seconds) * float(per_second)), float(per_second))
    sdk.flush(timeout=FLUSH_SECONDS)


JOBS: dict[str, Callable[..., None]] = {
    each.__name__: each
    for each in (
        capture_and_leave,
        capture_and_live_on,
        capture_and_die,
        wait_for_more,
        fork_workers,
        fork_under_load,
        use_pool,
        soak,
    )
}


def main() -> None:
    """Do the job of the command line."""
    job, dsn, options, *arguments = sys.argv[2:]
    atexit.register(say_result)  # before the SDK registers: what is registered last runs first
    sdk.init(dsn=dsn, **json.loads(options))
    say(ready=True)
    sys.stdin.readline()
    started_by = os.getpid()
    try:
        JOBS[job](*arguments)
    finally:
        if os.getpid() == started_by:
            say_captured(leaving=time.monotonic())


if __name__ == "__main__":
    main()
