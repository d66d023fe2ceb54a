"""A scope may be written, read and forked at any time: nothing is lost, and nothing seeps through."""

# ruff: noqa: SLF001 - to interrupt a write, or to hold the lock, one has to reach in

from __future__ import annotations

import copy
import functools
import gc
import itertools
import os
import signal
import sys
import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from tests.unit._scopes.recording import RecordingClient, applied, event_of, messages
from tests.waiting import wait_until
from vedette._scopes import fields as scope_module
from vedette._scopes.context import use_isolation_scope
from vedette._scopes.scope import Scope

KEYS = st.sampled_from(["a", "b", "c"])
VALUES = st.sampled_from(["1", "2", "3"])


class ScopesAndTheirForks(RuleBasedStateMachine):
    """Random writes to a tree of forks; the model is a plain dict for each scope, copied deeply at a fork."""

    scopes = Bundle("scopes")

    @initialize(target=scopes)
    def first(self):
        self.pairs = []
        return self._follow(Scope(), {})

    def _follow(self, scope, model):
        self.pairs.append((scope, model))
        return scope, model

    @rule(target=scopes, pair=scopes)
    def fork(self, pair):
        scope, model = pair
        return self._follow(scope.fork(), copy.deepcopy(model))

    @rule(pair=scopes, key=KEYS, value=VALUES)
    def set_tag(self, pair, key, value):
        pair[0].set_tag(key, value)
        pair[1].setdefault("tags", {})[key] = value

    @rule(pair=scopes, key=KEYS)
    def remove_tag(self, pair, key):
        pair[0].remove_tag(key)
        pair[1].get("tags", {}).pop(key, None)

    @rule(pair=scopes, key=KEYS, value=VALUES)
    def set_context(self, pair, key, value):
        pair[0].set_context(key, {"list": [value]})
        pair[1].setdefault("contexts", {})[key] = {"list": [value]}

    @rule(pair=scopes, key=KEYS, value=VALUES)
    def set_extra(self, pair, key, value):
        pair[0].set_extra(key, value)
        pair[1].setdefault("extra", {})[key] = value

    @rule(pair=scopes, value=st.one_of(st.none(), VALUES))
    def set_user(self, pair, value):
        user = None if value is None else {"id": value}
        pair[0].set_user(user)
        pair[1]["user"] = user

    @rule(pair=scopes, value=VALUES)
    def add_breadcrumb(self, pair, value):
        pair[0].add_breadcrumb(message=value)
        pair[1].setdefault("crumbs", []).append(value)

    @rule(pair=scopes)
    def clear(self, pair):
        pair[0].clear()
        pair[1].clear()

    def teardown(self):
        for scope, model in getattr(self, "pairs", ()):
            event = event_of(scope)
            assert messages(event) == model.pop("crumbs", [])
            event.pop("breadcrumbs", None)
            assert event == {key: value for key, value in model.items() if value}


@pytest.mark.spec("SCO-18", "SCO-19", "SCO-22", "BRC-18", "BRC-19", "PAIN-07")
def test_a_fork_and_its_parent_never_see_each_others_later_writes():
    ScopesAndTheirForks.TestCase.settings = settings(deadline=None, stateful_step_count=30)
    ScopesAndTheirForks.TestCase("runTest").runTest()


@pytest.fixture
def frequent_switches():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def run_at_once(*functions):
    """Run functions in threads that start together; raise what one of them raised."""
    start = threading.Barrier(len(functions))
    failures = []

    def run(function):
        start.wait(5)
        try:
            function()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failures


def test_no_write_of_many_threads_to_one_scope_is_lost(frequent_switches):
    scope = Scope(client=RecordingClient(max_breadcrumbs=5000))

    def write(name):
        for number in range(300):
            scope.set_tag(f"{name}.{number}", "1")
            scope.set_extra(f"{name}.{number}", 1)
            scope.add_breadcrumb(message=f"{name}.{number}")

    run_at_once(*(lambda name=name: write(name) for name in "abcd"))
    event = applied(current=scope, max_breadcrumbs=5000)
    assert len(event["tags"]) == len(event["extra"]) == len(set(messages(event))) == 1200


@pytest.mark.spec("PAIN-39", "PAIN-07", "BRC-10")
def test_sixteen_threads_on_one_scope_tear_nothing(frequent_switches):
    """What is promised without a GIL as well, shown with it: every read is whole, whatever is written meanwhile."""
    shared = Scope(client=RecordingClient(max_breadcrumbs=10))
    done = threading.Event()
    wrong = []

    def write(name):
        for number in range(150):
            text = f"{name} {number}"
            shared.set_tags({"one": text, "other": text})
            shared.set_user({"id": text, "username": text})
            shared.add_breadcrumb(message=text, data={"same": text})
            shared.flags.set(name, number)
            if number % 50 == 49:
                shared.clear()
        done.set()

    def read():
        while not done.is_set():
            with use_isolation_scope(shared.fork()) as fork:
                event = event_of(fork)
            tags, user = event.get("tags", {}), event.get("user", {})
            crumbs = event.get("breadcrumbs", {"values": []})["values"]
            if tags.get("one") != tags.get("other") or user.get("id") != user.get("username"):
                wrong.append(event)
            if len(crumbs) > 10 + 12 or any(crumb["message"] != crumb["data"]["same"] for crumb in crumbs):
                wrong.append(event)

    run_at_once(*(functools.partial(write, f"thread {number}") for number in range(12)), *([read] * 4))
    assert wrong == []
    for number in range(11):
        shared.add_breadcrumb(message=str(number))
    assert messages(event_of(shared))[-10:] == [str(number) for number in range(1, 11)]


