"""What is refused costs nothing: no frame of its exception is looked at, and no value is rendered.

Seen from outside: the interpreter tells which functions a capture calls, and none of the room that builds events
is among them, but for the few that ask whether what was given is an exception, and of what class. A capture that is
sent shows that the count would find one.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.servers import Answer, RecordingServer
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

DSN = "https://key@errors.example.org/7"
EVENT_BUILDING = Path(vedette.__file__).parent / "_events"
ASKING_FOR_THE_CLASS = "reading_values.py"


class OrderError(ValueError):
    """For ignore_errors."""


def failed(order: dict[str, Any] | None = None) -> OrderError:
    """An exception with frames and variables."""
    order = order or {"id": 7, "lines": [1, 2, 3]}
    try:
        raise OrderError(order["id"])
    except OrderError as error:
        return error


@contextmanager
def calls_that_build_events() -> Iterator[list[str]]:
    """The functions of ``vedette._events`` that this thread calls meanwhile."""
    called: list[str] = []

    def see(frame: FrameType, event: str, _: object) -> None:
        file = Path(frame.f_code.co_filename)
        if event == "call" and EVENT_BUILDING in file.parents and file.name != ASKING_FOR_THE_CLASS:
            called.append(f"{file.name}: {frame.f_code.co_name}")

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        yield called
    finally:
        sys.setprofile(before)


def disabled() -> BaseException:
    vedette.init("")
    return failed()


def sampled_out() -> BaseException:
    vedette.init(DSN, transport=MemoryTransport(), sample_rate=0.0)
    return failed()


def ignored_by_class() -> BaseException:
    vedette.init(DSN, transport=MemoryTransport(), ignore_errors=[ValueError])
    return failed()


def ignored_by_name() -> BaseException:
    vedette.init(DSN, transport=MemoryTransport(), ignore_errors=["OrderError"])
    return failed()


def duplicate() -> BaseException:
    vedette.init(DSN, transport=MemoryTransport())
    error = failed()
    assert vedette.capture_exception(error) is not None
    return error


REFUSALS = [disabled, sampled_out, ignored_by_class, ignored_by_name, duplicate]


@pytest.mark.spec("CLI-59", "PAIN-05")
@pytest.mark.parametrize("prepare", REFUSALS, ids=lambda prepare: prepare.__name__)
def test_nothing_is_rendered_for_a_capture_that_is_refused(prepare: Callable[[], BaseException]) -> None:
    error = prepare()
    with calls_that_build_events() as called:
        assert vedette.capture_exception(error) is None
    assert called == []


@pytest.mark.spec("CLI-59", "PAIN-05")
def test_nor_for_one_that_the_server_has_asked_not_to_send() -> None:
    with RecordingServer() as server:
        server.default = Answer(status=429, headers=(("Retry-After", "3600"),))
        vedette.init(server.dsn())
        vedette.capture_exception(failed())
        vedette.flush(10)
        error = failed()
        with calls_that_build_events() as called:
            assert vedette.capture_exception(error) is None
    assert called == []


def test_the_count_finds_what_is_rendered_for_a_capture_that_is_sent() -> None:
    vedette.init(DSN, transport=MemoryTransport())
    error = failed()
    with calls_that_build_events() as called:
        assert vedette.capture_exception(error) is not None
    assert called
