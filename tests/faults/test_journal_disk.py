"""Full disks, read-only ones, and hosts that close what is not theirs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.journals import errors, look, open_journal, take_all
from tests.programs import run_program

PREPARE = """
import os, sys
from vedette._protocol.categories import DataCategory
from vedette._transport.journal import Journal
def open_journal(max_bytes=10_000_000):
    return Journal(sys.argv[1], "1-abc", max_bytes=max_bytes, max_items=1000, max_age=1e6, on_evicted=lambda *_: None)
"""


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    point = tmp_path / "disk"
    point.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(point)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield point
    subprocess.run(["umount", "-l", str(point)], check=True)


@pytest.mark.spec("PAIN-12")
def test_on_a_full_disk_an_append_says_no_and_what_was_there_stays(small_disk):
    journal = open_journal(small_disk)
    entries = errors(journal, *(b"%03d" % number + bytes(1_000) for number in range(400)))
    written = [entry for entry in entries if entry is not None]
    assert 200 < len(written) < 260
    assert written == entries[: len(written)]
    assert [(body or b"")[:3] for body in look(journal, *written)] == [
        b"%03d" % number for number in range(len(written))
    ]
    # Nor is there room for marks. None of those that were sent comes again all the same.
    for entry in written[:-3]:
        journal.settle(entry)
    journal.close(keep_appending=False)
    assert len(take_all(small_disk)) == 3


@pytest.mark.spec("PAIN-12")
def test_when_there_is_room_again_it_goes_on(small_disk):
    filler = small_disk / "filler"
    journal = open_journal(small_disk)
    filler.write_bytes(bytes(200_000))
    while errors(journal, bytes(5_000)) != [None]:
        pass
    kept = journal.kept()
    filler.unlink()
    (entry,) = errors(journal, b"after")
    assert look(journal, entry) == [b"after"]
    assert sum(journal.kept().values()) == sum(kept.values()) + 1
    journal.close(keep_appending=False)


@pytest.mark.spec("PAIN-12")
def test_a_limit_on_the_size_of_files_tears_writes_and_costs_nothing(tmp_path):
    """The write that meets the limit falls short; the next one fails."""
    program = """
    import resource
    journal = open_journal()
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    entries = [journal.append(DataCategory.ERROR, b"%02d" % number + bytes(2_998)) for number in range(30)]
    assert None not in entries
    assert [journal.read(entry)[:2] for entry in entries] == [b"%02d" % number for number in range(30)]
    os.kill(os.getpid(), 9)
    """
    ended = run_program(PREPARE + _dedented(program), str(tmp_path))
    assert (ended.code, ended.stderr) == (-9, "")
    assert [(body or b"")[:2] for body in take_all(tmp_path)] == [b"%02d" % number for number in range(30)]


def _dedented(program: str) -> str:
    return "\n".join(line[4:] for line in program.splitlines())


@pytest.fixture
def open_to_all():
    """A directory that every user can reach."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


AS_NOBODY = """
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""


@pytest.mark.spec("PAIN-12")
@pytest.mark.skipif(sys.platform == "win32", reason="no modes there")
def test_a_read_only_directory_is_refused_with_the_reason(open_to_all):
    open_to_all.chmod(0o555)
    program = """
try:
    open_journal()
except OSError as error:
    print(type(error).__name__, error.filename)
"""
    ended = run_program(PREPARE + AS_NOBODY + program, str(open_to_all))
    assert ended.stderr == ""
    assert ended.stdout.split() == ["PermissionError", str(open_to_all / "journal-1-abc")]


@pytest.mark.spec("PAIN-12")
@pytest.mark.skipif(sys.platform == "win32", reason="no modes there")
def test_a_directory_that_becomes_read_only_goes_on_with_the_file_it_has(open_to_all):
    open_to_all.chmod(0o777)
    program = """
journal = open_journal(max_bytes=160_000)
os.chmod(sys.argv[1] + "/journal-1-abc", 0o500)
entries = [journal.append(DataCategory.ERROR, bytes(5_000)) for _ in range(10)]
assert None not in entries
assert None not in [journal.read(entry) for entry in entries]
print(len(os.listdir(sys.argv[1] + "/journal-1-abc")))
"""
    ended = run_program(PREPARE + AS_NOBODY + program, str(open_to_all))
    assert (ended.stderr, ended.stdout) == ("", "2\n")


@pytest.mark.spec("PAIN-12")
def test_a_host_that_closes_all_descriptors_gets_nothing_written_into_its_own_files(tmp_path):
    program = """
journal = open_journal()
before = journal.append(DataCategory.ERROR, b"before")
os.closerange(3, 100)
files = [open(sys.argv[2] + str(number), "w+b", buffering=0) for number in range(20)]
entry = journal.append(DataCategory.ERROR, b"after")
assert journal.read(entry) == b"after"
journal.settle(entry)
assert journal.read(before) is None
journal.settle(before)  # which cannot be noted in its file, so the file goes
journal.append(DataCategory.ERROR, b"later")
journal.close(keep_appending=False)
for file in files:
    os.fstat(file.fileno())  # nor are they closed
    assert os.path.getsize(file.name) == 0, file.name
    file.close()
"""
    ended = run_program(PREPARE + program, str(tmp_path), str(tmp_path / "host"))
    assert (ended.code, ended.stderr) == (0, "")
    assert take_all(tmp_path) == [b"later"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no list of descriptors")
def test_a_program_that_is_started_inherits_nothing(tmp_path):
    program = """
import subprocess
journal = open_journal()
journal.append(DataCategory.ERROR, b"x")
def listed(pid):
    return subprocess.run(["ls", "-l", f"/proc/{pid}/fd"], capture_output=True, text=True, close_fds=False).stdout
assert listed(os.getpid()).count("journal-1-abc") == 2
assert "journal-1-abc" not in listed("self")
"""
    ended = run_program(PREPARE + program, str(tmp_path))
    assert (ended.code, ended.stderr) == (0, "")


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_process_that_lives_long_does_not_collect_descriptors(tmp_path):
    journal = open_journal(tmp_path, max_bytes=200_000)
    before = descriptors()
    for _ in range(500):
        errors(journal, bytes(9_000))
        journal.adopt()
    assert descriptors() < before + 50
    journal.close(keep_appending=False)
    assert descriptors() <= before
