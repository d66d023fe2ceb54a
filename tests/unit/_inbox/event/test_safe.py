from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._inbox.event import safe

any_text = st.text(st.characters())  # lone surrogates too


@pytest.mark.parametrize(
    ("received", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b31m", "\\x9b31m"),
        ("a\x00b\x7f", "a\\x00b\\x7f"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("one\u2028two\x85three", "one\\u2028two\\x85three"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("café ❱ 支 👩\u200d🚀", "café ❱ 支 👩\u200d🚀"),
        ("[bold]{{7*7}}</details>", "[bold]{{7*7}}</details>"),
    ],
)
def test_what_could_steer_a_terminal_is_written_out_and_the_rest_left_alone(received, shown):
    assert safe.line(received) == shown


@given(any_text)
def test_no_control_bidi_or_surrogate_is_ever_left(text):
    left = {unicodedata.category(character) for character in safe.line(text)}
    assert not left & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(character) for character in safe.line(text)} & {
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    }  # fmt: skip


@given(any_text)
def test_lines_of_a_text_are_safe_one_by_one(text):
    assert all(part == safe.line(part) or "\\" in part for part in safe.lines(text))
    assert not any("\n" in part for part in safe.lines(text))


def test_a_value_is_looked_at_up_to_its_limit():
    assert safe.line("x" * 70_000) == "x" * 65_536 + "…"
    assert safe.lines("x" * 70_000) == ["x" * 65_536 + "…"]


def test_a_source_line_keeps_its_indentation():
    assert safe.code("\tif x:\r\n") == "    if x:"
