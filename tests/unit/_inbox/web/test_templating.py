"""What holds for every template: nothing received can become markup, and the assets keep their size."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vedette._inbox import web
from vedette._inbox.web.templating import Templates

ROOM = Path(web.__file__).parent
TEMPLATES = sorted((ROOM / "templates").glob("*.html"))
ASSETS = {"inbox.css": "/c", "inbox.js": "/j", "icon.svg": "/i"}


def error_page(detail: str) -> str:
    refused = {"detail": detail, "causes": []}
    page = Templates().page(
        "error.html", assets=ASSETS, version="1", top=None, title="x", refused=refused, asks_token=0
    )
    return bytes(page.body).decode()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_lets_markup_through_or_brings_script_or_style_of_its_own(template):
    text = template.read_text("utf-8")
    assert not re.search(r"\|\s*safe\b|autoescape|Markup", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! src=\"{{ assets\[)|javascript:", text)
    assert not re.search(r"\s[\w-]+=\s*{{", text), "an attribute without quotes"


def test_an_address_is_ours_with_numbers_and_ids_in_it():
    allowed = re.compile(
        r"#main|/|/delete|/other(\?type=(refused|{{ choice\.name }}))?"
        r"|{{ (assets\['\w+\.\w+'\]|tab\.path|first|following|back|action) }}"
        r"|/issues/{{ issue\.id }}(/delete)?|/api/items/{{ (batch\.item|item|file)\.row_id }}/payload"
        r"|/events/{{ (item\.event_id|event\.event_id|view\.older|view\.newer) }}(\.json)?"
        r"|/api/events/{{ event\.event_id }}/envelope|{{ here }}\.(txt|md|json)|#{{ view\.(where\.at\.)?id }}"
        r"|{{ view\.editor }}"  # which has tests of its own: its scheme is an option of the inbox
    )
    for template in TEMPLATES:
        for found in re.findall(r'(?:href|src|action)="([^"]*)"', template.read_text("utf-8")):
            assert allowed.fullmatch(found), f"{template.name}: {found}"


def test_markup_is_text():
    assert "&lt;b&gt;&#34;" in error_page('<b>"')


def test_what_hides_or_turns_text_is_written_out():
    assert "a\\u202eb\\x00c\\x1b[1m" in error_page("a\u202eb\x00c\x1b[1m")


def test_lines_stay_lines():
    assert "one\ntwo three" in error_page("one\r\ntwo\tthree")


def test_a_value_of_any_length_is_bounded():
    assert len(error_page("x" * 1_000_000)) < 70_000


def test_the_style_sheet_and_the_script_are_small_and_ask_nobody():
    css, script = ((ROOM / "static" / name).read_bytes() for name in ("inbox.css", "inbox.js"))
    assert len(css) <= 16 * 1024
    assert len(script) <= 6 * 1024
    assert b"url(" not in css
    assert b"http" not in css + script
