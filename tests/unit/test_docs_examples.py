"""Proves that every example of the documentation runs as it stands (blocks marked ``python``)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_FOR_USERS = {"conformance.md", "design.md", "rulings.md", "decisions.md", "architecture.md"}
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> list[object]:
    found = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        if page.name not in NOT_FOR_USERS:
            for number, example in enumerate(EXAMPLE.findall(page.read_text("utf-8")), 1):
                found.append(pytest.param(example, id=f"{page.name} {number}"))
    return found


@pytest.mark.spec("PAIN-31")
@pytest.mark.parametrize("example", examples())
def test_the_example_runs(example: str, tmp_path: Path) -> None:
    is_test = "def test_" in example
    script = tmp_path / ("test_example.py" if is_test else "example.py")
    script.write_text(example)
    if is_test:
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(script)]
    else:
        command = [str(script)]
    done = subprocess.run(
        [sys.executable, "-W", "error", *command], cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
