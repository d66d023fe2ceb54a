"""Proves the pytest plugin, with runs of pytest as a user starts them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

REPORTS = """
    import vedette

    def test_reports():
        vedette.capture_message("nobody looks")
"""
LOOKS = """
    import vedette

    def test_reports(vedette_events):
        vedette.set_tag("left", "over")
        vedette.capture_message("seen")
        assert vedette_events.one()["tags"] == {"left": "over"}

    def test_next(vedette_events):
        vedette.capture_message("clean")
        assert "tags" not in vedette_events.one()
"""


def run_pytest(folder: Path, source: str, *arguments: str) -> tuple[int, str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(textwrap.dedent(source))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.spec("PAIN-31")
def test_the_fixture_shows_captures_and_keeps_tests_apart(tmp_path: Path) -> None:
    code, output = run_pytest(tmp_path, LOOKS)
    assert (code, "2 passed" in output) == (0, True), output


@pytest.mark.spec("PAIN-31")
def test_strict_mode_fails_a_test_that_captures_unseen_and_says_what(tmp_path: Path) -> None:
    code, output = run_pytest(tmp_path, REPORTS, "--vedette-strict")
    assert code == 1
    assert "1 failed" in output
    assert "unexpected captures" in output
    assert "info: nobody looks" in output


def test_strict_mode_lets_tests_pass_that_look_for_themselves_or_capture_nothing(tmp_path: Path) -> None:
    code, output = run_pytest(tmp_path, LOOKS + "\n    def test_silent():\n        pass\n", "-o", "vedette_strict=true")
    assert (code, "3 passed" in output) == (0, True), output


def test_without_strict_mode_captures_are_nobodys_business(tmp_path: Path) -> None:
    code, output = run_pytest(tmp_path, REPORTS)
    assert (code, "1 passed" in output) == (0, True), output
