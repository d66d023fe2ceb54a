"""What a capture costs the thread that captures: vedette and the published peer, side by side in one run.

    make bench
    python bench/caller.py [--rounds N] [--json] [--cpu] [--journal]

Both get the same calls, the same options, and a transport that drops everything. README.md says how to read it.
With --journal: vedette with `cache_dir` beside vedette without, in the place of the peer.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import importlib.metadata
import io
import json
import logging
import os
import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, thread_time
from typing import TYPE_CHECKING, Any

from workload import DEEP_FRAMES, SHALLOW_FRAMES, deep_error, shallow_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Clock = Callable[[], float]

OURS, THEIRS, LOGGING, JOURNAL_OFF = "vedette", "sentry_sdk", "logging", "vedette without journal"
DSN = "http://key@127.0.0.1:9/1"  # nothing listens there, and nothing is sent
SAMPLES = 5  # of each contender in a round
COLD_SAMPLES = 3
BREADCRUMBS = 100
TAGS = tuple(f"checkout.tag{number}" for number in range(10))
FLUSH_SECONDS = 30.0
MILLISECOND = 1e-3
COLD_SCRIPT = Path(__file__).with_name("cold.py")


# --- who is measured -----------------------------------------------------------------------------------------------


class Contender:
    """One SDK, by the public names that both have, with a transport that drops what it gets."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sdk: Any = importlib.import_module(name)
        self.received: list[Any] = []
        self.encodes = False

    def init(self, dsn: str) -> None:
        """Without default integrations: the two have different ones."""
        contender = self

        class Drop(importlib.import_module(f"{self.name}.transport").Transport):  # type: ignore[misc]
            def capture_envelope(self, envelope: Any) -> None:
                if contender.encodes:
                    envelope.serialize()
                contender.received.append(envelope)

        self.sdk.init(dsn, transport=Drop, default_integrations=False)

    def flush(self) -> None:
        """Have everything handed to the transport that waits."""
        self.sdk.flush(FLUSH_SECONDS)

    def take_received(self) -> list[Any]:
        """The envelopes since the last time."""
        received, self.received = self.received, []
        return received

    def check(self) -> None:
        """Both must do the work that is compared: all frames, all breadcrumbs."""
        self.sdk.capture_exception(shallow_error())
        self.sdk.capture_exception(deep_error())
        with self.sdk.isolation_scope():
            add_breadcrumbs(self, range(BREADCRUMBS))
            self.sdk.capture_message("checked")
        self.flush()
        shallow, deep, message = (envelope.get_event() for envelope in self.take_received())
        found = (
            *(len(event["exception"]["values"][-1]["stacktrace"]["frames"]) for event in (shallow, deep)),
            len(message["breadcrumbs"]["values"]),
        )
        if found != (SHALLOW_FRAMES, DEEP_FRAMES, BREADCRUMBS):
            sys.exit(f"{self.name} captured other things than it was asked to: {found}")


class LoggingContender(Contender):
    """The standard library in the place of the peer: exceptions with their tracebacks, to a stream of no use."""

    def __init__(self) -> None:
        super().__init__(LOGGING)
        self.sdk = self
        self._logger = logging.getLogger("bench")
        self._logger.propagate = False
        self._logger.addHandler(logging.StreamHandler(NullStream()))

    def capture_exception(self, error: BaseException) -> None:
        """What a program without an SDK does in an ``except`` block."""
        self._logger.error("unhandled", exc_info=error)  # what `exception` does
        self.received.append(error)

    def flush(self) -> None:
        """Nothing waits."""


