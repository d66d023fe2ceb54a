"""Records of ``logging``: which of them become events and breadcrumbs, and what is in these."""

# ruff: noqa: G004, LOG004, LOG014, PLE1205, PLE1206, PT012 - programs log in every way there is

from __future__ import annotations

import inspect
import io
import logging
import logging.config
import logging.handlers
import queue
import sys
import threading
from typing import Any

import pytest

import vedette
from vedette._host import log as own_log
from vedette.integrations.logging import (
    BreadcrumbHandler,
    EventHandler,
    LoggingIntegration,
    ignore_logger,
    unignore_logger,
)
from vedette.testing import MemoryTransport

DSN = "http://key@localhost/1"
ORIGINAL = logging.Logger.callHandlers


@pytest.fixture(autouse=True)
def loggers_as_they_were():
    """The tests configure logging as programs do."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before[0], before[1]
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False
            if not logger.name.startswith("vedette"):
                logger.handlers.clear()
                logger.filters.clear()
                logger.propagate = True
                logger.setLevel(logging.NOTSET)


@pytest.fixture
def transport():
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    return transport


def initialized(**options: Any) -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, **options)
    return transport


def crumbs() -> list[dict[str, Any]]:
    """What the next event would carry."""
    with vedette.testing.capture_events() as events:
        vedette.capture_message("look")
    return events.one().get("breadcrumbs", {"values": []})["values"]


def new_logger(name: str, level: int = logging.DEBUG) -> logging.Logger:
    logger = logging.getLogger(name)
    logger.setLevel(level)
    return logger


# --- what becomes an event, what a breadcrumb ---


@pytest.mark.spec("FW-logging-02", "FW-logging-03", "FW-logging-04", "BRC-03", "BRC-24", "BRC-30")
def test_records_from_info_are_breadcrumbs_and_from_error_events_by_default(transport) -> None:
    logger = new_logger("shop.cart")
    logger.debug("nothing")
    logger.info("looked at %d", 5)
    logger.warning("slow")
    assert transport.events == []
    logger.error("lost")
    (event,) = transport.events
    assert event["logger"] == "shop.cart"
    assert event["level"] == "error"
    found = event["breadcrumbs"]["values"]
    assert [(each["type"], each["category"], each["level"], each["message"]) for each in found] == [
        ("default", "shop.cart", "info", "looked at 5"),
        ("default", "shop.cart", "warning", "slow"),
    ]  # its own breadcrumb comes after it,
    assert crumbs()[-1]["message"] == "lost"  # for later events


@pytest.mark.spec("FW-logging-01", "FW-logging-03", "FW-logging-04")
def test_the_levels_are_options_and_none_turns_each_off() -> None:
    transport = initialized(integrations=[LoggingIntegration(level=None, event_level=logging.WARNING)])
    logger = new_logger("a")
    logger.info("no")
    logger.warning("yes")
    assert [event["logentry"]["formatted"] for event in transport.events] == ["yes"]
    assert crumbs() == []
    transport = initialized(integrations=[LoggingIntegration(level="debug", event_level=None)])
    logger.debug("d")
    logger.critical("c")
    assert transport.events == []
    assert [each["message"] for each in crumbs()] == ["d", "c"]


@pytest.mark.parametrize("level", [True, 1.5, "loud", object()])
def test_a_level_that_is_none_is_refused_by_name(level: Any) -> None:
    with pytest.raises(ValueError, match="event_level"):
        LoggingIntegration(event_level=level)


@pytest.mark.spec("FW-logging-06")
def test_the_own_level_and_the_filters_of_a_logger_come_first(transport) -> None:
    logger = logging.getLogger("unconfigured")
    logger.info("the root logger is at WARNING")
    quiet = new_logger("quiet", logging.CRITICAL)
    quiet.error("not loud enough")
    filtered = new_logger("filtered")
    filtered.addFilter(lambda record: "secret" not in record.msg)
    filtered.error("secret")
    assert transport.events == []
    assert crumbs() == []


@pytest.mark.spec("FW-logging-08")
def test_extra_values_are_in_extra_and_in_the_data_of_the_breadcrumb(transport) -> None:
    class Order:
        def __repr__(self) -> str:
            raise AssertionError("code of the program runs")

    new_logger("a").error("lost", extra={"order": 7, "object": Order(), "nested": {"password": "hunter2"}})
    extra = transport.events[0]["extra"]
    assert extra["order"] == 7
    assert "Order" in extra["object"]
    assert extra["nested"] == {"password": "[Filtered]"}
    assert "extra" not in transport.events[0]["extra"]
    assert crumbs()[-1]["data"]["order"] == 7


@pytest.mark.spec("CFG-23", "CFG-24")
def test_values_named_by_context_tags_are_tags() -> None:
    transport = initialized(context_tags=["tenant", "shard", "absent"])
    new_logger("a").error("lost", extra={"tenant": "acme", "shard": 5, "order": 7})
    assert transport.events[0]["tags"] == {"tenant": "acme", "shard": "5"}
    assert transport.events[0]["extra"]["order"] == 7
    assert initialized(context_tags=["tenant"]).events == []


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (5, "debug"),
        (10, "debug"),
        (20, "info"),
        (25, "info"),
        (35, "warning"),
        (40, "error"),
        (45, "error"),
        (60, "fatal"),
    ],
)
def test_levels_of_the_program_count_as_the_next_one_below(number: int, expected: str) -> None:
    transport = initialized(integrations=[LoggingIntegration(level=1, event_level=1)])
    new_logger("a", 1).log(number, "m")
    assert transport.events[0]["level"] == expected
    assert crumbs()[-1]["level"] == expected


def test_the_level_of_a_record_wins_over_that_of_a_scope(transport) -> None:
    vedette.set_level("info")
    new_logger("a").critical("down")
    assert transport.events[0]["level"] == "fatal"


# --- its text ---


def test_template_parameters_and_text_are_all_sent(transport) -> None:
    logger = new_logger("a")
    logger.error("order %s of %r", 7, "bob")
    logger.error("%(what)s failed, %(password)s", {"what": "login", "password": "hunter2"})
    logger.error("100%")
    first, second, third = (event["logentry"] for event in transport.events)
    assert first == {"message": "order %s of %r", "params": ["7", "bob"], "formatted": "order 7 of 'bob'"}
    assert second["message"] == "%(what)s failed, %(password)s"
    assert second["params"] == {"what": "login", "password": "[Filtered]"}
    assert third == {"message": "100%", "formatted": "100%"}


class Odd:
    calls = 0

    def __str__(self) -> str:
        Odd.calls += 1
        return "odd"

    __repr__ = __str__


def test_no_code_of_a_parameter_runs_where_no_handler_formats_it(transport) -> None:
    logger = new_logger("silent")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    Odd.calls = 0
    logger.error("it is %s", Odd())
    logger.info("it is %s", Odd())
    assert Odd.calls == 0
    assert "Odd" in transport.events[0]["logentry"]["formatted"]
    assert "Odd" in crumbs()[-1]["message"]


def test_the_text_is_what_the_handlers_made_of_it(transport) -> None:
    class Redact(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            record.msg, record.args = "\x1b[31mcard \x1b[1;32m****\x1b[0m", ()
            record.request_id = "r-1"
            return True

    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(Redact())
    logger = new_logger("pay")
    logger.addHandler(handler)
    logger.error("card %s", "4111-1111")
    (event,) = transport.events
    assert event["logentry"] == {"message": "card ****", "formatted": "card ****"}
    assert "4111-1111" not in str(event)  # with its dash: four digits may be in an id, or in the time
    assert event["extra"]["request_id"] == "r-1"


def test_a_template_that_does_not_fit_its_parameters_is_sent_as_it_is(transport, capsys) -> None:
    logger = new_logger("silent")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    logger.error("a %d", "x")
    logger.error("b %s %s", 1)
    logger.error("c", 1, 2)
    logger.error(Odd())
    logger.error(ValueError("text of it"))
    texts = [event["logentry"]["formatted"] for event in transport.events]
    assert texts[:3] == ["a %d", "b %s %s", "c"]
    assert "Odd" in texts[3]
    assert texts[4] == "text of it"
    assert capsys.readouterr().err == ""


# --- its exception ---


@pytest.mark.spec("FW-logging-07", "PAIN-17")
def test_logger_exception_sends_the_exception_with_its_text(transport) -> None:
    logger = new_logger("shop")
    try:
        {}["absent"]
    except KeyError:
        logger.exception("no %s", "order")
    (event,) = transport.events
    assert event["logentry"]["formatted"] == "no order"
    (value,) = event["exception"]["values"]
    assert (value["type"], value["mechanism"]["type"], value["mechanism"]["handled"]) == ("KeyError", "logging", True)
    assert value["stacktrace"]["frames"][-1]["function"] == inspect.currentframe().f_code.co_name  # type: ignore[union-attr]


@pytest.mark.spec("FW-logging-07")
@pytest.mark.parametrize(
    ("said", "has_stack"),
    [
        (lambda logger: logger.exception("no exception"), True),
        (lambda logger: logger.error("asked for", stack_info=True), True),
        (lambda logger: logger.error("plain"), False),
    ],
)
def test_without_an_exception_the_current_stack_is_sent_where_it_was_asked_for(transport, said, has_stack) -> None:
    def log_it() -> None:
        said(new_logger("a"))

    log_it()
    (thread,) = transport.events[0]["threads"]["values"]
    assert thread["name"] == threading.current_thread().name
    assert ("stacktrace" in thread) == has_stack
    if has_stack:
        names = [frame["function"].rpartition(".")[2] for frame in thread["stacktrace"]["frames"]]
        assert names[-2:] == ["log_it", "<lambda>"]  # and nothing of logging
    assert "exception" not in transport.events[0]


def test_with_attach_stacktrace_every_record_has_one() -> None:
    transport = initialized(attach_stacktrace=True)
    new_logger("a").error("plain")
    (thread,) = transport.events[0]["threads"]["values"]
    assert thread["stacktrace"]["frames"][-1]["function"] == "test_with_attach_stacktrace_every_record_has_one"


def test_an_exception_is_taken_in_every_form_that_logging_takes(transport) -> None:
    logger, error = new_logger("a"), ValueError("never raised")
    logger.error("as an instance", exc_info=error)
    other = TypeError("nor this")
    logger.error("as a tuple", exc_info=(TypeError, other, None))
    assert [event["exception"]["values"][0]["type"] for event in transport.events] == ["ValueError", "TypeError"]


# --- one failure is one event ---


@pytest.mark.spec("PAIN-17")
@pytest.mark.parametrize(
    "say",
    [
        lambda logger, error: logger.exception("failed"),
        lambda logger, error: logger.error("failed", exc_info=True),
        lambda logger, error: logger.error("failed: %s", error),
        lambda logger, error: logger.error("failed: %(error)s", {"error": error}),
        lambda logger, error: logger.error(error),
        lambda logger, error: logger.error(f"failed: {error}"),
        lambda logger, error: logger.error("failed", extra={"error": error}),
    ],
)
@pytest.mark.parametrize("reported_first", [False, True])
def test_a_record_about_an_exception_and_the_exception_are_one_event(transport, say, reported_first: bool) -> None:
    logger = new_logger("a")
    with pytest.raises(ValueError, match="no such order"):
        try:
            raise ValueError("no such order")
        except ValueError as error:
            if reported_first:
                vedette.capture_exception(error)
            say(logger, error)
            vedette.capture_exception(error)  # as a framework does with what is raised again
            raise
    (event,) = transport.events
    assert event["exception"]["values"][0]["value"] == "no such order"


@pytest.mark.spec("PAIN-17")
def test_the_first_text_in_an_except_clause_takes_the_exception_along(transport) -> None:
    logger = new_logger("a")
    try:
        raise ValueError("no such order")
    except ValueError as error:
        logger.error("could not load")
        logger.error("giving up")
        vedette.capture_exception(error)
    first, second = transport.events
    assert first["logentry"]["formatted"] == "could not load"
    assert first["exception"]["values"][0]["type"] == "ValueError"
    assert second["logentry"]["formatted"] == "giving up"
    assert "exception" not in second


def test_an_unrelated_record_while_an_exception_is_handled_is_an_event_of_its_own(transport) -> None:
    logger = new_logger("a")

    def fallback() -> None:
        logger.error("disk full")

    try:
        raise ValueError("no such order")
    except ValueError:
        fallback()
    (event,) = transport.events
    assert event["logentry"]["formatted"] == "disk full"
    assert "exception" not in event


def test_a_text_beside_an_ignored_error_is_sent_without_it() -> None:
    transport = initialized(ignore_errors=[ConnectionError])
    logger = new_logger("a")
    try:
        raise ConnectionError("refused")
    except ConnectionError:
        logger.error("order is lost")
        logger.exception("about the error itself")
    (event,) = transport.events
    assert event["logentry"]["formatted"] == "order is lost"
    assert "exception" not in event


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_text_while_the_program_ends_is_about_no_failure(transport, ending: type[BaseException]) -> None:
    try:
        raise ending("going down")
    except BaseException as error:
        new_logger("a").error("ends: %s", error)
    assert "exception" not in transport.events[0]


@pytest.mark.spec("PAIN-17")
def test_a_server_that_logs_what_was_captured_in_a_request_that_is_over_adds_nothing(transport) -> None:
    error = ValueError("in a view")
    with vedette.isolation_scope() as scope:
        scope.set_new_propagation_context()
        vedette.capture_exception(error)
    for name in ("uvicorn.error", "gunicorn.error", "hypercorn.error", "aiohttp.server", "asyncio"):
        new_logger(name).error("Exception in application", exc_info=error)
    assert len(transport.events) == 1
    new_logger("uvicorn.error").error("Exception in application", exc_info=TypeError("seen by nobody"))
    assert len(transport.events) == 2


class CeleryIntegration(vedette.integrations.Integration):
    identifier = "celery"


@pytest.mark.spec("PAIN-17")
def test_loggers_that_repeat_what_an_integration_reports_are_left_out_where_that_is_on() -> None:
    transport = initialized(integrations=[CeleryIntegration()])
    new_logger("celery.app.trace").error("Task raised unexpected: KeyError('x')")
    assert transport.events == []
    assert crumbs()[-1]["category"] == "celery.app.trace"
    transport = initialized()
    new_logger("celery.app.trace").error("Task raised unexpected: KeyError('x')")
    assert len(transport.events) == 1


# --- which loggers ---


@pytest.mark.spec("FW-logging-10", "FW-logging-11")
def test_ignored_loggers_make_neither_events_nor_breadcrumbs(transport) -> None:
    names = ["noisy", "noisy.child", "lib.a.log", "lib.b", "other"]
    ignore_logger("noisy")
    ignore_logger("lib.*.log")
    try:
        for name in names:
            new_logger(name).error("m")
        assert [event["logger"] for event in transport.events] == ["noisy.child", "lib.b", "other"]
        assert [each["category"] for each in crumbs()] == ["noisy.child", "lib.b", "other"]
    finally:
        unignore_logger("noisy")
        unignore_logger("lib.*.log")
    new_logger("noisy").error("again")
    new_logger("lib.a.log").error("again")
    assert len(transport.events) == 5


@pytest.mark.spec("PAIN-25")
def test_vedettes_own_records_and_those_of_its_requests_are_left_out(transport) -> None:
    for name in ("vedette", "urllib3.connectionpool"):
        logging.getLogger(name).error("of the transport")
    own_log.warning("of vedette")
    assert transport.events == []
    assert crumbs() == []


# --- how it is put in ---


@pytest.mark.spec("FW-logging-02", "INT-15", "INT-16", "PAIN-33")
def test_loggers_are_patched_once_and_left_as_they_were_found() -> None:
    first = vedette.Client(DSN, transport=MemoryTransport())
    patched = logging.Logger.callHandlers
    second = vedette.Client(DSN, transport=MemoryTransport())
    assert patched is not ORIGINAL
    assert logging.Logger.callHandlers is patched
    assert inspect.signature(patched) == inspect.signature(ORIGINAL)
    assert patched.__wrapped__ is ORIGINAL  # type: ignore[attr-defined]
    assert patched.__qualname__ == ORIGINAL.__qualname__
    first.close()
    assert logging.Logger.callHandlers is patched
    second.close()
    assert logging.Logger.callHandlers is ORIGINAL
    for options in ({"default_integrations": False}, {"disabled_integrations": [LoggingIntegration]}):
        with vedette.Client(DSN, transport=MemoryTransport(), **options):
            assert logging.Logger.callHandlers is ORIGINAL


def test_the_configuration_of_the_program_takes_effect_as_without_it(transport, capsys) -> None:
    root = logging.getLogger()
    root.handlers.clear()
    logging.getLogger("before").warning("the handler of last resort prints this")
    assert "last resort" in capsys.readouterr().err
    logging.basicConfig(format="basic %(message)s", stream=sys.stderr)
    assert len(root.handlers) == 1
    logging.getLogger("a").error("one")
    assert capsys.readouterr().err == "basic one\n"
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": True,
            "handlers": {"h": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"}},
            "root": {"handlers": ["h"], "level": "INFO"},
        }
    )
    logging.getLogger("a").error("a disabled logger")
    fresh = logging.getLogger("fresh")
    fresh.propagate = False
    fresh.error("two")
    assert [event["logentry"]["formatted"] for event in transport.events] == ["one", "two"]
    assert [each["message"] for each in crumbs()] == ["the handler of last resort prints this", "one", "two"]


def test_the_place_where_a_record_was_logged_is_found_as_without_it(transport) -> None:
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger = new_logger("a")
    logger.addHandler(handler)
    logger.error("here")
    (record,) = records
    assert record.funcName == "test_the_place_where_a_record_was_logged_is_found_as_without_it"
    assert not any(name.startswith("_") for name in record.__dict__)  # nothing of ours on it


def test_a_handler_that_raises_raises_and_its_record_is_captured_all_the_same(transport) -> None:
    class Fatal(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise SystemExit(3)

    logger = new_logger("a")
    logger.addHandler(Fatal())
    with pytest.raises(SystemExit):
        logger.critical("down")
    assert transport.events[0]["logentry"]["formatted"] == "down"
    assert "exception" not in transport.events[0]


@pytest.mark.spec("PAIN-18")
def test_a_record_made_while_another_is_formatted_is_one_of_its_own(transport) -> None:
    logger = new_logger("a")
    logger.propagate = False
    logger.addHandler(logging.StreamHandler(io.StringIO()))

    class Talkative:
        def __str__(self) -> str:
            logger.error("inner")
            return "talkative"

    logger.error("outer %s", Talkative())
    assert [event["logentry"]["formatted"] for event in transport.events] == ["inner", "outer talkative"]


@pytest.mark.spec("PAIN-25")
def test_a_hook_that_logs_does_not_recurse() -> None:
    def before_send(event: Any, hint: Any) -> Any:
        new_logger("hook").error("inside")
        return event

    transport = initialized(before_send=before_send)
    new_logger("a").error("outside")
    assert [event["logger"] for event in transport.events] == ["a"]


def test_a_record_that_is_none_does_no_harm(transport, capsys) -> None:
    logger = new_logger("a")
    logger.addHandler(logging.NullHandler())
    record = logging.makeLogRecord({"msg": "bare", "levelno": None, "name": None})
    handlers_of_the_program = ORIGINAL
    with pytest.raises(TypeError):
        handlers_of_the_program(logger, record)  # as logging itself does with it
    with pytest.raises(TypeError):
        logger.callHandlers(record)
    assert transport.events == []


def test_hooks_get_the_record() -> None:
    seen: list[Any] = []

    def before_breadcrumb(crumb: Any, hint: Any) -> Any:
        seen.append(hint["log_record"])
        return None if crumb["category"] == "a.spammy.Logger" else crumb

    def before_send(event: Any, hint: Any) -> Any:
        seen.append(hint["log_record"])
        return event

    initialized(before_breadcrumb=before_breadcrumb, before_send=before_send)
    new_logger("a.spammy.Logger").error("m")
    assert [type(each) for each in seen] == [logging.LogRecord] * 2
    assert seen[0] is seen[1]


# --- handlers ---


@pytest.mark.spec("FW-logging-01")
def test_the_handlers_report_in_programs_without_default_integrations() -> None:
    transport = initialized(default_integrations=False)
    logger = new_logger("a")
    logger.addHandler(BreadcrumbHandler(level=logging.INFO))
    logger.addHandler(EventHandler(level=logging.ERROR))
    logger.debug("nothing")
    logger.info("crumb")
    try:
        raise ValueError("x")
    except ValueError:
        logger.exception("event", extra={"order": 7})
    ignore_logger("a")
    logger.error("ignored")
    unignore_logger("a")
    (event,) = transport.events
    assert event["exception"]["values"][0]["type"] == "ValueError"
    assert event["extra"]["order"] == 7
    assert [each["message"] for each in event["breadcrumbs"]["values"]] == ["crumb", "event"]


def test_the_handlers_leave_to_the_integration_what_it_reports(transport) -> None:
    logger = new_logger("a")
    logger.addHandler(BreadcrumbHandler(level=logging.DEBUG))
    logger.addHandler(EventHandler(level=logging.WARNING))
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logger.log(level, "at %d", level)
    assert [event["level"] for event in transport.events] == ["warning", "error"]
    assert [each["message"] for each in crumbs()] == ["at 10", "at 20", "at 30", "at 40"]


def test_records_that_wait_in_a_queue_are_reported_by_the_handler_behind_it() -> None:
    transport = initialized(default_integrations=False)
    records: queue.Queue[Any] = queue.Queue()
    logger = new_logger("a")
    logger.addHandler(logging.handlers.QueueHandler(records))
    listener = logging.handlers.QueueListener(records, EventHandler())
    listener.start()
    logger.error("order %s", 7)
    listener.stop()
    assert transport.events[0]["logentry"]["formatted"] == "order 7"


def test_what_is_for_later_is_told_in_debug_mode(capsys) -> None:
    vedette.init(
        DSN, transport=MemoryTransport(), debug=True, integrations=[LoggingIntegration(capture_sentry_logs=True)]
    )
    assert "have no effect yet" in capsys.readouterr().err
