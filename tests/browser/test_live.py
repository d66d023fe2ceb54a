"""What the script adds to the pages: they change by themselves, but never under the reader's eyes."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.inboxes import RunningInbox, envelope, exception, frame, order_failed
from tests.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

TWO_SECONDS = 2_000  # ms from an answered request to the screen, as promised of the first event
WITHIN = 10_000  # ms: a deadline, where nothing is promised


def failure(number: int, **more: object) -> bytes:
    """Of an issue of its own."""
    return envelope({"exception": {"values": [exception(f"Error{number}", "v", frame(f"f{number}", "raise"))]}, **more})


def rows(page: Page) -> list[str]:
    return page.locator("tr[id^=issue-]").evaluate_all("rows => rows.map(row => row.id)")


def until_live(*pages: Page) -> None:
    """The pages hear of what happens from now on: one of them has its stream open."""
    for page in pages:
        wait_until(lambda page=page: page.evaluate("navigator.locks.query().then(locks => locks.held.length)"))


def test_the_empty_page_turns_into_the_list_within_two_seconds(inbox, visitor):
    page = visitor.open("/")
    until_live(page)
    inbox.send(envelope(order_failed()))
    page.locator("#issue-1").get_by_text("CheckoutError: cannot price order A-17 for ann").wait_for(timeout=TWO_SECONDS)
    assert page.locator("header nav [aria-current=page]").inner_text() == "Issues 1"
    assert page.title() == "Issues · vedette inbox"


def test_counts_change_in_place(inbox, visitor):
    inbox.send(failure(1))
    inbox.send(failure(2))
    page = visitor.open("/")
    until_live(page)
    page.evaluate("window.sameRow = document.getElementById('issue-1')")
    inbox.send(failure(1))
    page.locator("#issue-1 .seen", has_text="2").first.wait_for(timeout=WITHIN)
    assert rows(page) == ["issue-2", "issue-1"]
    assert page.evaluate("sameRow === document.getElementById('issue-1')")


def test_a_new_issue_slides_in_at_the_top(inbox, visitor):
    inbox.send(failure(1))
    page = visitor.open("/")
    until_live(page)
    inbox.send(failure(2))
    page.locator("#issue-2").wait_for(timeout=WITHIN)
    inbox.send(failure(3))
    page.locator("#issue-3").wait_for(timeout=WITHIN)
    assert rows(page) == ["issue-3", "issue-2", "issue-1"]
    assert not page.locator(".status a").is_visible()


def test_who_has_scrolled_is_offered_a_link_and_nothing_moves(inbox, visitor):
    for number in range(45):
        inbox.send(failure(number))
    page = visitor.open("/", height=400)
    until_live(page)
    page.evaluate("scrollTo(0, 200)")
    before = page.locator("#issue-40").bounding_box()
    for number in (50, 51, 52):
        inbox.send(failure(number))
    link = page.get_by_role("status").get_by_role("link", name="3 new")
    link.wait_for(timeout=WITHIN)
    assert page.locator("#issue-40").bounding_box() == before
    assert len(rows(page)) == 45
    link.click()
    page.locator("#issue-48").wait_for()
    assert page.evaluate("scrollY") == 0


def test_back_at_the_top_what_is_new_slides_in(inbox, visitor):
    for number in range(45):
        inbox.send(failure(number))
    page = visitor.open("/", height=400)
    until_live(page)
    page.evaluate("scrollTo(0, 200)")
    inbox.send(failure(50))
    page.get_by_role("link", name="1 new").wait_for(timeout=WITHIN)
    page.evaluate("scrollTo(0, 0)")
    page.locator("#issue-46").wait_for(timeout=WITHIN)


def test_who_stands_in_the_list_keeps_the_focus_and_is_offered_a_link(inbox, visitor):
    inbox.send(failure(1))
    page = visitor.open("/")
    until_live(page)
    page.keyboard.press("j")
    inbox.send(failure(2))
    inbox.send(failure(1))
    page.get_by_role("link", name="1 new").wait_for(timeout=WITHIN)
    page.locator("#issue-1 .seen", has_text="2").first.wait_for(timeout=WITHIN)
    assert page.evaluate("document.activeElement.closest('tr').id") == "issue-1"
    assert rows(page) == ["issue-1"]


def test_a_search_shows_only_what_it_finds(inbox, visitor):
    inbox.send(failure(1))
    page = visitor.open("/?q=Error1")
    until_live(page)
    inbox.send(failure(2))
    inbox.send(failure(11))
    page.locator("#issue-3").wait_for(timeout=WITHIN)
    assert rows(page) == ["issue-3", "issue-1"]


def test_what_was_deleted_goes(inbox, visitor):
    inbox.send(failure(1))
    inbox.send(failure(2))
    page = visitor.open("/")
    until_live(page)
    inbox.http.delete("/api/issues/2")
    page.locator("#issue-2").wait_for(state="detached", timeout=2 * WITHIN)
    assert rows(page) == ["issue-1"]
    inbox.http.delete("/api/events")
    page.get_by_role("heading", name="Waiting for the first error").wait_for(timeout=2 * WITHIN)


def test_nine_tabs_are_live_on_one_connection_and_the_rest_when_the_first_closes(inbox, visitor):
    context = visitor.open("about:blank").context
    streams: list[str] = []

    def note(request):
        if request.url.endswith("/api/stream"):
            streams.append(request.url)

    context.on("request", note)
    tabs = [context.pages[0], *(context.new_page() for _ in range(8))]
    for tab in tabs:
        visitor.watch(tab)
        tab.goto("/")
    inbox.send(failure(1))
    for tab in tabs:
        tab.locator("#issue-1").wait_for(timeout=WITHIN)
    assert len(streams) == 1
    tabs.pop(0).close()
    wait_until(lambda: tabs[0].title() and len(streams) == 2)
    inbox.send(failure(2))
    for tab in tabs:
        tab.locator("#issue-2").wait_for(timeout=WITHIN)
    assert len(streams) == 2


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_the_inbox_ends_within_two_seconds_with_nine_tabs_open(inbox, chromium, signal_number):
    with chromium.new_context(base_url=inbox.url) as context:
        tabs = [context.new_page() for _ in range(9)]
        for tab in tabs:
            tab.goto("/")
        until_live(*tabs)
        inbox.send(failure(1))
        for tab in tabs:
            tab.locator("#issue-1").wait_for(timeout=WITHIN)
        start = time.monotonic()
        assert inbox.end(signal_number) == (0, "")
        assert time.monotonic() - start < 2


def test_a_burst_is_fetched_twice_a_second_at_most(inbox, visitor):
    inbox.send(failure(0))
    page = visitor.open("/")
    until_live(page)
    fetches: list[str] = []
    page.on("request", lambda request: fetches.append(request.url))
    start = time.monotonic()
    for number in range(1, 101):
        inbox.send(failure(number % 10))
    page.locator("#issue-10").wait_for(timeout=WITHIN)
    assert 1 <= len(fetches) <= 3 + 2 * (time.monotonic() - start)


def test_a_server_that_is_gone_is_said_to_be_and_its_return_seen(tmp_path, chromium):
    with RunningInbox(tmp_path / "inbox.db") as inbox:
        page = chromium.new_page(base_url=inbox.url)
        page.goto("/")
        until_live(page)
        port = inbox.url.rpartition(":")[2]
    page.get_by_role("status").get_by_text("does not answer").wait_for(timeout=WITHIN)
    with RunningInbox(tmp_path / "inbox.db", "--port", port) as inbox:
        inbox.send(failure(1))
        page.locator("#issue-1").wait_for(timeout=10_000)
        assert not page.get_by_text("does not answer").is_visible()
        page.context.close()


def test_an_older_page_changes_in_place_and_offers_the_first(inbox, visitor):
    for number in range(60):
        inbox.send(failure(number))
    page = visitor.open("/?before=11")
    until_live(page)
    assert rows(page) == [f"issue-{number}" for number in range(10, 0, -1)]
    inbox.send(failure(4))
    inbox.send(failure(70))
    page.locator("#issue-5 .seen", has_text="2").wait_for(timeout=WITHIN)
    page.get_by_role("link", name="1 new").wait_for(timeout=WITHIN)
    assert rows(page) == [f"issue-{number}" for number in range(10, 0, -1)]
    page.get_by_role("link", name="1 new").click()
    page.locator("#issue-61").wait_for()


def test_an_event_page_never_changes_but_says_how_many_are_newer(inbox, visitor):
    inbox.send(failure(1))
    page = visitor.open("/issues/1")
    until_live(page)
    before = page.locator("main").inner_html()
    inbox.send(failure(2))
    for _ in range(2):
        inbox.send(failure(1))
    page.get_by_role("status").get_by_role("link", name="2 newer").wait_for(timeout=WITHIN)
    assert page.locator("main").inner_html() == before
    page.get_by_role("link", name="2 newer").click()
    page.get_by_text("event 3 of 3").wait_for()
    assert page.get_by_role("status").inner_text() == ""


def test_a_tab_that_another_keeps_informed_misses_nothing_before_it_listens(inbox, visitor):
    """What comes between the rendering of a page and its script is seen when it has started."""
    first = visitor.open("/")
    until_live(first)
    second = first.context.new_page()
    visitor.watch(second)

    def late(route):
        answer = route.fetch()
        inbox.send(failure(1))
        first.locator("#issue-1").wait_for()
        route.fulfill(response=answer)

    second.route("**/", late, times=1)
    second.goto("/")
    second.locator("#issue-1").wait_for(timeout=WITHIN)


def test_without_locks_the_page_asks_by_itself(inbox, visitor):
    """As over plain HTTP from another machine: no tab could keep the others from taking a connection each."""
    page = visitor.open("about:blank")
    page.add_init_script("Object.defineProperty(navigator, 'locks', {value: undefined})")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    inbox.send(failure(1))
    page.locator("#issue-1").wait_for(timeout=2 * WITHIN)
    assert not any(url.endswith("/api/stream") for url in asked)


def test_the_title_counts_what_came_while_nobody_looked(inbox, visitor):
    page = visitor.open("/")
    inbox.send(failure(0))
    page.locator("#issue-1").wait_for()
    page.evaluate(
        """() => {
            Object.defineProperty(document, "hidden", {get: () => window.isAway ?? true, configurable: true});
            document.dispatchEvent(new Event("visibilitychange", {bubbles: true}));
        }"""
    )
    for number in (1, 2, 2):
        inbox.send(failure(number))
    wait_until(lambda: page.title() == "(3) Issues · vedette inbox", WITHIN / 1000)
    assert rows(page) == ["issue-1"]
    page.evaluate("window.isAway = false; document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")
    page.locator("#issue-3").wait_for(timeout=WITHIN)
    assert page.title() == "Issues · vedette inbox"


# --- copy ---


def copied(page: Page) -> str:
    page.get_by_role("status").get_by_text("Copied.").wait_for()
    return page.evaluate("navigator.clipboard.readText()")


def test_the_dsn_is_copied(inbox, visitor):
    page = visitor.open("/", permissions=["clipboard-read", "clipboard-write"])
    page.locator("header").get_by_role("button", name="Copy the DSN").click()
    assert copied(page) == inbox.dsn


def test_without_a_clipboard_the_old_way_is_taken(inbox, visitor):
    """As over plain HTTP from another machine, where there is no ``navigator.clipboard``."""
    page = visitor.open("/", permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})")
    page.locator("header").get_by_role("button", name="Copy the DSN").click()
    page.get_by_role("status").get_by_text("Copied.").wait_for()
    page.evaluate("delete navigator.clipboard")
    assert copied(page) == inbox.dsn


def test_an_event_is_copied_as_its_markdown(inbox, visitor):
    event_id = inbox.send(envelope(order_failed())).json()["id"]
    page = visitor.open("/issues/1", permissions=["clipboard-read", "clipboard-write"])
    markdown = inbox.http.get(f"/events/{event_id}.md").text
    page.keyboard.press("c")
    assert copied(page) == markdown
    page.evaluate("navigator.clipboard.writeText('')")
    page.reload()
    page.get_by_role("button", name="copy", exact=True).click()
    assert copied(page) == markdown


def test_what_was_said_goes_away(inbox, visitor):
    page = visitor.open("/", permissions=["clipboard-write"])
    page.locator("header").get_by_role("button", name="Copy the DSN").click()
    page.get_by_text("Copied.").wait_for()
    page.get_by_text("Copied.").wait_for(state="detached", timeout=6_000)


def test_what_cannot_be_copied_is_said_to_be_so(inbox, visitor):
    inbox.send(envelope(order_failed()))
    page = visitor.open("/issues/1")
    page.route("**/*.md", lambda route: route.fulfill(status=204))
    page.evaluate("document.execCommand = () => false; Object.defineProperty(navigator, 'clipboard', {value: null})")
    page.keyboard.press("c")
    page.get_by_role("status").get_by_text("Could not copy.").wait_for()


# --- keys ---


def test_keys_go_through_the_list_and_open_an_issue(inbox, visitor):
    for number in (1, 2, 3):
        inbox.send(failure(number))
    page = visitor.open("/")

    def row() -> str:
        return page.evaluate("document.activeElement.closest('tr')?.id")

    page.keyboard.press("k")
    assert row() is None
    seen = []
    for key in "jjjjk":
        page.keyboard.press(key)
        seen.append(row())
    assert seen == ["issue-3", "issue-2", "issue-1", "issue-1", "issue-2"]
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith("/issues/2")


def test_keys_go_to_older_and_newer_events(inbox, visitor):
    for _ in range(3):
        inbox.send(failure(1))
    page = visitor.open("/issues/1")
    for key, shown in (("[", 2), ("[", 1), ("[", 1), ("]", 2), ("]", 3)):
        page.keyboard.press(key)
        page.get_by_text(f"event {shown} of 3").wait_for()


def test_x_opens_everything_and_folds_it(inbox, visitor):
    inbox.send(envelope(order_failed()))
    page = visitor.open("/issues/1")
    assert page.locator("main details:not([open])").count() > 1
    page.keyboard.press("x")
    assert page.locator("main details:not([open])").count() == 0
    page.keyboard.press("x")
    assert page.locator("main details[open]").count() == 0


def test_a_link_to_a_folded_frame_opens_it(inbox, visitor):
    deep = [frame(f"f{n}", "call()", own=False) for n in range(5)]
    inbox.send(envelope({"exception": {"values": [exception("E", "v", frame("own", "raise"), *deep)]}}))
    page = visitor.open("/issues/1")
    assert not page.locator("#e0-f4").is_visible()
    page.evaluate("location.hash = 'e0-f4'")
    page.locator("#e0-f4").wait_for()
    page.goto("about:blank")
    page.goto("/issues/1#e0-f3")
    page.locator("#e0-f3").wait_for()
    assert not page.locator("#e0-f4").is_visible()


def test_keys_rest_while_typing_and_with_modifiers(inbox, visitor):
    inbox.send(failure(1))
    page = visitor.open("/")
    page.keyboard.press("Control+j")
    page.keyboard.press("Alt+?")
    assert page.evaluate("document.activeElement === document.body")
    page.keyboard.press("/")
    page.keyboard.type("j/k?x[c")
    search = page.get_by_role("searchbox")
    assert search.input_value() == "j/k?x[c"
    assert page.evaluate("document.activeElement.type") == "search"
    assert not page.get_by_role("dialog").is_visible()


def test_help_opens_by_key_and_by_button_and_keys_can_be_turned_off(inbox, visitor):
    page = visitor.open("/")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.get_by_text("copy the event as Markdown").wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_role("checkbox").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.reload()
    page.keyboard.press("?")
    page.keyboard.press("/")
    assert not dialog.is_visible()
    assert page.evaluate("document.activeElement === document.body")
    page.get_by_role("button", name="Keys").click()
    assert not dialog.get_by_role("checkbox").is_checked()


# --- colours, and without the script ---


@pytest.mark.parametrize(("system", "other"), [("light", "dark"), ("dark", "light")])
def test_the_colour_scheme_can_be_switched_and_is_kept(inbox, visitor, system, other):
    def background() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    colours = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 28)"}
    page = visitor.open("/", color_scheme=system)
    assert page.get_by_role("radio", name="system").is_checked()
    assert background() == colours[system]
    page.get_by_role("radio", name=other).check()
    assert background() == colours[other]
    page.reload(wait_until="commit")
    wait_until(lambda: page.evaluate("document.body !== null"))
    assert page.evaluate("document.documentElement.dataset.scheme") == other  # before anything is shown
    page.wait_for_load_state()
    assert background() == colours[other]
    page.get_by_role("radio", name="system").check()
    assert background() == colours[system]


def test_without_javascript_nothing_is_offered_that_needs_it(inbox, visitor):
    page = visitor.open("/", java_script_enabled=False)
    assert page.get_by_role("heading", name="Waiting for the first error").is_visible()
    assert page.get_by_role("button").count() == 0
    assert page.get_by_role("radio").count() == 0