class ClientContender(Contender):
    """A client of vedette's own, by its options."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(OURS)
        self.name = name
        contender = self

        class Drop(self.sdk.Transport):  # type: ignore[misc]
            def capture_envelope(self, envelope: Any) -> None:
                contender.received.append(envelope)

        self.sdk = self.sdk.Client(DSN, transport=Drop, default_integrations=False, **options)


class NullStream(io.TextIOBase):
    """Takes text, and forgets it."""

    def write(self, text: str) -> int:
        """All of it is written nowhere."""
        return len(text)


# --- what is measured ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calls:
    """One sample: so many calls in this process, timed together; seconds per call."""

    count: int
    prepare: Callable[[int], Sequence[Any]]
    run: Callable[[Contender, Sequence[Any]], None]
    captures: bool = True  # so that each call must have sent an envelope
    to_bytes: bool = False  # what all threads compute until the envelopes are bytes, instead of the caller's time

    def __call__(self, contender: Contender, clock: Clock) -> float:
        """Exits if not every call sent its envelope: what was dropped was not measured."""
        work = self.prepare(self.count)
        contender.encodes = self.to_bytes
        if self.to_bytes:
            clock = process_time
        started = clock()
        self.run(contender, work)
        if self.to_bytes:
            contender.flush()
        elapsed = clock() - started
        contender.flush()
        received = len(contender.take_received())
        if received != (self.count if self.captures else 0):
            sys.exit(f"{contender.name} sent {received} envelopes for {self.count} calls")
        return elapsed / self.count


@dataclass(frozen=True)
class FreshProcess:
    """One sample: what `cold.py` measures in a process of its own."""

    what: str

    def __call__(self, contender: Contender, clock: Clock) -> float:
        """Starts Python anew."""
        command = [sys.executable, str(COLD_SCRIPT), contender.name, self.what, clock.__name__]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=self.environment())
        return float(done.stdout)

    @staticmethod
    @cache
    def environment() -> dict[str, str]:
        """Both SDKs compiled beforehand, by the round that warms up: pip did that for one of them only."""
        directory = TemporaryDirectory(prefix="vedette-bench-")
        atexit.register(directory.cleanup)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return {**inherited, "PYTHONPYCACHEPREFIX": directory.name}


def new_shallow_errors(count: int) -> list[ValueError]:
    """A new exception for each call: one that was seen before is dropped as a duplicate."""
    return [shallow_error() for _ in range(count)]


def new_deep_errors(count: int) -> list[LookupError]:
    """The same, 60 frames deep."""
    return [deep_error() for _ in range(count)]


def capture_exceptions(contender: Contender, errors: Sequence[Exception]) -> None:
    """The call that all this is about."""
    capture = contender.sdk.capture_exception
    for error in errors:
        capture(error)


def capture_messages(contender: Contender, numbers: Sequence[int]) -> None:
    """With whatever is on the isolation scope."""
    capture = contender.sdk.capture_message
    for _ in numbers:
        capture("The payment provider did not answer")


def add_breadcrumbs(contender: Contender, numbers: Sequence[int]) -> None:
    """As an HTTP client's integration leaves them."""
    add = contender.sdk.add_breadcrumb
    for number in numbers:
        data = {"url": "https://example.com/api/v2/orders", "method": "GET", "status_code": 200, "number": number}
        add(type="http", category="httplib", message="GET /api/v2/orders", data=data)


def set_tags(contender: Contender, numbers: Sequence[int]) -> None:
    """The same tag again and again."""
    set_tag = contender.sdk.set_tag
    for _ in numbers:
        set_tag("checkout.step", "payment")


def set_changing_tags(contender: Contender, numbers: Sequence[int]) -> None:
    """Ten tags in turn, each with another value than before."""
    set_tag = contender.sdk.set_tag
    for number in numbers:
        set_tag(TAGS[number % len(TAGS)], str(number))


def tag_requests(contender: Contender, numbers: Sequence[int]) -> None:
    """A request that sets each of its tags once: the scope is new each time."""
    sdk = contender.sdk
    for _ in numbers:
        with sdk.isolation_scope():
            for tag in TAGS:
                sdk.set_tag(tag, "value")


