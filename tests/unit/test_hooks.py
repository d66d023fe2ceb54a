"""The program's callbacks: what they are given, and the fixed outcome of each when it fails."""

from __future__ import annotations

import asyncio
import collections
import logging
import signal
import sys
import threading
import types
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from vedette import _stages as stages
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Callable

DSN = "https://key@errors.example.org/7"
SECRET = "not yet redacted"


def start(**options: Any) -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, default_integrations=False, **options)
    return transport


def dropped() -> dict[str, Any]:
    return {category: dict(reasons) for category, reasons in vedette.get_client().stats().dropped.items()}


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


# --- the places where callbacks are called -----------------------------------------------------------------


def capture_error() -> str | None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        return vedette.capture_exception(error, extras={"note": SECRET})


def capture_feedback() -> str | None:
    return vedette.capture_feedback({"message": SECRET})


def with_before_send(callback: Any, **options: Any) -> MemoryTransport:
    return start(before_send=callback, **options)


def with_before_send_feedback(callback: Any, **options: Any) -> MemoryTransport:
    return start(before_send_feedback=callback, **options)


def with_event_processor(callback: Any, **options: Any) -> MemoryTransport:
    transport = start(**options)
    vedette.get_isolation_scope().add_event_processor(callback)
    return transport


def with_error_processor(callback: Any, **options: Any) -> MemoryTransport:
    transport = start(**options)
    vedette.get_isolation_scope().add_error_processor(callback)
    return transport


# Who drops the item when it fails, and as what: the failure matrix of hooks.md.
DROPPING = {
    "before_send": (with_before_send, capture_error, {"error": {"before_send": 1}}),
    "before_send_feedback": (with_before_send_feedback, capture_feedback, {"feedback": {"before_send": 1}}),
    "event processor": (with_event_processor, capture_error, {"error": {"event_processor": 1}}),
    "event processor of feedback": (with_event_processor, capture_feedback, {"feedback": {"event_processor": 1}}),
    "error processor": (with_error_processor, capture_error, {"error": {"event_processor": 1}}),
}


def redact_half(event: Any, _hint: Any) -> Any:
    event["extra"] = {"half": "redacted"}
    raise ValueError("a bug of the program")


def exit_program(_event: Any, _hint: Any) -> Any:
    sys.exit("a callback's own exit")


def recurse(event: Any, hint: Any) -> Any:
    return recurse(event, hint)


async def nothing() -> None: ...


