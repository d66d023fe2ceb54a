"""``vedette journal``: looking at a cache directory, and emptying it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from tests.journals import errors, files, leave, look, open_journal, take_all

ENVELOPE = b'{"event_id":"0123456789abcdef0123456789abcdef"}\n{"type":"event"}\n{}\n'


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "vedette", "journal", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def filled(tmp_path):
    """A directory with two envelopes that are left, and one of a running program: this one."""
    leave(tmp_path, ENVELOPE, b"no envelope \x1b[31m")
    journal = open_journal(tmp_path, wall_clock=lambda: 1_700_000_000.0, dsn_id="2-running")
    entry = errors(journal, b"{}\n")[0]
    yield tmp_path
    assert look(journal, entry) == [b"{}\n"]
    journal.close(keep_appending=False)


def test_ls_shows_what_waits(filled):
    shown = run("ls", filled)
    assert (shown.returncode, shown.stderr) == (0, "")
    whole, broken, running = shown.stdout.splitlines()
    assert "journal-1-abc  error  0123456789abcdef0123456789abcdef  68 bytes, left behind" in whole
    assert "journal-1-abc  error  -  17 bytes, left behind" in broken
    assert running.startswith("2023-11-1")
    assert "journal-2-running  error  -  3 bytes, of a running program" in running
    assert "\x1b" not in shown.stdout


def test_looking_changes_nothing(filled):
    before = {path: path.read_bytes() for path in files(filled)}
    run("ls", filled)
    assert {path: path.read_bytes() for path in files(filled)} == before
    assert take_all(filled) == [ENVELOPE, b"no envelope \x1b[31m"]


def test_purge_deletes_what_no_program_owns_but_not_unasked(filled):
    foreign = filled / "journal-1-abc" / "notes.txt"
    foreign.write_text("mine")
    refused = run("purge", filled)
    assert (refused.returncode, len(files(filled))) == (2, 5)
    assert "it takes --yes" in refused.stderr
    done = run("purge", filled, "--yes")
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 of running programs: left alone" in done.stderr
    assert "2 deleted" in done.stderr
    assert [path.parent.name for path in files(filled) if path != foreign] == ["journal-2-running"] * 2
    assert foreign.read_text() == "mine"
    assert run("purge", filled, "--yes").returncode == 1


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 2)])
def test_purge_asks_at_a_terminal(tmp_path, answer, code):
    leave(tmp_path, ENVELOPE)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "vedette", "journal", "purge", str(tmp_path)]
    with subprocess.Popen(command, stdin=theirs, stderr=subprocess.PIPE, text=True) as process:
        os.write(ours, answer.encode())
        _, said = process.communicate(timeout=20)
    os.close(ours)
    os.close(theirs)
    assert "Delete 1 waiting envelopes" in said
    assert process.returncode == code
    assert bool(files(tmp_path)) is (code == 2)


def test_an_empty_and_a_missing_directory_are_told_apart(tmp_path):
    assert (run("ls", tmp_path).returncode, run("purge", tmp_path).returncode) == (1, 1)
    missing = run("ls", tmp_path / "none")
    assert missing.returncode == 3
    assert "No such file" in missing.stderr


def test_without_an_action_it_says_what_there_is(tmp_path):
    wrong = run()
    assert wrong.returncode == 2
    assert "ls|purge" in wrong.stderr
