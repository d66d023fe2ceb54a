"""The pytest plugin: found by pytest itself where vedette is installed (entry point ``vedette``).

- The fixture ``vedette_events``: what the test captures, as ``vedette.testing.capture_events`` gives it. The test has
  scopes of its own: tags, user and breadcrumbs do not reach the next one.
- Strict mode (``--vedette-strict``, or ``vedette_strict = true`` in the configuration): a test that captures something
  and does not ask for ``vedette_events`` fails. What is reported unseen in a test is a defect, or wants a test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vedette import isolation_scope
from vedette.testing.capturing import CapturedEvents, capture_events

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["pytest_addoption", "pytest_runtest_call", "vedette_events"]

_INI = "vedette_strict"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the strict mode."""
    text = "fail tests that capture something with vedette and do not ask for vedette_events"
    parser.getgroup("vedette").addoption("--vedette-strict", action="store_true", default=False, help=text)
    parser.addini(_INI, text, type="bool", default=False)


@pytest.fixture
def vedette_events() -> Generator[CapturedEvents]:
    """What the test captures: a list of events, with all else at its attributes. Nothing is sent."""
    with isolation_scope(), capture_events() as events:
        yield events


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Strict mode: look at what the test captures."""
    strict = item.config.getoption("vedette_strict") or item.config.getini(_INI)
    if not strict or "vedette_events" in getattr(item, "fixturenames", ()):
        return (yield)
    with isolation_scope(), capture_events() as events:
        result = yield
    if events.envelopes:
        told = "unexpected captures (ask for the fixture vedette_events to look at them)"
        pytest.fail(f"{told}: {events.summary()}", pytrace=False)
    return result
