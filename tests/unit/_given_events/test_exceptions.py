from __future__ import annotations

from typing import Any

import pytest

from tests.unit._given_events.giving import faults_in, refused_by_relay, sent


def only_exception(given: Any) -> Any:
    event = sent({"exception": given})
    assert refused_by_relay(event) == []
    (value,) = event["exception"]["values"]
    return value


def only_frame(frame: Any) -> Any:
    (kept,) = only_exception({"type": "E", "stacktrace": {"frames": [frame]}})["stacktrace"]["frames"]
    return kept


@pytest.mark.spec("ERR-51", "ERR-52")
@pytest.mark.parametrize("wrap", [lambda value: {"values": [value]}, lambda value: [value], lambda value: value])
def test_exceptions_may_be_a_list_or_one_alone_and_are_sent_as_values(wrap: Any) -> None:
    given = {"type": "ValueError", "value": "x", "module": "builtins"}
    assert only_exception(wrap(dict(given))) == given


@pytest.mark.spec("ERR-74")
@pytest.mark.parametrize(
    "nothing", [{}, {"module": "m"}, {"type": None, "value": None}, {"type": "", "value": ""}, 5, None, "ValueError"]
)
def test_an_exception_without_type_and_value_is_left_out(nothing: Any) -> None:
    event = sent({"exception": {"values": [nothing, {"type": "E", "value": 5}]}})
    assert event["exception"]["values"] == [{"type": "E", "value": "5"}]
    assert "exception.values" in faults_in(event["_meta"])
    assert refused_by_relay(event) == []
    assert "exception" not in sent({"exception": [nothing]})


@pytest.mark.spec("ERR-31", "ERR-45", "ERR-46", "ERR-47", "ERR-48", "ERR-68")
def test_a_mechanism_has_a_type_and_codes_have_numbers() -> None:
    def mechanism(given: Any) -> Any:
        return only_exception({"type": "E", "mechanism": given})["mechanism"]

    whole = {
        "type": "signal",
        "handled": False,
        "synthetic": True,
        "exception_id": 1,
        "parent_id": 0,
        "source": "__cause__",
        "is_exception_group": False,
        "data": {"a": 1},
        "meta": {"signal": {"number": 11}, "errno": {"number": 2, "name": "ENOENT"}},
    }
    assert mechanism(dict(whole)) == whole
    assert mechanism({"handled": True}) == {"type": "generic", "handled": True}
    assert mechanism("x") == mechanism({"type": ""}) == mechanism({"type": None}) == {"type": "generic"}
    odd = {
        "type": "t",
        "handled": "yes",
        "exception_id": -1,
        "parent_id": "x",
        "data": 5,
        "meta": {"errno": {}, "signal": 9},
    }
    assert mechanism(odd) == {"type": "t", "meta": {}}


@pytest.mark.spec("EVT-34")
@pytest.mark.parametrize("stacktrace", [{"frames": []}, {"frames": None}, {}, None, [], {"frames": [5, None]}, "x"])
def test_a_stack_trace_without_frames_is_left_out(stacktrace: Any) -> None:
    assert only_exception({"type": "E", "stacktrace": stacktrace}) == {"type": "E"}


@pytest.mark.spec("EVT-35", "EVT-43", "EVT-48", "EVT-50")
def test_frames_have_numbers_from_one_and_a_name() -> None:
    whole = {"function": "f", "lineno": 3, "colno": 1, "in_app": True, "platform": "native", "stack_start": True}
    assert only_frame(dict(whole)) == whole
    assert only_frame({"function": "f", "lineno": "12", "colno": 0, "in_app": 1}) == {
        "function": "f",
        "lineno": 12,
        "in_app": True,
    }
    odd = {"function": "f", "lineno": -1, "colno": 2.5, "in_app": "yes", "vars": [1], "pre_context": "x"}
    assert only_frame(odd) == {"function": "f"}
    assert only_frame({"lineno": 3, "filename": ["x"]}) == {"lineno": 3, "function": "<unknown>"}
    assert only_frame({"filename": "shop.c"}) == {"filename": "shop.c"}


@pytest.mark.spec("EVT-51", "EVT-52", "EVT-53", "EVT-56", "EVT-57", "EVT-58", "EVT-59")
def test_threads_have_ids_of_their_own_and_true_or_false() -> None:
    given = [
        {"id": 7, "name": "main", "main": True, "crashed": True, "current": True, "state": "RUNNABLE"},
        {"id": "7"},
        {"name": "none"},
        {"id": [1], "current": "yes", "stacktrace": {"frames": []}},
        5,
    ]
    event = sent({"threads": given})
    first, *others = event["threads"]["values"]
    assert first == given[0]
    ids = [str(thread["id"]) for thread in event["threads"]["values"]]
    assert len(set(ids)) == len(ids) == 4
    assert all(thread.keys() <= {"id", "name"} for thread in others)
    assert refused_by_relay(event) == []
    assert "threads" not in sent({"threads": []})


@pytest.mark.spec("EVT-31", "EVT-33")
def test_a_stack_trace_at_the_top_becomes_that_of_a_thread() -> None:
    event = sent({"stacktrace": {"frames": [{"function": "f"}]}})
    assert "stacktrace" not in event
    (thread,) = event["threads"]["values"]
    assert thread["stacktrace"] == {"frames": [{"function": "f"}]}
    assert refused_by_relay(event) == []


def test_a_help_link_is_that_of_a_web_page() -> None:
    for given, kept in [("https://docs.example.org/e1", True), ("see page 7", False), ("ftp://example.org", False)]:
        mechanism = only_exception({"type": "E", "mechanism": {"type": "mine", "help_link": given}})["mechanism"]
        assert ("help_link" in mechanism) is kept
