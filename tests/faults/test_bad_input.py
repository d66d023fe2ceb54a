"""Values that no one would send on purpose: never an exception in the host, and an event that arrives."""

from __future__ import annotations

import math
import threading
from typing import Any

import pytest

import vedette
from tests.servers import RecordingServer


class Unrenderable:
    """Fails whatever is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError


def deep(depth: int) -> list[Any]:
    """Lists in lists."""
    outermost: list[Any] = []
    innermost = outermost
    for _ in range(depth):
        innermost.append([])
        innermost = innermost[0]
    return outermost


def cyclic() -> dict[str, Any]:
    """A dict that holds itself."""
    value: dict[str, Any] = {"list": []}
    value["self"] = value
    value["list"].append(value)
    return value


HUGE_KEY = "k" * 1_000_000
VALUES: dict[str, Any] = {
    "cannot be rendered": Unrenderable(),
    "lone surrogate": "before \ud800 after",
    "nan": math.nan,
    "infinity": -math.inf,
    "nul": "a\x00b",
    "huge int": 10**5000,
    "cyclic": cyclic(),
    "deep": deep(100_000),
    "wide": dict.fromkeys(range(100_000), "x"),
    "long text": "x" * 20_000_000,
    "bytes": b"\xff" * 1_000_000,
    "huge key": {HUGE_KEY: 1},
    "odd keys": {None: 1, (1, 2): 2, Unrenderable: 3, "\ud800": 4, b"b": 5},
    "lock": threading.Lock(),
}


@pytest.mark.spec("PAIN-03", "PAIN-06")
@pytest.mark.parametrize("name", VALUES)
def test_a_bad_value_anywhere_still_lets_the_event_arrive(name: str) -> None:
    value = VALUES[name]

    def fail(argument: Any) -> None:
        raise ValueError(argument)

    with RecordingServer() as server:
        vedette.init(server.dsn(), before_breadcrumb=lambda crumb, _hint: {**crumb, "data": {"hook": value}})
        vedette.set_context("bad", {"value": value})
        vedette.set_context("worse", value)
        vedette.set_extra("bad", value)
        vedette.set_tag("bad", value)
        vedette.set_tag(value, "bad")
        vedette.set_user({"id": value})
        vedette.set_user(value)
        vedette.set_level(value)
        vedette.get_isolation_scope().set_fingerprint([value])
        vedette.get_isolation_scope().set_fingerprint(value)
        vedette.add_breadcrumb(message=value, category=value, data={"value": value}, level=value, type=value)
        vedette.add_breadcrumb(value)
        try:
            fail(value)
        except ValueError as error:
            vedette.capture_exception(error, extras={"value": value}, tags={"value": value})
        vedette.capture_message(value, level=value)
        vedette.capture_event({"extra": {"value": value}, "tags": value, "level": value, "contexts": value})
        vedette.capture_event({"message": "by hand", "event_id": value, "timestamp": value, "fingerprint": value})
        vedette.flush(30)
        stats = vedette.get_client().stats()
        assert stats.captured == {"error": 4}
        assert len(server.events) == 4, stats  # the server parses strict JSON
        assert stats.delivered == {"error": 4}
        assert all(len(request.body) < 1_048_576 for request in server.wait_for(4))
        types = [each["type"] for each in server.events[0]["exception"]["values"]]
        assert types == ["ValueError"]


@pytest.mark.parametrize("level", ["critical", "warn", "loud", 7])
def test_an_unknown_level_never_stops_a_message(level: Any) -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn())
        vedette.capture_message("hello", level=level)
        vedette.flush(5)
        (event,) = server.events
        assert event["level"] in {"fatal", "warning", "info", "error"}


@pytest.mark.spec("PAIN-25")
def test_a_recursion_error_is_captured_once_and_bounded() -> None:
    def recurse(depth: int) -> int:
        return recurse(depth + 1) + 1

    with RecordingServer() as server:
        vedette.init(server.dsn())
        try:
            recurse(0)
        except RecursionError as error:
            vedette.capture_exception(error)
        vedette.flush(10)
        (event,) = server.events
        frames = event["exception"]["values"][0]["stacktrace"]["frames"]
        assert len(frames) == 100
