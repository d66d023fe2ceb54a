"""Types that users' checkers rely on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import vedette


@pytest.mark.long
@pytest.mark.spec("PAIN-45")
def test_every_public_name_has_a_known_type() -> None:
    """The rest of PAIN-45, that checkers refuse and accept the right things, is `make lint` over tests/typing."""
    assert (Path(vedette.__file__).parent / "py.typed").exists()
    folder = Path(sys.executable).parent
    done = subprocess.run(
        [str(folder / "basedpyright"), "--verifytypes", "vedette", "--ignoreexternal", "--outputjson"],
        capture_output=True,
        check=False,
        timeout=50,
        env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},  # where it looks for packages
    )
    found = json.loads(done.stdout)["typeCompleteness"]
    wrong = {symbol["name"] for symbol in found["symbols"] if symbol["isExported"] and not symbol["isTypeKnown"]}
    assert wrong == set()
    assert found["exportedSymbolCounts"]["withKnownType"] > 200
