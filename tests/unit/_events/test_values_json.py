"""Values as JSON structure: equal where they are clean, bounded and clean where they are not."""

from __future__ import annotations

import collections
import decimal
import enum
import http
import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vedette._events.settings import EventSettings
from vedette._events.values import render_json
from vedette._privacy.denylist import DenyList

SETTINGS = EventSettings(denylist=DenyList())
BUILT_INS = {dict, list, str, int, float, bool, type(None)}

clean = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200),
    lambda inner: (
        st.lists(inner, max_size=8)
        | st.dictionaries(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200), inner, max_size=8)
    ),
    max_leaves=30,
)
foreign = (
    clean
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(categories=["Cs", "Lo"]))
    | st.binary()
    | st.decimals()
    | st.datetimes()
    | st.builds(object)
    | st.sets(st.integers())
    | st.complex_numbers()
)
anything = st.recursive(
    foreign,
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner),
    max_leaves=40,
)


def depth_of(value: Any) -> int:
    """Containers inside each other; an empty one is as flat as text."""
    if type(value) in {dict, list} and value:
        return 1 + max(map(depth_of, value.values() if type(value) is dict else value))
    return 0


def assert_wire_ready(value: Any) -> None:
    """Exact built-ins with string keys, that any strict encoder takes."""
    assert type(value) in BUILT_INS
    if type(value) is dict:
        assert {type(key) for key in value} <= {str}
        for item in value.values():
            assert_wire_ready(item)
    elif type(value) is list:
        for item in value:
            assert_wire_ready(item)
    else:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


@given(clean)
def test_what_is_clean_comes_back_equal(value: Any):
    shallow = depth_of(value) <= 10

    converted = render_json(value, SETTINGS)

    assert_wire_ready(converted)
    assert converted == value or not shallow
    assert converted is not value or type(value) not in {dict, list}


@given(anything, st.integers(0, 2000))
def test_whatever_comes_in_is_clean_and_bounded_when_it_goes_out(value: Any, max_bytes: int):
    converted = render_json(value, SETTINGS, max_bytes=max_bytes, max_depth=4)

    assert_wire_ready(converted)
    assert depth_of(converted) <= 4
    encoded = len(json.dumps(converted, ensure_ascii=False, separators=(",", ":")).encode())
    # Marks of what is left out come on top, one for each container that was open; escapes may double a text.
    assert encoded <= 2 * max_bytes + 1000


def test_structure_stays_structure_and_the_rest_becomes_text():
    value = {
        "dict": collections.OrderedDict(a=1),
        "list": [1, (2, 3)],
        "set": {4},
        "money": decimal.Decimal("1.5"),
        "bytes": b"\x00",
        5: None,
        None: True,
        (1, 2): "tuple",
    }

    assert render_json(value, SETTINGS) == {
        "dict": {"a": 1},
        "list": [1, [2, 3]],
        "set": [4],
        "money": "Decimal('1.5')",
        "bytes": "b'\\x00'",
        "5": None,
        "None": True,
        "(1, 2)": "tuple",
    }


def test_subclasses_of_plain_values_are_the_plain_values():
    class Text(str):
        __slots__ = ()

    class Color(str, enum.Enum):
        RED = "red"

    converted = render_json([Text("a"), Color.RED, http.HTTPStatus.OK], SETTINGS)

    assert converted == ["a", "red", 200]
    assert [type(item) for item in converted] == [str, str, int]


def test_numbers_that_json_or_servers_cannot_hold_become_text():
    assert render_json([math.nan, math.inf, -math.inf], SETTINGS) == ["nan", "inf", "-inf"]
    assert render_json([2**64 - 1, 2**64, -(2**63) - 1], SETTINGS) == [
        2**64 - 1,
        "18446744073709551616",
        "-9223372036854775809",
    ]
    assert render_json(1 << 100_000, SETTINGS) == "0x8000000000000000… (100001 bits)"


def test_lone_surrogates_are_escaped_in_values_and_keys():
    assert render_json({"\ud800": "a\udfff"}, SETTINGS) == {r"\ud800": r"a\udfff"}


def test_a_string_is_cut_at_the_value_length():
    short = EventSettings(denylist=DenyList(), max_value_length=5)

    assert render_json("x" * 9000, SETTINGS) == "x" * 8191 + "…"
    assert render_json("x" * 8192, SETTINGS) == "x" * 8192
    assert render_json(["x" * 6], short) == ["xxxx…"]
    assert render_json(["x" * 6], short, max_string=10) == ["xxxxxx"]


def test_a_cycle_ends_in_text():
    cyclic: dict[str, Any] = {"n": 1}
    cyclic["self"] = cyclic

    converted = render_json(cyclic, SETTINGS, max_depth=2)

    assert converted == {
        "n": 1,
        "self": {"n": 1, "self": "{'n': 1, 'self': {'n': 1, 'self': {'n': 1, 'self': {'n': 1, 'self': {…}}}}}"},
    }


def test_a_hundred_thousand_levels_end_in_text():
    deep: Any = []
    for _ in range(100_000):
        deep = {"deep": [deep]}

    converted = render_json(deep, SETTINGS)

    assert depth_of(converted) == 10
    assert_wire_ready(converted)


def test_a_wide_container_says_how_many_items_are_missing():
    converted = render_json({"list": list(range(1000)), "dict": {str(n): n for n in range(1000)}}, SETTINGS)

    assert converted["list"][-2:] == [249, "… +750"]
    assert len(converted["dict"]) == 251
    assert converted["dict"]["…"] == "+750"


def test_what_is_too_large_says_how_many_items_are_missing():
    converted = render_json({"a": "x" * 50, "b": ["y" * 50, "z" * 50], "c": 1}, SETTINGS, max_bytes=100)

    assert converted["a"] == "x" * 50
    assert converted["b"][0].endswith("…")
    assert converted["b"][1] == "… +1"
    assert converted["…"] == "+1"


def test_a_string_that_is_there_to_be_hidden_stays_hidden():
    class Password(str):
        __slots__ = ()

    assert render_json([Password("hunter2")], SETTINGS) == [f"<{__name__}.Password [Filtered]>"]


def test_text_made_of_an_object_is_filtered():
    class Login:
        def __init__(self) -> None:
            self.password = "hunter2"

    converted = render_json({"login": Login(), "deep": [[{"password": "hunter2"}]]}, SETTINGS, max_depth=2)

    assert "hunter2" not in str(converted)
    assert "[Filtered]" in converted["login"]
