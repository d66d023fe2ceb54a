"""docs/values.md says what every type becomes; here its code is run, and each line of its tables compared."""

from __future__ import annotations

import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from vedette import values

PAGE = (Path(__file__).parents[2] / "docs" / "values.md").read_text(encoding="utf-8")
CODE = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
ROWS = re.findall(r"^\| (`+) ?(.+?) ?\1 \| (`+) ?(.+?) ?\3 \| (`+) ?(.+?) ?\5 \|$", PAGE, re.MULTILINE)

# Where pandas 2 (for Python 3.10) says that its classes live.
OLDER_MODULES = re.compile(r"pandas\.(core\.(frame|series|indexes\.base))\.")


@pytest.fixture(scope="module")
def shop() -> Any:
    module = types.ModuleType("shop")
    sys.modules["shop"] = module
    assert CODE is not None
    exec(CODE[1], module.__dict__)
    yield module.__dict__
    module.engine.dispose()
    del sys.modules["shop"]


def test_the_page_has_tables():
    assert len(ROWS) > 80
    assert len(ROWS) == sum(line.startswith("| `") for line in PAGE.splitlines())


@pytest.mark.parametrize(
    ("example", "text", "structure"), [(row[1], row[3], row[5]) for row in ROWS], ids=[row[1][:50] for row in ROWS]
)
def test_a_value_becomes_what_the_page_says(shop: dict[str, Any], example: str, text: str, structure: str):
    value = eval(example, shop)

    assert OLDER_MODULES.sub("pandas.", values.render(value)) == text
    assert OLDER_MODULES.sub("pandas.", json.dumps(values.to_json(value), ensure_ascii=False)) == structure
