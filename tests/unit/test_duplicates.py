"""The same exception, captured again: once is enough, but what was dropped was not captured."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.waiting import wait_until
from vedette import _stages as stages
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from vedette.envelope import Envelope

DSN = "https://key@errors.example.org/7"


class OrderError(ValueError):
    """Can be referred to weakly, as built-in exceptions cannot."""


class Held(vedette.Transport):
    """Lets envelopes wait; a worker sends them."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.got: list[Any] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.got.append(envelope.get_event())
        self.go_on.wait(20)


def start(**options: Any) -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, default_integrations=False, **options)
    return transport


def drop(_event: Any, _hint: Any) -> Any:
    return None


# Each drops the first capture and no later one.
def by_sample_rate(patch: pytest.MonkeyPatch) -> MemoryTransport:
    numbers = iter([0.9, 0.1])
    patch.setattr(stages, "_random", lambda: next(numbers))
    return start(sample_rate=0.5)


def by_error_sampler(_patch: pytest.MonkeyPatch) -> MemoryTransport:
    answers = iter([False, True])
    return start(error_sampler=lambda _event, _hint: next(answers))


def by_ignore_errors(_patch: pytest.MonkeyPatch) -> MemoryTransport:
    class Once:
        answers = iter([True, False])

        def search(self, _text: str) -> bool | None:
            return next(self.answers) or None

    return start(ignore_errors=[Once()])


def by_processor(_patch: pytest.MonkeyPatch) -> MemoryTransport:
    transport = start()
    answers = iter([False, True])
    vedette.get_isolation_scope().add_event_processor(lambda event, _hint: event if next(answers) else None)
    return transport


def by_before_send(_patch: pytest.MonkeyPatch) -> MemoryTransport:
    answers = iter([False, True])
    return start(before_send=lambda event, _hint: event if next(answers) else None)


