"""What packages that report to the unified API build their events with."""

from __future__ import annotations

import functools
import sys

import pytest

import vedette
from vedette import utils
from vedette.testing import MemoryTransport

DSN = "https://key@errors.example.org/7"


def raised() -> ValueError:
    local = "seen"
    try:
        raise ValueError(local)
    except ValueError as error:
        return error


def test_an_exception_becomes_an_event_that_is_captured() -> None:
    transport = MemoryTransport()
    client = vedette.init(DSN, transport=transport, default_integrations=False)
    event, hint = utils.event_from_exception(
        raised(), client_options=client.options, mechanism={"type": "celery", "handled": False}
    )
    event["level"] = "fatal"
    vedette.capture_event(event, hint=hint)
    (sent,) = transport.events
    (value,) = sent["exception"]["values"]
    assert (value["type"], value["value"], sent["level"]) == ("ValueError", "seen", "fatal")
    assert value["mechanism"]["type"] == "celery"
    assert value["mechanism"]["handled"] is False
    assert value["stacktrace"]["frames"][-1]["vars"]["local"] == "'seen'"


def test_the_clients_options_decide_what_the_event_looks_like() -> None:
    vedette.init(DSN, transport=MemoryTransport(), default_integrations=False, include_local_variables=False)
    event, _ = utils.event_from_exception(raised())
    assert "vars" not in event["exception"]["values"][0]["stacktrace"]["frames"][-1]


def test_the_hint_holds_the_triple() -> None:
    error = raised()
    _, hint = utils.event_from_exception((type(error), error, error.__traceback__))
    assert hint["exc_info"] == (ValueError, error, error.__traceback__)
    assert utils.exc_info_from_error(error) == hint["exc_info"]


@pytest.mark.parametrize("nothing", [(None, None, None), None, "text"])
def test_where_there_is_no_exception_the_event_says_so_and_nothing_is_raised(nothing) -> None:
    assert utils.event_from_exception(nothing) == ({"level": "error"}, {})
    with pytest.raises(ValueError, match="is needed"):
        utils.exc_info_from_error(nothing)


def test_a_failing_bridge_does_not_reach_the_program(caplog: pytest.LogCaptureFixture) -> None:
    reached = []
    with utils.capture_internal_exceptions():
        reached.append(1)
        raise KeyError("bridge")
    assert reached == [1]
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("vedette", "WARNING")
    assert record.exc_info is not None
    assert record.exc_info[0] is KeyError


@pytest.mark.parametrize("leaving", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_program_passes_a_bridge(leaving: type[BaseException]) -> None:
    with pytest.raises(leaving), utils.capture_internal_exceptions():
        raise leaving


def test_the_stack_of_the_caller_ends_with_its_line() -> None:
    frames = utils.current_stacktrace()["frames"]
    line = sys._getframe().f_lineno - 1  # noqa: SLF001 - documented
    assert (frames[-1]["function"], frames[-1]["lineno"]) == (
        "test_the_stack_of_the_caller_ends_with_its_line",
        line,
    )


def test_a_function_names_a_transaction() -> None:
    assert utils.transaction_from_function(raised) == f"{__name__}.raised"
    assert utils.transaction_from_function(functools.partial(functools.partial(raised), 1)) == f"{__name__}.raised"
    assert utils.transaction_from_function(utils.Dsn.__init__) == "vedette._protocol.dsn.Dsn.__init__"
    assert utils.transaction_from_function(object()) is None


def test_packages_write_to_vedettes_own_log() -> None:
    assert utils.logger.name == "vedette"


def test_loggers_are_ignored_and_heard_again() -> None:
    from vedette.integrations import logging  # noqa: PLC0415 - not the standard library's

    logging.ignore_logger("noisy.*")
    assert "noisy.*" in logging._IGNORED_LOGGERS  # noqa: SLF001 - the name that packages import
    logging.unignore_logger("noisy.*")
    logging.unignore_logger("noisy.*")
    assert "noisy.*" not in logging._IGNORED_LOGGERS  # noqa: SLF001
