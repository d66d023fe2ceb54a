"""Commands whose streams are closed or full, and those that are interrupted: quiet, or one line, never a traceback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.inboxes import envelope, order_failed
from tests.programs import Ended, Running, side_by_side
from tests.waiting import wait_until
from vedette._inbox.store import Store

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = (sys.executable, "-W", "error", "-m", "vedette")
INTERRUPTED = """
import os, signal, sys
from vedette._cli import main
at, seen = int(sys.argv.pop(1)), 0
def hook(event, _):
    if event.startswith("marshal."):  # in the midst of C code, where a real Ctrl-C does not come
        return
    global seen
    seen += 1
    if seen == at:
        signal.raise_signal(signal.SIGINT)
signal.signal(signal.SIGUSR1, lambda *_: print("seen", seen, file=sys.stderr, flush=True))
sys.addaudithook(hook)
code = main()
if not at:
    signal.raise_signal(signal.SIGUSR1)
sys.exit(code)
"""
"""A command that gets Ctrl-C at the n-th of its imports, opened files, connections and the like."""


@pytest.fixture
def filled(tmp_path):
    path = tmp_path / "inbox.db"
    with Store(path) as store:
        for number in range(3):
            store.add_envelope("1", envelope(order_failed(fingerprint=[str(number)])))
    return path


def shell(line: str, *arguments: object, unbuffered: str = "") -> subprocess.CompletedProcess[str]:
    """A command under a shell that redirects its streams."""
    return subprocess.run(
        ["/bin/sh", "-c", line, *COMMAND[:1], *map(str, (*COMMAND[1:], *arguments))],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )


READING = [
    ("list",),
    ("list", "--json"),
    ("show",),
    ("show", "--format", "raw"),
    ("show", "--format", "json"),
    ("tail", "--until", "2"),
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_closed_stdout_is_as_good_as_one_that_nobody_reads(filled, command):
    done = shell('exec "$0" "$@" >&-', "inbox", *command, "--db", filled)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "unbuffered"), [*((command, "") for command in READING[1::2]), (("list",), "1"), (("show",), "1")]
)
def test_a_full_disk_behind_stdout_is_said_in_one_line(filled, command, unbuffered):
    done = shell('exec "$0" "$@" >/dev/full', "inbox", *command, "--db", filled, unbuffered=unbuffered)
    assert (done.returncode, done.stderr) == (3, "vedette: cannot write to stdout: No space left on device\n")


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("inbox", "show", "--help")], ids=" ".join)
def test_help_too_says_that_the_disk_is_full(arguments):
    done = shell('exec "$0" "$@" >/dev/full', *arguments)
    assert (done.returncode, done.stderr) == (3, "vedette: cannot write to stdout: No space left on device\n")


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_talk_that_nobody_can_hear_does_not_go_elsewhere(filled, redirection):
    done = shell(f'exec "$0" "$@" {redirection}', "inbox", "list", "-q", "nowhere", "--db", filled)
    assert (done.returncode, done.stdout) == (1, "")


def test_a_closed_stdin_confirms_nothing(filled):
    done = shell('exec "$0" "$@" <&-', "inbox", "clear", "--db", filled)
    assert done.returncode == 2
    assert "without a terminal it takes --yes" in done.stderr


def test_a_journal_too_ends_quietly(tmp_path):
    done = shell('"$0" "$@" | true', "journal", "ls", tmp_path)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("redirection", [">&- 2>&-", ">/dev/full 2>/dev/full"])
def test_a_server_without_streams_serves(tmp_path, redirection):
    database = tmp_path / "inbox.db"
    line = f'exec "$@" {redirection}'
    with Running("/bin/sh", "-c", line, "sh", *COMMAND, "inbox", "--port", "0", "--db", str(database)) as running:
        wait_until(lambda: database.exists() and Store(database).close() is None, 10)
        running.send_signal(signal.SIGTERM)
        assert running.end(10).code == 0


def test_a_server_whose_disk_is_full_says_so_once_and_goes_on(tmp_path):
    database = tmp_path / "inbox.db"
    line = 'exec "$@" >/dev/full'
    with Running("/bin/sh", "-c", line, "sh", *COMMAND, "inbox", "--port", "0", "--db", str(database)) as running:
        running.wait_for("waiting for the first event")
        url = re.search(r"http://127\.0\.0\.1:\d+", running.stderr)[0]
        for user in ("ann", "bob"):
            sent = subprocess.run(
                ["curl", "--silent", "--fail", "--data-binary", "@-", f"{url}/api/1/envelope/?sentry_key=k"],
                input=envelope(order_failed(user=user)),
                check=False,
                capture_output=True,
            )
            assert sent.returncode == 0
        running.wait_for("no longer shown here")
        running.send_signal(signal.SIGINT)
        ended = running.end(10)
    assert ended.code == 0
    assert ended.stderr.count("No space left on device") == 1
    assert "Traceback" not in ended.stderr


def test_a_reader_of_the_ready_line_that_has_gone_ends_the_server(tmp_path):
    done = shell('"$0" "$@" | true', "inbox", "--port", "0", "--json", "--db", tmp_path / "inbox.db")
    assert (done.returncode, done.stderr) == (0, "")


# Ctrl-C


def interrupted(at: int, *arguments: str) -> Ended:
    with Running(sys.executable, "-c", INTERRUPTED, str(at), *arguments) as running:
        return running.end()


def steps_of(*arguments: str) -> int:
    """At how many points a command could be interrupted: a server until it is ready, others until they end."""
    with Running(sys.executable, "-c", INTERRUPTED, "0", *arguments) as running:
        if "--port" in arguments:
            running.wait_for("Ctrl-C")
            running.send_signal(signal.SIGUSR1)
        running.wait_for("seen")
        return int(re.findall(r"seen (\d+)", running.stderr)[0])


COMMANDS = [
    (("inbox", "list"), 0),
    (("inbox", "show"), 0),
    (("inbox", "tail", "--until", "2"), 0),
    (("inbox", "clear", "7"), 2),
    (("inbox", "--port", "0"), 0),
]


def ends_of(database: Path, arguments: tuple[str, ...], points: int) -> dict[int, Ended]:
    arguments = (*arguments, "--db", str(database))
    steps = steps_of(*arguments)
    some = sorted({1 + number * (steps - 1) // (points - 1) for number in range(points)})
    return side_by_side(lambda at: interrupted(at, *arguments), some)


def assert_quiet(ends: dict[int, Ended], code: int) -> None:
    loud = {at: ended for at, ended in ends.items() if "Traceback" in ended.stderr or "ignored" in ended.stderr}
    assert not loud
    # Where Ctrl-C comes once all is done, the command's own code stands.
    assert {ended.code for ended in ends.values()} <= {code, 1 if code else 0}


@pytest.mark.parametrize(("arguments", "code"), COMMANDS[::2])
def test_ctrl_c_in_the_midst_of_a_command_ends_it_quietly(filled, arguments, code):
    assert_quiet(ends_of(filled, arguments, 4), code)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("arguments", "code"), COMMANDS)
def test_ctrl_c_at_any_point_of_a_command_ends_it_quietly(filled, arguments, code):
    assert_quiet(ends_of(filled, arguments, 60), code)


def test_sigterm_while_the_server_starts_ends_it_as_later(filled):
    source = INTERRUPTED.replace("SIGINT", "SIGTERM").replace(
        "event, _):", 'event, given):\n    if event != "sqlite3.connect": return'
    )
    with Running(sys.executable, "-c", source, "1", "inbox", "--port", "0", "--db", str(filled)) as running:
        ended = running.end()
    assert (ended.code, ended.stderr) == (0, "")