def by_failing_before_send(_patch: pytest.MonkeyPatch) -> MemoryTransport:
    answers = iter([0, 1])
    return start(before_send=lambda event, _hint: event if 1 // next(answers) else None)


def by_rate_limit(patch: pytest.MonkeyPatch) -> MemoryTransport:
    transport = start()
    answers = iter([True, False])
    client: Any = vedette.get_client()
    patch.setattr(client.processor, "is_limited", lambda _category: next(answers))
    return transport


def by_late_rate_limit(patch: pytest.MonkeyPatch) -> MemoryTransport:
    """The limit came while the event was waiting."""
    transport = start()
    answers = iter([False, True, False, False])
    client: Any = vedette.get_client()
    patch.setattr(client.processor._sender, "is_limited", lambda _category: next(answers))  # noqa: SLF001
    return transport


def by_lost_envelope(_patch: pytest.MonkeyPatch) -> MemoryTransport:
    class Failing(MemoryTransport):
        answers = iter([0, 1])

        def capture_envelope(self, envelope: Envelope) -> None:
            assert 1 // next(self.answers)
            super().capture_envelope(envelope)

    transport = Failing()
    vedette.init(DSN, transport=transport, default_integrations=False)
    return transport


@pytest.mark.spec("PAIN-13")
@pytest.mark.parametrize(
    "dropped",
    [
        by_sample_rate,
        by_error_sampler,
        by_ignore_errors,
        by_processor,
        by_before_send,
        by_failing_before_send,
        by_rate_limit,
        by_late_rate_limit,
        by_lost_envelope,
    ],
)
def test_what_was_dropped_is_captured_the_next_time_and_then_no_more(
    monkeypatch: pytest.MonkeyPatch, dropped: Any
) -> None:
    transport = dropped(monkeypatch)
    error = OrderError("late")
    vedette.capture_exception(error)
    assert transport.events == []
    assert vedette.capture_exception(error)
    assert vedette.capture_exception(error) is None
    assert len(transport.events) == 1


@pytest.mark.spec("PAIN-13", "CLI-53")
def test_what_overflowed_is_captured_the_next_time_and_then_no_more() -> None:
    transport = Held()
    client = vedette.Client(DSN, transport=transport, transport_queue_size=2, default_integrations=False)
    client.capture_message("in the hands of the worker")
    wait_until(lambda: transport.got)
    error = OrderError("first out")
    assert client.capture_exception(error)
    assert client.capture_exception(error) is None
    client.capture_message("one")
    client.capture_message("two")
    assert client.stats().dropped == {"error": {"event_processor": 1, "buffer_overflow": 1}}
    assert client.capture_exception(error)
    assert client.capture_exception(error) is None
    transport.go_on.set()
    client.flush(10)
    assert len([event for event in transport.got if "exception" in event]) == 1


@pytest.mark.spec("PAIN-13")
def test_the_same_object_is_one_event_in_nested_scopes_and_two_in_two_requests() -> None:
    transport = start()
    error = OrderError("shared")
    for _ in range(2):
        with vedette.isolation_scope() as request:
            request.set_new_propagation_context()
            vedette.capture_exception(error)
            with vedette.new_scope():
                vedette.capture_exception(error)
                with vedette.isolation_scope():
                    vedette.capture_exception(error)
    assert len(transport.events) == 2
    assert len({event["contexts"]["trace"]["trace_id"] for event in transport.events}) == 2


@pytest.mark.spec("PAIN-13")
def test_an_exception_was_captured_in_the_trace_of_its_event_whatever_a_hook_began() -> None:
    def begin_a_trace(event: Any, _hint: Any) -> Any:
        vedette.get_isolation_scope().set_new_propagation_context()
        return event

    transport = start(before_send=begin_a_trace)
    error = OrderError("in one trace, then in another")
    first = vedette.get_isolation_scope().get_active_propagation_context()
    assert vedette.capture_exception(error)
    assert vedette.capture_exception(error)
    assert len({event["contexts"]["trace"]["trace_id"] for event in transport.events}) == 2
    assert transport.events[0]["contexts"]["trace"]["trace_id"] == first.trace_id


@pytest.mark.spec("PAIN-13", "PAIN-23")
def test_clients_that_take_turns_each_capture_an_exception_once() -> None:
    clients = [vedette.Client(DSN, transport=MemoryTransport(), default_integrations=False) for _ in range(4)]
    error = OrderError("for everybody")
    sent = [client.capture_exception(error) is not None for _ in range(3) for client in clients]
    assert sent == [True] * 4 + [False] * 8


def test_an_exception_that_lives_for_ever_does_not_grow() -> None:
    start()
    error = OrderError("at module level")
    vedette.capture_exception(error)
    before = len(repr(vars(error)))
    sizes = set()
    for _ in range(30):
        vedette.Client(DSN, transport=MemoryTransport(), default_integrations=False).capture_exception(error)
        with vedette.isolation_scope() as request:
            request.set_new_propagation_context()
            vedette.capture_exception(error)
        (marks,) = vars(error).values()
        sizes.add(len(marks._sightings))  # noqa: SLF001 - what would grow
    assert max(sizes) <= 8
    assert len(repr(vars(error))) <= before + 10


@pytest.mark.spec("PAIN-13")
def test_an_event_with_an_exception_in_its_hint_counts_as_that_exceptions() -> None:
    transport = start(ignore_errors=[TypeError])
    error = OrderError("by hand")
    hint: Any = {"exc_info": (OrderError, error, None)}
    assert vedette.capture_event({"message": "by hand"}, hint)
    assert vedette.capture_event({"message": "by hand"}, hint) is None
    assert vedette.capture_exception(error) is None
    assert vedette.capture_event({"message": "ignored"}, {"exc_info": (TypeError, TypeError(), None)}) is None
    assert [event["logentry"]["formatted"] for event in transport.events] == ["by hand"]
    assert "exception" not in transport.events[0]


@pytest.mark.spec("PAIN-01")
def test_a_mark_keeps_nothing_alive_and_is_not_copied_by_pickle_or_deepcopy() -> None:
    start()
    error = OrderError("boom")
    vedette.capture_exception(error)
    for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
        assert list(vars(again).values()) == [None]
        assert vedette.capture_exception(again)
    gone = weakref.ref(error)
    del error
    gc.collect()
    assert gone() is None
