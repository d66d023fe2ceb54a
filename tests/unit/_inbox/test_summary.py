from __future__ import annotations

import pytest

from tests.inboxes import EVENT_ID, exception, frame, order_failed
from vedette._inbox.shape import is_own
from vedette._inbox.summary import parse_query, summarize


def test_an_exception_is_titled_by_the_outermost_and_placed_at_the_root_cause():
    found = summarize(EVENT_ID, order_failed(release="shop@1.4.0", environment="dev"))
    assert found.title == "CheckoutError: cannot price order A-17 for ann"
    assert (found.type, found.value) == ("CheckoutError", "cannot price order A-17 for ann")
    assert (found.root_type, found.root_value) == ("KeyError", "'AT'")
    assert (found.place, found.code_line) == ("shop/vat.py:7 in vat", "rate = RATES[country]")
    assert (found.level, found.release, found.environment) == ("error", "shop@1.4.0", "dev")


def test_a_single_exception_has_no_other_root_cause():
    found = summarize(EVENT_ID, {"exception": {"values": [exception("ValueError", "x", frame("pay"))]}})
    assert (found.root_type, found.root_value, found.place) == ("", "", "shop/pay.py:7 in pay")


def test_the_place_is_the_innermost_own_frame():
    raised = exception("OSError", "x", frame("main"), frame("load"), frame("read", own=False))
    assert summarize(EVENT_ID, {"exception": {"values": [raised]}}).place == "shop/load.py:7 in load"


def test_the_root_cause_of_a_group_is_the_cause_of_its_first_member():
    values = [
        exception("TypeError", "t", exception_id=3, parent_id=0, source="exceptions[1]"),
        exception("KeyError", "k", exception_id=2, parent_id=1, source="__cause__"),
        exception("ValueError", "v", exception_id=1, parent_id=0, source="exceptions[0]"),
        exception("ExceptionGroup", "several", exception_id=0, is_exception_group=True),
    ]
    found = summarize(EVENT_ID, {"exception": {"values": values}})
    assert (found.title, found.root_type) == ("ExceptionGroup: several", "KeyError")


def test_a_message_is_titled_by_its_text_and_placed_by_its_threads_stack():
    threads = {"values": [{"id": 1}, {"id": 2, "current": True, "stacktrace": {"frames": [frame("log_it")]}}]}
    event = {
        "logentry": {"message": "low\nstock %s", "formatted": "low\nstock 7"},
        "threads": threads,
        "level": "WARNING",
    }
    found = summarize(EVENT_ID, event)
    assert (found.title, found.value, found.type) == ("low stock 7", "low\nstock 7", "")
    assert (found.level, found.place) == ("warning", "shop/log_it.py:7 in log_it")


def test_an_event_without_anything_has_a_title_that_says_so():
    found = summarize(EVENT_ID, {})
    assert (found.title, found.level) == ("(an event without exception and message)", "error")


@pytest.mark.parametrize(
    "wanted",
    [
        "checkouterror",
        "cannot price order a-17",
        "shop/vat.py",
        "shop.total",
        "acme",
        "ann",
        "1.4.0",
        EVENT_ID[:9],
        "'at'",
    ],
)
def test_search_text_holds_what_a_developer_remembers(wanted):
    assert wanted in summarize(EVENT_ID, order_failed(release="shop@1.4.0")).search_text


def test_search_text_is_bounded():
    frames = [frame("f" * 200 + str(number)) for number in range(1000)]
    event = {
        "exception": {"values": [exception("E", "v" * 100_000, *frames)]},
        "tags": {str(i): "x" * 999 for i in range(500)},
    }
    assert len(summarize(EVENT_ID, event).search_text) <= 16_384


@pytest.mark.parametrize(
    "tags", [{"Tenant": "Acme Ltd", "n": 7, "on": True}, [["Tenant", "Acme Ltd"], ["n", 7], ["on", True]]]
)
def test_facets_hold_tags_of_both_spellings_as_lines(tags):
    facets = summarize(EVENT_ID, {"tags": tags, "level": "fatal", "environment": "Dev"}).facets
    lines = {"level:fatal", "env:dev", "tag.tenant:acme ltd", "tag.n:7", "tag.on:true"}
    assert lines <= set(facets.split("\n"))


def test_a_line_end_in_a_tag_cannot_make_another_facet():
    facets = summarize(EVENT_ID, {"tags": {"a": "x\nlevel:fatal"}}).facets
    assert "\nlevel:fatal\n" not in facets


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ("", [])),
        ("  No  RATE ", ("no rate", [])),
        ("level:Error", ("", ["level:error"])),
        ('vat level:error tag.tenant:"Acme Ltd" rates', ("vat rates", ["level:error", "tag.tenant:acme ltd"])),
        ("release:shop@1.4.0 env:dev", ("", ["release:shop@1.4.0", "env:dev"])),
        ("file:x sublevel:error http://a", ("file:x sublevel:error http://a", [])),
        ("no\udcff level:\udcff", ("no\\udcff", ["level:\\udcff"])),  # bytes of a command line that are no UTF-8
    ],
)
def test_a_search_is_a_substring_and_narrowing_terms(typed, expected):
    assert parse_query(typed) == expected


@pytest.mark.parametrize(
    ("marks", "own"),
    [
        ({"in_app": True, "abs_path": "/venv/lib/python3.13/site-packages/shop.py"}, True),
        ({"in_app": False, "abs_path": "/srv/shop.py"}, False),
        ({"abs_path": "/srv/shop.py"}, True),
        ({"filename": "shop.py"}, True),
        ({"abs_path": "/venv/lib/python3.13/site-packages/urllib3/connection.py"}, False),
        ({"abs_path": "/usr/lib/python3/dist-packages/yaml.py"}, False),
        ({"abs_path": "/usr/lib64/python3.12/json/decoder.py"}, False),
        ({"abs_path": "C:\\Python313\\Lib\\json\\decoder.py"}, False),
        ({"abs_path": "/srv/shop/node_modules/express/index.js"}, False),
        ({"filename": "node:internal/timers"}, False),
        ({"filename": "<frozen importlib._bootstrap>"}, False),
        ({"in_app": None, "abs_path": "/srv/lib/shop.py"}, True),
    ],
)
def test_a_frame_that_nobody_marked_is_the_programs_own_unless_it_lies_where_libraries_do(marks, own):
    assert is_own(marks) is own


def test_parameters_that_the_sender_left_out_of_the_message_are_put_into_the_title():
    found = summarize("0" * 32, {"logentry": {"message": "order %s failed", "params": ["A-17"]}})
    assert (found.title, found.value) == ("order A-17 failed", "order A-17 failed")
    assert "order a-17 failed" in found.search_text
    formatted = {"message": "order %s failed", "params": ["A-17"], "formatted": "order <A-17> failed"}
    assert summarize("0" * 32, {"logentry": formatted}).title == "order <A-17> failed"
