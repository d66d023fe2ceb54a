"""The design's acceptance points as far as no other test proves them: docs/inbox-acceptance.md says which one does.

Programs send what is looked at: ``tests/bad_day.py``, once with vedette and once with the published sentry-sdk.
"""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests import senders
from tests.browser.conftest import CHROMIUM, SWITCHES
from tests.inboxes import RunningInbox, envelope, item, order_failed
from tests.markup import HOSTILE
from tests.unit._inbox.event.events import group, message, paths, recursion, replaced
from tests.unit._inbox.event.everything import hostile, whole
from tests.waiting import wait_until

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the group `browser` is not installed")

PROGRAM = Path(__file__).resolve().parents[1] / "bad_day.py"
WRITTEN_OUT = {0: "\\x00", 27: "\\x1b", 0x202E: "\\u202e", 0x202C: "\\u202c", 0xD800: "\\ud800"}
SHOWN = HOSTILE.translate(WRITTEN_OUT)
needs_groups = pytest.mark.skipif("sys.version_info < (3, 11)", reason="groups came with Python 3.11")


def run(sdk: str, inbox: RunningInbox, folder: Path, *what: str) -> None:
    """Let the program fail in these ways, one after the other, reporting by that SDK."""
    command = [str(PROGRAM), sdk, inbox.dsn, *what]
    if sdk == "vedette":
        subprocess.run([sys.executable, *command], check=True, timeout=30)
        return
    senders.install()
    ended = senders.run(["python", *command], folder, inbox.dsn)
    assert ended.returncode == 0, ended.stderr


def send(inbox: RunningInbox, data: dict[str, object]) -> str:
    """Send an event; the path of its page."""
    answer = inbox.send(envelope({**data, "event_id": None}))
    assert answer.status_code == 200
    return f"/events/{answer.json()['id']}"


def open_all(page) -> None:
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")


def is_seen(locator, screens=1.0) -> bool:
    """Whether somebody sees it without scroll or click: it is on the screen, and nothing lies over it."""
    page = locator.page
    page.set_viewport_size({**page.viewport_size, "height": int(800 * screens)})
    return locator.evaluate(
        """element => {
            const box = element.getBoundingClientRect();
            const top = document.elementFromPoint(box.x + Math.min(box.width, innerWidth) / 2, box.y + box.height / 2);
            return box.bottom <= innerHeight && box.right <= innerWidth + 1 && scrollY === 0 && element.contains(top);
        }"""
    )


# --- 1: the empty page comes to life, and asks nobody else ---


def test_an_event_of_a_program_appears_on_the_empty_page_within_two_seconds(inbox, visitor, tmp_path):
    page = visitor.open("/")
    assert page.locator("main").get_by_text(inbox.dsn, exact=True).is_visible()
    page.evaluate("window.isTheSame = true")
    run("vedette", inbox, tmp_path, "order:ann")  # it ends after its flush: the event was answered by then
    row = page.locator("tbody tr", has_text="CheckoutError: cannot price order A-ann for ann")
    row.wait_for(timeout=2_000)
    assert page.evaluate("window.isTheSame")


