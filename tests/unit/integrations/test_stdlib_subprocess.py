"""Breadcrumbs of started processes: the command without its secrets, never the environment."""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

import vedette
from tests.outgoing import DSN, crumbs
from vedette.testing import MemoryTransport

UNPATCHED = subprocess.Popen.__dict__["__init__"]


@pytest.fixture
def transport():
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    return transport


def commands(transport: MemoryTransport) -> list[str]:
    return [crumb["message"] for crumb in crumbs(transport)]


@pytest.mark.spec("FW-stdlib-07", "BRC-24")
def test_a_process_is_one_breadcrumb_with_its_command_and_without_its_environment(transport) -> None:
    process = subprocess.Popen(["true", "a b"], env={**os.environ, "SECRET_WORD": "hunter2"})
    process.wait()
    assert crumbs(transport) == [
        {
            "type": "subprocess",
            "category": "subprocess",
            "level": "info",
            "message": "true a b",
            "data": {"process.pid": process.pid},
        }
    ]


def test_run_check_output_popen_and_asyncio_start_processes_as_well(transport) -> None:
    subprocess.run("true one", shell=True, check=True)
    subprocess.check_output(args=["true", "two"])
    with os.popen("true three"):
        pass

    async def start() -> None:
        process = await asyncio.create_subprocess_exec("true", "four")
        await process.wait()

    asyncio.run(start())
    assert commands(transport) == ["true one", "true two", "true three", "true four"]


def test_one_that_cannot_be_started_is_a_breadcrumb_of_level_error_and_raises_as_before(transport) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        subprocess.run(["no-such-program"], check=False)
    with pytest.raises(TypeError):
        subprocess.Popen()
    left = crumbs(transport)
    assert [(crumb["level"], crumb["data"]["error.type"]) for crumb in left] == [
        ("error", "FileNotFoundError"),
        ("error", "TypeError"),
    ]


@pytest.mark.spec("DAT-13", "DAT-14")
@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["tool", "--password", "hunter2", "x"], "tool --password [Filtered] x"),
        (["tool", "--password=hunter2", "x"], "tool --password=[Filtered] x"),
        (["env", "API_KEY=hunter2", "tool"], "env API_KEY=[Filtered] tool"),
        (["tool", "--password", "--verbose", "x"], "tool --password --verbose x"),
        (["tool", "--password", "-hunter2"], "tool --password [Filtered]"),
        ("tool --api-key hunter2 x", "tool --api-key [Filtered] x"),
        ("TOKEN=hunter2 tool  x", "TOKEN=[Filtered] tool  x"),
        ("tool --token  hunter2 x", "tool --token  [Filtered] x"),
        (["curl", "https://user:hunter2@host.invalid/"], "curl https://[Filtered]@host.invalid/"),
        (["curl", "-H", "Authorization: Bearer hunter2hunter2"], "curl -H Authorization: [Filtered]"),
        ([b"tool", PurePosixPath("/a/b")], "tool /a/b"),
        (["tool", "--author", "monkey"], "tool --author monkey"),
    ],
)
def test_secrets_of_a_command_are_not_kept(transport, command, shown) -> None:
    with pytest.raises(FileNotFoundError):
        subprocess.Popen(command, cwd="/no/such/folder", shell=isinstance(command, str))
    assert commands(transport) == [shown]


def test_a_long_command_is_cut(transport) -> None:
    for command in (["true", "x" * 10_000], ["true", *["yy"] * 1000], "true " + "z" * 20_000):
        subprocess.run(command, shell=isinstance(command, str), check=True)
    long_word, many_words, long_text = commands(transport)
    assert long_word == "true " + "x" * 255 + "…"
    assert many_words == "true " + "yy " * 49 + "…"
    assert len(long_text) == 1024
    assert long_text.endswith("…")


def test_no_code_of_the_programs_runs_for_the_breadcrumb(transport) -> None:
    class Odd(os.PathLike):
        asked = 0

        def __fspath__(self) -> str:
            Odd.asked += 1
            return "true"

        def __str__(self) -> str:
            raise AssertionError

        __repr__ = __str__

    subprocess.run([Odd()], check=True)
    with_us, Odd.asked = Odd.asked, 0
    vedette.get_client().close()
    subprocess.run([Odd()], check=True)
    assert with_us == Odd.asked
    words = iter(["true", "once"])
    subprocess.run(words, check=True)
    assert list(words) == []


def test_words_that_can_be_read_once_only_are_left_to_the_program(transport) -> None:
    assert subprocess.run(iter(["true", "once"]), check=False).returncode == 0
    assert commands(transport) == ["<list_iterator>"]


@pytest.mark.spec("PAIN-33")
def test_popen_looks_as_before_is_wrapped_once_and_close_restores_it() -> None:
    vedette.init(DSN, transport=MemoryTransport()).close()
    before = inspect.signature(subprocess.Popen), inspect.signature(UNPATCHED)
    first = vedette.init(DSN, transport=MemoryTransport())
    second = vedette.Client(DSN, transport=MemoryTransport())
    ours = subprocess.Popen.__dict__["__init__"]
    assert ours.__wrapped__ is UNPATCHED
    assert (inspect.signature(subprocess.Popen), inspect.signature(ours)) == before
    assert (ours.__name__, ours.__qualname__) == ("__init__", UNPATCHED.__qualname__)

    class Own(subprocess.Popen):
        pass

    assert Own([sys.executable, "-c", ""]).wait() == 0
    first.close()
    second.close()
    assert subprocess.Popen.__dict__["__init__"] is UNPATCHED


def test_a_folder_of_the_programs_own_stays_out_of_the_command(transport, tmp_path: Path) -> None:
    subprocess.run(["true"], cwd=tmp_path, check=True)
    assert str(tmp_path) not in str(crumbs(transport))