def enter_scopes(contender: Contender, numbers: Sequence[int]) -> None:
    """Enter and leave."""
    new_scope = contender.sdk.new_scope
    for _ in numbers:
        with new_scope():
            pass


def enter_isolation_scopes(contender: Contender, numbers: Sequence[int]) -> None:
    """Enter and leave, as each request does."""
    isolation_scope = contender.sdk.isolation_scope
    for _ in numbers:
        with isolation_scope():
            pass


@dataclass(frozen=True)
class Row:
    """One line of the table; the goal is the ratio that it should not exceed."""

    name: str
    goal: float | None
    sample: Callable[[Contender, Clock], float]
    theirs: str = THEIRS
    samples: int = SAMPLES


# The calls of one sample take the caller less than the 5 ms after which CPython hands over to the worker.
SHALLOW = 20, new_shallow_errors, capture_exceptions
DEEP = 1, new_deep_errors, capture_exceptions
MESSAGES = 20, range, capture_messages

BEFORE_INIT = [Row("capture_exception, before init", 0.01, Calls(500, new_shallow_errors, capture_exceptions, False))]
EMPTY_DSN = [Row("capture_exception, empty DSN", 0.01, Calls(500, new_shallow_errors, capture_exceptions, False))]
EXCEPTIONS = [
    Row("capture_exception, 4 frames", 0.1, Calls(*SHALLOW)),
    Row("4 frames, beside logging.exception", 1.0, Calls(*SHALLOW), theirs=LOGGING),
    Row("4 frames, CPU of all threads, to bytes", None, Calls(*SHALLOW, to_bytes=True)),
    Row("capture_exception, 60 frames x 20 locals", 0.1, Calls(*DEEP)),
    Row("60 frames, beside logging.exception", 1.0, Calls(*DEEP), theirs=LOGGING),
    Row("60 frames, CPU of all threads, to bytes", None, Calls(*DEEP, to_bytes=True)),
    Row("new_scope", 0.33, Calls(200, range, enter_scopes, captures=False)),
    Row("isolation_scope", 0.33, Calls(200, range, enter_isolation_scopes, captures=False)),
    Row("set_tag", 0.7, Calls(200, range, set_tags, captures=False)),
    Row("set_tag, another value each time", None, Calls(200, range, set_changing_tags, captures=False)),
    Row("isolation_scope, 10 new tags in it", None, Calls(50, range, tag_requests, captures=False)),
]
WITH_BREADCRUMBS = [
    Row("capture_message, 100 breadcrumbs", 0.05, Calls(*MESSAGES)),
    Row("100 breadcrumbs, CPU of all threads, to bytes", None, Calls(*MESSAGES, to_bytes=True)),
    Row("add_breadcrumb, to 100", 0.33, Calls(200, range, add_breadcrumbs, captures=False)),
]
COLD = [
    Row("import and init, fresh process", 0.25, FreshProcess("init"), samples=COLD_SAMPLES),
    Row("the same, after much of the standard library", None, FreshProcess("hosted"), samples=COLD_SAMPLES),
    Row("first capture_exception, 4 frames", None, FreshProcess("first"), samples=COLD_SAMPLES),
]


JOURNAL = [
    Row("capture_exception, 4 frames", None, Calls(*SHALLOW), theirs=JOURNAL_OFF),
    Row("capture_exception, 60 frames x 20 locals", 1.35, Calls(*DEEP), theirs=JOURNAL_OFF),
]


# --- measuring -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """The medians of each round, in seconds."""

    row: Row
    ours: list[float]
    theirs: list[float]

    def summary(self) -> dict[str, Any]:
        """Medians of the rounds' medians, and how far the rounds' ratios lie apart."""
        ratios = [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]
        ours, theirs = statistics.median(self.ours), statistics.median(self.theirs)
        return {
            "row": self.row.name,
            "ours": ours,
            "theirs": theirs,
            "beside": self.row.theirs,
            "ratio": ours / theirs,
            "lowest_ratio": min(ratios),
            "highest_ratio": max(ratios),
            "goal": self.row.goal,
        }


