"""Messages of loguru, by themselves and together with ``logging``."""

from __future__ import annotations

import inspect
import logging
import pickle
from typing import Any

import pytest
from loguru import logger

import vedette
from vedette.integrations.logging import LoggingIntegration, ignore_logger, unignore_logger
from vedette.integrations.loguru import LoggingLevels, LoguruIntegration
from vedette.testing import MemoryTransport

DSN = "http://key@localhost/1"
REMOVE = type(logger).remove


@pytest.fixture(autouse=True)
def loggers_as_programs_have_them():
    logger.remove()
    logger.add(lambda message: None, level="DEBUG")
    yield
    logger.remove()
    logging.getLogger("interop").handlers.clear()


def initialized(**options: Any) -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, **options)
    return transport


@pytest.fixture
def transport():
    return initialized()


def crumbs() -> list[dict[str, Any]]:
    with vedette.testing.capture_events() as events:
        vedette.capture_message("look")
    return events.one().get("breadcrumbs", {"values": []})["values"]


def said(transport: MemoryTransport) -> list[Any]:
    return [event["logentry"]["formatted"] for event in transport.events]


@pytest.mark.spec("FW-loguru-02", "FW-loguru-03", "FW-loguru-04")
def test_messages_from_info_are_breadcrumbs_and_from_error_events(transport) -> None:
    logger.debug("nothing")
    logger.success("done with {}", 5)
    logger.error("lost {order}", order=7)
    (event,) = transport.events
    assert (event["level"], event["logger"], event["logentry"]["formatted"]) == ("error", __name__, "lost 7")
    assert [(each["message"], each["level"], each["category"]) for each in crumbs()] == [
        ("done with 5", "info", __name__),
        ("lost 7", "error", __name__),
    ]


@pytest.mark.spec("FW-loguru-01", "FW-loguru-03")
def test_levels_and_formats_are_options() -> None:
    transport = initialized(
        integrations=[
            LoguruIntegration(
                level=None, event_level=LoggingLevels.SUCCESS, event_format=lambda record: "{function}: {message}\n"
            )
        ]
    )
    logger.info("no")
    logger.success("yes")
    assert said(transport) == ["test_levels_and_formats_are_options: yes"]
    assert crumbs() == []
    transport = initialized(
        integrations=[LoguruIntegration(level=LoggingLevels.TRACE, event_level=None, breadcrumb_format="> {message}")]
    )
    logger.critical("crumb")
    assert transport.events == []
    assert crumbs()[-1]["message"] == "> crumb"
    with pytest.raises(ValueError, match="event_level"):
        LoguruIntegration(event_level="loud")


@pytest.mark.spec("FW-loguru-04", "PAIN-17")
def test_exceptions_are_sent_once(transport) -> None:
    @logger.catch(reraise=True)
    def fail() -> None:
        raise ValueError("no such order")

    try:
        fail()
    except ValueError as error:
        logger.exception("could not load")
        logger.error(f"again: {error}")
        vedette.capture_exception(error)
    (event,) = transport.events
    (value,) = event["exception"]["values"]
    assert (value["type"], value["mechanism"]["type"]) == ("ValueError", "loguru")
    logger.exception("no exception")
    (thread,) = transport.events[1]["threads"]["values"]
    assert thread["stacktrace"]["frames"][-1]["function"] == "test_exceptions_are_sent_once"


@pytest.mark.spec("FW-loguru-06", "CFG-24")
def test_bound_values_are_extra_and_tags_where_asked_for() -> None:
    transport = initialized(context_tags=["tenant"])
    with logger.contextualize(tenant="acme"):
        logger.bind(order=7, password="hunter2").error("lost")
    (event,) = transport.events
    assert event["extra"]["order"] == 7
    assert event["extra"]["password"] == "[Filtered]"
    assert event["tags"] == {"tenant": "acme"}


@pytest.mark.spec("FW-loguru-05")
def test_ignore_logger_holds_for_modules(transport) -> None:
    ignore_logger("tests.*.test_loguru" if "." in __name__ else __name__)
    try:
        logger.error("ignored")
    finally:
        unignore_logger("tests.*.test_loguru" if "." in __name__ else __name__)
    assert transport.events == []
    assert crumbs() == []


