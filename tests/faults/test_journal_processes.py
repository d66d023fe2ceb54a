"""Several processes share a directory, and are killed: no entry is adopted twice, none is lost.

Who delivers is simulated by processes that write a line for each entry into a file of their own before they settle it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from tests.journals import errors, files, leave, look, open_journal, take_all
from tests.programs import run_program
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX processes")

PREPARE = """
import os, signal, sys, time
from vedette._protocol.categories import DataCategory
from vedette._transport.journal import Journal
ERROR = DataCategory.ERROR
def open_journal():
    return Journal(sys.argv[1], "1-abc", max_bytes=10**8, max_items=10**6, max_age=1e6, on_evicted=lambda *_: None)
def bodies(journal, entries):
    found = [journal.read(entry) for entry in entries]
    [journal.keep(entry) for entry in entries]
    return found
"""

# Says on its standard output what is on disk, once it is.
APPENDING = """
journal = open_journal()
number = 0
while True:
    body = b"%d-%d" % (os.getpid(), number)
    assert journal.append(ERROR, body + b" " * (number % 3000)) is not None
    os.write(1, body + b"\\n")
    number += 1
"""

# Delivers what others left, and something of its own.
DELIVERING = """
journal = open_journal()
log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
number = 0
print("ready", flush=True)
while not os.path.exists(sys.argv[3]):
    own = b"own-%d-%d" % (os.getpid(), number)
    number += 1
    for entry in [*journal.adopt(), journal.append(ERROR, own)]:
        body = journal.read(entry)
        assert body is not None
        os.write(log, body.rstrip() + b"\\n")
        assert journal.settle(entry)
    time.sleep(0.002)
