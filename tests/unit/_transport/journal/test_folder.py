"""Where journals lie, and where they must not."""

from __future__ import annotations

import os
import stat
import sys

import pytest

from tests.journals import errors, files, leave, open_journal, take_all
from vedette._transport.journal.folder import network_file_system

MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
40 27 0:33 / /srv/share rw,relatime shared:4 - nfs4 server:/share rw,vers=4.2
41 40 0:34 / /srv/share/local rw,relatime - xfs /dev/vdb rw
42 27 0:35 / /srv/with\\040blank rw,relatime - fuse.sshfs host: rw
43 27 0:36 / /srv/over rw - cifs //host/over rw
44 27 0:37 / /srv/over rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/share/cache", "nfs4"),
        ("/srv/share", "nfs4"),
        ("/srv/shared", None),
        ("/srv/share/local/cache", None),
        ("/srv/with blank/cache", "fuse.sshfs"),
        ("/srv/over/cache", None),
        ("/var/cache", None),
    ],
)
def test_the_nearest_mount_tells_whether_it_is_a_network_file_system(tmp_path, path, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert network_file_system(path, str(mounts)) == kind


def test_without_proc_nothing_is_refused(tmp_path):
    assert network_file_system(str(tmp_path), str(tmp_path / "none")) is None


def test_a_network_file_system_is_refused_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr("vedette._transport.journal.folder.network_file_system", lambda _: "nfs4")
    with pytest.raises(ValueError, match=r"network file system \(nfs4\)"):
        open_journal(tmp_path / "cache")
    assert files(tmp_path / "cache") == []


@pytest.mark.parametrize("dsn_id", ["", "../up", "a/b", "x" * 201, "a\0b"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, dsn_id):
    with pytest.raises(ValueError, match="cannot be part"):
        open_journal(tmp_path, dsn_id=dsn_id)


@pytest.mark.skipif(sys.platform == "win32", reason="no modes there")
def test_nobody_else_may_look(tmp_path):
    before = os.umask(0)
    try:
        journal = open_journal(tmp_path / "a" / "cache")
        errors(journal, b"secret")
    finally:
        os.umask(before)
    (folder,) = (tmp_path / "a" / "cache").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in files(tmp_path / "a" / "cache")} == {0o600}
    journal.close(keep_appending=False)


@pytest.mark.skipif(sys.platform == "win32", reason="no modes there")
def test_a_folder_that_others_can_write_to_is_closed_to_them(tmp_path):
    folder = tmp_path / "journal-1-abc"
    folder.mkdir()
    folder.chmod(0o777)
    open_journal(tmp_path).close(keep_appending=False)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users there")
def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    open_journal(tmp_path).close(keep_appending=False)
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 4_711)
    with pytest.raises(ValueError, match="another user"):
        open_journal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="gives a folder away")
def test_root_does_not_use_the_folder_of_another_user_either(tmp_path):
    folder = tmp_path / "journal-1-abc"
    folder.mkdir()
    os.chown(folder, 4_711, -1)
    with pytest.raises(ValueError, match="another user"):
        open_journal(tmp_path)
    assert not list(folder.iterdir())


def test_a_link_in_the_place_of_the_folder_leads_nowhere(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    other.chmod(0o777)
    (tmp_path / "journal-1-abc").symlink_to(other)
    with pytest.raises(ValueError, match="symbolic link"):
        open_journal(tmp_path)
    assert not list(other.iterdir())
    assert stat.S_IMODE(other.stat().st_mode) == 0o777


def test_a_directory_behind_a_symbolic_link_is_the_same_directory(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    leave(tmp_path / "link", b"one")
    assert take_all(tmp_path / "real") == [b"one"]


def test_what_cannot_be_a_directory_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        open_journal(tmp_path / "file")


def test_another_dsn_and_another_version_and_foreign_files_are_left_alone(tmp_path):
    leave(tmp_path, b"mine")
    leave_other = open_journal(tmp_path, dsn_id="2-xyz")
    errors(leave_other, b"another's")
    leave_other.close(keep_appending=False)
    folder = tmp_path / "journal-1-abc"
    stem = "001700000000-0123456789abcdef"
    names = (
        f"{stem}.v2.journal",
        f"{stem}.v2.lock",
        "notes.v1.journal",
        "notes.v1.lock",
        f"{stem}x.v1.lock",
        f"{stem[1:]}.v1.lock",
        "README",
    )
    for name in names:
        (folder / name).write_text("not ours")
    journal = open_journal(tmp_path)
    adopted = journal.adopt()
    assert [journal.read(entry) for entry in adopted] == [b"mine"]
    for entry in adopted:
        journal.settle(entry)
    journal.close(keep_appending=False)
    assert {path.name for path in folder.iterdir()} == set(names)
    assert {path.read_text() for path in folder.iterdir()} == {"not ours"}
    assert take_all(tmp_path, dsn_id="2-xyz") == [b"another's"]
