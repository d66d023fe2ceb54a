"""`make examples`: what each example says of itself, and that the judge of what arrived can say no."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = sorted(each.parent.name for each in EXAMPLES.glob("*/fails.py"))


def load() -> Any:
    spec = importlib.util.spec_from_file_location("run_all", EXAMPLES / "run_all.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["run_all"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


run_all = load()
EXAMPLE = SimpleNamespace(
    failures={"KeyError: 'AT'": "pay"},
    requests={"KeyError: 'AT'": "POST /pay"},
    breadcrumbs={"KeyError: 'AT'": "query"},
)


def event(**changed: Any) -> dict[str, Any]:
    return {
        "exception": {"values": [{"type": "KeyError", "value": "'AT'"}]},
        "transaction": "pay",
        "request": {"method": "POST", "url": "http://127.0.0.1:1/pay"},
        "breadcrumbs": {"values": [{"category": "query"}]},
        **changed,
    }


OTHER = {"exception": {"values": [{"type": "OSError", "value": "gone"}]}}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_names_its_failures_and_says_nothing_of_others(name: str) -> None:
    example = run_all.read(name)
    assert example.failures
    assert {*example.requests, *example.breadcrumbs} <= {*example.failures}


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        ([], "arrived 0 times"),
        ([event(), event()], "arrived 2 times"),
        ([event(transaction="/pay")], "has transaction and request ('/pay', 'POST /pay'), not ('pay', 'POST /pay')"),
        ([event(request=None)], "has transaction and request ('pay', None)"),
        ([event(breadcrumbs={"values": []})], "has breadcrumbs [], and none of 'query'"),
        ([event(), OTHER], "'OSError: gone' arrived, and was no failure"),
        ([event(extra={"password": "s3cret"})], "came with a secret"),
    ],
)
def test_whatever_differs_is_told(events: list[dict[str, Any]], fault: str) -> None:
    (told,) = run_all.faults_of(EXAMPLE, events)
    assert fault in told


def test_what_arrived_as_it_should_is_no_fault() -> None:
    assert run_all.faults_of(EXAMPLE, [event()]) == []


@pytest.mark.long
@pytest.mark.timeout(330)
def test_each_failure_of_each_example_arrives_once() -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "run_all.py"], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "flask               2        2" in done.stdout


def test_a_name_that_there_is_no_example_of_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "run_all.py", "flaskk"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "flask" in done.stderr