journal.close(keep_appending=False)
"""


@pytest.fixture
def start():
    """Starts a program; whatever still runs at the end of the test is killed."""
    started = []

    def run(program, *arguments):
        source = PREPARE + textwrap.dedent(program)
        command = [sys.executable, "-c", source, *map(str, arguments)]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate(timeout=20)


def kill(process):
    """What it said until it was killed, whole lines only."""
    process.kill()
    out, err = process.communicate(timeout=20)
    assert err == b""
    assert process.returncode == -signal.SIGKILL
    return [line[:-1] for line in out.splitlines(keepends=True) if line.endswith(b"\n")]


def killed_in_the_middle(start, directory, lines):
    """What an appending process said that was killed after some lines."""
    process = start(APPENDING, directory)
    first = [process.stdout.readline().rstrip() for _ in range(lines)]
    return first + kill(process)


def lines_of(path):
    return path.read_bytes().splitlines() if path.exists() else []


@pytest.mark.spec("PAIN-12", "OFF-18")
def test_what_was_appended_before_a_sigkill_is_found_by_the_next_process(start, tmp_path):
    said = [line for number in (1, 40, 300) for line in killed_in_the_middle(start, tmp_path, number)]
    found = [(body or b"").rstrip() for body in take_all(tmp_path, max_items=10**6)]
    assert set(said) <= set(found)
    assert len(found) == len(set(found))
    assert len(found) <= len(said) + 3  # what was on disk but not yet said


@pytest.mark.spec("PAIN-12")
def test_three_processes_adopt_at_once_what_others_leave_when_they_are_killed(start, tmp_path):
    stop = tmp_path / "stop"
    logs = [tmp_path / f"log{number}" for number in range(3)]
    delivering = [start(DELIVERING, tmp_path / "cache", log, stop) for log in logs]
    for process in delivering:
        assert process.stdout.readline() == b"ready\n"
    said = [
        line
        for number in (1, 50, 200, 3, 100, 1, 80, 20)
        for line in killed_in_the_middle(start, tmp_path / "cache", number)
    ]
    wait_until(lambda: set(said) <= {line for log in logs for line in lines_of(log)}, timeout=40)
    stop.touch()
    for process in delivering:
        assert process.communicate(timeout=20) == (b"", b"")
        assert process.returncode == 0
    delivered = Counter(line for log in logs for line in lines_of(log))
    assert [line for line, times in delivered.items() if times > 1] == []
    assert set(said) <= set(delivered)
    assert files(tmp_path / "cache") == []


@pytest.mark.long
@pytest.mark.spec("PAIN-12")
def test_when_those_who_deliver_are_killed_too_only_what_they_were_at_can_come_twice(start, tmp_path):
    """The kill came between the answer and the mark."""
    cache, stop = tmp_path / "cache", tmp_path / "stop"
    said, twice_allowed, logs = [], set(), []
    for round_ in range(12):
        log = tmp_path / f"log{round_}"
        logs.append(log)
        delivering = start(DELIVERING, cache, log, stop)
        assert delivering.stdout.readline() == b"ready\n"
        said += killed_in_the_middle(start, cache, 100)
        wait_until(lambda log=log: len(lines_of(log)) > 30)
        kill(delivering)
        twice_allowed.update(lines_of(log)[-1:])
    last = tmp_path / "last"
    logs.append(last)
    delivering = start(DELIVERING, cache, last, stop)
    assert delivering.stdout.readline() == b"ready\n"
    wait_until(lambda: len(files(cache)) == 2, timeout=40)  # its own
    stop.touch()
    delivering.communicate(timeout=20)
    delivered = Counter(line for log in logs for line in lines_of(log))
    assert {line for line, times in delivered.items() if times > 1} <= twice_allowed
    assert set(said) <= set(delivered)
    assert files(cache) == []


def test_what_a_living_process_appended_is_nobody_elses(start, tmp_path):
    process = start(APPENDING, tmp_path)
    process.stdout.readline()
    journal = open_journal(tmp_path)
    try:
        for _ in range(20):
            assert journal.adopt() == []
    finally:
        said = kill(process)
    assert len(journal.adopt()) >= len(said)
    journal.close(keep_appending=False)


def test_a_stopped_process_is_a_living_one(start, tmp_path):
    process = start(APPENDING, tmp_path)
    process.stdout.readline()
    process.send_signal(signal.SIGSTOP)
    journal = open_journal(tmp_path)
    assert journal.adopt() == []
    kill(process)
    assert journal.adopt() != []
    journal.close(keep_appending=False)


@pytest.mark.spec("PAIN-12")
def test_a_forked_child_adopts_nothing_of_its_living_parent_and_writes_its_own_segment(tmp_path):
    program = """
    journal = open_journal()
    other = open_journal()
    entry = journal.append(ERROR, b"parent's")
    other.append(ERROR, b"parent's, too")
    child = os.fork()
    if child == 0:
        assert journal.adopt() == other.adopt() == []
        assert journal.kept() == {} and journal.is_idle()
        assert journal.read(entry) is None and journal.settle(entry) is False
        assert bodies(journal, [journal.append(ERROR, b"child's")]) == [b"child's"]
        journal.close(keep_appending=False)
        assert journal.settle(entry) is False
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert bodies(other, other.adopt()) == [b"child's"]
    assert bodies(journal, [entry]) == [b"parent's"]
    os.kill(os.getpid(), signal.SIGKILL)
    """
    ended = run_program(PREPARE + textwrap.dedent(program), str(tmp_path))
    assert (ended.code, ended.stderr) == (-signal.SIGKILL, "")
    assert sorted(map(bytes, take_all(tmp_path))) == [b"child's", b"parent's", b"parent's, too"]


@pytest.mark.spec("PAIN-12")
def test_a_parent_keeps_its_segments_when_its_children_end(start, tmp_path):
    """Locks of another kind would go with a child's descriptors, or stay with them."""
    program = """
    journal = open_journal()
    journal.append(ERROR, b"parent's")
    for _ in range(3):
        child = os.fork()
        if child == 0:
            journal.close(keep_appending=False)
            os._exit(0)
        os.waitpid(child, 0)
    print("ready", flush=True)
    sys.stdin.read()
    """
    process = start(program, tmp_path)
    assert process.stdout.readline() == b"ready\n"
    journal = open_journal(tmp_path)
    assert journal.adopt() == []
    process.communicate(timeout=20)
    assert look(journal, *journal.adopt()) == [b"parent's"]
    journal.close(keep_appending=False)


