from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit._events.raising import caught, event_of
from vedette._events.shrink import MAX_FRAMES, TooLargeError, shrink_event


def encode(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def shrunk(event, limit):
    body = shrink_event(event, limit, encode)
    assert len(body) <= limit
    return json.loads(body)


def frame(number, *, in_app, **more):
    return {
        "filename": f"f{number}.py",
        "lineno": number,
        "in_app": in_app,
        "pre_context": ["before" * 20] * 5,
        "context_line": "raise",
        "post_context": ["after" * 20] * 5,
        "vars": {"one": "x" * 1000, "two": "y" * 500},
        **more,
    }


def large_event():
    frames = [frame(number, in_app=number % 2 == 0) for number in range(20)]
    chained = {"type": "KeyError", "value": "'k'", "stacktrace": {"frames": copy.deepcopy(frames)}}
    captured = {"type": "ValueError", "value": "x", "stacktrace": {"frames": frames}}
    return {
        "event_id": "0" * 32,
        "level": "error",
        "platform": "python",
        "exception": {"values": [chained, captured]},
        "request": {"url": "http://shop.example", "data": "z" * 8000},
        "extra": {"small": "s", "large": "l" * 9000, "larger": "m" * 12_000},
        "breadcrumbs": {"values": [{"message": f"{number}" + "b" * 500} for number in range(50)]},
        "contexts": {"trace": {"trace_id": "1" * 32}, "app": {"name": "a" * 5000}},
        "tags": {"tenant": "acme"},
    }


def parts(event):
    """What is left, in the order in which it goes."""
    frames = [frame for value in event["exception"]["values"] for frame in value["stacktrace"]["frames"]]
    return {
        "library vars": sum("vars" in frame for frame in frames if not frame["in_app"]),
        "own vars": sum("vars" in frame for frame in frames if frame["in_app"]),
        "request body": int("data" in event["request"]),
        "extra": len(event["extra"]),
        "breadcrumbs": len(event["breadcrumbs"]["values"]),
        "library source": sum("pre_context" in frame for frame in frames if not frame["in_app"]),
        "own source": sum("pre_context" in frame for frame in frames if frame["in_app"]),
        "contexts": int("app" in event["contexts"]),
        "frames": len(frames),
    }


def test_an_event_that_fits_is_encoded_once_and_left_alone():
    calls = []

    def counting(value):
        calls.append(value)
        return encode(value)

    event = large_event()
    assert shrink_event(event, 10**6, counting) == encode(event)
    assert len(calls) == 1
    assert calls[0] is event


@pytest.mark.spec("PAIN-03")
def test_what_may_go_goes_in_a_fixed_order_and_no_further_than_needed():
    event = large_event()
    whole = parts(event)
    size = len(encode(event))
    seen = {}
    for limit in range(size - 1, 6000, -1000):
        left = parts(shrunk(event, limit))
        names = list(whole)
        gone = [name for name in names if left[name] < whole[name]]
        assert gone, limit
        # All that comes before the last one that was touched is gone as far as it may.
        for name in names[: names.index(gone[-1])]:
            seen.setdefault(name, left[name])
            assert left[name] == seen[name], (limit, name)
    assert seen["library vars"] == seen["own vars"] == seen["request body"] == 0
    assert seen["extra"] == 1  # the small one weighs less than a remark
    assert seen["breadcrumbs"] == seen["library source"] == seen["own source"] == 0


@pytest.mark.spec("PAIN-03")
def test_what_was_cut_is_said_where_it_was():
    event = large_event()
    few = shrunk(event, len(encode(event)) - 1000)
    assert few["_meta"]["exception"]["values"]["0"]["stacktrace"]["frames"] == {
        "1": {"vars": {"": {"rem": [["!limit", "x"]], "len": 2}}}
    }
    assert "vars" not in few["exception"]["values"][0]["stacktrace"]["frames"][1]
    most = shrunk(event, 12_000)["_meta"]
    assert most["request"]["data"] == {"": {"rem": [["!limit", "x"]], "len": 8000}}
    assert most["extra"].keys() == {"large", "larger"}
    assert most["breadcrumbs"]["values"] == {"": {"rem": [["!limit", "x", 0, 50]], "len": 50}}
    assert most["contexts"].keys() == {"app"}


def test_the_oldest_breadcrumbs_go_first():
    event = {"level": "info", "breadcrumbs": {"values": [{"message": f"{at:03}" * 100} for at in range(100)]}}
    left = shrunk(event, 10_000)
    kept = [int(crumb["message"][:3]) for crumb in left["breadcrumbs"]["values"]]
    assert kept == list(range(100 - len(kept), 100))
    assert 25 < len(kept) < 33
    assert left["_meta"]["breadcrumbs"]["values"][""]["rem"] == [["!limit", "x", 0, 100 - len(kept)]]


def test_lists_without_values_are_shrunk_as_well():
    event = large_event()
    event["exception"] = event["exception"]["values"]
    event["breadcrumbs"] = event["breadcrumbs"]["values"]
    left = shrunk(event, 16_000)
    assert left["breadcrumbs"] == []
    assert left["_meta"]["breadcrumbs"][""]["len"] == 50
    assert "vars" in left["_meta"]["exception"]["0"]["stacktrace"]["frames"]["19"]


def test_the_stack_of_a_thread_is_shrunk_as_well():
    frames = [frame(number, in_app=False) for number in range(30)]
    event = {"level": "info", "threads": {"values": [{"id": 1, "stacktrace": {"frames": frames}}]}}
    left = shrunk(event, 20_000)
    assert not [frame for frame in left["threads"]["values"][0]["stacktrace"]["frames"] if "vars" in frame][1:]


def test_of_each_stack_the_newest_frames_stay_and_earlier_remarks_move_along():
    frames = [frame(number, in_app=True, filename="f" * 300, vars={}) for number in range(100)]
    remark = {"": {"rem": [["!limit", "x", 20, 420]], "len": 500}, "3": {"vars": {"": {"rem": []}}}}
    remark["95"] = {"vars": {"": {"rem": [["!config", "x"]]}}}
    event = {
        "level": "error",
        "exception": {"values": [{"type": "E", "stacktrace": {"frames": frames}}]},
        "_meta": {"exception": {"values": {"0": {"stacktrace": {"frames": remark}}}}},
    }
    left = shrunk(event, 6000)
    (value,) = left["exception"]["values"]
    assert [frame["lineno"] for frame in value["stacktrace"]["frames"]] == list(range(90, 100))
    said = left["_meta"]["exception"]["values"]["0"]["stacktrace"]["frames"]
    assert said[""] == {"rem": [["!limit", "x", 0, 490]], "len": 500}
    assert said["5"]["vars"] == {"": {"rem": [["!config", "x"]]}}
    assert len(value["stacktrace"]["frames"]) == MAX_FRAMES


@pytest.mark.spec("PAIN-03")
def test_in_the_end_a_bare_event_is_left():
    event = large_event()
    event["exception"]["values"][1]["value"] = "v" * 8000
    event["tags"] = {str(number): "t" * 200 for number in range(1000)}
    left = shrunk(event, 3000)
    assert left == {
        "event_id": "0" * 32,
        "level": "error",
        "platform": "python",
        "contexts": {"trace": {"trace_id": "1" * 32}},
        "exception": {
            "values": [
                {
                    "type": "ValueError",
                    "value": "v" * 1000,
                    "stacktrace": {"frames": [left["exception"]["values"][0]["stacktrace"]["frames"][0]]},
                }
            ]
        },
        "_meta": {"": {"rem": [["!limit", "x"]]}},
    }
    assert left["exception"]["values"][0]["stacktrace"]["frames"][0]["lineno"] == 19


def test_a_bare_message_keeps_its_start():
    event = {"level": "info", "logentry": {"message": "m" * 8000, "formatted": "f" * 8000, "params": ["p" * 8000]}}
    assert shrunk(event, 2500)["logentry"] == {"message": "m" * 1000, "formatted": "f" * 1000}


def test_what_cannot_fit_is_refused():
    with pytest.raises(TooLargeError, match=r"the bare event takes \d+ bytes, only 100 are allowed"):
        shrink_event(large_event(), 100, encode)


def test_the_event_given_is_not_changed():
    event = large_event()
    event["_meta"] = {"logentry": {"": {"len": 3}}}
    before = copy.deepcopy(event)
    for limit in (150_000, 60_000, 20_000, 8000, 3000):
        shrunk(event, limit)
    assert event == before


def test_the_whole_event_is_encoded_few_times():
    event = large_event()
    size = len(encode(event))
    for limit in range(size - 1, 3000, -3000):
        whole = []

        def counting(value, whole=whole):
            if type(value) is dict and "event_id" in value:
                whole.append(value)
            return encode(value)

        shrink_event(event, limit, counting)
        assert len(whole) <= 4


def test_a_real_event_of_many_exceptions_is_shrunk():
    def deep(depth):
        text = "x" * 900
        if depth:
            deep(depth - 1)
        raise ValueError(text)

    exc = caught(deep, 60)
    exc.__cause__ = caught(deep, 60)
    exc.__cause__.__context__ = caught(deep, 60)
    event = event_of(exc)
    assert len(encode(event)) > 200_000
    left = shrunk(event, 220_000)
    assert left["exception"]["values"][-1]["stacktrace"]["frames"][-1]["vars"]["depth"] == "0"
    assert len(left["exception"]["values"]) == 3


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "filename": VALUES,
        "in_app": VALUES | st.booleans(),
        "vars": st.dictionaries(st.text(max_size=5), st.text(max_size=400), max_size=5) | VALUES,
        "pre_context": VALUES,
    },
)
EXCEPTIONS = st.fixed_dictionaries(
    {},
    optional={"type": VALUES, "stacktrace": st.fixed_dictionaries({"frames": st.lists(FRAMES, max_size=25)}) | VALUES},
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "exception": st.fixed_dictionaries({"values": st.lists(EXCEPTIONS, max_size=4)})
        | st.lists(EXCEPTIONS, max_size=4)
        | VALUES,
        "threads": VALUES,
        "breadcrumbs": VALUES | st.lists(VALUES, max_size=9),
        "request": VALUES,
        "extra": VALUES,
        "contexts": VALUES,
        "logentry": VALUES,
        "tags": VALUES,
        "_meta": VALUES
        | st.dictionaries(st.sampled_from(["exception", "extra", "request", "breadcrumbs"]), VALUES)
        | st.just({"exception": {"values": {"0": {"stacktrace": {"frames": {"x": 1, "": 2, "3": None}}}}}}),
    },
)


@given(EVENTS, st.integers(min_value=60, max_value=4000))
def test_whatever_hooks_put_into_an_event_it_fits_or_is_refused(event, limit):
    before = copy.deepcopy(event)
    try:
        shrunk(event, limit)
    except TooLargeError:
        assert len(encode(event)) > limit
    assert event == before


def test_an_event_that_is_cut_down_is_told_once_at_the_default_level(caplog):
    for _ in range(2):
        shrunk(large_event(), 20_000)
        shrunk({"event_id": "0" * 32}, 20_000)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    size = len(encode(large_event()))
    assert warning == f"an event of {size} bytes is cut down to 20000; its _meta says what went"
