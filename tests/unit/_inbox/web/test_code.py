from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._inbox.web.code import MAX_COLOURED, MAX_COLOURED_LINE, Colours, Piece, plain, underlined


def coloured(*lines, name="a.py"):
    return Colours().lines(lines, name, first=True)


def test_keywords_strings_numbers_and_comments_are_told_apart():
    (line,) = coloured('return total("a", 1.5) or None  # sum')
    assert [(piece.kind, piece.text) for piece in line if piece.kind] == [
        ("k", "return"),
        ("s", '"a"'),
        ("n", "1.5"),
        ("k", "or"),
        ("k", "None"),
        ("c", "# sum"),
    ]


def test_a_text_over_several_lines_is_coloured_to_its_end():
    assert [line[0].kind for line in coloured('x = """one', "two", 'three"""')] == ["", "s", "s"]


@given(st.lists(st.text(st.characters(exclude_characters="\n"), max_size=60), min_size=1, max_size=6))
def test_colouring_changes_no_text(lines):
    assert ["".join(piece.text for piece in line) for line in coloured(*lines)] == lines


@pytest.mark.parametrize("name", ["a.txt", "a.html", "page", ""])
def test_code_of_an_unknown_language_stays_plain(name):
    assert coloured("return 1", name=name) == ((Piece("", "return 1"),),)


def test_a_line_of_100_000_characters_is_cut_before_it_is_coloured():
    line = "return " + "'(" * 50_000
    began = time.thread_time()
    (pieces,) = coloured(line)
    assert time.thread_time() - began < 1
    assert "".join(piece.text for piece in pieces) == line
    assert max(len(piece.text) for piece in pieces if piece.kind) <= MAX_COLOURED_LINE


def test_a_page_colours_so_much_and_keeps_some_for_what_is_seen_first():
    colours = Colours()
    lines = [colours.lines((f"return {number}" + " " * 90,), "a.py", first=False) for number in range(200)]
    kinds = [line[0][0].kind for line in lines]
    assert kinds[0] == "k"
    assert kinds[-1] == ""
    assert sum(kind == "k" for kind in kinds) * 100 < MAX_COLOURED
    assert colours.lines(("return 1",), "a.py", first=True)[0][0].kind == "k"


@pytest.mark.parametrize(
    ("start", "end", "marked"),
    [(0, 6, "return"), (7, 12, "total"), (4, 9, "rn to"), (7, 99, "total(1)"), (3, 3, ""), (50, 60, "")],
)
def test_what_failed_is_marked_across_pieces(start, end, marked):
    (line,) = coloured("return total(1)")
    pieces = underlined(line, start, end)
    assert "".join(piece.text for piece in pieces) == "return total(1)"
    assert "".join(piece.text for piece in pieces if piece.failing) == marked


def test_plain_lines_keep_empty_ones():
    assert plain(["", "x"]) == ((), (Piece("", "x"),))
