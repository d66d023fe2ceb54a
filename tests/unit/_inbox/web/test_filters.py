from __future__ import annotations

import time

import pytest

from vedette._inbox.models import Item
from vedette._inbox.web.filters import clock, duration, gist, level_class, one_line, short_time
from vedette._inbox.words import size_in_words

A_DAY = 86_400


def an_item(excerpt: str, **headers: object) -> Item:
    return Item(1, "attachment", "1", 0.0, len(excerpt), headers, excerpt, [])


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 * 1024 * 1024, "5.0 MiB")]
)
def test_sizes_have_units(number, words):
    assert size_in_words(number) == words


@pytest.mark.parametrize(("seconds", "words"), [(0.0004, "0.4 ms"), (0.25, "250.0 ms"), (1.25, "1.25 s")])
def test_durations_have_units(seconds, words):
    assert duration(seconds) == words


def test_a_text_becomes_one_line_of_bounded_length():
    assert one_line(" a\n\n b\t") == "a b"
    assert one_line("x" * 500, 10) == "x" * 10 + "…"
    assert len(one_line(" " * 10_000_000 + "x")) < 300


def test_the_time_of_today_is_a_time_and_of_another_day_a_date():
    now = time.time()
    assert short_time(now).count(":") == 2
    assert short_time(now - 800 * A_DAY).count("-") == 2
    assert clock(now).split(".")[1].isdigit()
    assert "." not in clock(now - 800 * A_DAY)


@pytest.mark.parametrize("seconds", [0.0, 252_999_999_999.0])
def test_any_time_that_is_let_in_can_be_shown(seconds):
    assert short_time(seconds)


def test_an_item_is_named_by_its_file_else_by_its_content():
    assert gist(an_item("a\nb", filename="x.txt", content_type="text/plain")) == "x.txt · text/plain"
    assert gist(an_item("a\nb", filename=["no", "name"])) == "a b"
    assert gist(an_item("")) == "(no content)"


@pytest.mark.parametrize(("level", "name"), [("fatal", "level-fatal"), ("info", ""), ("x hidden", ""), ("", "")])
def test_only_our_own_words_become_classes(level, name):
    assert level_class(level) == name