def test_a_page_that_did_what_it_may_not_would_be_noticed(inbox, visitor):
    """The fixture's own test: an inline script, an address elsewhere, a console error, a dialog."""
    page = visitor.open("/")
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "1";
            document.head.append(script);
            fetch("http://elsewhere.invalid/").catch(() => 0);
            console.error("odd");
            alert("hello");
        }"""
    )
    for said in ("script-src 'self'", "connect-src 'self'", "odd", "a dialog: hello"):
        wait_until(lambda said=said: page.title() and any(said in fault for fault in visitor.faults))
    visitor.faults.clear()


# --- 2: which line failed, and with which values ---


@pytest.mark.parametrize("sdk", ["vedette", "sentry_sdk"])
@pytest.mark.parametrize(("width", "screens"), [(1280, 1.0), (400, 1.5)])
def test_the_failing_line_of_a_program_is_seen_at_once(inbox, visitor, tmp_path, sdk, width, screens):
    run(sdk, inbox, tmp_path, "order:ann")
    page = visitor.open("/issues/1", width=width)
    failing = page.locator(".failing").first
    line = failing.locator("li code", has_text="rate = RATES[country]")
    table = failing.get_by_role("table", name="variables")
    assert is_seen(line, screens)
    assert is_seen(table.get_by_role("row").first.get_by_text("country"), screens)
    assert is_seen(table.get_by_role("row").first.get_by_text("'AT'"), screens)
    assert failing.locator("li.mark").inner_text().split() == ["❱", "rate", "=", "RATES[country]"]
    assert is_seen(failing.locator("li.mark a"), screens)
    assert "correct horse" not in page.content()


def test_the_mark_is_seen_where_the_system_replaces_all_colours(inbox, visitor, tmp_path):
    run("vedette", inbox, tmp_path, "order:ann")
    page = visitor.open("/issues/1", forced_colors="active")
    marked = page.locator(".failing").first.locator("li.mark")
    assert is_seen(marked.get_by_text("❱"))
    weights = "code => getComputedStyle(code).fontWeight"
    assert marked.locator("code").evaluate(weights) == "600"


# --- 3: nothing goes sideways ---


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_no_page_of_what_programs_send_goes_sideways(inbox, visitor, tmp_path, width):
    cases = ["order:ann", "in_a_pool", "recursion", "markup", "long_value"]
    cases += ["group:3"] if sys.version_info >= (3, 11) else []
    run("vedette", inbox, tmp_path, *cases)
    value = {"type": "E", "value": "x" * 10_000}
    others = [send(inbox, data) for data in (group(), whole(), {"message": "m " * 1_000}, {"exception": [value]})]
    pages = ["/", "/?q=no+such+thing", *(f"/issues/{number + 1}" for number in range(len(cases))), *others]
    page = visitor.open("/", width=width)
    for path in pages:
        page.goto(path)
        for opened in (False, True):
            if opened:
                open_all(page)
            sizes = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert sizes[0] <= sizes[1], (path, opened)
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    box = page.get_by_role("dialog").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


# --- 5: hostile text ---

SIGNATURES = """() => [...document.querySelectorAll("*")].map(element => [
    element.tagName, element.getAttributeNames().sort(), [...element.classList].sort()].join(" "))"""
# What a value is spread over varies with its text: tokens of code, "all of it", a box that scrolls.
HARMLESS = ("x", "x = 'y' + 7  # z", "word " * 400, "line\n" * 40, "warning", "__cause__")


def test_hostile_text_in_every_field_makes_no_element(inbox, visitor):
    page = visitor.open("/")
    known: set[str] = set()
    for text in HARMLESS:
        page.goto(send(inbox, hostile(whole(), text)))
        known |= set(page.evaluate(SIGNATURES))
    page.goto(send(inbox, whole()))
    known |= set(page.evaluate(SIGNATURES))
    for text in (HOSTILE, HOSTILE * 20):
        page.goto(send(inbox, hostile(whole(), text)))
        assert set(page.evaluate(SIGNATURES)) <= known
    open_all(page)
    assert page.title().startswith("</details></pre></td><script>alert(1)</script>")


AS_JSON = json.dumps(HOSTILE.replace("\ud800", "\\ud800"), ensure_ascii=False)[1:-1].translate(WRITTEN_OUT)
UNSHOWN = (("event_id",), ("_meta",), ("source",), ("mechanism", "type"), ("module",), ("abs_path",), ("threads", "id"))
UNSHOWN += (("breadcrumbs", "type"), ("logentry", "message"), ("params",))
"""Fields of which the page shows what follows from them: the order of exceptions, the message as it was formatted."""


def is_shown(path: tuple[object, ...]) -> bool:
    return not any(set(names) <= set(path) for names in UNSHOWN)


def test_each_text_field_is_shown_as_it_was_sent(inbox, visitor):
    page = visitor.open("/")
    missing = []
    for path in paths(whole()):
        place = whole()
        for key in path:
            place = place[key]
        if not isinstance(place, str) or not is_shown(path):
            continue
        page.goto(send(inbox, replaced(whole(), path, HOSTILE)))
        open_all(page)
        text = " ".join(page.locator("main").inner_text().split())
        if SHOWN not in text and AS_JSON not in text:
            missing.append(path)
    assert not missing, "\n".join(map(str, missing))


def test_hostile_rows_that_arrive_by_themselves_run_nothing(inbox, visitor):
    page = visitor.open("/")
    known = set(page.evaluate(SIGNATURES))
    for release in "12":
        send(
            inbox,
            order_failed(order="harmless", release=release, environment=release, level="odd", fingerprint=[release]),
        )
    page.locator("#issue-2").wait_for()
    known |= {signature.replace(" arrived", " ") for signature in page.evaluate(SIGNATURES)} | {"TR class,id "}
    send(inbox, hostile(whole(), HOSTILE))
    page.locator("#issue-3").wait_for(timeout=10_000)
    assert SHOWN in page.locator("#issue-3").inner_text()
    assert {signature.replace(" arrived", " ") for signature in page.evaluate(SIGNATURES)} <= known


# --- 7: recursion and library runs ---


@pytest.mark.parametrize("sdk", ["vedette", "sentry_sdk"])
def test_a_recursion_of_a_program_takes_at_most_6_rows_and_opens(inbox, visitor, tmp_path, sdk):
    run(sdk, inbox, tmp_path, "recursion")
    page = visitor.open("/issues/1", java_script_enabled=False)
    rows = page.locator(".stack .failure > .rows > li")
    assert rows.count() <= 6
    fold = page.locator(".fold", has=page.get_by_text("59 more times"))
    assert not fold.locator(".frame").first.is_visible()
    fold.locator("summary").first.click()
    assert fold.locator(".frame").count() == 59
    assert all(frame.is_visible() for frame in fold.locator(".frame").all())


@pytest.mark.parametrize("sdk", ["vedette", "sentry_sdk"])
def test_library_frames_of_a_program_fold_and_its_own_never(inbox, visitor, tmp_path, sdk):
    run(sdk, inbox, tmp_path, "in_a_pool")
    page = visitor.open("/issues/1")
    assert page.locator(".stack .fold .many").first.inner_text() == "3 frames in concurrent.futures"
    places = [" ".join(row.inner_text().split()) for row in page.locator(".stack .frame > details > summary").all()]
    own = [place for place in places if "bad_day.py" in place]
    assert len(own) == 3  # main, in_a_pool, price
    for row in page.locator(".stack .frame", has_text="bad_day.py").all():
        assert row.is_visible()


# --- 8: colours that can be read ---

CONTRASTS = """() => {
    const parsed = text => {
        const [r, g, b, alpha = 1] = text.match(/[\\d.]+/g).map(Number);
        return [r, g, b, alpha];
    };
    const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
    const light = rgb => {
        const [r, g, b] = rgb.map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b;
    };
    const ground = element => {
        const layers = [];
        for (let each = element; each; each = each.parentElement)
            layers.unshift(parsed(getComputedStyle(each).backgroundColor));
        return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement, text = walker.currentNode.data.trim();
        if (!text || !element.checkVisibility({visibilityProperty: true})) continue;
        const below = ground(element);
        for (const part of [null, "::before", "::after", "::marker"]) {
            const style = getComputedStyle(element, part);
            const [faint, bright] = [light(over(parsed(style.color), below)), light(below)].sort((a, b) => a - b);
            found.push({text: text.slice(0, 60), part, ratio: (bright + .05) / (faint + .05), opacity: style.opacity});
        }
    }
    return found;
}"""


def test_a_text_that_is_too_faint_would_be_noticed(inbox, visitor):
    page = visitor.open("/", java_script_enabled=False)  # the script would fetch the heading anew
    page.evaluate("document.querySelector('h1').style.color = 'rgb(120, 120, 120)'")  # 4.42 : 1
    assert [entry["text"] for entry in faint(page) if entry["part"] is None] == ["Waiting for the first error"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("switched", [False, True])
def test_every_text_has_a_contrast_of_at_least_4_5(inbox, visitor, scheme, switched):
    """Computed from the styles of each text node and its pseudo-elements; and axe has nothing left undecided."""
    page = visitor.open("/", color_scheme=scheme if not switched else {"light": "dark", "dark": "light"}[scheme])
    if switched:
        page.get_by_role("radio", name=scheme).check()
    assert faint(page) == []
    fill(inbox)
    events = [send(inbox, data) for data in (whole(), group(), recursion(), message())]
    for path in ("/", "/?q=no+such+thing", "/other", "/other?type=refused", "/logs", "/traces", "/delete", *events):
        page.goto(path)
        open_all(page)
        page.get_by_role("searchbox").focus()  # its hint shows
        assert faint(page) == []
        page.get_by_role("searchbox").blur()
        page.keyboard.press("?")
        page.get_by_role("dialog").wait_for()
        assert faint(page) == []
    for path in events:
        page.goto(path)
        open_all(page)
        assert undecided(page) == []


def payload(data: dict[str, object]) -> bytes:
    return json.dumps(data).encode()


def fill(inbox) -> None:
    """Something of each kind, with each level, and one refusal."""
    for level in ("debug", "info", "warning", "error", "fatal"):
        send(inbox, {"message": f"of level {level}", "level": level})
        log = {"level": level, "body": level, "trace_id": "0" * 32, "attributes": {"sku": {"value": "47"}}}
        inbox.send(b"{}\n" + item(payload({"items": [log]}), "log"))
    inbox.send(b"{}\n" + item(payload({"transaction": "/add", "spans": [{"op": "db"}]}), "transaction"))
    inbox.send(b"{}\n" + item(payload({"sid": "1"}), "session"))
    dropped = [{"reason": "ratelimit_backoff", "category": "error", "quantity": 14}]
    inbox.send(b"{}\n" + item(payload({"discarded_events": dropped}), "client_report"))
    inbox.send(b"no envelope at all")


def faint(page) -> list[dict[str, object]]:
    found = page.evaluate(CONTRASTS)
    assert len(found) > 20
    return [entry for entry in found if entry["ratio"] < 4.5 or entry["opacity"] != "1"]


def undecided(page) -> list[str]:
    """Texts of which axe couldn't tell the contrast, but for signs such as the mark: those it never looks at."""
    found = axe.Axe().run(page, options={"runOnly": ["wcag2aa"], "resultTypes": ["incomplete"]})
    return [
        f"{rule['id']}: {node['html'][:120]} {node['any'][0]['message']}"
        for rule in found.response["incomplete"]
        for node in rule["nodes"]
        if "only non-text characters" not in node["any"][0]["message"]
    ]