class Odd:
    """Fails whatever is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


FAILURES: dict[str, Callable[[Any, Any], Any]] = {
    "raises, the event half changed": redact_half,
    "exits": exit_program,
    "recurses": recurse,
    "returns a coroutine": lambda _event, _hint: nothing(),
    "returns a future": lambda _event, _hint: asyncio.Future(loop=LOOP),
    "returns True": lambda _event, _hint: True,
    "returns a list": lambda event, _hint: [event],
    "returns a mapping that is no dict": lambda event, _hint: types.MappingProxyType(event),
    "returns an odd object": lambda _event, _hint: Odd(),
    "is a generator": lambda event, _hint: (each for each in [event]),
    "takes no argument": lambda: None,  # type: ignore[dict-item]
}
LOOP = asyncio.new_event_loop()
LOOP.close()


@pytest.mark.spec("HOOK-38", "HOOK-47", "HOOK-48", "HOOK-53", "HOOK-57", "HOOK-68", "HOOK-69", "HOOK-70")
@pytest.mark.parametrize("where", DROPPING)
@pytest.mark.parametrize("how", FAILURES)
def test_a_callback_that_fails_drops_its_item_for_its_own_reason_and_warns_once(
    where: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    begin, capture, lost = DROPPING[where]
    transport = begin(FAILURES[how])
    assert capture() is None
    assert transport.envelopes == []
    assert dropped() == lost
    assert len(warnings_in(caplog)) == 1
    assert capture() is None
    assert len(warnings_in(caplog)) == 1
    assert dropped() == {name: dict.fromkeys(reasons, 2) for name, reasons in lost.items()}


@pytest.mark.spec("HOOK-42", "PAIN-24")
@pytest.mark.parametrize("where", DROPPING)
def test_the_warning_names_the_callback_and_has_the_traceback(where: str, caplog: pytest.LogCaptureFixture) -> None:
    begin, capture, _ = DROPPING[where]
    begin(redact_half)
    capture()
    (record,) = (record for record in caplog.records if record.levelname == "WARNING")
    assert where.removesuffix(" of feedback") in record.getMessage()
    assert f"({__name__}.redact_half) raised; the event is dropped" in record.getMessage()
    assert "ValueError: a bug of the program" in str(record.exc_text)
    assert "redact_half" in str(record.exc_text)


@pytest.mark.spec("HOOK-44", "HOOK-45", "HOOK-67")
@pytest.mark.parametrize("where", DROPPING)
def test_the_error_of_a_callback_becomes_no_event_even_where_logs_become_events(where: str) -> None:
    class ToEvents(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            vedette.capture_exception(record.exc_info)  # type: ignore[arg-type]
            vedette.capture_message(record.getMessage())

    handler = ToEvents()
    logging.getLogger().addHandler(handler)
    logging.getLogger("vedette").setLevel(logging.DEBUG)
    try:
        begin, capture, lost = DROPPING[where]
        transport = begin(redact_half)
        capture()
        capture()
        assert transport.envelopes == []
        ((category, reasons),) = lost.items()
        ((reason, _),) = reasons.items()
        assert dropped()[category][reason] == 2
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger("vedette").setLevel(logging.NOTSET)


@pytest.mark.spec("PAIN-24")
@pytest.mark.parametrize("where", DROPPING)
def test_a_failing_callback_does_not_reach_an_async_caller(where: str) -> None:
    begin, capture, lost = DROPPING[where]
    begin(redact_half)

    async def caller() -> str | None:
        return capture()

    assert asyncio.run(caller()) is None
    assert dropped() == lost


@pytest.mark.parametrize("where", DROPPING)
@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_what_steers_the_program_goes_through_and_the_loss_is_counted(where: str, error: type[BaseException]) -> None:
    def interrupted(_event: Any, _hint: Any) -> Any:
        raise error

    begin, capture, lost = DROPPING[where]
    transport = begin(interrupted)
    with pytest.raises(error):
        capture()
    assert dropped() == lost
    assert transport.envelopes == []


@pytest.mark.parametrize("where", DROPPING)
@pytest.mark.parametrize("error", [SystemExit, TimeoutError])
def test_what_a_signal_handler_raises_in_a_callback_goes_through(where: str, error: type[BaseException]) -> None:
    def on_signal(*_: object) -> None:
        raise error

    def interrupted(event: Any, _hint: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return event

    begin, capture, lost = DROPPING[where]
    begin(interrupted)
    previous = signal.signal(signal.SIGTERM, on_signal)
    try:
        with pytest.raises(error):
            capture()
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert dropped() == lost


@pytest.mark.spec("PAIN-25")
@pytest.mark.parametrize("where", DROPPING)
def test_a_capture_from_inside_is_dropped_counted_and_named_once_in_debug_mode(
    where: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "vedette")

    def capturing(event: Any, _hint: Any) -> Any:
        assert vedette.capture_message("from inside") is None
        assert capture_error() is None
        assert vedette.capture_event({"message": "from inside"}) is None
        return event

    begin, capture, _ = DROPPING[where]
    begin(capturing)
    assert capture()
    assert dropped() == {"error": {"internal_sdk_error": 3}}
    told = [record.getMessage() for record in caplog.records if "a capture from inside" in record.getMessage()]
    assert len(told) == 1


@pytest.mark.spec("HOOK-15", "HOOK-18")
def test_feedback_does_not_pass_through_before_send_nor_errors_through_that_of_feedback() -> None:
    transport = start(before_send=lambda _event, _hint: None, before_send_feedback=lambda event, _hint: event)
    assert capture_feedback()
    assert capture_error() is None
    assert [item.type for envelope in transport.envelopes for item in envelope.items] == ["feedback"]
    transport = start(before_send=lambda event, _hint: event, before_send_feedback=lambda _event, _hint: None)
    assert capture_feedback() is None
    assert capture_error()
    assert len(transport.envelopes) == 1


@pytest.mark.spec("HOOK-14")
@pytest.mark.parametrize("cls", [dict, collections.OrderedDict, type("Mine", (dict,), {"get": None, "items": None})])
def test_an_event_may_come_back_as_a_dict_of_any_class(cls: type) -> None:
    transport = start(before_send=lambda event, _hint: cls(event, extra={"by": "hook"}))
    vedette.get_isolation_scope().add_event_processor(lambda event, _hint: cls(event))
    assert capture_error()
    assert transport.events[0]["extra"] == {"by": "hook"}
    assert type(transport.events[0]) is dict


def test_what_another_event_leaves_out_is_not_sent_even_if_the_first_was_changed() -> None:
    def swap(event: Any, _hint: Any) -> Any:
        event["extra"] = {"note": SECRET}
        return {"message": "another one"}

    transport = start(before_send=swap)
    capture_error()
    (event,) = transport.events
    assert SECRET not in repr(event)


def test_what_a_callback_keeps_and_changes_later_is_not_what_is_sent() -> None:
    kept: list[Any] = []

    def keep(event: Any, _hint: Any) -> Any:
        kept.append(event)
        return event

    with_transport = start(before_send=keep)
    capture_error()
    kept[0]["extra"]["note"] = "changed later"
    assert with_transport.events[0]["extra"]["note"] == SECRET


def test_texts_of_foreign_classes_are_sent_as_plain_texts() -> None:
    class Text(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise AssertionError

        __repr__ = __str__

    def use_texts(event: Any, _hint: Any) -> Any:
        return {**event, Text("extra"): {Text("place"): Text("value")}, "environment": Text("dev")}

    transport = start(before_send=use_texts)
    capture_error()
    (event,) = transport.events
    assert event["extra"] == {"place": "value"}
    assert type(event["environment"]) is str


def test_failing_callbacks_on_many_threads_are_all_counted() -> None:
    start(before_send=redact_half)
    gate = threading.Barrier(8)
    raised: list[BaseException] = []

    def work() -> None:
        gate.wait(10)
        try:
            for _ in range(50):
                capture_error()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    assert dropped() == {"error": {"before_send": 400}}


def test_a_hint_of_the_caller_is_not_changed() -> None:
    hints: list[Any] = []
    start(before_send=lambda event, hint: hints.append(hint) or hint.update(more=1) or event)
    hint = {"mine": object()}
    vedette.capture_event({"message": "hello"}, hint)
    assert hint.keys() == {"mine"}
    assert hints[0]["mine"] is hint["mine"]


@pytest.mark.parametrize("hint", [5, "text", [("a",)], {"exc_info": True}, {"exc_info": (1, 2, 3)}, {"exc_info": ()}])
def test_a_hint_of_any_kind_stops_no_event(hint: Any) -> None:
    transport = start(before_send=lambda event, _hint: event)
    vedette.get_isolation_scope().add_error_processor(lambda _event, _exc_info: None)
    assert vedette.capture_event({"message": "hello"}, hint)
    assert len(transport.events) == 1


# --- before_breadcrumb -------------------------------------------------------------------------------------


@pytest.mark.spec("HOOK-28", "BRC-20", "BRC-21")
def test_before_breadcrumb_decides_whether_and_how_a_breadcrumb_is_kept() -> None:
    def decide(crumb: Any, hint: Any) -> Any:
        return None if hint.get("drop") else {**crumb, "data": {"seen": hint["with"]}}

    transport = start(before_breadcrumb=decide)
    vedette.add_breadcrumb({"message": "one"}, {"with": "hint"})
    vedette.add_breadcrumb({"message": "two"}, {"drop": True})
    capture_error()
    (crumb,) = transport.events[0]["breadcrumbs"]["values"]
    assert (crumb["message"], crumb["data"]) == ("one", {"seen": "hint"})


@pytest.mark.spec("HOOK-55", "HOOK-38", "HOOK-40", "PAIN-24")
@pytest.mark.parametrize("how", FAILURES)
def test_a_failing_before_breadcrumb_drops_the_breadcrumb_without_a_report(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    transport = start(before_breadcrumb=FAILURES[how])
    vedette.add_breadcrumb(message="one", data={"note": SECRET})
    vedette.add_breadcrumb(message="two", data={"note": SECRET})
    (warning,) = warnings_in(caplog)
    assert "before_breadcrumb (" in warning
    assert "the breadcrumb is dropped" in warning
    assert dropped() == {}
    vedette.capture_message("hello")
    assert "breadcrumbs" not in transport.events[0]


def test_a_breadcrumb_of_another_dict_class_is_kept() -> None:
    transport = start(before_breadcrumb=lambda crumb, _hint: collections.OrderedDict(crumb))
    vedette.add_breadcrumb(message="one")
    capture_error()
    assert [crumb["message"] for crumb in transport.events[0]["breadcrumbs"]["values"]] == ["one"]


def test_breadcrumbs_that_lead_to_breadcrumbs_by_way_of_another_callback_come_to_an_end() -> None:
    class Thing:
        pass

    calls: list[str] = []

    def before_breadcrumb(crumb: Any, _hint: Any) -> Any:
        calls.append("before_breadcrumb")
        vedette.set_extra("thing", Thing())
        return crumb

    def custom_repr(value: object) -> str | None:
        if type(value) is not Thing:
            return None
        calls.append("custom_repr")
        vedette.add_breadcrumb(message="from custom_repr")
        return "thing"

    start(before_breadcrumb=before_breadcrumb, custom_repr=custom_repr)
    vedette.add_breadcrumb(message="one")
    assert calls == ["before_breadcrumb", "custom_repr"]


# --- error_sampler -----------------------------------------------------------------------------------------


@pytest.mark.spec("HOOK-29", "HOOK-30", "HOOK-34")
def test_error_sampler_gets_event_and_hint_before_any_other_callback_runs() -> None:
    seen: list[Any] = []

    def sampler(event: Any, hint: Any) -> float:
        seen.append((event["exception"]["values"][0]["type"], event["tags"], event["environment"], hint["exc_info"][0]))
        return 1.0

    def processor(event: Any, _hint: Any) -> Any:
        seen.append("processor")
        return event

    transport = start(error_sampler=sampler, before_send=processor)
    vedette.get_isolation_scope().add_event_processor(processor)
    vedette.set_tag("tenant", "acme")
    assert capture_error()
    assert seen == [("ValueError", {"tenant": "acme"}, "production", ValueError), "processor", "processor"]
    assert len(transport.events) == 1


@pytest.mark.spec("HOOK-31", "HOOK-32", "HOOK-36")
@pytest.mark.parametrize(
    ("answer", "sent"), [(True, 4), (1.0, 4), (1, 4), (0.5, 2), (0.25, 1), (False, 0), (0.0, 0), (0, 0)]
)
@pytest.mark.parametrize("sample_rate", [0.0, 1.0])
def test_its_answer_is_the_share_that_is_sent_whatever_sample_rate_says(
    monkeypatch: pytest.MonkeyPatch, answer: Any, sent: int, sample_rate: float
) -> None:
    numbers = iter([0.0, 0.25, 0.5, 0.99])
    monkeypatch.setattr(stages, "_random", lambda: next(numbers))
    transport = start(error_sampler=lambda _event, _hint: answer, sample_rate=sample_rate)
    for _ in range(4):
        capture_error()
    assert len(transport.events) == sent
    assert dropped() == ({"error": {"sample_rate": 4 - sent}} if sent < 4 else {})


BAD_RATES: dict[str, Callable[[Any, Any], Any]] = {
    **{how: fail for how, fail in FAILURES.items() if how != "returns True"},
    "returns None": lambda _event, _hint: None,
    "returns NaN": lambda _event, _hint: float("nan"),
    "returns more than 1": lambda _event, _hint: 1.5,
    "returns less than 0": lambda _event, _hint: -1,
    "returns a huge number": lambda _event, _hint: 10**5000,
    "returns text": lambda _event, _hint: "0.5",
}


@pytest.mark.spec("HOOK-60", "HOOK-62", "HOOK-63", "HOOK-64", "HOOK-71")
@pytest.mark.parametrize("how", BAD_RATES)
@pytest.mark.parametrize(("sample_rate", "sent"), [(1.0, 4), (0.5, 2), (0.0, 0)])
def test_where_it_fails_sample_rate_decides_and_nothing_half_changed_is_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str, sample_rate: float, sent: int
) -> None:
    numbers = iter([0.0, 0.25, 0.5, 0.99])
    monkeypatch.setattr(stages, "_random", lambda: next(numbers))
    transport = start(error_sampler=BAD_RATES[how], sample_rate=sample_rate)
    for _ in range(4):
        capture_error()
    assert len(transport.events) == sent
    assert all(event["extra"] == {"note": SECRET} for event in transport.events)
    assert dropped() == ({"error": {"sample_rate": 4 - sent}} if sent < 4 else {})
    (warning,) = warnings_in(caplog)
    assert "error_sampler (" in warning
    assert "sample_rate is used" in warning


def test_what_it_changes_on_success_is_not_sent_either() -> None:
    def sampler(event: Any, hint: Any) -> bool:
        event["exception"]["values"].clear()
        event["tags"]["by"] = "sampler"
        hint["attachments"].clear()
        hint.clear()
        return True

    transport = start(error_sampler=sampler, before_send=lambda event, hint: event if "exc_info" in hint else None)
    vedette.set_tag("tenant", "acme")
    vedette.add_attachment(b"kept", "kept.txt")
    capture_error()
    assert [item.type for item in transport.envelopes[0].items] == ["event", "attachment"]
    (event,) = transport.events
    assert event["exception"]["values"][0]["type"] == "ValueError"
    assert event["tags"] == {"tenant": "acme"}


@pytest.mark.spec("HOOK-33", "FBK-08")
def test_it_is_for_error_events_only() -> None:
    calls: list[object] = []
    transport = start(error_sampler=lambda event, _hint: calls.append(event) or 0.0, sample_rate=0.0)
    assert vedette.capture_event({"type": "transaction", "transaction": "GET /"})
    assert capture_feedback()
    assert calls == []
    assert [envelope.items[0].type for envelope in transport.envelopes] == ["transaction", "feedback"]


@pytest.mark.spec("HOOK-71")
def test_ctrl_c_in_it_goes_through_and_counts_as_sampled_out() -> None:
    def interrupted(_event: Any, _hint: Any) -> float:
        raise KeyboardInterrupt

    start(error_sampler=interrupted)
    with pytest.raises(KeyboardInterrupt):
        capture_error()
    assert dropped() == {"error": {"sample_rate": 1}}


def test_a_capture_from_inside_it_is_dropped_and_counted() -> None:
    start(error_sampler=lambda _event, _hint: vedette.capture_message("from inside") is None)
    assert capture_error()
    assert dropped() == {"error": {"internal_sdk_error": 1}}


@pytest.mark.spec("PAIN-05")
@pytest.mark.parametrize("why", ["sampled out", "ignored", "duplicate", "rate limited"])
def test_without_error_sampler_nothing_is_built_for_what_is_dropped_early(
    monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    built: list[object] = []
    build = stages.event_from_exception
    monkeypatch.setattr(stages, "event_from_exception", lambda *each: built.append(each) or build(*each))
    options: dict[str, Any] = {
        "sampled out": {"sample_rate": 0.0},
        "ignored": {"ignore_errors": [ValueError]},
    }.get(why, {})
    start(**options)
    error = ValueError("once")
    if why == "duplicate":
        assert vedette.capture_exception(error)
    if why == "rate limited":
        client: Any = vedette.get_client()
        client.processor.is_limited = lambda _category: True
    before = len(built)
    assert vedette.capture_exception(error) is None
    assert len(built) == before


@pytest.mark.parametrize("why", ["ignored", "duplicate"])
def test_error_sampler_is_not_asked_about_what_was_refused_before(why: str) -> None:
    asked: list[object] = []
    start(
        error_sampler=lambda event, _hint: asked.append(event) or True,
        ignore_errors=[ValueError] if why == "ignored" else [],
    )
    error = ValueError("once")
    for _ in range(2):
        vedette.capture_exception(error)
    assert len(asked) == (0 if why == "ignored" else 1)


def test_with_error_sampler_the_event_is_built_and_merged_once() -> None:
    built: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        build, merged = stages.event_from_exception, stages.merge.merged
        patch.setattr(stages, "event_from_exception", lambda *each: built.append("event") or build(*each))
        patch.setattr(stages.merge, "merged", lambda *each, **named: built.append("scopes") or merged(*each, **named))
        start(error_sampler=lambda _event, _hint: True)
        client: Any = vedette.get_client()
        client.render_event = lambda event: built.append("as if it came from outside") or event
        capture_error()
    assert built == ["event", "scopes"]


# --- async hooks -------------------------------------------------------------------------------------------


async def async_hook(_first: Any, _second: Any) -> Any: ...


@pytest.mark.spec("PAIN-24")
@pytest.mark.parametrize("name", ["before_send", "before_send_feedback", "before_breadcrumb", "error_sampler"])
def test_an_async_function_as_hook_is_refused_at_init(name: str) -> None:
    with pytest.raises(vedette.OptionError, match=f"option '{name}' must be a plain function, not an async one"):
        start(**{name: async_hook})
