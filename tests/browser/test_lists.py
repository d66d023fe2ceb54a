"""The lists in Chromium: what they say, without JavaScript, on narrow screens, and with hostile text."""

from __future__ import annotations

import json

import pytest

from tests.browser.conftest import CHROMIUM, SWITCHES
from tests.inboxes import RunningInbox, envelope, exception, frame, item, order_failed
from tests.markup import HOSTILE

WIDTHS = [320, 400, 1280]


def failing_in(function: str, value: str = "x", **more: object) -> bytes:
    return envelope({"exception": {"values": [exception("ValueError", value, frame(function))]}, **more})


def fill(inbox) -> None:
    """Something long in every place."""
    word = "w" * 2000
    inbox.send(failing_in(word, word, release=word, environment="dev"))
    inbox.send(envelope(order_failed(release="shop@1.4.0", environment=word[:100])))
    inbox.send(b"{}\n" + item(json.dumps({"sid": word}).encode(), "session", made_up=word))
    inbox.send(b"{}\n" + item(word.encode(), "attachment", filename=word, content_type=word))
    inbox.send(b"{}\n" + item(b"{}", word))
    log = {"level": word, "body": word, "trace_id": word, "attributes": {word: {"value": word}}}
    inbox.send(b"{}\n" + item(json.dumps({"items": [log]}).encode(), "log"))
    timed = {"transaction": word, "contexts": {"trace": {"op": word, "status": word}}, "spans": [{}]}
    inbox.send(b"{}\n" + item(json.dumps(timed).encode(), "transaction"))
    report = {"discarded_events": [{"reason": word, "category": word, "quantity": 10**9}]}
    inbox.send(b"{}\n" + item(json.dumps(report).encode(), "client_report"))
    inbox.send(word.encode())


def assert_fits(page) -> None:
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= screen, page.url


def test_the_empty_page_says_what_to_do(inbox, visitor):
    page = visitor.open("/")
    assert page.locator("h1").inner_text() == "Waiting for the first error"
    assert inbox.dsn in page.locator("main").inner_text()
    assert f"vedette.init('{inbox.dsn}'); a, b = 1, 0; a / b" in page.locator("#try").inner_text()


def test_the_list_is_a_table_with_headers_whose_rows_lead_to_the_issues(inbox, visitor):
    inbox.send(failing_in("vat"))
    page = visitor.open("/")
    assert page.get_by_role("columnheader").all_inner_texts() == ["Level", "Issue", "Seen", "Last seen"]
    page.get_by_role("link", name="ValueError: x").click()
    assert page.url == f"{inbox.url}/issues/1"
    assert page.go_back()
    assert page.locator("tr#issue-1").count() == 1


def test_a_row_is_two_lines_however_long_its_texts_are(inbox, visitor):
    fill(inbox)
    rows = visitor.open("/").locator("tbody tr")
    assert rows.count() == 2
    heights = [row.bounding_box()["height"] for row in rows.all()]
    assert max(heights) < 64


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(inbox, visitor, width):
    assert_fits(visitor.open("/", width=width))
    fill(inbox)
    for path in ("/", "/?q=nothing", "/other", "/other?type=refused", "/logs", "/traces", "/delete"):
        page = visitor.open(path, width=width)
        assert_fits(page)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert_fits(page)


def test_nothing_needs_javascript(inbox, visitor):
    for number in range(60):
        inbox.send(failing_in(f"f{number}", f"<{number}>", environment="dev" if number % 2 else "live"))
    page = visitor.open("/", java_script_enabled=False)
    assert page.locator("tbody tr").count() == 50
    page.get_by_role("link", name="Older issues").click()
    assert page.locator("tbody tr").count() == 10
    page.get_by_role("link", name="Newest issues").click()
    assert page.locator("tbody tr").count() == 50
    page.get_by_role("searchbox").fill("env:live <4")
    page.get_by_role("searchbox").press("Enter")
    assert page.locator("tbody tr").count() == 6  # 4, and 40 to 48 without the odd ones
    page.get_by_role("link", name="Reset the search").click()
    assert page.locator("tbody tr").count() == 50
    page.get_by_role("link", name="Delete everything…").click()
    assert "60 issues" in page.locator("main").inner_text()
    page.get_by_role("button", name="Delete everything").click()
    assert page.locator("h1").inner_text() == "Waiting for the first error"
    assert page.url == f"{inbox.url}/"