def test_a_program_that_removes_all_sinks_is_still_heard(transport) -> None:
    logger.remove()
    logger.error("one")
    heard: list[str] = []
    logger.configure(handlers=[{"sink": heard.append, "format": "{message}"}])
    logger.error("two")
    assert said(transport) == ["one", "two"]
    assert heard == ["two\n"]


def test_a_hook_may_log_while_an_event_is_captured(capsys) -> None:
    def before_send(event: Any, hint: Any) -> Any:
        logger.info("in the hook")
        logger.error("in the hook")
        return event

    transport = initialized(before_send=before_send)
    logger.error("outside")
    assert said(transport) == ["outside"]
    assert capsys.readouterr().err == ""


@pytest.mark.spec("PAIN-33")
def test_there_is_one_sink_and_none_after_the_last_client_is_closed() -> None:
    def sinks() -> int:
        return str(logger).count("id=")

    before = sinks()
    first = vedette.Client(DSN, transport=MemoryTransport())
    second = vedette.Client(
        DSN, transport=MemoryTransport(), integrations=[LoguruIntegration(level=LoggingLevels.TRACE)]
    )
    assert sinks() == before + 1
    assert inspect.signature(type(logger).remove) == inspect.signature(REMOVE)
    first.close()
    assert sinks() == before + 1
    second.close()
    assert sinks() == before
    assert type(logger).remove is REMOVE


def test_a_logger_with_our_sink_can_be_pickled(transport) -> None:
    logger.remove()
    assert type(pickle.loads(pickle.dumps(logger))) is type(logger)


# --- together with logging ---


class Intercept(logging.Handler):
    """From the documentation of loguru: what goes to logging ends in loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        frame, depth = inspect.currentframe(), 0
        while frame and (depth == 0 or frame.f_code.co_filename == logging.__file__):
            frame = frame.f_back
            depth += 1
        logger.opt(depth=depth, exception=record.exc_info).log(record.levelname, record.getMessage())


class Propagate(logging.Handler):
    """From the same place: what goes to loguru ends in logging."""

    def emit(self, record: logging.LogRecord) -> None:
        logging.getLogger("interop").handle(record)


@pytest.mark.spec("FW-loguru-06", "PAIN-17")
def test_what_logging_hands_on_to_loguru_is_reported_once(transport) -> None:
    source = logging.getLogger("interop")
    source.addHandler(Intercept())
    source.setLevel(logging.DEBUG)
    source.info("crumb")
    source.error("same")
    source.error("same")
    logger.error("of loguru")
    assert said(transport) == ["same", "same", "of loguru"]
    assert [event["logger"] for event in transport.events] == ["interop", "interop", __name__]
    assert [each["message"] for each in crumbs()] == ["crumb", "same", "same", "of loguru"]


@pytest.mark.spec("FW-loguru-06", "PAIN-17")
def test_what_logging_hands_on_is_reported_by_loguru_where_logging_is_not() -> None:
    transport = initialized(integrations=[LoggingIntegration(level=None, event_level=None)])
    source = logging.getLogger("interop")
    source.addHandler(Intercept())
    source.error("once")
    assert said(transport) == ["once"]
    assert len(crumbs()) == 1


@pytest.mark.spec("FW-loguru-06", "PAIN-17")
@pytest.mark.parametrize("sink_comes_first", [False, True])
def test_what_loguru_hands_on_to_logging_is_reported_once(sink_comes_first: bool) -> None:
    if sink_comes_first:
        logger.add(Propagate(), format="{message}")
    transport = initialized()
    if not sink_comes_first:
        logger.add(Propagate(), format="{message}")
    logger.error("same")
    logger.error("same")
    logging.getLogger("interop").error("of logging")
    assert said(transport) == ["same", "same", "of logging"]
    assert [each["message"] for each in crumbs()] == ["same", "same", "of logging"]
