"""vedette called from within itself, and at the end of the stack: one event, bounded, and nobody hurt."""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.servers import RecordingServer
from vedette.integrations.logging import LoggingIntegration
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from vedette.envelope import Envelope

DSN = "https://key@errors.example.org/7"


def capture_all() -> None:
    """Every kind of capture, with an exception of its own."""
    vedette.capture_exception(ValueError("from inside"))
    vedette.capture_message("from inside")
    vedette.capture_event({"message": "from inside"})


def capture_outer(argument: object = None) -> str | None:
    try:
        raise KeyError(argument)
    except KeyError as error:
        return vedette.capture_exception(error)


class Capturing(Exception):
    """Captures whenever it is asked to show itself."""

    def __str__(self) -> str:
        capture_all()
        return "shown"

    __repr__ = __str__


class Shown:
    """Captures whenever it is asked to show itself."""

    def __repr__(self) -> str:
        capture_all()
        return "shown"


def in_hook(item: Any, _hint: Any) -> Any:
    capture_all()
    return item


def in_sampler(_event: Any, _hint: Any) -> bool:
    capture_all()
    return True


def in_repr(value: object) -> str | None:
    if type(value) is Shown:
        capture_all()
    return None


class CapturingTransport(MemoryTransport):
    """Captures while it sends."""

    def capture_envelope(self, envelope: Envelope) -> None:
        super().capture_envelope(envelope)
        capture_all()


PLACES: dict[str, dict[str, Any]] = {
    "before_send": {"before_send": in_hook},
    "before_breadcrumb": {"before_breadcrumb": in_hook},
    "error_sampler": {"error_sampler": in_sampler},
    "custom_repr": {"custom_repr": in_repr},
    "transport": {"transport": CapturingTransport()},
    "event processor": {},
    "error processor": {},
    "before_envelope": {},
    "__str__": {},
    "__repr__": {},
}


@pytest.mark.spec("PAIN-25")
@pytest.mark.parametrize("where", PLACES)
def test_a_capture_from_inside_anything_that_vedette_calls_is_dropped_and_counted(where: str) -> None:
    transport = MemoryTransport()
    options = {"transport": transport, **PLACES[where]}
    client = vedette.init(DSN, default_integrations=False, **options)
    scope = vedette.get_isolation_scope()
    if where == "event processor":
        scope.add_event_processor(in_hook)
    if where == "error processor":
        scope.add_error_processor(in_hook)
    if where == "before_envelope":
        client.on("before_envelope", lambda _envelope: capture_all())
    vedette.add_breadcrumb(message="hello")
    if where == "__str__":
        assert vedette.capture_exception(Capturing())
    else:
        assert capture_outer(Shown())
    envelopes = options["transport"].envelopes
    assert len(envelopes) == 1
    inside = client.stats().dropped.get("error", {}).get("internal_sdk_error", 0)
    assert inside == 0 if where == "__repr__" else inside > 0  # no __repr__ of the program's is ever called
    assert set(client.stats().dropped.get("error", {})) <= {"internal_sdk_error"}


