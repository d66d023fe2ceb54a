"""What a capture costs the thread that captures, in vedette and in the published peer, measured in one run.

    make bench
    python bench/caller.py [--rounds N] [--json]

Both get the same calls, the same options, and a transport that drops everything; README.md says how it is measured.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.metadata
import io
import json
import logging
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from workload import DEEP_FRAMES, SHALLOW_FRAMES, deep_error, shallow_error

OURS, THEIRS = "vedette", "sentry_sdk"
DSN = "http://key@127.0.0.1:9/1"  # nothing listens there, and nothing is sent
BREADCRUMBS = 100
SAMPLES = 5  # of each contender in a round
FLUSH_SECONDS = 30.0


class Contender:
    """One SDK, by the public names that both have, with a transport that drops what it gets."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sdk: Any = importlib.import_module(name)
        self.received: list[Any] = []
        self.encodes = False
        contender = self

        class Drop(importlib.import_module(f"{name}.transport").Transport):  # type: ignore[misc]
            def capture_envelope(self, envelope: Any) -> None:
                if contender.encodes:
                    envelope = envelope.serialize()
                contender.received.append(envelope)

        self.transport = Drop

    def init(self, dsn: str) -> None:
        """Without default integrations: what they add differs between the two."""
        self.sdk.init(dsn, transport=self.transport, default_integrations=False)

    def drain(self) -> int:
        """Have everything delivered that waits; how many envelopes that was."""
        self.sdk.flush(FLUSH_SECONDS)
        count = len(self.received)
        self.received.clear()
        return count

    def check(self) -> None:
        """Both must do the work that is compared: all frames, all breadcrumbs."""
        self.sdk.capture_exception(shallow_error())
        self.sdk.capture_exception(deep_error())
        with self.sdk.isolation_scope():
            leave_breadcrumbs(self)
            self.sdk.capture_message("checked")
        self.sdk.flush(FLUSH_SECONDS)
        shallow, deep, message = (envelope.get_event() for envelope in self.received)
        self.received.clear()
        frames = [len(event["exception"]["values"][-1]["stacktrace"]["frames"]) for event in (shallow, deep)]
        crumbs = len(message["breadcrumbs"]["values"])
        found = (*frames, crumbs)
        if found != (SHALLOW_FRAMES, DEEP_FRAMES, BREADCRUMBS):
            raise SystemExit(f"{self.name} captured other things than it was to: {found}")


@dataclass(frozen=True)
class Row:
    """One line of the table. ``prepare`` makes what one timed sample of ``calls`` calls works on."""

    name: str
    goal: float | None
    calls: int
    prepare: Callable[[Contender, int], Any]
    run: Callable[[Contender, Any], None]
    captures: bool = False  # envelopes must have come out
    cpu: bool = False  # the time that all threads spent computing, until the envelopes are bytes
    unit: str = "µs"
    theirs: str = THEIRS


