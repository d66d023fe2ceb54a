"""Modules that are loaded when something of them is first asked for (``vedette/_late.py``)."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from vedette._late import late

if TYPE_CHECKING:
    from pathlib import Path


def test_a_module_is_loaded_at_its_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "late_answer.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = late("late_answer")
    assert "late_answer" not in sys.modules
    assert (module.answer, module.answer) == (42, 42)
    assert sys.modules.pop("late_answer").answer == 42


def test_a_module_that_failed_to_load_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "late_failing.py").write_text("import builtins\nanswer = builtins.late_answer\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = late("late_failing")
    with pytest.raises(AttributeError):
        str(module.answer)
    monkeypatch.setattr("builtins.late_answer", 42, raising=False)
    assert module.answer == 42
    del sys.modules["late_failing"]


FORKED = """
import os, sys, threading
import vedette
from vedette._late import late

vedette.init("http://key@127.0.0.1:9/1")
begun = threading.Event()
sys.begun, sys.may_end = begun, threading.Event()
module = late("late_slow")
thread = threading.Thread(target=lambda: module.answer, daemon=True)
thread.start()
begun.wait(20)
child = os.fork()
if child == 0:
    sys.may_end.set()  # in the child nobody else is there to wait
    print(module.answer, flush=True)
    os._exit(0)
os.waitpid(child, 0)
sys.may_end.set()
thread.join(20)
print(module.answer)
"""


@pytest.mark.spec("PAIN-02")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="for systems that fork")
def test_a_child_forked_in_the_middle_of_such_an_import_does_it_anew(tmp_path: Path) -> None:
    slow = "import sys\nsys.begun.set()\nassert sys.may_end.wait(20)\nanswer = 42\n"
    (tmp_path / "late_slow.py").write_text(slow)
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED]  # of fork beside threads
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=40, env=env)
    assert done.stdout.split() == ["42", "42"]
