# ruff: noqa: RUF001 - the signs on the page are meant
"""The page of one event, as somebody sees it who wants to know which line failed, and with which values."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.inboxes import RunningInbox, envelope, new_event_id
from tests.unit._inbox.event.events import chained, event, frame, group, message, recursion

ROOT = Path(__file__).resolve().parents[2]
MARKUP = "</details><script>alert(1)</script><img src=x onerror=alert(1)><a href='javascript:alert(1)'>{{7*7}}"
LONG = "order <b>failed</b> because of a very long reason, " * 40
SHOP = """
import sys
from decimal import Decimal
import vedette

RATES = {"DE": Decimal("0.19")}

class CheckoutError(Exception):
    pass

def vat(net, country):
    rate = RATES[country]
    return (net * rate).quantize(Decimal("0.01"))

def total(order):
    net = order["net"]
    return net + vat(net, order["country"])

def checkout(order, user):
    try:
        return total(order)
    except KeyError as error:
        raise CheckoutError(f"cannot price order {order['id']} for {user}") from error

vedette.init(sys.argv[1])
try:
    checkout({"id": "A-17", "country": "AT", "net": Decimal("29.97")}, "ann")
except CheckoutError as error:
    vedette.capture_exception(error)
"""


def send(inbox: RunningInbox, data: dict[str, object]) -> str:
    """Send an event; the path of its page."""
    event_id = new_event_id()
    assert inbox.send(envelope({**data, "event_id": event_id}, event_id=event_id)).status_code == 200
    return f"/events/{event_id}"


@pytest.fixture
def failed_order(inbox, tmp_path):
    """A program that uses vedette itself fails, as in the design's example."""
    program = tmp_path / "shop.py"
    program.write_text(SHOP)
    subprocess.run([sys.executable, program, inbox.dsn], check=True, timeout=30)
    return "/issues/1"


def is_on_screen(page, locator, screens=1.0):
    """Whether it is seen without scrolling."""
    box = locator.bounding_box()
    height = page.viewport_size["height"] * screens
    return locator.is_visible() and box is not None and box["y"] >= 0 and box["y"] + box["height"] <= height


@pytest.mark.parametrize(("width", "screens"), [(1280, 1.0), (400, 1.5)])
def test_the_failing_line_and_its_values_are_seen_without_a_click(visitor, failed_order, width, screens):
    page = visitor.open(failed_order, width=width)
    failing = page.locator(".failing").first
    line, row = failing.locator(".mark", has_text="rate = RATES[country]"), failing.locator("tr", has_text="country")
    assert is_on_screen(page, line, screens)
    assert is_on_screen(page, row, screens)
    assert row.inner_text().split() == ["country", "'AT'"]
    assert row.evaluate("row => row.rowIndex") == 0
    assert "❱" in line.inner_text()


def test_the_failing_line_differs_by_more_than_colour(visitor, failed_order):
    page = visitor.open(failed_order)
    source = page.locator(".failing .source").first
    backgrounds = source.locator("li").evaluate_all("lines => lines.map(li => getComputedStyle(li).backgroundColor)")
    assert len(set(backgrounds)) == 2
    marked = source.locator("li", has_text="❱")
    assert [text.split("\n") for text in marked.all_inner_texts()] == [["❱", "    rate = RATES[country]"]]


@pytest.mark.parametrize("width", [320, 400, 640, 1280])
@pytest.mark.parametrize("javascript", [True, False])
def test_no_page_goes_sideways(inbox, visitor, width, javascript):
    deep = "/".join(["a_long_folder_name"] * 12)
    wide = frame(f"{deep}/module.py:1234", "f" * 150, "x = " + "call(argument) + " * 40, vars={"n" * 120: "v" * 10_000})
    events = {
        "chain": chained(),
        "group": group(),
        "recursion": recursion(),
        "long message": event(message=LONG[:2_000]),
        "long value": event(exception={"values": [{"type": "E", "value": "x" * 10_000}]}),
        "wide": event(exception={"values": [{"type": "T" * 200, "value": "v", "stacktrace": {"frames": [wide]}}]}),
        "tags": event(
            message="m", tags={"k" * 200: "v" * 200}, breadcrumbs=[{"message": "y" * 3_000, "category": "c" * 99}]
        ),
        "a crumb's data": event(message="m", breadcrumbs=[{"message": "m", "data": {"k" * 200: "v" * 200}}]),
    }
    page = visitor.open("/", width=width, java_script_enabled=javascript)
    for name, data in events.items():
        page.goto(send(inbox, data))
        if javascript:
            page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
        sizes = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert sizes[0] <= sizes[1], name


def test_under_640_pixels_the_place_stands_above_the_code(inbox, visitor):
    path = send(inbox, chained())
    for width, above in ((1280, False), (600, True)):
        summary = visitor.open(path, width=width).locator(".frame summary").first
        place, code = summary.locator(".file").bounding_box(), summary.locator("code").bounding_box()
        assert place is not None
        assert code is not None
        assert (code["y"] >= place["y"] + place["height"] - 2) is above