# --- 9: keys ---


def test_keys_rest_while_typing_on_an_event(inbox, visitor):
    for _ in range(2):
        inbox.send(envelope(order_failed()))
    page = visitor.open("/issues/1", permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('mine')")
    before, url = page.locator("main details[open]").count(), page.url
    page.keyboard.press("/")
    page.keyboard.type("[x]c?jk")
    assert page.get_by_role("searchbox").input_value() == "[x]c?jk"
    assert (page.locator("main details[open]").count(), page.url) == (before, url)
    assert page.evaluate("navigator.clipboard.readText()") == "mine"
    page.get_by_role("searchbox").blur()
    page.keyboard.press("x")
    assert page.locator("main details:not([open])").count() == 0


# --- 10: pages of other sites ---


class Elsewhere(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")

    def log_message(self, *_):
        pass


@pytest.fixture
def evil(chromium):
    """A page of a site that is not the inbox's, in a browser that looks its name up as this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    switches = [*SWITCHES, "--host-resolver-rules=MAP evil.example 127.0.0.1"]
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=switches)
    page = browser.new_page()
    page.goto(f"http://evil.example:{server.server_port}/")
    yield page
    browser.close()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_page_of_another_site_reads_nothing_and_changes_nothing(inbox, evil):
    inbox.send(envelope(order_failed()))
    fetched = """([url, options]) => fetch(url, options).then(
        answer => answer.type === "opaque" ? "opaque" : answer.text(), error => error.name)"""
    for path in ("/", "/api/issues", "/issues/1.md", "/api/stream"):
        assert evil.evaluate(fetched, [inbox.url + path, {}]) == "TypeError"
    key = {"mode": "no-cors", "method": "POST", "body": envelope({"message": "planted"}).decode()}
    evil.evaluate(fetched, [f"{inbox.url}/api/1/envelope/?sentry_key=x", key])
    evil.evaluate(fetched, [f"{inbox.url}/stream", key])
    evil.evaluate(fetched, [f"{inbox.url}/issues/1/delete", {"mode": "no-cors", "method": "POST"}])
    evil.evaluate(fetched, [f"{inbox.url}/api/events", {"method": "DELETE"}])
    reasons = [refusal["reason"] for refusal in inbox.get("/api/items", type="refused")["results"]]
    assert len([reason for reason in reasons if "evil.example" in reason]) == 2  # they came, and were refused
    assert [issue["title"] for issue in inbox.get("/api/issues")["results"]] == [
        "CheckoutError: cannot price order A-17 for ann"
    ]
    evil.evaluate(
        """url => {
            const form = document.createElement("form");
            Object.assign(form, {method: "post", action: url});
            document.body.append(form);
            form.submit();
        }""",
        f"{inbox.url}/delete",
    )
    evil.wait_for_url(f"{inbox.url}/delete")
    assert inbox.get("/api/stats")["events"] == 1


def test_the_inbox_under_another_name_is_refused(inbox, evil):
    """DNS rebinding: the name is the site's own, the address this machine's."""
    inbox.send(envelope(order_failed()))
    answer = evil.goto(inbox.url.replace("127.0.0.1", "evil.example"))
    assert answer.status == 400
    assert "CheckoutError" not in evil.content()


# --- 13: nothing that arrived is invisible ---


def test_a_malformed_envelope_is_seen_with_its_reason(inbox, visitor):
    answer = inbox.send(b"garbage")
    assert answer.status_code == 400
    page = visitor.open("/")
    page.get_by_role("link", name="Other").click()
    row = page.locator("tr", has_text="garbage")
    row.get_by_text(answer.json()["detail"]).first.wait_for()


# --- 14: what was changed after looking at the pages ---

LINES = """cell => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return new Set([...range.getClientRects()].map(box => box.y)).size;
}"""


@pytest.mark.parametrize("width", [400, 1280])
def test_words_of_breadcrumbs_are_not_broken_and_their_text_has_the_room(inbox, visitor, width):
    texts = ["SELECT * FROM baskets WHERE owner = %s " * 9] * 3
    crumbs = [{"category": "auth.session", "level": "warning", "message": text} for text in texts]
    page = visitor.open(send(inbox, {"message": "m", "breadcrumbs": crumbs}), width=width)
    for row in page.locator(".crumbs tr:has(td)").all():
        assert [row.get_by_text(word, exact=True).evaluate(LINES) for word in ("auth.session", "warning")] == [1, 1]
        assert row.locator("td").last.bounding_box()["width"] > width / 2