@dataclass
class Result:
    """The medians of each round, in seconds per call."""

    row: Row
    ours: list[float]
    theirs: list[float]

    @property
    def ratios(self) -> list[float]:
        """Ours by theirs, round by round."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]


def sample(row: Row, contender: Contender) -> float:
    """Seconds per call. What the worker does goes on outside, unless the row is about just that."""
    work = row.prepare(contender, row.calls)
    contender.encodes = row.cpu
    clock = process_time if row.cpu else perf_counter
    started = clock()
    row.run(contender, work)
    if row.cpu:
        contender.sdk.flush(FLUSH_SECONDS)
    elapsed = clock() - started
    received = contender.drain()
    if row.captures and received != row.calls:
        raise SystemExit(f"{row.name}: {contender.name} captured {received} of {row.calls}")
    return elapsed / row.calls


def measure(rows: list[Row], contenders: dict[str, Contender], rounds: int) -> Iterator[Result]:
    """Round by round, row by row, one contender after the other; the first round only warms up."""
    results = [Result(row, [], []) for row in rows]
    for number in range(rounds + 1):
        for result in results:
            for name, medians in ((OURS, result.ours), (result.row.theirs, result.theirs)):
                gc.collect()
                samples = [sample(result.row, contenders[name]) for _ in range(SAMPLES)]
                if number:
                    medians.append(statistics.median(samples))
    yield from results


# --- in this process -----------------------------------------------------------------------------------------------


def nothing(_contender: Contender, calls: int) -> range:
    """For calls that all are alike."""
    return range(calls)


def shallow_errors(_contender: Contender, calls: int) -> list[ValueError]:
    """A new exception for each call: both SDKs drop one that they have seen."""
    return [shallow_error() for _ in range(calls)]


def deep_errors(_contender: Contender, calls: int) -> list[LookupError]:
    """The same, 60 frames deep."""
    return [deep_error() for _ in range(calls)]


def capture_exceptions(contender: Contender, errors: list[Exception]) -> None:
    """The call that all this is about."""
    capture = contender.sdk.capture_exception
    for error in errors:
        capture(error)


def capture_messages(contender: Contender, calls: range) -> None:
    """On an isolation scope that is full of breadcrumbs."""
    capture = contender.sdk.capture_message
    for _ in calls:
        capture("The payment provider did not answer")


def add_breadcrumbs(contender: Contender, calls: range) -> None:
    """One more where there are 100 already."""
    add = contender.sdk.add_breadcrumb
    for number in calls:
        add(
            type="http",
            category="httplib",
            message="GET /api/v2/orders",
            data={"url": "https://example.com/api/v2/orders", "method": "GET", "status_code": 200, "number": number},
        )


def leave_breadcrumbs(contender: Contender) -> None:
    """As many as a scope keeps."""
    add_breadcrumbs(contender, range(BREADCRUMBS))


def set_tags(contender: Contender, calls: range) -> None:
    """The same tag again."""
    set_tag = contender.sdk.set_tag
    for _ in calls:
        set_tag("checkout.step", "payment")


def enter_scopes(contender: Contender, calls: range) -> None:
    """Enter and leave."""
    new_scope = contender.sdk.new_scope
    for _ in calls:
        with new_scope():
            pass


def enter_isolation_scopes(contender: Contender, calls: range) -> None:
    """Enter and leave, as a request does."""
    isolation_scope = contender.sdk.isolation_scope
    for _ in calls:
        with isolation_scope():
            pass


def disabled(name: str) -> list[Row]:
    """Captures that go nowhere."""
    return [Row(name, 0.01, 500, shallow_errors, capture_exceptions)]


CAPTURES = [
    Row("capture_exception, 4 frames", 0.1, 20, shallow_errors, capture_exceptions, captures=True),
    Row("  CPU until it is bytes", None, 20, shallow_errors, capture_exceptions, captures=True, cpu=True),
    Row("  beside logging.exception", 1.0, 20, shallow_errors, capture_exceptions, theirs="logging"),
    Row("capture_exception, 60 frames of 20 locals", 0.1, 2, deep_errors, capture_exceptions, captures=True),
    Row("  CPU until it is bytes", None, 2, deep_errors, capture_exceptions, captures=True, cpu=True),
    Row("  beside logging.exception", 1.0, 2, deep_errors, capture_exceptions, theirs="logging"),
    Row("capture_message, 100 breadcrumbs", 0.05, 20, nothing, capture_messages, captures=True),
    Row("  CPU until it is bytes", None, 20, nothing, capture_messages, captures=True, cpu=True),
    Row("add_breadcrumb, to 100", None, 200, nothing, add_breadcrumbs),
    Row("set_tag", None, 200, nothing, set_tags),
    Row("new_scope", None, 200, nothing, enter_scopes),
    Row("isolation_scope", None, 200, nothing, enter_isolation_scopes),
]


class Logging(Contender):
    """The standard library in the part of the peer: an exception with its traceback, to a stream of no use."""

    def __init__(self) -> None:
        self.name = "logging"
        self.encodes = False
        self.sdk = self
        self._logger = logging.getLogger("bench")
        self._logger.propagate = False
        self._logger.addHandler(logging.StreamHandler(NullStream()))

    def capture_exception(self, error: BaseException) -> None:
        """What a program does that has no SDK."""
        self._logger.exception("unhandled", exc_info=error)

    def drain(self) -> int:
        """Nothing waits."""
        return 0


class NullStream(io.TextIOBase):
    """Takes text, and forgets it."""

    def write(self, text: str) -> int:
        """All of it."""
        return len(text)


def in_process(rounds: int) -> Iterator[Result]:
    """Before `init`, with an empty DSN, and at work."""
    contenders = {name: Contender(name) for name in (OURS, THEIRS)}
    yield from measure(disabled("capture_exception before init"), contenders, rounds)
    for contender in contenders.values():
        contender.init("")
    yield from measure(disabled("capture_exception, empty DSN"), contenders, rounds)
    for contender in contenders.values():
        contender.init(DSN)
        contender.check()
    with ExitStack() as scopes:
        for contender in contenders.values():
            scopes.enter_context(contender.sdk.isolation_scope())
            leave_breadcrumbs(contender)
        ...


# --- in fresh processes --------------------------------------------------------------------------------------------
