"""docs/inbox-acceptance.md names a test for each point of the design, and each test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in (ROOT / "docs" / "inbox-acceptance.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| (\d+|fed|) *\|", line)
]
NODES = sorted({node for _, _, tests in ROWS for node in re.findall(r"`(tests/[^`]+)`", tests)})


def defined_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("node", NODES)
def test_each_test_that_the_page_names_is_there(node):
    file, _, name = node.partition("::")
    assert name in defined_in(file)


def test_each_point_has_its_tests():
    assert [point for point, _, _ in ROWS if point] == ["fed", *map(str, range(1, 15))]
    without = [clause for _, clause, tests in ROWS if not re.search(r"`tests/", tests)]
    assert without == ["screenshots looked at"]
