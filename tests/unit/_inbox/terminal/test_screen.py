from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from vedette._inbox.terminal.screen import ASCII_SIGNS, Screen, Signs, row


class Stream(io.TextIOWrapper):
    def __init__(self, *, terminal, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding)
        self._terminal = terminal

    def isatty(self):
        return self._terminal


def test_without_a_terminal_there_are_120_columns_and_neither_colour_nor_links():
    screen = Screen.of(Stream(terminal=False), {"TERM": "xterm"})
    assert screen == Screen(width=120, signs=Signs(), links=False, styled=False, coloured=False)
    assert screen.render([row(("red", "bold red"))]) == "red\n"


def test_a_terminal_has_colour_and_links():
    screen = Screen.of(Stream(terminal=True), {"COLUMNS": "80"})
    assert (screen.width, screen.links, screen.coloured) == (80, True, True)
    assert screen.render([row(("red", "red"))]) == "\x1b[31mred\x1b[0m\n"


def test_no_color_takes_the_colour_and_leaves_the_weight():
    screen = Screen.of(Stream(terminal=True), {"NO_COLOR": "1"})
    assert screen.render([row(("x", "bold red"))]) == "\x1b[1mx\x1b[0m\n"


def test_force_color_colours_a_pipe_but_links_stay_out():
    screen = Screen.of(Stream(terminal=False), {"FORCE_COLOR": "1"})
    assert screen.coloured
    assert not screen.links


def test_a_dumb_terminal_gets_plain_text():
    screen = Screen.of(Stream(terminal=True), {"TERM": "dumb"})
    assert not screen.styled
    assert not screen.links


@pytest.mark.parametrize("name", ["linux", "vt220", "eterm-color"])
def test_a_terminal_that_would_print_links_as_text_gets_none(name):
    screen = Screen.of(Stream(terminal=True), {"TERM": name})
    assert screen.coloured
    assert not screen.links


def test_a_stream_that_is_closed_is_none_to_adapt_to():
    assert Screen.of(None, {"FORCE_COLOR": "1", "COLUMNS": "40"}) == Screen()


@pytest.mark.parametrize(
    ("columns", "width"), [("64", 64), ("7", 30), ("99999", 400), ("x", 120), ("0", 120), ("", 120)]
)
def test_columns_count_within_reason(columns, width):
    assert Screen.of(Stream(terminal=False), {"COLUMNS": columns}).width == width


def test_without_utf8_the_signs_are_ascii():
    screen = Screen.of(Stream(terminal=False, encoding="latin-1"), {})
    assert screen.signs == ASCII_SIGNS
    assert screen.fit("x" * 11, 10) == "xxxxxxx..."


def test_markup_and_emoji_codes_are_text():
    assert Screen().render([row("[bold]x[/] :smile: [link=http://e]y")]) == "[bold]x[/] :smile: [link=http://e]y\n"


@given(st.text("ab 支é👍\u0301", max_size=40), st.integers(1, 30))
def test_what_is_fitted_fits_and_keeps_its_beginning_or_end(text, width):
    screen = Screen()
    for fitted in (screen.fit(text, width), screen.fit_end(text, width), screen.fit_middle(text, width)):
        assert cell_len(fitted) <= width or fitted == text[: len(fitted)]
        assert fitted == text or "…" in fitted
    if cell_len(text) <= width:
        assert screen.fit(text, width) == screen.fit_end(text, width) == screen.fit_middle(text, width) == text


@given(st.text("ab 支é👍", max_size=80), st.integers(2, 30), st.integers(1, 4))
def test_wrapped_text_fits_and_loses_nothing_but_blanks_unless_it_says_so(text, width, rows):
    wrapped = Screen().wrap(text, width, rows)
    assert 1 <= len(wrapped) <= rows
    assert all(cell_len(part) <= width for part in wrapped)
    joined = "".join(wrapped).replace(" ", "")
    if "…" not in joined:
        assert joined == text.replace(" ", "")


def test_text_wraps_at_blanks():
    assert Screen().wrap("one two three four", 9, 5) == ["one two", "three", "four"]


def test_of_an_address_both_ends_are_kept():
    assert Screen().fit_middle("GET stock.local/api/v2/items?id=7", 20) == "GET stock.l…ems?id=7"
