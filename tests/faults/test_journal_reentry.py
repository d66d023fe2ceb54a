"""Calls into the journal that interrupt it: at every byte code, as a signal handler may, and from many threads.

The byte codes are found by tracing, and before each of them the interrupting call is made once. Signal handlers run
between byte codes, too, at fewer places.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tests.interruptions import ByteCodes
from tests.journals import Evictions, errors, leave, look, open_journal, segments, take_all
from tests.programs import run_program
from vedette._protocol.categories import DataCategory
from vedette._transport.journal import adoption, folder, holdings, ownership, record, segment
from vedette._transport.journal import journal as implementation

ERROR = DataCategory.ERROR
ROOT = Path(__file__).parents[2]
STEP = 7  # all were tried
MODULES = (adoption, folder, holdings, implementation, ownership, record, segment)
SEGMENT = 6_000  # bytes: with bounds of 16 times that


@pytest.fixture
def byte_codes():
    with ByteCodes(*MODULES) as found:
        yield found


def at_every_byte_code(attempt, step=STEP):
    """Call it with 0, 1, 2, ... until it says that there was no such byte code any more; in steps, for time's sake."""
    at = 0
    while attempt(at):
        at += step
    assert at > 100


class Append:
    """A plain one."""

    step = STEP

    def prepare(self, journal):
        return errors(journal, b"before")

    def run(self, journal):
        return errors(journal, b"mine")


class AppendThatNeedsANewSegment(Append):
    def prepare(self, journal):
        return errors(journal, bytes(SEGMENT + 1))