def test_what_only_a_script_can_do_is_not_offered_without_one(inbox, visitor):
    page = visitor.open("/", java_script_enabled=False)
    assert not any(button.is_visible() for button in page.get_by_role("button", include_hidden=True).all())
    assert not page.locator("#scheme").is_visible()


@pytest.mark.parametrize(
    ("path", "button"), [("/delete", "Delete everything"), ("/issues/1", "Delete issue #1 and all its events")]
)
def test_forms_work_under_a_name_that_browsers_do_not_trust(chromium, tmp_path, path, button):
    """There they send no Sec-Fetch-Site, and with the header's no-referrer an Origin of `null`."""
    switches = [*SWITCHES, "--host-resolver-rules=MAP inbox.test 127.0.0.1"]
    with RunningInbox(tmp_path / "inbox.db", "--allow-host", "inbox.test") as inbox:
        inbox.send(failing_in("vat"))
        browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=switches)
        try:
            page = browser.new_page()
            page.goto(f"http://inbox.test:{inbox.url.rpartition(':')[2]}{path}")
            page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
            page.get_by_role("button", name=button).click()
            assert page.locator("h1").inner_text() == "Waiting for the first error"
        finally:
            browser.close()


def test_the_hint_of_the_search_shows_with_the_cursor_in_it(inbox, visitor):
    page = visitor.open("/", width=320)
    assert not page.locator("#search-hint").is_visible()
    page.get_by_role("searchbox").focus()
    assert page.locator("#search-hint").is_visible()
    assert_fits(page)


def test_the_keyboard_skips_to_the_content(inbox, visitor):
    page = visitor.open("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_refused_envelope_opens_with_its_reason_and_beginning(inbox, visitor):
    inbox.send(b'{"event_id": "x"}\n{"type": "event", "length": 4000}\n{"message": "cut')
    page = visitor.open("/other", java_script_enabled=False)
    row = page.locator("tr#refused-1")
    assert "400" in row.inner_text()
    assert "payload of item 1 is cut short" in row.locator("summary").inner_text()
    row.locator("summary").click()
    assert '{"message": "cut' in row.locator("pre").inner_text()


def test_an_attachment_is_downloaded_under_its_name(inbox, visitor):
    page_with_script = b"<script>alert(1)</script>"
    inbox.send(b"{}\n" + item(page_with_script, "attachment", filename="report.html", content_type="text/html"))
    page = visitor.open("/other")
    page.locator("summary").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="download").click()
    assert download.value.suggested_filename == "1-report.html"
    assert download.value.path().read_bytes() == page_with_script


def test_what_clients_dropped_and_what_was_removed_is_said_on_every_page(inbox, visitor):
    report = {"discarded_events": [{"reason": "ratelimit_backoff", "category": "error", "quantity": 14}]}
    inbox.send(b"{}\n" + item(json.dumps(report).encode(), "client_report"))
    for path in ("/", "/other"):
        notice = visitor.open(path).get_by_role("list", name="Notices").inner_text()
        assert notice == "a client dropped 14 errors: ratelimit_backoff"


def test_hostile_text_runs_nothing_and_is_read_as_sent(inbox, visitor):
    event = order_failed(user=HOSTILE, order=HOSTILE, release=HOSTILE, environment=HOSTILE, level=HOSTILE)
    inbox.send(envelope(event))
    for kind in ("log", "transaction", "attachment", HOSTILE):
        payload = {"body": HOSTILE, "transaction": HOSTILE, "attributes": {HOSTILE: HOSTILE}}
        inbox.send(b"{}\n" + item(json.dumps(payload).encode(), kind, filename=HOSTILE))
    inbox.http.post("/api/1/envelope/", content=HOSTILE.encode("utf-8", "replace"))
    for path in ("/", "/other", "/logs", "/traces"):
        page = visitor.open(path)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert page.locator("main script, main img, main a[href^=javascript]").count() == 0
        assert "<script>alert(1)</script><img src=x onerror=alert(2)>" in page.locator("main").inner_text()
        assert "{{7*7}}" in page.locator("main").inner_text()
