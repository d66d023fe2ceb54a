"""The processor for structlog, with loggers of its own and with those of ``logging`` below it."""

# ruff: noqa: G004, LOG004, LOG014 - programs log in every way there is

from __future__ import annotations

import contextvars
import logging
from typing import Any

import pytest
import structlog

import vedette
from vedette.integrations.logging import LoggingIntegration, ignore_logger, unignore_logger
from vedette.integrations.structlog import StructlogProcessor
from vedette.testing import MemoryTransport

DSN = "http://key@localhost/1"


@pytest.fixture(autouse=True)
def defaults_again():
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


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


def structlog_by_itself(processor: StructlogProcessor, *rest: Any) -> Any:
    """Its own loggers, and what it returned for each event."""
    out = structlog.testing.CapturingLoggerFactory()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, processor, *rest, structlog.processors.KeyValueRenderer()],
        logger_factory=out,
    )
    return structlog.get_logger(), out.logger


def test_events_from_info_are_breadcrumbs_and_from_error_events(transport) -> None:
    log, _ = structlog_by_itself(StructlogProcessor())
    log.debug("nothing")
    log.info("looked", order=5)
    log.error("lost", order=7, logger="shop")
    (event,) = transport.events
    assert (event["level"], event["logger"], event["logentry"]["formatted"]) == ("error", "shop", "lost")
    assert event["extra"]["order"] == 7
    found = [(each["category"], each["level"], each["message"], each["data"]) for each in crumbs()]
    assert found == [("structlog", "info", "looked", {"order": 5}), ("shop", "error", "lost", {"order": 7})]


def test_levels_are_options(transport) -> None:
    log, _ = structlog_by_itself(StructlogProcessor(level=None, event_level="warning"))
    log.info("no")
    log.warning("yes")
    assert said(transport) == ["yes"]
    assert crumbs() == []
    with pytest.raises(ValueError, match="event_level"):
        StructlogProcessor(event_level="loud")


def test_what_the_program_logs_is_not_changed(transport) -> None:
    log, written = structlog_by_itself(StructlogProcessor())
    structlog.contextvars.bind_contextvars(tenant="acme")
    log.error("lost", order=7)
    assert written.calls[0].args == ("order=7 event='lost' tenant='acme'",)
    assert transport.events[0]["extra"]["tenant"] == "acme"


@pytest.mark.spec("CFG-24")
def test_values_named_by_context_tags_are_tags() -> None:
    transport = initialized(context_tags=["tenant"])
    log, _ = structlog_by_itself(StructlogProcessor())
    log.bind(tenant="acme", password="hunter2").error("lost")
    assert transport.events[0]["tags"] == {"tenant": "acme"}
    assert transport.events[0]["extra"]["password"] == "[Filtered]"


@pytest.mark.spec("PAIN-17")
@pytest.mark.parametrize(
    "say",
    [
        lambda log, error: log.exception("could not load"),
        lambda log, error: log.error("could not load", exc_info=True),
        lambda log, error: log.error("could not load", exc_info=error),
        lambda log, error: log.error("could not load", exc_info=(type(error), error, None)),
        lambda log, error: log.error("could not load", error=error),
        lambda log, error: log.error("could not load", error=str(error)) or log.error(f"it was {error}"),
    ],
)
def test_an_exception_is_sent_once(transport, say: Any) -> None:
    log, _ = structlog_by_itself(StructlogProcessor(), structlog.processors.format_exc_info)

    def caught_elsewhere(error: Exception) -> None:
        say(log, error)

    try:
        raise ValueError("no such order")
    except ValueError as error:
        caught_elsewhere(error)
        vedette.capture_exception(error)
    exceptions = [event for event in transport.events if "exception" in event]
    assert len(exceptions) == 1
    assert exceptions[0]["exception"]["values"][0]["mechanism"]["type"] == "structlog"


def test_without_an_exception_the_current_stack_is_sent(transport) -> None:
    log, _ = structlog_by_itself(StructlogProcessor())
    log.exception("none", exc_info=True)
    log.error("asked for", stack_info=True)
    for event in transport.events:
        frames = event["threads"]["values"][0]["stacktrace"]["frames"]
        assert frames[-1]["function"] == "test_without_an_exception_the_current_stack_is_sent"


def test_ignored_loggers_are_left_out(transport) -> None:
    log, _ = structlog_by_itself(StructlogProcessor())
    ignore_logger("noisy.*")
    try:
        log.error("m", logger="noisy.child")
    finally:
        unignore_logger("noisy.*")
    assert transport.events == []


def test_an_event_dict_of_foreign_objects_does_no_harm(transport) -> None:
    class Odd:
        def __repr__(self) -> str:
            raise AssertionError("code of the program runs")

    odd = Odd()
    given = {"event": odd, "value": odd}
    assert StructlogProcessor()(None, "error", given) is given
    assert given == {"event": odd, "value": odd}
    assert "Odd" in said(transport)[0]


def test_without_a_client_nothing_happens() -> None:
    log, written = structlog_by_itself(StructlogProcessor())
    log.error("lost")
    assert len(written.calls) == 1


# --- with logging below it ---


def structlog_on_logging(*last: Any) -> Any:
    structlog.configure(
        processors=[structlog.stdlib.add_logger_name, StructlogProcessor(), *last],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return structlog.get_logger("shop.structured")


@pytest.mark.spec("PAIN-17")
@pytest.mark.parametrize(
    "last",
    [
        [structlog.processors.JSONRenderer()],
        [structlog.stdlib.render_to_log_kwargs],
        [structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    ],
)
def test_what_ends_in_logging_is_reported_once_with_its_values(transport, last: list[Any]) -> None:
    logging.getLogger("shop.structured").setLevel(logging.INFO)
    log = structlog_on_logging(*last)
    log.info('"quoted"', order=5)
    log.error('"quoted"', order=7)
    log.error('"quoted"', order=8)
    logging.getLogger("shop.structured").error("of logging")
    assert said(transport) == ['"quoted"', '"quoted"', "of logging"]
    assert [event["extra"].get("order") for event in transport.events] == [7, 8, None]
    assert [each["message"] for each in crumbs()] == ['"quoted"', '"quoted"', '"quoted"', "of logging"]


def test_it_reports_by_itself_where_the_integration_of_logging_is_off() -> None:
    transport = initialized(disabled_integrations=[LoggingIntegration])
    structlog_on_logging(structlog.processors.JSONRenderer()).error("lost", order=7)
    assert said(transport) == ["lost"]


@pytest.mark.spec("PAIN-07")
def test_what_was_handed_on_in_one_context_is_not_taken_for_it_in_another(transport) -> None:
    log = structlog_on_logging(structlog.processors.JSONRenderer())
    contextvars.copy_context().run(log.error, "in another context")
    logging.getLogger("shop.structured").error("here")
    assert said(transport) == ["in another context", "here"]