class AppendThatEvicts(Append):
    step = 101  # there are many, in loops

    def prepare(self, journal):
        return errors(journal, *[bytes(SEGMENT // 2)] * 30)

    def run(self, journal):
        return errors(journal, *[b"mine" + bytes(SEGMENT)] * 2)


class Settle(Append):
    def run(self, journal):
        sent, entry = errors(journal, b"sent", b"mine")
        assert journal.read(sent) == b"sent"
        assert journal.settle(sent) is True
        return [entry]


class Keep(Append):
    def run(self, journal):
        entries = errors(journal, b"mine")
        assert look(journal, *entries) == [b"mine"]
        return entries


@pytest.mark.long
@pytest.mark.spec("PAIN-18")
@pytest.mark.parametrize("kind", [Append, AppendThatNeedsANewSegment, AppendThatEvicts, Settle, Keep])
def test_an_append_at_any_byte_code_of_another_call_is_kept(byte_codes, kind, tmp_path):
    def attempt(at):
        evicted = Evictions()
        directory = tempfile.mkdtemp(dir=tmp_path)
        journal = open_journal(directory, max_bytes=SEGMENT * 16, on_evicted=evicted)
        operation = kind()
        entries = operation.prepare(journal)

        def interrupt():
            entry, settled = errors(journal, b"interrupting", b"settled at once")
            assert journal.settle(settled) is True
            entries.append(entry)

        done, interrupted = byte_codes.interrupt(at, interrupt, lambda: operation.run(journal))
        entries += done
        assert None not in entries
        bodies = look(journal, *entries)
        assert bodies.count(None) == len(evicted)
        assert sum(journal.kept().values()) == len(entries) - len(evicted)
        journal.close(keep_appending=False)
        assert sorted(map(bytes, take_all(directory))) == sorted(filter(None, bodies))
        return interrupted

    at_every_byte_code(attempt, kind.step)


EXCEPTIONS = """
import os, sys
from tests.faults.test_journal_reentry import ATTEMPTS
ATTEMPTS[sys.argv[2]](sys.argv[1])
"""


def interrupted_by_an_exception(kind):
    """Calls it in as many directories as it has byte codes."""

    def attempt_all(parent):
        with ByteCodes(*MODULES) as byte_codes:
            at = 0
            interrupted = True
            while interrupted:
                interrupted = attempt(byte_codes, at, tempfile.mkdtemp(dir=parent))
                at += STEP
        sys.stdout.write(str(at))

    def attempt(byte_codes, at, directory):
        journal = open_journal(directory, max_bytes=SEGMENT * 16)
        operation = kind()
        before = operation.prepare(journal)
        interrupted = True
        try:
            _, interrupted = byte_codes.interrupt(at, raise_keyboard_interrupt, lambda: operation.run(journal))
        except KeyboardInterrupt:
            pass
        after = errors(journal, *[b"after" + bytes(SEGMENT // 3)] * 4)
        assert None not in look(journal, *before, *after)
        assert journal.settle(after.pop()) is True
        journal.close(keep_appending=False)
        return interrupted

    return attempt_all


def raise_keyboard_interrupt():
    raise KeyboardInterrupt


ATTEMPTS = {kind.__name__: interrupted_by_an_exception(kind) for kind in (Append, AppendThatNeedsANewSegment, Settle)}


@pytest.mark.spec("PAIN-12")
@pytest.mark.parametrize("kind", ATTEMPTS)
def test_an_exception_at_any_byte_code_leaves_a_sound_journal(kind, tmp_path):
    """As a signal handler raises it: KeyboardInterrupt, a soft time limit."""
    ended = run_program(EXCEPTIONS, str(tmp_path), kind, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert ended.stderr == ""
    assert int(ended.stdout) > 100
    assert len(list(tmp_path.iterdir())) > 100 // STEP
    for directory in tmp_path.iterdir():
        found = [body or b"" for body in take_all(directory)]
        assert sum(body.startswith(b"after") for body in found) == 3
        assert found.count(b"mine") <= 1
        assert 4 <= len(found) <= 6  # the one before, those after, what was interrupted


@pytest.mark.long
@pytest.mark.spec("PAIN-18")
@pytest.mark.parametrize("kind", [Append, Settle])
def test_closing_at_any_byte_code_loses_nothing_and_writes_into_nobody_elses_files(byte_codes, kind, tmp_path):
    """The descriptors that become free are at once the host's."""

    def attempt(at):
        directory = tempfile.mkdtemp(dir=tmp_path)
        journal = open_journal(directory)
        hosts = []

        def interrupt():
            journal.close(keep_appending=True)
            hosts.extend(os.open(f"{directory}/host{number}", os.O_RDWR | os.O_CREAT) for number in range(4))

        def call():
            return [journal.settle(sent)] if kind is Settle else errors(journal, b"mine")

        if kind is Settle:
            sent, _ = errors(journal, b"sent", b"mine")
            assert journal.read(sent) == b"sent"
        returned, interrupted = byte_codes.interrupt(at, interrupt, call)
        assert returned[0]
        assert [os.fstat(descriptor).st_size for descriptor in hosts] == [0] * len(hosts)
        for descriptor in hosts:
            os.close(descriptor)
        journal.close(keep_appending=False)
        assert take_all(directory) == [b"mine"]
        return interrupted

    at_every_byte_code(attempt, 1)


@pytest.mark.spec("PAIN-18")
@pytest.mark.parametrize("call", ["close", "adopt"])
def test_an_append_at_any_byte_code_of_close_and_of_adopt_is_kept(byte_codes, call, tmp_path):
    def attempt(at):
        directory = tempfile.mkdtemp(dir=tmp_path)
        leave(directory, b"left")
        journal = open_journal(directory)
        errors(journal, b"mine")
        appended: list = []
        calls = {"close": lambda: journal.close(keep_appending=True), "adopt": journal.adopt}
        returned, interrupted = byte_codes.interrupt(at, lambda: appended.extend(errors(journal, b"late")), calls[call])
        assert returned is None or len(returned) == 1
        assert None not in appended
        journal.close(keep_appending=False)
        assert sorted(map(bytes, take_all(directory))) == sorted([b"left", b"mine"] + [b"late"] * len(appended))
        return interrupted

    at_every_byte_code(attempt)


@pytest.mark.spec("PAIN-12")
def test_what_is_being_taken_over_when_the_journal_is_closed_is_left_to_the_next(byte_codes, tmp_path):
    def attempt(at):
        directory = tempfile.mkdtemp(dir=tmp_path)
        leave(directory, b"left")
        leave(directory, b"left, too")
        journal = open_journal(directory)
        _, interrupted = byte_codes.interrupt(at, lambda: journal.close(keep_appending=True), journal.adopt)
        if not interrupted:
            journal.close(keep_appending=True)
        assert sorted(map(bytes, take_all(directory))) == [b"left", b"left, too"]
        return interrupted

    at_every_byte_code(attempt)


@pytest.mark.spec("PAIN-12")
@pytest.mark.parametrize("max_bytes", [64 * 1024 * 1024, 1024 * 1024], ids=["one segment", "many segments"])
def test_eight_threads_at_once_lose_nothing(tmp_path, max_bytes):
    evicted = Evictions()
    journal = open_journal(tmp_path, max_bytes=max_bytes, max_items=99_999, on_evicted=evicted)
    mine = [[] for _ in range(8)]
    start = threading.Barrier(8)

    def run(number):
        start.wait()
        for each in range(250):
            body = b"%d-%d:" % (number, each) + bytes(2_000)
            entry = journal.append(ERROR, body)
            if each % 3:
                journal.read(entry)
                if journal.settle(entry):
                    continue
            mine[number].append((entry, body))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    entries = [pair for pairs in mine for pair in pairs]
    assert None not in [entry for entry, _ in entries]
    bodies = look(journal, *(entry for entry, _ in entries))
    assert bodies.count(None) == len(evicted)
    assert all(body is None or body == expected for body, (_, expected) in zip(bodies, entries, strict=True))
    assert journal.kept() == {ERROR: len(entries) - len(evicted)}
    journal.close(keep_appending=False)
    assert 1 <= len(segments(tmp_path)) <= 40
    assert sorted(map(bytes, take_all(tmp_path, max_items=99_999))) == sorted(filter(None, bodies))


SIGNALS = """
import os, signal, sys, time
from vedette._protocol.categories import DataCategory
from vedette._transport.journal import Journal
evicted = []
journal = Journal(sys.argv[1], "1-abc", max_bytes=2_000_000, max_items=500, max_age=1e6,
                  on_evicted=lambda category, number: evicted.append(number))
entries = []
def handler(*_):
    body = b"handler %d" % len(entries)
    entries.append((journal.append(DataCategory.ERROR, body + bytes(1000)), body))
    signal.setitimer(signal.ITIMER_REAL, 0.0003)
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0003)
deadline = time.monotonic() + 1.5
sent = main = 0
while time.monotonic() < deadline:
    main += 1
    entry = journal.append(DataCategory.ERROR, b"main %d" % main + bytes(3000))
    if main % 4:
        body = journal.read(entry)
        if journal.settle(entry):
            assert body and body.startswith(b"main %d" % main)
            sent += 1
signal.signal(signal.SIGALRM, signal.SIG_IGN)
assert len(entries) > 100, len(entries)
assert None not in [entry for entry, _ in entries]
alive = sum(journal.kept().values())
assert main + len(entries) == sent + alive + len(evicted), (main, len(entries), sent, alive, len(evicted))
for entry, body in entries:
    found = journal.read(entry)
    assert found is None or found.startswith(body + bytes(3)), (found, body)
print(alive)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.spec("PAIN-18", "PAIN-12")
def test_real_signals_in_the_middle_of_everything_lose_nothing(tmp_path):
    ended = run_program(SIGNALS, str(tmp_path))
    assert (ended.code, ended.stderr) == (-9, "")
    assert len(take_all(tmp_path)) == int(ended.stdout)
