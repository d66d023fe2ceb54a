"""Where a release comes from when nobody gave one: git's files, then what the platform says."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

import vedette
from vedette._options import Remark, resolve
from vedette._options.surroundings import PLATFORM_VARIABLES, commit_of

DSN = "https://key@errors.example.org/7"
HASH = "0123456789abcdef0123456789abcdef01234567"


def git(folder: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(
        ["git", *settings, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"},
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init")
    git(folder, "commit", "--allow-empty", "-m", "first")
    git(folder, "commit", "--allow-empty", "-m", "second")
    return folder


def release(environ: dict[str, str] | None = None, **options: Any) -> str | None:
    found: str | None = resolve({"dsn": DSN, **options}, environ or {})["release"]
    return found


def head_of(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD")


@pytest.mark.parametrize("state", ["branch", "packed", "packed and changed", "detached", "branch with a slash"])
def test_the_release_is_the_commit_that_git_has_checked_out(repository: Path, state: str) -> None:
    if state.startswith("packed"):
        git(repository, "pack-refs", "--all")
        assert not (repository / ".git/refs/heads/main").exists()
    if state == "packed and changed":
        git(repository, "commit", "--allow-empty", "-m", "third")
    if state == "detached":
        git(repository, "checkout", "HEAD~1")
    if state == "branch with a slash":
        git(repository, "checkout", "-b", "feature/cart")
        git(repository, "commit", "--allow-empty", "-m", "on a branch")
    assert release(project_root=repository) == head_of(repository)


def test_it_is_found_from_a_folder_below_and_from_the_working_directory(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = repository / "src/shop"
    below.mkdir(parents=True)
    assert release(project_root=below) == head_of(repository)
    monkeypatch.chdir(below)
    assert vedette.Client(DSN).options["release"] == head_of(repository)


@pytest.mark.parametrize("packed", [False, True])
def test_a_worktree_has_a_commit_of_its_own(repository: Path, tmp_path: Path, packed: bool) -> None:
    worktree = tmp_path / "elsewhere"
    git(repository, "worktree", "add", "-b", "other", str(worktree), "HEAD~1")
    if packed:
        git(repository, "pack-refs", "--all")
    assert release(project_root=worktree) == head_of(worktree) != head_of(repository)


def test_a_submodule_has_a_commit_of_its_own(repository: Path, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    git(parts, "init")
    git(parts, "commit", "--allow-empty", "-m", "part")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", str(parts), "parts")
    inner = repository / "parts"
    assert (inner / ".git").is_file()
    assert release(project_root=inner) == head_of(inner) == head_of(parts)


@pytest.mark.spec("CFG-03", "CFG-27", "CFG-35", "CFG-36")
def test_option_then_variable_then_git_then_platform(repository: Path, tmp_path: Path) -> None:
    environ = {"SENTRY_RELEASE": "of@operator", "K_REVISION": "of-platform"}
    assert release(environ, release="of@code", project_root=repository) == "of@code"
    assert release(environ, release=None, project_root=repository) is None
    assert release(environ, release="", project_root=repository) is None
    assert release(environ, project_root=repository) == "of@operator"
    del environ["SENTRY_RELEASE"]
    assert release(environ, project_root=repository) == head_of(repository)
    assert release(environ, project_root=tmp_path) == "of-platform"
    assert release({}, project_root=tmp_path) is None


@pytest.mark.parametrize("variable", PLATFORM_VARIABLES)
def test_each_variable_of_a_platform_is_read(variable: str, tmp_path: Path) -> None:
    assert release({variable: f" {HASH} "}, project_root=tmp_path) == HASH


def test_what_servers_would_refuse_is_left_out_for_the_next_one(tmp_path: Path) -> None:
    remarks: list[Remark] = []
    environ = {"SOURCE_VERSION": "refs/heads/main", "CIRCLE_SHA1": HASH}
    found = resolve({"dsn": DSN, "project_root": tmp_path}, environ, remarks=remarks)
    assert found["release"] == HASH
    (remark,) = remarks
    assert remark.is_warning
    assert remark.text == (
        "SOURCE_VERSION is not taken as the release: it must not contain slashes, line breaks or other control "
        "characters: servers refuse it, got 'refs/heads/main'"
    )


def test_nothing_is_looked_up_for_a_client_that_sends_nothing(repository: Path) -> None:
    assert resolve({"dsn": "", "project_root": repository}, {"K_REVISION": "1"})["release"] is None


# --- whatever lies there, nothing is raised and nobody waits -------------------------------------------------------


def put(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


ODD = {
    "no HEAD": {".git/config": ""},
    "an empty HEAD": {".git/HEAD": ""},
    "a HEAD of something else": {".git/HEAD": "z" * 40},
    "a HEAD that is cut": {".git/HEAD": HASH[:-1]},
    "a HEAD that is no text": {".git/HEAD": b"\xff\xfe\x00"},
    "a HEAD of many bytes": {".git/HEAD": HASH * 1000},
    "a HEAD with a NUL": {".git/HEAD": "ref: refs/heads/a\0b\n"},
    "a branch without a commit": {".git/HEAD": "ref: refs/heads/main\n"},
    "a branch that is a folder": {".git/HEAD": "ref: refs/heads\n", ".git/refs/heads/main": HASH},
    "a way out": {".git/HEAD": "ref: refs/../../secret\n", "secret": HASH},
    "an absolute way out": {".git/HEAD": "ref: /etc/hostname\n"},
    "a circle": {".git/HEAD": "ref: refs/a\n", ".git/refs/a": "ref: refs/b\n", ".git/refs/b": "ref: refs/a\n"},
    "packed-refs of something else": {".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": "# pack-refs\nx\n"},
    "a name that only ends alike": {
        ".git/HEAD": "ref: refs/heads/main\n",
        ".git/packed-refs": f"{HASH} refs/heads/main2\n{HASH} prefix/refs/heads/main\n",
    },
    "a file that names nothing": {".git": "gitdir\n"},
    "a file that names a folder that is not there": {".git": "gitdir: ../gone\n"},
    "a file that names itself": {".git": "gitdir: .git\n"},
    "the newer format of refs": {".git/HEAD": "ref: refs/heads/.invalid\n", ".git/reftable/tables.list": "1\n"},
}


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_no_release(name: str, tmp_path: Path) -> None:
    for path, content in ODD[name].items():
        put(tmp_path / path, content)
    assert commit_of(str(tmp_path)) is None
    assert vedette.Client(DSN, project_root=str(tmp_path)).options["release"] is None


@pytest.mark.parametrize("content", [f"{HASH}\r\n", f"ref:refs/x\n{''}"])
def test_forms_that_git_would_read_as_well(content: str, tmp_path: Path) -> None:
    put(tmp_path / ".git/HEAD", content)
    put(tmp_path / ".git/refs/x", HASH)
    assert commit_of(str(tmp_path)) == HASH


def test_sha_256_is_a_hash_too(tmp_path: Path) -> None:
    put(tmp_path / ".git/HEAD", "ab" * 32)
    assert commit_of(str(tmp_path)) == "ab" * 32


def test_nobody_waits_for_a_pipe_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    os.mkfifo(tmp_path / ".git/HEAD")
    found: list[str | None] = ["not yet"]
    reader = threading.Thread(target=lambda: found.append(commit_of(str(tmp_path))), daemon=True)
    reader.start()
    reader.join(5)
    assert found == ["not yet", None]


def test_a_folder_that_is_not_there_or_has_no_name_is_no_release() -> None:
    assert commit_of("/no/such/folder") is None
    assert commit_of("a\0b") is None


def test_no_file_stays_open(tmp_path: Path) -> None:
    put(tmp_path / ".git/HEAD", "ref: refs/heads\n")
    put(tmp_path / ".git/refs/heads/main", HASH)
    descriptors = Path("/dev/fd")
    before = len(list(descriptors.iterdir()))
    commit_of(str(tmp_path))
    assert len(list(descriptors.iterdir())) == before
