"""With Spotlight another object stands in for the client's processor: it takes all that is asked of one."""

from __future__ import annotations

import inspect

import pytest

from vedette._processing.processor import TelemetryProcessor
from vedette._spotlight.pipeline import Processor

OF_PROCESSES = {"before_fork", "threads", "after_fork_in_parent", "after_fork_in_child", "drain_at_exit"}
"""Which the server's processor and the side-car are told each for themselves."""

ASKED = [
    name
    for name, _ in inspect.getmembers(TelemetryProcessor, inspect.isfunction)
    if not name.startswith("_") and name not in OF_PROCESSES
]


@pytest.mark.parametrize("name", ASKED)
def test_it_takes_the_same_arguments(name: str) -> None:
    assert arguments_of(Processor, name) == arguments_of(TelemetryProcessor, name)


def arguments_of(cls: type, name: str) -> list[object]:
    return [(each.name, each.kind, each.default) for each in inspect.signature(getattr(cls, name)).parameters.values()]
