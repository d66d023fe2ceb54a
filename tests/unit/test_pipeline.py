"""The event pipeline: its stages, their order, and what each of them refuses."""

from __future__ import annotations

import pickle
import re
import signal
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from vedette import _stages as stages
from vedette._client import EVENT_PIPELINE
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from vedette.envelope import Envelope

DSN = "https://key@errors.example.org/7"


class OrderError(ValueError):
    """For ignore_errors."""


def start(**options: Any) -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, default_integrations=False, **options)
    return transport


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def dropped() -> dict[str, Any]:
    return {category: dict(reasons) for category, reasons in vedette.get_client().stats().dropped.items()}


@pytest.mark.spec("CLI-31", "CLI-32", "CLI-59")
def test_the_stages_stand_in_the_order_of_the_specification() -> None:
    assert [stage.__name__ for stage in EVENT_PIPELINE] == [
        "refuse_disabled",
        "refuse_from_inside",
        "drop_ignored_errors",
        "drop_duplicates",
        "sample",
        "drop_rate_limited",
        "build_event",
        "apply_scopes",
        "run_event_processors",
        "run_before_send",
        "check_feedback",
        "take_attachments",
        "deliver",
    ]


@pytest.mark.spec("CLI-32", "CLI-52", "CLI-62", "CLI-63", "CLI-64", "ERR-80", "EVT-01", "EVT-07")
def test_exception_message_and_event_go_the_same_way() -> None:
    seen: list[str] = []

    def before_send(event: Any, _hint: Any) -> Any:
        seen.append(event["event_id"])
        return event

    transport = start(before_send=before_send, release="shop@1", environment="dev", server_name="host1", dist="x")
    vedette.set_tag("tenant", "acme")
    ids = [
        vedette.capture_exception(raised(ValueError("boom"))),
        vedette.capture_message("hello", level="warning"),
        vedette.capture_event({"logentry": {"formatted": "by hand"}, "level": "debug"}),
    ]
    assert [event["event_id"] for event in transport.events] == ids == seen
    for event in transport.events:
        assert event["platform"] == "python"
        assert event["tags"] == {"tenant": "acme"}
        assert event["release"] == "shop@1"
        assert event["environment"] == "dev"
        assert event["server_name"] == "host1"
        assert event["dist"] == "x"
        assert event["sdk"]["name"] == "vedette.python"
        assert event["contexts"]["runtime"]["name"] == "CPython"
        assert re.fullmatch("[0-9a-f]{32}", event["contexts"]["trace"]["trace_id"])
    exception, message, event = transport.events
    assert exception["exception"]["values"][0]["value"] == "boom"
    assert (exception["level"], message["level"], event["level"]) == ("error", "warning", "debug")
    assert message["logentry"]["formatted"] == "hello"


@pytest.mark.spec("ERR-34", "ERR-35", "ERR-42")
def test_a_mechanism_given_with_the_call_overrides_the_defaults_key_by_key() -> None:
    transport = start()
    client = vedette.get_client()
    client.capture_exception(raised(ValueError("one")))
    client.capture_exception(raised(ValueError("two")), mechanism={"handled": False})
    first, second = (event["exception"]["values"][0]["mechanism"] for event in transport.events)
    assert (first["type"], first["handled"]) == ("generic", True)
    assert (second["type"], second["handled"]) == ("generic", False)


def test_capture_exception_without_one_takes_that_being_handled_or_does_nothing() -> None:
    transport = start()
    assert vedette.capture_exception() is None
    try:
        raise OrderError
    except OrderError:
        vedette.capture_exception()
    assert [event["exception"]["values"][0]["type"] for event in transport.events] == ["OrderError"]
    assert vedette.get_client().stats().captured == {"error": 1}


# --- refusals before anything is built -------------------------------------------------------------------


@pytest.mark.spec("PAIN-05", "CLI-35", "CLI-51", "CLI-60")
@pytest.mark.parametrize(
    ("options", "reason"),
    [({"ignore_errors": [ValueError]}, "event_processor"), ({"sample_rate": 0.0}, "sample_rate")],
)
def test_what_is_dropped_early_is_never_built(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], reason: str
) -> None:
    built: list[object] = []
    monkeypatch.setattr(stages, "event_from_exception", lambda *arguments: built.append(arguments))
    transport = start(**options)
    vedette.get_isolation_scope().add_event_processor(lambda *_: built.append("processor"))
    assert vedette.capture_exception(raised(OrderError("7"))) is None
    assert built == []
    assert transport.envelopes == []
    assert dropped() == {"error": {reason: 1}}