def measure(rows: Sequence[Row], contenders: dict[str, Contender], rounds: int, clock: Clock) -> list[Result]:
    """Round by round, row by row, one contender after the other. A first round warms up and does not count."""
    results = [Result(row, [], []) for row in rows]
    for number in range(rounds + 1):
        for result in results:
            row = result.row
            for name, medians in ((OURS, result.ours), (row.theirs, result.theirs)):
                gc.collect()
                median = statistics.median(row.sample(contenders[name], clock) for _ in range(row.samples))
                if number:
                    medians.append(median)
    return results


def measure_all(rounds: int, clock: Clock) -> list[Result]:
    """Disabled, at work, and in fresh processes."""
    sdks = [Contender(OURS), Contender(THEIRS)]
    contenders = {each.name: each for each in (*sdks, LoggingContender())}
    results = measure(BEFORE_INIT, contenders, rounds, clock)
    for each in sdks:
        each.init("")
    results += measure(EMPTY_DSN, contenders, rounds, clock)
    for each in sdks:
        each.init(DSN)
        each.check()
    results += measure(EXCEPTIONS, contenders, rounds, clock)
    with ExitStack() as scopes:
        for each in sdks:
            scopes.enter_context(each.sdk.isolation_scope())
            add_breadcrumbs(each, range(BREADCRUMBS))
        results += measure(WITH_BREADCRUMBS, contenders, rounds, clock)
    return results + measure(COLD, contenders, rounds, clock)


def measure_journal(rounds: int, clock: Clock) -> list[Result]:
    """What ``cache_dir`` adds."""
    with TemporaryDirectory(prefix="vedette-bench-") as folder:
        contenders = {OURS: ClientContender(OURS, cache_dir=folder), JOURNAL_OFF: ClientContender(JOURNAL_OFF)}
        results = measure(JOURNAL, contenders, rounds, clock)
        for each in contenders.values():
            each.sdk.close(FLUSH_SECONDS)
    return results


# --- showing -------------------------------------------------------------------------------------------------------


def as_text(seconds: float) -> str:
    """Three digits and the unit."""
    unit, factor = ("ms", 1e3) if seconds >= MILLISECOND else ("µs", 1e6)
    return f"{seconds * factor:#.3g}".rstrip(".") + f" {unit}"


def show(results: Sequence[Result], peer: str) -> None:
    """The table."""
    ours = f"vedette {importlib.metadata.version('vedette')}"
    layout = "{:<48}{:>14}{:>20}{:>9}{:>17}{:>8}"
    print(layout.format("", ours, peer, "ratio", "rounds", "goal"))
    for summary in (result.summary() for result in results):
        spread = f"{summary['lowest_ratio']:.3f}-{summary['highest_ratio']:.3f}"
        goal = "" if summary["goal"] is None else f"{summary['goal']:.2f}"
        times = as_text(summary["ours"]), as_text(summary["theirs"])
        print(layout.format(summary["row"], *times, f"{summary['ratio']:.3f}", spread, goal))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="more rounds, steadier medians (default: 15)")
    parser.add_argument("--json", action="store_true", help="seconds and ratios as JSON instead of a table")
    parser.add_argument("--cpu", action="store_true", help="the thread's CPU time, not wall time: for a busy machine")
    parser.add_argument("--journal", action="store_true", help="what `cache_dir` adds, instead of the peer")
    arguments = parser.parse_args()
    run = measure_journal if arguments.journal else measure_all
    results = run(arguments.rounds, thread_time if arguments.cpu else perf_counter)
    if arguments.json:
        print(json.dumps([result.summary() for result in results], indent=2))
    else:
        show(results, "journal off" if arguments.journal else f"sentry-sdk {importlib.metadata.version('sentry-sdk')}")


if __name__ == "__main__":
    main()