@pytest.mark.spec("PAIN-12")
def test_a_child_takes_over_from_its_parent_when_that_is_dead(start, tmp_path):
    """It holds on to what it took: closing what it had inherited would have lost it the locks."""
    program = """
    first, second = open_journal(), open_journal()
    first.append(ERROR, b"1")
    second.append(ERROR, b"2")
    if os.fork():
        os.kill(os.getpid(), signal.SIGKILL)
    adopted, deadline = [], time.monotonic() + 20
    while len(adopted) < 2 and time.monotonic() < deadline:
        adopted += first.adopt()
        time.sleep(0.01)
    assert second.adopt() == []
    second.append(ERROR, b"child's")
    print(*sorted(bodies(first, adopted)), flush=True)
    sys.stdin.read()
    """
    process = start(program, tmp_path)
    assert process.stdout.readline() == b"b'1' b'2'\n"
    assert process.wait(timeout=20) == -signal.SIGKILL  # the parent
    journal = open_journal(tmp_path)
    assert journal.adopt() == []
    journal.close(keep_appending=False)
    process.communicate(timeout=20)  # its input and output end with it, the child's with them
    assert sorted(map(bytes, take_all(tmp_path))) == [b"1", b"2", b"child's"]


@pytest.mark.spec("PAIN-12")
def test_a_child_that_has_nothing_to_do_with_it_does_not_keep_a_dead_parents_segment(start, tmp_path):
    program = """
    journal = open_journal()
    journal.append(ERROR, b"parent's")
    if os.fork():
        os.kill(os.getpid(), signal.SIGKILL)
    print("ready", flush=True)
    sys.stdin.read()
    """
    process = start(program, tmp_path)
    assert process.stdout.readline() == b"ready\n"
    assert process.wait(timeout=20) == -signal.SIGKILL
    journal = open_journal(tmp_path)
    assert look(journal, *journal.adopt()) == [b"parent's"]  # while the child lives
    journal.close(keep_appending=False)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no list of descriptors")
def test_a_forked_child_holds_none_of_its_parents_files_open(tmp_path):
    program = """
    journals = [open_journal(), open_journal()]
    def opened():
        there = [os.path.join("/proc/self/fd", each) for each in os.listdir("/proc/self/fd")]
        return sum("journal-1-abc" in os.readlink(each) for each in there if os.path.islink(each))
    assert opened() == 4
    child = os.fork()
    if child == 0:
        for journal in journals:
            journal.forked()
        assert opened() == 0, opened()
        journals[0].append(ERROR, b"x")
        assert opened() == 2, opened()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert opened() == 4
    """
    ended = run_program(PREPARE + textwrap.dedent(program), str(tmp_path))
    assert (ended.code, ended.stderr) == (0, "")


ADOPT_AND_SETTLE = """
import sys
sys.path[:0] = [sys.argv[2]]
from tests.journals import open_journal
journal = open_journal(sys.argv[1])
for entry in journal.adopt():
    print(journal.read(entry))
    journal.settle(entry)
journal.close(keep_appending=False)
"""


def adopted_elsewhere(directory):
    """What another process finds, and settles."""
    ended = run_program(ADOPT_AND_SETTLE, str(directory), str(ROOT))
    assert (ended.code, ended.stderr) == (0, "")
    return ended.stdout.split()


def just_after_opening_a_lock_file(monkeypatch, action):
    """Call ``action`` once, after this process has opened one and before it has locked it."""
    opened = os.open
    called = []

    def open_and_be_late(path, *arguments, **named):
        descriptor = opened(path, *arguments, **named)
        if str(path).endswith(".lock") and not called:
            called.append(path)
            action()
        return descriptor

    monkeypatch.setattr(os, "open", open_and_be_late)
    return called


def test_two_who_find_a_dead_segment_at_the_same_time_do_not_both_get_it(tmp_path, monkeypatch):
    leave(tmp_path, b"x")
    journal = open_journal(tmp_path)
    found = []
    called = just_after_opening_a_lock_file(monkeypatch, lambda: found.append(adopted_elsewhere(tmp_path)))
    assert journal.adopt() == []
    assert (len(called), found) == (1, [["b'x'"]])
    journal.close(keep_appending=False)
    assert files(tmp_path) == []


def test_a_lock_file_cleared_away_before_its_owner_has_locked_it_is_not_relied_on(tmp_path, monkeypatch):
    called = just_after_opening_a_lock_file(monkeypatch, lambda: adopted_elsewhere(tmp_path))
    journal = open_journal(tmp_path)
    assert len(called) == 1
    monkeypatch.undo()
    errors(journal, b"x")
    assert adopted_elsewhere(tmp_path) == []
    journal.close(keep_appending=False)
    assert adopted_elsewhere(tmp_path) == ["b'x'"]
