"""``dedupe``, ``unraisablehook`` and ``sys_exit``: a switch and two hooks."""

from __future__ import annotations

import gc
import inspect
import sys
from typing import Any

import pytest

import vedette
from vedette.integrations.dedupe import DedupeIntegration
from vedette.integrations.sys_exit import SysExitIntegration
from vedette.integrations.unraisablehook import UnraisablehookIntegration
from vedette.testing import MemoryTransport

DSN = "http://key@localhost/1"


def initialized(**options: Any) -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, **options)
    return transport


@pytest.mark.spec("FW-dedupe-01", "FW-dedupe-02", "INT-15")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 1),
        ({"default_integrations": False}, 1),
        ({"disabled_integrations": [DedupeIntegration]}, 2),
        ({"disabled_integrations": [DedupeIntegration()]}, 2),
        ({"integrations": [DedupeIntegration()]}, 1),
    ],
)
def test_an_exception_is_captured_once_unless_that_is_switched_off(options: Any, expected: int) -> None:
    transport = initialized(**options)
    error = ValueError("same")
    vedette.capture_exception(error)
    vedette.capture_exception(error)
    assert len(transport.events) == expected


class Failing:
    def __del__(self) -> None:
        raise ValueError("in a finalizer")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_python_can_only_print_is_captured_unless_that_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: seen.append(unraisable.exc_value))
    before = sys.unraisablehook
    transport = initialized(disabled_integrations=[UnraisablehookIntegration])
    assert sys.unraisablehook is before
    transport = initialized()
    Failing()
    gc.collect()
    (event,) = transport.events
    (value,) = event["exception"]["values"]
    assert value["mechanism"]["type"] == "auto.python.unraisablehook"
    assert value["mechanism"]["handled"] is False
    assert len(seen) == 1  # Python goes on with it as ever
    vedette.get_client().close()
    assert sys.unraisablehook is before


EXIT = sys.exit


@pytest.mark.parametrize(
    ("status", "is_captured"),
    [((), False), ((None,), False), ((0,), False), ((False,), False), ((1,), True), (("disk full",), True)],
)
def test_an_exit_that_is_no_success_is_captured_where_asked_for(status: Any, is_captured: bool) -> None:
    transport = initialized(integrations=[SysExitIntegration()])
    with pytest.raises(SystemExit) as ending:
        sys.exit(*status)
    assert ending.value.code == (status[0] if status else None)
    assert len(transport.events) == is_captured
    if is_captured:
        (value,) = transport.events[0]["exception"]["values"]
        assert (value["type"], value["mechanism"]["type"]) == ("SystemExit", "sys_exit")
        assert value["stacktrace"]["frames"][-1]["function"].startswith("test_an_exit")
        assert next(_entries(ending.tb)).tb_frame.f_code.co_name.startswith("test_an_exit")
        assert len(list(_entries(ending.tb))) == 2  # the test, ours, and none of those that were put in for the event


def _entries(traceback: Any) -> Any:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def test_successful_exits_are_an_option_and_others_are_left_alone() -> None:
    transport = initialized(integrations=[SysExitIntegration(capture_successful_exits=True)])
    assert inspect.signature(sys.exit) == inspect.signature(EXIT)
    with pytest.raises(SystemExit):
        sys.exit()
    with pytest.raises(SystemExit):
        raise SystemExit(3)
    assert len(transport.events) == 1
    vedette.get_client().close()
    assert sys.exit is EXIT
    transport = initialized()
    with pytest.raises(SystemExit):
        sys.exit(1)
    assert transport.events == []
