"""Design decision 11, over random schedules of faults: what was captured is accounted for, to the last item.

The judge is the server: it keeps books of what it answered how, by sender (tests/judging.py). Whenever a client has
been flushed, and once more when it has ended, of each data category

    captured + adopted = delivered + refused + dropped + waiting + kept

with ``captured`` being what the test captured, ``delivered`` and ``refused`` what the server answered 2xx and 429, and
``dropped`` no less than what client reports told the server; the same when all is over and nothing is owed any more.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

import vedette
from tests.judging import ANSWERS, WINDOW, JudgingServer, name_sender
from tests.own_counts import Sent, before_send, captures, losses, sample, total
from tests.waiting import wait_until
from vedette._processing import backoff, journaling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATIENCE = 20.0
"""Seconds for what a schedule needs at most before something is said to hang."""

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system knows no fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),  # the server's threads
]


class Schedule(RuleBasedStateMachine):
    """A client without a journal, a server that answers as it likes, a network that comes and goes."""

    with_journal = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="vedette-stats-")
        self.opened = 0
        self.has_failed = False
        self.ended: list[dict[str, dict[str, Any]]] = []
        self.server = JudgingServer()
        self.server.start()
        self.sent = self.open()

    def open(self) -> Sent:
        self.opened += 1
        name = f"client {self.opened}"
        journal: dict[str, Any] = {"cache_dir": self.folder, "cache_max_items": 12} if self.with_journal else {}
        client = vedette.Client(
            self.server.dsn(),
            default_integrations=False,
            error_sampler=sample,
            before_send=before_send,
            transport_queue_size=6,
            **journal,
        )
        name_sender(client, lambda: f"{name} in {os.getpid()}")
        return Sent(client, f"{name} in {os.getpid()}")

    # --- what happens ----------------------------------------------------------------------------------------

    @rule(answers=st.lists(st.sampled_from(sorted(ANSWERS)), max_size=6))
    def the_server_will_answer(self, answers: list[str]) -> None:
        self.server.planned.extend(ANSWERS[each] for each in answers)

    @rule(wanted=st.lists(captures, min_size=1, max_size=8))
    def capture(self, wanted: list[dict[str, Any]]) -> None:
        for each in wanted:
            self.sent.capture(**each)

    @rule(wanted=st.lists(captures, min_size=1, max_size=3), threads=st.integers(2, 4))
    def capture_in_threads(self, wanted: list[dict[str, Any]], threads: int) -> None:
        apart = [Sent(self.sent.client, self.sent.name) for _ in range(threads)]

        def run(sent: Sent) -> None:
            for each in wanted:
                sent.capture(**each)

        running = [threading.Thread(target=run, args=(sent,)) for sent in apart]
        for thread in running:
            thread.start()
        for thread, sent in zip(running, apart, strict=True):
            thread.join(PATIENCE)
            self.sent.captured.update(sent.captured)

    @rule()
    def the_network_goes(self) -> None:
        self.server.go_away()

    @rule()
    def the_network_is_back(self) -> None:
        self.server.come_back()

    @rule()
    def time_passes(self) -> None:
        threading.Event().wait(WINDOW)  # a step of the schedule: a window ends, a pause is over

    @rule()
    def flush(self) -> None:
        self.sent.client.flush(PATIENCE)
        if not self.with_journal:  # else what is kept may be tried again at any time
            stats = self.sent.stats()
            assert (self.imbalance(stats), stats["waiting"]) == ({}, {})
        self.check_soon(self.sent, self.sent.stats)

    @rule()
    def flush_without_patience(self) -> None:
        self.sent.client.flush(0.01)

    @rule(timeout=st.sampled_from((0.0, 0.05, 5.0)), late=st.lists(captures, max_size=2))
    def close_and_open_another(self, timeout: float, late: list[dict[str, Any]]) -> None:
        self.end(timeout, late)
        self.sent = self.open()

    @rule(wanted=st.lists(captures, max_size=4), flush_first=st.booleans())
    def fork(self, wanted: list[dict[str, Any]], flush_first: bool) -> None:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                told = json.dumps(self.live_as_child(wanted, flush_first=flush_first))
                os.write(write, told.encode())
            finally:
                os._exit(0)
        os.close(write)
        told = text_within(PATIENCE, read, pid)
        stats = json.loads(told)
        child = Sent(self.sent.client, f"client {self.opened} in {pid}")
        child.captured.update(stats["by the test"])
        self.check_soon(child, lambda: stats)
        self.ended.append(stats)

    def live_as_child(self, wanted: list[dict[str, Any]], *, flush_first: bool) -> dict[str, Any]:
        child = Sent(self.sent.client, "")
        for each in wanted:
            child.capture(**each)
        if flush_first:
            child.client.flush(PATIENCE)
        child.client.close(5)
        wait_until(lambda: not child.client.stats().waiting)
        return {**child.stats(), "by the test": child.captured}

    # --- what must hold --------------------------------------------------------------------------------------

    def end(self, timeout: float, late: list[dict[str, Any]] | None = None) -> None:
        """Close the client; what is under way then is still counted, and so is what comes too late."""
        self.sent.client.close(timeout)
        wait_until(lambda: not self.sent.client.stats().waiting)
        self.check_soon(self.sent, self.sent.stats)
        self.ended.append(self.sent.stats())
        for each in late or []:  # with a journal errors wait on disk for the next process: not for this one's clients
            self.sent.capture(**each)
        self.check_soon(self.sent, self.sent.stats)

    def imbalance(self, stats: Mapping[str, Any]) -> dict[str, int]:
        """What was captured and is not accounted for, or the other way round."""
        found = total(stats, "captured", "adopted")
        found.subtract(total(stats, "delivered", "refused", "dropped", "waiting", "kept"))
        return {category: count for category, count in found.items() if count}

    def check(self, sent: Sent, stats: Mapping[str, Any]) -> None:
        books = self.server.books[sent.name]
        assert +total(stats, "captured") == +sent.captured
        assert self.imbalance(stats) == {}, (self.imbalance(stats), stats)
        assert +total(stats, "delivered") == +books.delivered
        assert +total(stats, "refused") == +books.refused
        assert books.told <= losses(stats)
        assert max(books.ids.values(), default=1) == 1

    def check_soon(self, sent: Sent, read_stats: Callable[[], Mapping[str, Any]]) -> None:
        """The books are written when the answer is out, which its reader may be quicker to count."""

        def is_right() -> bool:
            try:
                self.check(sent, read_stats())
            except AssertionError:
                return False
            return True

        with suppress(AssertionError):
            wait_until(is_right, timeout=3.0, interval=0.005)
        self.has_failed = True
        self.check(sent, read_stats())
        self.has_failed = False

    def teardown(self) -> None:
        try:
            if not self.has_failed:
                self.check_at_the_end()
        finally:
            self.sent.client.close(0)
            self.server.close()
            shutil.rmtree(self.folder)

    def check_at_the_end(self) -> None:
        """With a good network nothing stays owed: each loss was told, and nothing is kept."""

        self.server.planned.clear()
        self.server.come_back()

        def is_done() -> bool:
            self.sent.client.flush(PATIENCE)
            stats = self.sent.stats()
            return not stats["kept"] and losses(stats) == self.server.books[self.sent.name].told

        wait_until(is_done, interval=WINDOW)
        self.end(0)
        adopted, kept = total_of(self.ended, "adopted"), total_of(self.ended, "kept")
        for category in ("error", "feedback"):
            assert adopted[category] == kept[category]
        assert adopted <= kept  # what is evicted before it was read back tells nothing of its attachments


def total_of(all_stats: list[dict[str, dict[str, Any]]], name: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for stats in all_stats:
        found.update(total(stats, name))
    return +found


def text_within(seconds: float, pipe: int, pid: int) -> str:
    """All that a child says; one that hangs is killed, and fails the test."""
    found = b""
    deadline = time.monotonic() + seconds
    try:
        while select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            data = os.read(pipe, 65_536)
            if not data:
                return found.decode()
            found += data
        os.kill(pid, signal.SIGKILL)
        raise AssertionError("a forked child hangs")
    finally:
        os.close(pipe)
        os.waitpid(pid, 0)


class JournaledSchedule(Schedule):
    """The same with ``cache_dir``: what one client leaves there the next one takes over."""

    with_journal = True


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a schedule of a second has room for several."""
    monkeypatch.setattr(backoff, "OFFLINE_SECONDS", 0.01)
    monkeypatch.setattr(backoff, "REFUSED_SECONDS", 0.05)
    monkeypatch.setattr(backoff, "MOST_SECONDS", 0.2)
    monkeypatch.setattr(journaling, "REPLAY_SECONDS", 0.005)


def run(machine: type[Schedule], examples: int, steps: int) -> None:
    """Without shrinking: each try takes a second, and a schedule in real time may go well the next time."""
    phases = (Phase.reuse, Phase.generate)
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=examples, stateful_step_count=steps, phases=phases, report_multiple_bugs=False),
    )


def test_every_item_is_accounted_for() -> None:
    run(Schedule, examples=20, steps=15)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_every_item_is_accounted_for_over_long_schedules() -> None:
    run(Schedule, examples=60, steps=40)


@pytest.mark.long
@pytest.mark.usefixtures("short_pauses")
def test_every_item_is_accounted_for_with_a_journal() -> None:
    run(JournaledSchedule, examples=20, steps=15)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("short_pauses")
def test_every_item_is_accounted_for_with_a_journal_over_long_schedules() -> None:
    run(JournaledSchedule, examples=60, steps=40)