@pytest.mark.spec("CLI-34", "CFG-60", "CFG-62")
@pytest.mark.parametrize(
    "matcher",
    [
        ValueError,
        OrderError,
        "OrderError",
        f"{OrderError.__module__}.OrderError",
        re.compile("OrderError: .*late"),
    ],
)
def test_ignore_errors_knows_classes_names_and_patterns(matcher: object) -> None:
    transport = start(ignore_errors=[matcher])
    assert vedette.capture_exception(raised(OrderError("too late"))) is None
    assert vedette.capture_exception(raised(TypeError("too late")))
    assert len(transport.events) == 1


@pytest.mark.parametrize("matcher", ["ValueError", "Order", re.compile("on time"), KeyError])
def test_ignore_errors_matches_names_as_a_whole_and_no_base_by_name(matcher: object) -> None:
    transport = start(ignore_errors=[matcher])
    assert vedette.capture_exception(raised(OrderError("too late")))
    assert len(transport.events) == 1


class Asked(type):
    """A metaclass with a say in everything that could be asked of its classes."""

    def __subclasscheck__(cls, _other: type) -> bool:
        raise AssertionError

    def __instancecheck__(cls, _other: object) -> bool:
        raise AssertionError

    def __hash__(cls) -> int:
        raise AssertionError

    def __eq__(cls, _other: object) -> bool:
        raise AssertionError


class OddError(ValueError, metaclass=Asked):
    """As a class to ignore, and as that of an exception."""


class OddOrderError(OddError):
    """Never raised: Python itself would ask the metaclass."""


@pytest.mark.spec("CLI-34", "PAIN-24")
def test_no_class_has_a_say_in_whether_its_exceptions_are_ignored(caplog: pytest.LogCaptureFixture) -> None:
    transport = start(ignore_errors=[KeyError, "OddKeyError", OddError])
    assert vedette.capture_exception(OddOrderError("7")) is None
    assert vedette.capture_exception(raised(OrderError("7")))
    assert dropped() == {"error": {"event_processor": 1}}
    transport = start(ignore_errors=[ValueError])
    assert vedette.capture_exception(OddOrderError("7")) is None
    assert transport.events == []
    assert not caplog.records


@pytest.mark.spec("CLI-49", "CLI-50", "CFG-56", "CFG-58")
def test_sampling_keeps_the_share_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = start(sample_rate=0.25)
    numbers = iter([0.0, 0.2499, 0.25, 0.9])
    monkeypatch.setattr(stages, "_random", lambda: next(numbers))
    ids = [vedette.capture_message(f"message {number}") for number in range(4)]
    assert [event_id is not None for event_id in ids] == [True, True, False, False]
    assert len(transport.events) == 2
    assert dropped() == {"error": {"sample_rate": 2}}


def test_random_numbers_are_spread_over_the_unit_interval() -> None:
    numbers = [stages._random() for _ in range(2000)]  # noqa: SLF001 - sampling shows it only in the long run
    assert all(0.0 <= number < 1.0 for number in numbers)
    assert 0.4 < sum(numbers) / len(numbers) < 0.6


# --- duplicates ------------------------------------------------------------------------------------------


@pytest.mark.spec("PAIN-13")
def test_the_same_exception_is_sent_once_also_when_it_is_raised_again() -> None:
    transport = start()
    error = raised(ValueError("boom"))
    assert vedette.capture_exception(error)
    assert vedette.capture_exception(raised(error)) is None
    with vedette.new_scope():
        assert vedette.capture_exception(error) is None
    assert vedette.capture_exception(raised(ValueError("boom")))
    assert len(transport.events) == 2


@pytest.mark.spec("PAIN-13")
def test_the_same_exception_in_another_trace_or_client_is_another_event() -> None:
    start()
    error = raised(ValueError("boom"))
    assert vedette.capture_exception(error)
    with vedette.isolation_scope() as scope:
        scope.set_new_propagation_context()
        assert vedette.capture_exception(error)
    other = vedette.Client(DSN, transport=MemoryTransport())
    assert other.capture_exception(error)


