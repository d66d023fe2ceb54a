"""The suite's own rules hold: marks name real rows, foreign hosts are out of reach, settings stay outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tools.conformance import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long  # each runs pytest in a process of its own


@pytest.fixture
def run(tmp_path):
    """Runs one test file under our own conftest, in a process of its own; its exit status and output."""

    def run(source: str, **environment: str) -> tuple[int, str]:
        tests = tmp_path / "tests"
        (tests / "unit").mkdir(parents=True)
        (tests / "conftest.py").write_bytes((ROOT / "tests/conftest.py").read_bytes())
        (tests / "unit" / "test_it.py").write_text("import os, socket, pytest\n" + source, encoding="utf-8")
        options = ["-p", "no:cacheprovider", "-c", ROOT / "pyproject.toml", "--rootdir", tmp_path]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, tests],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_mark_of_a_real_row_is_accepted_and_the_time_is_shown(run):
    status, output = run('@pytest.mark.spec("CLI-01")\ndef test_it(): pass')
    assert status == 0, output
    assert "time budget: unit 0 s of " in output
    assert "1 passed" in output.splitlines()[-1]


def test_a_mark_of_an_unknown_row_ends_the_run(run):
    status, output = run('@pytest.mark.spec("CLI-01", "CLI-999")\ndef test_it(): pass')
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "test_it.py::test_it: no row of docs/spec: CLI-999" in output


def test_a_test_may_name_at_most_eight_rows_its_class_included(run):
    ids = [f"CLI-{number:02}" for number in range(1, 10)]
    status, output = run(
        f"@pytest.mark.spec('{ids[0]}')\nclass TestIt:\n    @pytest.mark.spec(*{ids[1:]})\n    def test_it(self): pass"
    )
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "names 9 rows, at most 8" in output


def test_a_test_that_reaches_for_another_host_fails_even_if_the_error_was_swallowed(run):
    status, output = run("""
def test_connects():
    with pytest.raises(OSError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)

def test_resolves():
    with pytest.raises(OSError):
        socket.getaddrinfo("example.com", 443)
""")
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "this test tried to reach 192.0.2.1" in output
    assert "this test tried to reach example.com" in output


def test_settings_of_the_developer_do_not_reach_the_tests(run):
    status, output = run(
        "def test_it():\n"
        "    seen = ' '.join(os.environ).lower()\n"
        "    assert not any(word in seen for word in ('sentry', 'vedette', 'proxy'))",
        SENTRY_DSN="https://k@example.com/1",
        VEDETTE_CACHE="x",
        HTTPS_PROXY="http://p:1",
        no_proxy="*",
    )
    assert status == 0, output


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_the_loopback_interface_is_open(family):
    host = "127.0.0.1" if family is socket.AF_INET else "::1"
    try:
        server = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"no {family.name} on this machine")
    with server, socket.create_connection(server.getsockname()[:2], timeout=5) as client:
        assert client.getpeername() == server.getsockname()


def test_a_name_under_invalid_never_resolves():
    with pytest.raises(socket.gaierror, match="not known"):
        socket.create_connection(("nowhere.invalid", 80), timeout=1)


def test_unix_sockets_are_not_the_network(tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client.connect(str(tmp_path / "s"))
