from __future__ import annotations

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._inbox.lenient_json import NotJsonError, decode, depth_exceeds
from vedette._inbox.limits import Refused

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.characters(categories=["Cs"]),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@given(json_values)
def test_what_pythons_encoder_writes_is_read_and_can_be_written_strictly(value):
    decoded, _ = decode(json.dumps(value).encode())
    strict = json.dumps(decoded, allow_nan=False, ensure_ascii=False).encode("utf-8", "strict")
    assert json.loads(strict) == decoded


@given(st.binary())
def test_any_bytes_are_json_or_said_to_be_none(data):
    with suppress(NotJsonError):
        json.dumps(decode(data), allow_nan=False)


def test_good_json_has_no_remarks():
    assert decode(b'{"a": [1, 2.5, "\xc3\xa9", null]}') == ({"a": [1, 2.5, "é", None]}, [])


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_are_no_json_become_text(constant):
    value, remarks = decode(f'{{"a": [{constant}]}}'.encode())
    assert value == {"a": [constant]}
    assert remarks == [f"{constant} isn't JSON: read as text"]


def test_a_float_out_of_range_becomes_text():
    assert decode(b'{"a": 1e999}') == ({"a": "1e999"}, ["a number too large for JSON readers: read as text"])


def test_an_integer_that_python_would_refuse_to_convert_is_cut():
    value, remarks = decode(b'{"a": ' + b"7" * 5000 + b"}")
    assert value == {"a": "7" * 100 + "…"}
    assert remarks == ["an integer of more than 1000 digits: cut and read as text"]


def test_lone_surrogates_are_written_out_in_keys_and_values():
    value, remarks = decode(rb'{"\ud800": ["a\udfffb", "\ud83d\ude00"]}')
    assert value == {r"\ud800": [r"a\udfffb", "😀"]}
    assert remarks == ["lone surrogates: written out"]


def test_invalid_utf8_is_replaced():
    value, remarks = decode(b'{"a": "x\xffy"}')
    assert value == {"a": "x\ufffdy"}
    assert remarks == ["invalid UTF-8: the bytes concerned were replaced by U+FFFD"]


def test_control_characters_within_text_are_read():
    assert decode(b'{"a": "x\ty\x00"}')[0] == {"a": "x\ty\0"}


def test_a_byte_order_mark_is_skipped():
    assert decode(b"\xef\xbb\xbf{}")[0] == {}


@pytest.mark.parametrize("data", [b"", b"{", b"nope", b'{"a": 1} x', b"\x00"])
def test_what_is_no_json_is_said_to_be_none(data):
    with pytest.raises(NotJsonError):
        decode(data)


def test_two_hundred_levels_are_read_and_no_more():
    assert decode(nested(200))[0]
    with pytest.raises(Refused, match="more than 200 levels deep") as refusal:
        decode(nested(201))
    assert refusal.value.status == 400


@pytest.mark.parametrize("data", [nested(100_000), b'{"a":' * 100_000 + b"NaN", b"[NaN," + nested(100_000) + b"]"])
def test_absurd_depth_ends_without_recursion(data):
    with pytest.raises((Refused, NotJsonError)):
        decode(data)


def test_depth_counts_containers_only():
    assert not depth_exceeds("text", 0)
    assert depth_exceeds({}, 0)
    assert not depth_exceeds({"a": [1, math.pi]}, 2)
    assert depth_exceeds({"a": [1, {}]}, 2)