@pytest.mark.spec("PAIN-13")
def test_what_was_dropped_once_is_no_duplicate() -> None:
    transport = start()
    error = raised(ValueError("boom"))
    with vedette.new_scope() as scope:
        scope.add_event_processor(lambda _event, _hint: None)
        assert vedette.capture_exception(error) is None
    assert vedette.capture_exception(error)
    assert len(transport.events) == 1


@pytest.mark.spec("PAIN-01")
def test_the_mark_on_an_exception_pickles_to_nothing_and_holds_nothing() -> None:
    start()
    error = raised(ValueError("boom"))
    vedette.capture_exception(error)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == "boom"
    assert all(value is None for value in vars(again).values())
    assert vedette.capture_exception(again)


# --- scopes, processors, before_send ---------------------------------------------------------------------


@pytest.mark.spec("CLI-36", "SCO-26", "SCO-27", "SCO-28", "SCO-29", "EVT-21")
def test_scope_data_is_merged_onto_the_event_the_most_specific_wins() -> None:
    transport = start()
    vedette.get_global_scope().set_tags({"from": "global", "a": "1"})
    vedette.get_isolation_scope().set_tags({"from": "isolation", "b": "2"})
    with vedette.new_scope() as scope:
        scope.set_tags({"from": "current", "c": "3"})
        vedette.capture_message("scopes")
        vedette.capture_message("call", tags={"from": "call"})
        vedette.capture_event({"tags": {"from": "event"}}, tags={"from": "call"})
    scopes, call, event = (each["tags"] for each in transport.events)
    assert scopes == {"from": "current", "a": "1", "b": "2", "c": "3"}
    assert call["from"] == "call"
    assert event["from"] == "event"
    assert transport.events[0]["environment"] == "production"


@pytest.mark.spec("SCO-35")
def test_the_level_of_the_call_beats_that_of_the_scope_which_beats_the_default() -> None:
    transport = start()
    vedette.set_level("fatal")
    vedette.capture_message("default")
    vedette.capture_message("given", level="debug")
    vedette.capture_exception(raised(ValueError()))
    vedette.capture_exception(raised(ValueError()), level="warning")
    assert [event["level"] for event in transport.events] == ["fatal", "debug", "fatal", "warning"]


@pytest.mark.spec("CLI-37", "CLI-38", "CLI-41", "HOOK-12", "HOOK-13", "HOOK-20", "HOOK-14")
def test_processors_run_scoped_first_then_global_then_before_send() -> None:
    calls: list[str] = []

    def note(name: str) -> Callable[[Any, Any], Any]:
        def processor(event: Any, hint: Any) -> Any:
            calls.append(name)
            assert hint["exc_info"][0] is ValueError
            return {**event, "extra": {**event.get("extra", {}), name: len(calls)}}

        return processor

    transport = start(before_send=note("before_send"))
    vedette.get_global_scope().add_event_processor(note("global 1"))
    vedette.get_isolation_scope().add_event_processor(note("isolation 1"))
    vedette.get_current_scope().add_event_processor(note("current 1"))
    vedette.get_isolation_scope().add_event_processor(note("isolation 2"))
    vedette.get_global_scope().add_event_processor(note("global 2"))
    vedette.capture_exception(raised(ValueError()))
    assert calls == ["isolation 1", "current 1", "isolation 2", "global 1", "global 2", "before_send"]
    assert transport.events[0]["extra"] == {name: place for place, name in enumerate(calls, 1)}


@pytest.mark.spec("CLI-39", "CLI-40", "CLI-42", "CLI-43", "HOOK-22", "CFG-11")
@pytest.mark.parametrize("where", ["event_processor", "before_send"])
def test_none_drops_the_event_and_is_reported(where: str) -> None:
    later: list[str] = []
    if where == "before_send":
        transport = start(before_send=lambda _event, _hint: None)
    else:
        transport = start(before_send=lambda _event, _hint: later.append("before_send"))
        vedette.get_isolation_scope().add_event_processor(lambda _event, _hint: None)
        vedette.get_global_scope().add_event_processor(lambda _event, _hint: later.append("processor"))
    assert vedette.capture_message("hello") is None
    assert transport.envelopes == []
    assert later == []
    assert dropped() == {"error": {where: 1}}