def test_hostile_text_is_shown_as_it_was_sent(inbox, visitor):
    data = chained()
    outermost = data["exception"]["values"][1]
    outermost["value"] = outermost["type"] = MARKUP
    outermost["stacktrace"]["frames"][1].update(context_line=MARKUP, function=MARKUP, vars={MARKUP: MARKUP})
    data["tags"] = {MARKUP: MARKUP}
    data["breadcrumbs"] = [{"message": MARKUP}]
    page = visitor.open(send(inbox, data))
    assert page.locator("h1").inner_text() == MARKUP
    assert page.locator("script").count() == 1
    assert page.locator("img").count() == 0
    assert page.locator("[href^='javascript']").count() == 0
    assert page.locator(".mark", has_text="{{7*7}}").count() == 1


def test_a_recursion_of_61_takes_at_most_6_rows_and_opens(inbox, visitor):
    page = visitor.open(send(inbox, recursion()), java_script_enabled=False)
    rows = page.locator(".stack > .failure > .rows > li")
    assert rows.count() == 4
    more = page.get_by_text("59 more times")
    inner = page.locator(".fold .frame")
    assert inner.count() == 59
    assert not inner.first.is_visible()
    more.click()
    assert inner.last.is_visible()
    inner.first.locator("summary").click()
    assert inner.first.locator(".source").is_visible()


def test_library_runs_are_folded_and_own_frames_never(inbox, visitor):
    frames = [frame(f"/usr/lib/web/{n}.py:{n}", f"f{n}", "x", own=False, module=f"web.core.m{n}") for n in range(1, 5)]
    own = [frame(f"shop/{n}.py:{n}", f"own{n}", "y") for n in range(1, 9)]
    data = event(exception={"values": [{"type": "E", "value": "v", "stacktrace": {"frames": [*frames, *own]}}]})
    page = visitor.open(send(inbox, data))
    assert page.get_by_text("4 frames in web.core").is_visible()
    assert page.locator(".rows > .frame.library").first.is_visible() is False
    assert page.locator(".stack > .failure > .rows > .frame").count() == 8


@pytest.mark.parametrize("javascript", [True, False])
def test_a_deep_link_opens_the_folded_frame_it_leads_to(inbox, visitor, javascript):
    path = send(inbox, recursion())
    page = visitor.open(path + "#e0-f30", java_script_enabled=javascript)
    target = page.locator("#e0-f30")
    assert target.is_visible()
    box = target.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 800


def test_the_root_cause_of_a_group_is_named_at_the_top_and_leads_to_its_frame(inbox, visitor):
    page = visitor.open(send(inbox, group()), height=300)
    cause = page.locator(".cause")
    assert " ".join(cause.inner_text().split()) == "KeyError: 'AT' shop/pricing.py:7 in vat rate = RATES[country]"
    cause.locator("a").click()
    assert page.locator("#e1-f0").is_visible()
    assert page.url.endswith("#e1-f0")


def test_a_group_is_a_tree_whose_first_leaf_is_open(inbox, visitor):
    page = visitor.open(send(inbox, group()), java_script_enabled=False)
    leaves = page.locator(".members > li > details")
    assert [leaf.get_attribute("open") is not None for leaf in leaves.all()] == [True, False]
    assert "×2" in leaves.first.locator("summary").first.inner_text()
    assert page.locator(".others").inner_text() == "2/3 CheckoutError: cannot price order A-18 for bob"


def test_without_javascript_frames_open_older_events_are_reached_and_the_issue_is_deleted(inbox, visitor):
    first, second = (send(inbox, chained()) for _ in range(2))
    page = visitor.open(second, java_script_enabled=False)
    folded = page.locator(".frame summary").first
    folded.click()
    assert page.locator("#e0-f0").is_visible()
    page.get_by_role("link", name="older").click()
    assert page.url.endswith(first)
    assert page.get_by_text("event 1 of 2").is_visible()
    page.locator("summary", has_text="delete").click()
    page.get_by_role("button", name=re.compile("^Delete issue")).click()
    page.wait_for_url("**/")
    assert inbox.get("/api/issues")["results"] == []


@pytest.mark.parametrize("width", [400, 1280])
def test_values_wrap_and_scroll_in_their_cell_and_names_never_wrap(inbox, visitor, width):
    frames = [frame("a.py:1", "f", "x", vars={"big": "v" * 10_000, "a_name_of_more_words": "long " * 60})]
    data = event(exception={"values": [{"type": "E", "value": "v", "stacktrace": {"frames": frames}}]})
    page = visitor.open(send(inbox, data), width=width)
    lines = """cell => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return range.getClientRects().length;
    }"""
    assert [cell.evaluate(lines) for cell in page.locator(".failing th").all()] == [1, 1]
    assert page.locator("tr", has_text="a_name").locator("td").evaluate(lines) > 1
    box = page.locator("tr", has_text="big").locator(".long").bounding_box()
    assert box is not None
    assert box["height"] <= 13 * 21


def test_a_long_message_is_cut_after_6_lines_and_opens(inbox, visitor):
    path = send(inbox, message() | {"logentry": {"formatted": LONG[:2_000]}})
    for width in (400, 1280):
        page = visitor.open(path, width=width)
        box = page.locator("h1").bounding_box()
        assert box is not None
        assert box["height"] <= 6 * 24 + 4
        page.get_by_text("all of it").click()
        assert page.locator(".whole p").inner_text() == LONG[:2_000].rstrip()
