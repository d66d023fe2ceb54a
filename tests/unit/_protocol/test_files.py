"""Files that are sent: what is looked at, what is read, and what happens to a file in between."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import pytest

from vedette._protocol.files import HELD_FILES, SMALL_BYTES, FilePart, FileTooLargeError, look_at

LARGE = SMALL_BYTES * 3 + 7
NO_LIMIT = 1 << 40


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.log"
    path.write_bytes(os.urandom(LARGE))
    return path


def part_of(path: Path) -> FilePart:
    found = look_at(str(path), NO_LIMIT)
    assert isinstance(found, FilePart)
    return found


def read(part: FilePart) -> bytes:
    return b"".join(part.pieces())


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_small_file_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "small.txt"
    path.write_bytes(b"\x00\n" * (SMALL_BYTES // 2))
    assert look_at(str(path), NO_LIMIT) == b"\x00\n" * (SMALL_BYTES // 2)
    assert look_at(bytes(path), NO_LIMIT) == path.read_bytes()


def test_a_large_file_is_read_when_it_is_asked_for_as_often_as_that_is(large: Path) -> None:
    part = part_of(large)
    assert part.size == LARGE
    assert read(part) == read(part) == large.read_bytes()
    assert max(map(len, part.pieces())) <= SMALL_BYTES


def test_what_is_appended_later_stays_out(large: Path) -> None:
    before = large.read_bytes()
    part = part_of(large)
    with large.open("ab") as file:
        file.write(b"later")
    part.check()
    assert read(part) == before


@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_a_file_that_is_removed_or_replaced_is_read_as_it_was(large: Path, what: str) -> None:
    before = large.read_bytes()
    part = part_of(large)
    large.unlink()
    if what == "replaced":
        large.write_bytes(b"another one")
    part.check()
    assert read(part) == before


def test_a_file_that_became_shorter_is_an_error_before_and_while_it_is_read(large: Path) -> None:
    part = part_of(large)
    pieces = part.pieces()
    next(pieces)
    os.truncate(large, SMALL_BYTES + 1)
    with pytest.raises(OSError, match="shorter"):
        part.check()
    with pytest.raises(OSError, match="shorter"):
        list(pieces)


def test_a_part_that_is_collected_while_it_is_read_closes_its_descriptor_once(large: Path) -> None:
    class Owner:
        pass

    gc.collect()  # what other tests left behind
    owner: Any = Owner()
    owner.itself = owner
    owner.part = part_of(large)
    owner.pieces = owner.part.pieces()
    next(owner.pieces)
    del owner
    before = descriptors()
    gc.collect()
    assert descriptors() == before - 1


def test_beyond_the_bound_no_descriptor_is_held_and_the_file_must_still_be_the_same(large: Path) -> None:
    before = descriptors()
    parts = [part_of(large) for _ in range(HELD_FILES + 5)]
    assert descriptors() - before == HELD_FILES
    assert {read(part) for part in parts} == {large.read_bytes()}
    assert descriptors() - before == HELD_FILES
    large.rename(large.with_suffix(".1"))
    large.write_bytes(b"x" * LARGE)
    for part in parts[:HELD_FILES]:
        part.check()
    for part in parts[HELD_FILES:]:
        with pytest.raises(OSError, match="another file"):
            part.check()
        with pytest.raises(OSError, match="another file"):
            read(part)
    parts.clear()
    del part
    assert descriptors() == before
    assert read(part_of(large)) == b"x" * LARGE
    assert descriptors() == before


def test_no_other_program_inherits_the_descriptor(large: Path) -> None:
    part = part_of(large)
    (new,) = [fd for fd in Path("/proc/self/fd").iterdir() if _leads_to(fd, large)]
    assert not os.get_inheritable(int(new.name))
    part.check()


def _leads_to(fd: Path, path: Path) -> bool:
    try:
        return fd.readlink() == path
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("size", [1, SMALL_BYTES, LARGE])
def test_exactly_the_limit_passes_and_one_byte_more_does_not(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    assert look_at(str(path), size) is not None
    with pytest.raises(FileTooLargeError) as raised:
        look_at(str(path), size - 1)
    assert raised.value.size == size


@pytest.mark.parametrize("kind", ["pipe", "directory", "device", "another device"])
def test_what_is_no_regular_file_is_refused_and_never_waited_for(tmp_path: Path, kind: str) -> None:
    path: Any = tmp_path / "it"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path = "/dev/zero" if kind == "device" else "/dev/null"
    with pytest.raises(OSError, match="no regular file"):
        look_at(str(path), NO_LIMIT)
    with pytest.raises(OSError, match="no regular file"):
        FilePart.at(str(path))


def test_a_file_that_says_it_is_empty_is_read_to_its_end_within_bounds() -> None:
    found = look_at("/proc/self/status", NO_LIMIT)
    assert isinstance(found, bytes)
    assert b"Name:" in found
    with pytest.raises(FileTooLargeError):
        look_at("/proc/self/status", 10)


@pytest.mark.parametrize("path", ["/nowhere/to/be/found", "", "with\0nul"])
def test_what_cannot_be_opened_raises_what_callers_expect(path: str) -> None:
    with pytest.raises((OSError, ValueError)):
        look_at(path, NO_LIMIT)


def test_without_pread_files_are_opened_when_they_are_sent(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where an open file could not be deleted by the program."""
    monkeypatch.setattr("vedette._protocol.files._CAN_HOLD", False)
    monkeypatch.setattr("vedette._protocol.files._places", type("None", (), {"pop": [].pop})())
    before = descriptors()
    part = part_of(large)
    assert descriptors() == before
    assert read(part) == large.read_bytes()