@pytest.mark.spec("PAIN-25", "HOOK-44")
def test_a_logging_handler_that_captures_what_vedette_logs_comes_to_an_end() -> None:
    class ToEvents(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            nonlocal seen
            seen += 1
            capture_all()
            vedette.set_level("loud")  # of which vedette would say that there is no such level

    def fail(_event: Any, _hint: Any) -> Any:
        raise ValueError

    seen = 0
    handler = ToEvents()
    logging.getLogger().addHandler(handler)
    logging.getLogger("vedette").setLevel(logging.DEBUG)
    try:
        transport = MemoryTransport()
        vedette.init(DSN, transport=transport, error_sampler=fail, before_send=lambda event, _hint: event)
        capture_outer()
        assert len(transport.events) == 1
        assert 1 <= seen < 30  # a line for each integration is among them
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger("vedette").setLevel(logging.NOTSET)


def test_a_logging_handler_that_captures_what_the_program_logs_works() -> None:
    class ToEvents(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            vedette.capture_message(record.getMessage())

    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, disabled_integrations=[LoggingIntegration])  # which would do so as well
    logger, handler = logging.getLogger("shop"), ToEvents()
    logger.addHandler(handler)
    try:
        logger.error("out of stock")
    finally:
        logger.removeHandler(handler)
    assert [event["logentry"]["formatted"] for event in transport.events] == ["out of stock"]


# --- at the end of the stack -----------------------------------------------------------------------------


def descend(depth: int, at_bottom: Callable[[], object]) -> object:
    return at_bottom() if depth == 0 else descend(depth - 1, at_bottom)


@pytest.mark.spec("PAIN-25")
def test_with_any_number_of_frames_left_a_capture_raises_nothing_but_that_there_is_no_room() -> None:
    transport = MemoryTransport()
    client = vedette.init(DSN, transport=transport, before_send=lambda event, _hint: event)
    used = len(_frames())
    error = ValueError("deep down")
    limit = sys.getrecursionlimit()
    outcomes = set()
    for left in range(2, 120):
        try:
            sent = descend(limit - used - left, lambda: vedette.capture_message("deep down"))
        except RecursionError:
            outcomes.add("no room for the call")
        else:
            outcomes.add("sent" if sent else "dropped")
    assert vedette.capture_exception(error)
    stats = client.stats()
    assert stats.captured["error"] == stats.delivered["error"] + sum(stats.dropped.get("error", {}).values())
    assert len(transport.events) == stats.delivered["error"]
    assert outcomes >= {"no room for the call", "sent"}


def _frames() -> list[object]:
    frame, found = sys._getframe(), []  # noqa: SLF001
    while frame is not None:
        found.append(frame.f_code)
        frame = frame.f_back
    return found


@pytest.mark.spec("PAIN-25")
def test_a_recursion_error_captured_on_every_level_is_one_event_of_a_hundred_frames() -> None:
    def recurse() -> None:
        try:
            recurse()
        except RecursionError as error:
            vedette.capture_exception(error)
            raise

    transport = MemoryTransport()
    client = vedette.init(DSN, transport=transport, default_integrations=False)
    with pytest.raises(RecursionError):
        recurse()
    client.flush()  # where there was room to take the event, but none left to send it from there
    (event,) = transport.events
    assert len(event["exception"]["values"][0]["stacktrace"]["frames"]) <= 100
    assert set(client.stats().dropped["error"]) <= {"event_processor", "internal_sdk_error"}


@pytest.mark.long
@pytest.mark.spec("PAIN-25")
def test_a_recursion_error_of_a_million_frames_takes_the_caller_50_ms_at_most() -> None:
    def recurse(depth: int) -> None:
        recurse(depth + 1)

    raised: list[RecursionError] = []

    def run() -> None:
        try:
            recurse(0)
        except RecursionError as error:
            raised.append(error)

    # Python 3.10 takes C's stack for each frame, half a kilobyte.
    depth = 1_000_000 if sys.version_info >= (3, 11) else 100_000
    limit, size = sys.getrecursionlimit(), threading.stack_size()
    seconds = []
    with RecordingServer() as server:
        client = vedette.init(server.dsn())
        for _ in range(2):  # the first capture of a program imports
            sys.setrecursionlimit(depth)
            threading.stack_size(1 << 29)
            try:
                thread = threading.Thread(target=run)
                thread.start()
                thread.join()
            finally:
                sys.setrecursionlimit(limit)
                threading.stack_size(size)
            before = time.thread_time()
            assert vedette.capture_exception(raised[-1])
            seconds.append(time.thread_time() - before)
            assert vedette.capture_exception(raised.pop()) is None
        client.flush(20)
        for event in server.events:
            (value,) = event["exception"]["values"]
            assert len(value["stacktrace"]["frames"]) == 100
            assert event["_meta"]["exception"]["values"]["0"]["stacktrace"]["frames"][""]["len"] > depth * 0.99
        assert len(server.events) == 2
    assert min(seconds) < 0.05
