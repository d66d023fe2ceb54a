"""How records are found again, whatever lies between them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._transport.journal.record import MARK, pack, pack_mark, scan

SALT = 0x12345678


def whole(number: int, body: bytes = b"body") -> bytes:
    return b"".join(pack(SALT, number, 1_700_000_000.5, b"error", [body[:3], body[3:]]))


def numbers(data: bytes, salt: int = SALT) -> list[int]:
    return [record.number for record in scan(data, salt)]


def test_a_record_comes_back_as_it_was_written():
    data = whole(7, b"\x00\xff{}\n")
    (record,) = scan(data, SALT)
    assert (record.number, record.time, record.category) == (7, 1_700_000_000.5, "error")
    assert data[record.body_start : record.end] == b"\x00\xff{}\n"
    assert record.end == len(data)


def test_a_mark_is_a_record_that_names_another():
    (mark,) = scan(pack_mark(SALT, 7), SALT)
    assert (mark.kind, mark.number) == (MARK, 7)


def test_an_empty_body_and_no_record_at_all():
    assert numbers(whole(1, b"")) == [1]
    assert numbers(b"") == []


def test_a_record_inside_of_a_body_is_a_part_of_that_body():
    assert numbers(whole(1, whole(2)) + whole(3)) == [1, 3]


def test_a_record_of_another_segment_inside_of_a_damaged_body_is_not_found():
    foreign = b"".join(pack(SALT + 1, 2, 0.0, b"error", [b"an attached journal"]))
    data = bytearray(whole(1, foreign * 3))
    data[-1] ^= 1
    assert numbers(bytes(data) + whole(3)) == [3]


def test_a_body_full_of_magics_is_searched_in_no_time():
    magic = whole(1)[:4]
    claims_a_megabyte = magic + b"\x01\x00" + (1_500_000).to_bytes(4, "little") + bytes(24)
    damaged = bytearray(whole(2, claims_a_megabyte * 100_000))
    damaged[-1] ^= 1
    start = time.monotonic()
    assert numbers(bytes(damaged) + whole(3)) == [3]
    assert time.monotonic() - start < 5  # half a minute, if each magic cost the checksum of a megabyte


@pytest.mark.parametrize("cut", range(1, len(whole(1))))
def test_a_write_that_fell_short_in_the_middle_costs_nothing_but_itself(cut: int):
    assert numbers(whole(1) + whole(2)[:cut] + whole(3) + pack_mark(SALT, 1)) == [1, 3, 1]


def _not_completed_by_a_magic(body: bytes) -> bytes:
    """One that is completed is whole again."""
    return body + b"."


@pytest.mark.parametrize("missing", range(1, 5))
def test_a_torn_record_that_the_next_one_completes_does_not_cost_that_one(missing: int):
    magic = whole(1)[:4]
    torn = whole(1, b"x" + magic[:missing])[:-missing]
    assert numbers(torn + whole(2)) == [1, 2]


pieces = st.one_of(
    st.tuples(st.just("whole"), st.binary(max_size=60)),
    st.tuples(st.just("torn"), st.binary(max_size=60).map(_not_completed_by_a_magic), st.floats(0, 0.99)),
    st.tuples(st.just("noise"), st.binary(max_size=60)),
    st.tuples(st.just("magic"), st.integers(1, 10)),
    st.tuples(st.just("mark"), st.integers(0, 50)),
)


@given(st.lists(pieces, max_size=12))
def test_every_whole_record_is_found_and_nothing_else(parts: list[tuple[object, ...]]):
    data = b""
    expected = []
    for number, (kind, *arguments) in enumerate(parts, start=100):
        if kind == "whole":
            data += whole(number, arguments[0])
            expected.append(number)
        elif kind == "torn":
            record = whole(number, arguments[0])
            data += record[: int(len(record) * arguments[1])]
        elif kind == "noise":
            data += arguments[0]
        elif kind == "magic":
            data += whole(number)[:4] * arguments[0]
        else:
            data += pack_mark(SALT, arguments[0])
            expected.append(arguments[0])
    assert numbers(data) == expected
