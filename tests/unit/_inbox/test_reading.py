from __future__ import annotations

import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._inbox.limits import Refused
from vedette._inbox.reading import ReadEnvelope, read_envelope


def payloads(body: bytes, envelope: ReadEnvelope) -> list[bytes]:
    return [body[item.start : item.start + item.size] for item in envelope.items]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{}", []),
        (b"{}\n", []),
        (b'{}\n{"type":"x","length":3}\nabc\n', [b"abc"]),
        (b'{}\n{"type":"x","length":3}\nabc', [b"abc"]),
        (b'{}\n{"type":"x"}\nabc', [b"abc"]),
        (b'{}\n{"type":"x"}\nabc\n{"type":"y"}\nde', [b"abc", b"de"]),
        (b'{}\n{"type":"x","length":0}\n\n{"type":"y","length":0}\n', [b"", b""]),
        (b'{}\n{"type":"x","length":7}\na,b\r\n1\n\n', [b"a,b\r\n1\n"]),
        ('{}\n{"type":"x","length":6}\neé€\n'.encode(), ["eé€".encode()]),
    ],
)
def test_correct_envelopes_are_read_without_a_remark(body, expected):
    envelope = read_envelope(body)
    assert payloads(body, envelope) == expected
    assert envelope.remarks == []


@pytest.mark.parametrize(
    ("body", "expected", "remark"),
    [
        (b'{}\n{"type":"x","length":3}\nabc\n\n', [b"abc"], "blank lines between or after the items"),
        (b'\n{}\n\n{"type":"x"}\nabc\n \n', [b"abc"], "blank lines between or after the items"),
        (b'{}\r\n{"type":"x","length":3}\r\nabc\r\n', [b"abc"], "CRLF line ends"),
        (b'{}\n{"type":"x"}\nabc\r\n', [b"abc\r"], "CRLF line ends"),
        (b'{}\n{"type":"x","length":"3"}\na\nb\n', [b"a\nb"], "header of item 1: length is a text"),
        (b'{}\n{"type":"x","length":3.0}\na\nb\n', [b"a\nb"], "header of item 1: length is no integer"),
        (b'{}\n{"length":3}\nabc\n', [b"abc"], "header of item 1 has no type"),
        (b'{"a":NaN}\n{"type":"x"}\nabc', [b"abc"], "envelope header: NaN isn't JSON: read as text"),
    ],
)
def test_departures_are_put_up_with_and_remarked(body, expected, remark):
    envelope = read_envelope(body)
    assert payloads(body, envelope) == expected
    assert envelope.remarks == [remark]


@pytest.mark.parametrize("length", ["-1", "true", '"many"', "[]", "1.5"])
def test_a_length_that_is_none_leaves_the_line(length):
    body = b'{}\n{"type":"x","length":%s}\nabc\n' % length.encode()
    envelope = read_envelope(body)
    assert payloads(body, envelope) == [b"abc"]
    assert "length is no size" in envelope.remarks[0]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "envelope header is no JSON"),
        (b"garbage", "envelope header is no JSON: 'garbage'"),
        (b"[]\n", r"envelope header is no JSON object: '\[\]'"),
        (b'{}\n{"type":"x","length":3}\nabcd\n', "at byte 30: after the 3 bytes of item 1 a newline is due"),
        (b'{}\n{"type":"x","length":3}\nabc \n', "a newline is due, found ' "),
        (b'{}\n{"type":"x","length":9}\nabc\n', "item 1 is cut short: length 9, but only 4 bytes are left"),
        (b'{}\n{"type":"x"}\nabc\nno header\n', "header of item 2 is no JSON: 'no header'"),
        (b'{}\n{"type":"x","length":99999999999999999999}\n', "is cut short"),
    ],
)
def test_what_cannot_be_cut_into_items_is_refused_with_the_place(body, reason):
    with pytest.raises(Refused, match=reason) as refusal:
        read_envelope(body)
    assert (refusal.value.status, refusal.value.code) == (400, "malformed")


def test_a_thousand_items_are_read_and_no_more():
    body = b"{}\n" + b'{"type":"x"}\n\n' * 1000
    assert len(read_envelope(body).items) == 1000
    with pytest.raises(Refused, match="more than 1000 items") as refusal:
        read_envelope(body + b'{"type":"x"}\n\n')
    assert refusal.value.status == 413


def test_a_header_line_without_end_is_refused():
    for body in (b'{"x":"%s"}' % bytes(65536), b'{}\n{"type":"%s"}\n{}' % bytes(65536)):
        with pytest.raises(Refused, match="the limit is 65536") as refused:
            read_envelope(body)
        assert (refused.value.status, refused.value.code) == (413, "header_too_large")


def test_a_refusal_shows_hostile_bytes_escaped():
    with pytest.raises(Refused) as refusal:
        read_envelope(b"\x1b[31mred\xff" * 100)
    assert refusal.value.detail.isascii()
    assert refusal.value.detail.isprintable()
    assert len(refusal.value.detail) < 500


@given(st.lists(st.tuples(st.sampled_from(["event", "x"]), st.binary(max_size=50))))
def test_what_is_framed_correctly_comes_back(items):
    body = b"{}\n" + b"".join(
        b'{"type":"%s","length":%d}\n%s\n' % (kind.encode(), len(payload), payload) for kind, payload in items
    )
    envelope = read_envelope(bytearray(body))
    assert [item.type for item in envelope.items] == [kind for kind, _ in items]
    assert payloads(body, envelope) == [payload for _, payload in items]


@given(st.binary(max_size=200) | st.text(alphabet='{}"\n\r ,:typelngth0123', max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(body):
    with suppress(Refused):
        envelope = read_envelope(b"{}\n" + body)
        assert all(0 <= item.start <= item.start + item.size <= len(body) + 3 for item in envelope.items)


def test_a_body_of_blank_lines_is_skipped_in_one_go():
    calls: list[str] = []
    sys.setprofile(lambda _frame, what, _argument: calls.append(what))
    try:
        read = read_envelope(b"{}\n" + b"\n" * 1_000_000 + b'{"type":"x","length":1}\na' + b"\n \n" * 1_000_000)
    finally:
        sys.setprofile(None)
    assert [item.size for item in read.items] == [1]
    assert "blank lines between or after the items" in read.remarks
    assert len(calls) < 1000
