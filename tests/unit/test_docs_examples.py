"""Proves that every example of the documentation runs as it stands (blocks marked ``python``)."""

from __future__ import annotations

import ast
import importlib.util
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
    for page in sorted([*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "integrations").glob("*.md")]):
        if page.name not in NOT_FOR_USERS:
            for number, example in enumerate(EXAMPLE.findall(page.read_text("utf-8")), 1):
                found.append(pytest.param(page.stem, example, id=f"{page.name} {number}"))
    return found


def needs(library: str, example: str) -> bool:
    """Whether an example is about a library that is not installed: those of `make test-integrations` may not be."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(example)):
        if isinstance(node, ast.Import):
            imported.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    return library in imported and importlib.util.find_spec(library) is None


@pytest.mark.spec("PAIN-31")
@pytest.mark.parametrize(("subject", "example"), examples())
def test_the_example_runs(subject: str, example: str, tmp_path: Path) -> None:
    if needs(subject, example):
        pytest.skip(f"{subject} is not installed")
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
