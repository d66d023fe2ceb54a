"""noxfile.py: what `make test-integrations` runs."""

from __future__ import annotations

import ast
from pathlib import Path

from tools.integrations_page import entries

ROOT = Path(__file__).resolve().parents[2]
CONSTANTS = {
    node.value
    for node in ast.walk(ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8")))
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
}


def test_each_integration_that_states_a_lowest_version_is_tested_with_it() -> None:
    stating = {entry.path for entry in entries() if getattr(entry.kind, "minimum_version", ())}
    assert len(stating) > 10
    assert stating - CONSTANTS == set()