@pytest.mark.spec("SCO-18", "SCO-19")
def test_forks_taken_while_the_parent_is_written_are_whole_and_keep_still(frequent_switches):
    parent = Scope()
    done = threading.Event()

    def write():
        for number in range(2000):
            parent.set_tags({"one": number, "other": number})  # one write: never seen half done
        done.set()

    def take_forks():
        while not done.is_set():
            fork = parent.fork()
            tags = event_of(fork).get("tags", {"one": None, "other": None})
            assert tags["one"] == tags["other"]
            fork.set_tag("mark", "of the fork")
            assert event_of(fork)["tags"] == {**tags, "mark": "of the fork"} or tags["one"] is None

    run_at_once(write, take_forks, take_forks)
    assert event_of(parent)["tags"] == {"one": "1999", "other": "1999"}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX signals")
@pytest.mark.spec("PAIN-18")
def test_no_write_of_a_signal_handler_is_lost_and_none_that_it_interrupts():
    scope = Scope()
    numbers, handled = itertools.count(), []

    def handler(signal_number, frame):
        number = next(numbers)  # a handler may be interrupted by itself
        scope.set_tag(f"handler.{number}", "1")
        handled.append(number)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        written = 0
        while len(handled) < 300:
            scope.set_tag(f"main.{written}", "1")
            written += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    tags = event_of(scope)["tags"]
    expected = {f"handler.{number}" for number in handled} | {f"main.{number}" for number in range(written)}
    assert expected - tags.keys() == set()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX signals")
@pytest.mark.spec("PAIN-18")
def test_no_breadcrumb_of_a_signal_handler_is_lost_and_none_that_it_interrupts():
    scope = Scope(client=RecordingClient(max_breadcrumbs=100_000))
    numbers, handled = itertools.count(), []

    def handler(signal_number, frame):
        number = next(numbers)
        scope.add_breadcrumb(message=f"handler.{number}")
        handled.append(number)

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        written = 0
        while len(handled) < 300:
            scope.add_breadcrumb(message=f"main.{written}")
            written += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    expected = {f"handler.{number}" for number in handled} | {f"main.{number}" for number in range(written)}
    assert expected - set(messages(applied(current=scope, max_breadcrumbs=100_000))) == set()


@pytest.mark.spec("PAIN-18")
def test_no_write_of_a_garbage_collection_is_lost_and_none_that_it_interrupts():
    scope = Scope()
    collections = []

    def collected(phase, info):
        if phase == "start" and len(collections) < 500:
            scope.set_extra(f"gc.{len(collections)}", 1)
            collections.append(1)

    threshold = gc.get_threshold()
    gc.callbacks.append(collected)
    gc.set_threshold(1)
    try:
        for number in range(200):
            scope.set_extra(f"main.{number}", [number])
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(collected)
    assert len(collections) > 50
    expected = {f"main.{number}" for number in range(200)} | {f"gc.{number}" for number in range(len(collections))}
    assert expected - event_of(scope)["extra"].keys() == set()


@pytest.mark.spec("PAIN-18")
def test_a_write_in_the_middle_of_a_write_is_not_overwritten():
    scope = Scope()
    interrupted = []

    def at_once(state):  # between reading the state and storing the new one
        if not interrupted:
            interrupted.append(1)
            scope.set_extra("inner", "1")
        return {**state, "extra": {**state.get("extra", {}), "outer": "1"}}

    scope._write(at_once)
    assert event_of(scope)["extra"] == {"inner": "1", "outer": "1"}


def test_a_reader_never_waits_for_a_writer_and_neither_do_tags_and_breadcrumbs():
    scope = Scope()
    scope.set_extra("a", "1")
    holding, release = threading.Event(), threading.Event()

    def hold():
        holding.set()
        release.wait(10)

    writer = threading.Thread(target=scope_module._writers.run, args=(hold,))
    writer.start()
    assert holding.wait(5)
    try:
        assert event_of(scope.fork()) == {"extra": {"a": "1"}}
        scope.set_tag("b", "1")
        scope.add_breadcrumb(message="m")
        event = event_of(scope)
        assert (event["tags"], messages(event)) == ({"b": "1"}, ["m"])
    finally:
        release.set()
        writer.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.spec("PAIN-18")
def test_a_writer_that_is_never_let_in_writes_all_the_same():
    """Who holds the lock may wait for a lock of the program's that this thread holds."""
    scope = Scope()
    holding, release = threading.Event(), threading.Event()

    def hold():
        holding.set()
        release.wait(10)

    writer = threading.Thread(target=scope_module._writers.run, args=(hold,))
    writer.start()
    assert holding.wait(5)
    try:
        scope.set_extra("a", "1")
        assert event_of(scope) == {"extra": {"a": "1"}}
    finally:
        release.set()
        writer.join()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.spec("PAIN-18")
def test_a_child_forked_in_the_middle_of_another_threads_write_can_write():
    holding, release = threading.Event(), threading.Event()

    def hold():
        holding.set()
        release.wait(30)

    writer = threading.Thread(target=scope_module._writers.run, args=(hold,))
    writer.start()
    assert holding.wait(5)
    child = os.fork()
    if child == 0:
        scope = Scope()
        scope.set_extra("a", "1")
        os._exit(0 if event_of(scope) == {"extra": {"a": "1"}} else 1)
    status = []

    def ended():
        pid, code = os.waitpid(child, os.WNOHANG)
        status.append(code)
        return pid == child

    try:
        wait_until(ended)
    except AssertionError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        release.set()
        writer.join()
    assert status[-1] == 0