@pytest.mark.spec("CLI-44", "HOOK-15", "HOOK-16")
def test_before_send_is_for_error_events_only() -> None:
    transport = start(before_send=lambda _event, _hint: None)
    assert vedette.capture_event({"type": "transaction", "transaction": "GET /", "contexts": {"trace": {}}})
    assert vedette.capture_message("hello") is None
    assert [item.type for envelope in transport.envelopes for item in envelope.items] == ["transaction"]


@pytest.mark.spec("HOOK-37", "HOOK-38", "HOOK-49", "HOOK-57", "HOOK-68", "PAIN-24")
@pytest.mark.parametrize("where", ["event_processor", "before_send"])
@pytest.mark.parametrize("error", [ValueError("a bug"), SystemExit(3)])
def test_a_callback_that_fails_drops_the_event_warns_once_and_never_reaches_the_program(
    where: str, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_event: Any, _hint: Any) -> Any:
        raise error

    transport = start(**({"before_send": fail} if where == "before_send" else {}))
    if where == "event_processor":
        vedette.get_isolation_scope().add_event_processor(fail)
    assert vedette.capture_message("one") is None
    assert vedette.capture_message("two") is None
    assert transport.envelopes == []
    assert dropped() == {"error": {where: 2}}
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "raised; the event is dropped" in warnings[0].getMessage()
    assert warnings[0].exc_info is not None


@pytest.mark.spec("PAIN-21")
def test_ctrl_c_in_a_callback_goes_through_and_the_loss_is_counted() -> None:
    def interrupted(_event: Any, _hint: Any) -> Any:
        raise KeyboardInterrupt

    start(before_send=interrupted)
    with pytest.raises(KeyboardInterrupt):
        vedette.capture_message("hello")
    assert dropped() == {"error": {"before_send": 1}}


class Synchronous(MemoryTransport):
    """Interrupted while it takes an envelope."""

    def capture_envelope(self, envelope: Envelope) -> None:
        signal.raise_signal(signal.SIGUSR1)


@pytest.mark.spec("PAIN-36")
@pytest.mark.parametrize(("where", "reason"), [("before_send", "before_send"), ("transport", "internal_sdk_error")])
@pytest.mark.parametrize("error", [TimeoutError, KeyboardInterrupt])
def test_what_a_signal_handler_raises_goes_through_and_the_event_is_counted_once(
    where: str, reason: str, error: type[BaseException]
) -> None:
    def handler(*_arguments: object) -> None:
        raise error

    def interrupted(event: Any, _hint: Any) -> Any:
        signal.raise_signal(signal.SIGUSR1)
        return event

    options = {"before_send": interrupted} if where == "before_send" else {"transport": Synchronous()}
    vedette.init(DSN, **{"transport": MemoryTransport(), **options})
    previous = signal.signal(signal.SIGUSR1, handler)
    try:
        with pytest.raises(error):
            vedette.capture_message("hello")
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert vedette.get_client().stats().captured == {"error": 1}
    assert dropped() == {"error": {reason: 1}}


@pytest.mark.spec("HOOK-40")
def test_an_awaitable_that_comes_back_is_closed_and_counts_as_a_failure() -> None:
    async def nothing() -> None: ...

    start(before_send=lambda _event, _hint: nothing())
    assert vedette.capture_message("hello") is None  # and no "never awaited" warning, which would be an error
    assert dropped() == {"error": {"before_send": 1}}


@pytest.mark.spec("PAIN-25")
def test_a_capture_from_inside_a_callback_is_dropped_and_counted() -> None:
    def capturing(event: Any, _hint: Any) -> Any:
        vedette.capture_message("from inside")
        return event

    transport = start(before_send=capturing)
    assert vedette.capture_message("hello")
    assert [event["logentry"]["formatted"] for event in transport.events] == ["hello"]
    assert dropped() == {"error": {"internal_sdk_error": 1}}


def test_what_a_callback_puts_in_is_rendered_before_it_leaves_the_thread() -> None:
    class Order:
        def __init__(self) -> None:
            self.number = 7

        def __repr__(self) -> str:
            raise AssertionError

    def add_order(event: Any, _hint: Any) -> Any:
        event["extra"] = {"order": Order(), "deep": [[[{"order": Order()}]]]}
        return event

    transport = start(before_send=add_order)
    vedette.capture_message("hello")
    extra = transport.events[0]["extra"]
    assert "Order number=7" in extra["order"]
    assert "Order number=7" in extra["deep"][0][0][0]["order"]


@pytest.mark.spec("ENV-39", "EVT-05", "EVT-07", "EVT-101", "EVT-102")
def test_a_callback_that_takes_the_event_apart_gets_what_is_left_sent() -> None:
    transport = start(before_send=lambda _event, _hint: {"extra": {"left": True}})
    event_id = vedette.capture_message("hello")
    (event,) = transport.events
    assert event["extra"] == {"left": True}
    assert event["event_id"] == event_id
    assert event.keys() == {"extra", "event_id", "timestamp", "platform", "sdk"}


def test_a_long_text_of_an_event_survives_a_callback() -> None:
    transport = start(before_send=lambda event, _hint: event)
    vedette.capture_message("x" * 5000)
    assert transport.events[0]["logentry"]["formatted"] == "x" * 5000


@pytest.mark.spec("SCO-40", "SCO-41", "SCO-73")
def test_the_id_of_the_last_event_that_was_accepted_is_remembered() -> None:
    start(before_send=lambda event, _hint: None if event["logentry"]["formatted"] == "drop" else event)
    assert vedette.last_event_id() is None
    sent = vedette.capture_message("keep")
    vedette.capture_message("drop")
    assert vedette.last_event_id() == sent


def test_a_fault_of_vedette_is_counted_and_never_raised(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fault(*_arguments: Any, **_options: Any) -> Any:
        message = "a bug of ours"
        raise RuntimeError(message)

    start()
    monkeypatch.setattr(stages, "event_from_message", fault)
    assert vedette.capture_message("hello") is None
    assert dropped() == {"error": {"internal_sdk_error": 1}}
    assert "internal error in vedette" in caplog.text


def test_attach_stacktrace_sends_the_callers_stack_with_messages() -> None:
    transport = start(attach_stacktrace=True)
    vedette.capture_message("hello")
    (thread,) = transport.events[0]["threads"]["values"]
    assert thread["current"] is True
    last = thread["stacktrace"]["frames"][-1]
    assert last["function"] == "test_attach_stacktrace_sends_the_callers_stack_with_messages"
    assert 'vedette.capture_message("hello")' in last["context_line"]


@pytest.mark.spec("EVT-06", "EVT-18", "EVT-19", "EVT-20", "EVT-24")
@pytest.mark.parametrize("where", ["capture_event", "before_send"])
def test_fields_of_an_event_from_outside_are_put_into_the_form_that_servers_take(where: str) -> None:
    an_hour_ago = datetime.now(timezone.utc) - timedelta(hours=1)
    outside = {
        "message": "by hand",
        "timestamp": an_hour_ago,
        "tags": {"x y": 1, "b": True, "none": None, "nl": "a\nb", "k" * 300: "v" * 300},
        "fingerprint": ["{{ default }}", 7],
        "user": "ann",
        "contexts": {"order": {"number": 7}},
        "release": 5,
    }
    options: dict[str, Any] = {"release": None}
    if where == "before_send":
        options["before_send"] = lambda event, _hint: {**event, **outside}
    transport = start(**options)
    vedette.capture_event(outside if where == "capture_event" else {})
    (event,) = transport.events
    assert event["timestamp"] == an_hour_ago.timestamp()
    assert event["tags"] == {"x_y": "1", "b": "True", "nl": "a b", "k" * 199 + "_": "v" * 199 + "…"}
    assert event["fingerprint"] == ["{{ default }}", "7"]
    assert "user" not in event
    assert event["release"] == "5"
    assert event["contexts"]["order"] == {"number": 7}


@pytest.mark.parametrize("tags", [[["a", 1], ["b", "c"], ["odd"], 7], {"a": 1, "b": "c"}])
def test_tags_of_an_event_may_be_pairs(tags: Any) -> None:
    transport = start()
    vedette.set_tag("scope", "s")
    vedette.capture_event({"tags": tags})
    assert transport.events[0]["tags"] == {"scope": "s", "a": "1", "b": "c"}
