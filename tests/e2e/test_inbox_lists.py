"""The inbox's pages but the event's, as a browser without JavaScript and a program get them."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.inboxes import AUTH, EVENT_ID, RunningInbox, envelope, exception, frame, item, new_event_id, order_failed
from tests.markup import HOSTILE, Markup
from tests.waiting import wait_until

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = ("/", "/issues", "/?q=x", "/logs", "/traces", "/other", "/other?type=refused", "/delete")


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with RunningInbox(tmp_path_factory.mktemp("inbox") / "inbox.db") as inbox:
        yield inbox


@pytest.fixture
def inbox(running):
    """An empty one; its numbers go on from the tests before."""
    assert running.http.delete("/api/events").status_code == 204
    return running


def opened(inbox: RunningInbox, path: str, status: int = 200) -> Markup:
    answer = inbox.http.get(path, headers=BROWSER)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Markup(answer.text)
    assert page.faults == []
    assert [tag for tag, _ in page.elements].count("h1") == 1
    return page


def failing_in(function: str, **more: object) -> bytes:
    return envelope({"exception": {"values": [exception("ValueError", f"in {function}", frame(function))]}, **more})


def send_items(inbox: RunningInbox, kind: str, *payloads: object, **headers: object) -> None:
    for payload in payloads:
        inbox.send(b"{}\n" + item(json.dumps(payload).encode(), kind, **headers))


# --- the list ---


def test_a_row_says_what_failed_why_where_how_often_and_when(inbox):
    for order in ("A-17", "A-18"):
        inbox.send(envelope(order_failed(order=order)))
    page = opened(inbox, "/")
    today = time.strftime("%H:")
    assert re.search(
        r"error CheckoutError: cannot price order A-18 for ann ← KeyError: 'AT' shop/vat\.py:7 in vat "
        rf"rate = RATES\[country\] ×2 ({today}\d\d:\d\d|\d\d:00:\d\d)",  # noqa: RUF001 - the sign on the page
        page.text,
    )
    assert re.search(r"/issues/\d+( |$)", " ".join(page.links))


def test_release_and_environment_are_shown_only_if_they_tell_issues_apart(inbox):
    inbox.send(failing_in("one", release="shop@1", environment="dev"))
    inbox.send(failing_in("two", release="shop@2", environment="dev"))
    text = opened(inbox, "/").text
    assert "shop@1" in text
    assert "shop@2" in text
    assert " dev " not in text.partition("Last seen")[2]


def test_the_newest_activity_comes_first_and_pages_follow_by_links(inbox):
    for number in range(120):
        inbox.send(failing_in(f"f{number}"))
    inbox.send(failing_in("f0"))
    seen: list[str] = []
    path = "/"
    for _ in range(3):
        page = opened(inbox, path)
        seen += re.findall(r"ValueError: in (f\d+) ", page.text)
        path = next((link for link in page.links if "before=" in link), "")
    assert seen == ["f0", *(f"f{number}" for number in range(119, 0, -1))]
    assert path == ""
    assert "/" in page.links


def test_the_state_of_a_search_is_in_its_address(inbox):
    for number in range(60):
        inbox.send(failing_in(f"f{number}", environment="dev", tags={"tenant": "acme & <co>"}))
    inbox.send(failing_in("other", environment="live"))
    first = opened(inbox, '/?q=env:dev tag.tenant:"acme %26 <co>" valueerror')
    assert "other" not in first.text
    [older] = [link for link in first.links if "before=" in link]
    second = opened(inbox, older)
    assert len(re.findall(r"ValueError: in f\d+ ", second.text)) == 10
    [newest] = {link for link in second.links if "q=" in link}
    assert opened(inbox, newest).text == first.text


def test_a_search_without_a_hit_says_so_and_offers_to_reset(inbox):
    inbox.send(failing_in("one"))
    page = opened(inbox, "/?q=nothing like it")
    assert "No issue matches" in page.text
    assert "Reset the search" in page.text


@pytest.mark.parametrize("q", [HOSTILE, "%00", "a" * 100_000, "level:", 'tag.:"', "\ud800", "'; DROP TABLE issues --"])
def test_any_search_is_answered(inbox, q):
    inbox.send(failing_in("one"))
    answer = inbox.http.get("/", params={"q": q.encode("utf-8", "replace")[:50_000]}, headers=BROWSER)
    assert answer.status_code == 200
    assert Markup(answer.text).faults == []


def test_the_list_is_also_json_and_text(inbox):
    for number in range(3):
        inbox.send(failing_in(f"f{number}"))
    first = inbox.get("/issues.json", limit=2)
    assert [issue["value"] for issue in first["results"]] == ["in f2", "in f1"]
    last = inbox.get("/issues.json", limit=2, before=first["next"])
    assert [issue["value"] for issue in last["results"]] == ["in f0"]
    assert last["next"] is None
    text = inbox.http.get("/issues.txt", params={"q": "in f1"})
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert re.fullmatch(r"\d+\t1\t[0-9TZ:.-]+\terror\tValueError: in f1\tshop/f1\.py:7 in f1\n", text.text)


def test_a_full_page_without_a_following_one_has_no_link_to_it(inbox):
    for number in range(50):
        inbox.send(failing_in(f"f{number}"))
    assert not [link for link in opened(inbox, "/").links if "before=" in link]


# --- nothing there ---


def test_the_empty_page_says_what_listens_and_what_to_paste(inbox):
    text = opened(inbox, "/").text
    assert inbox.url in text
    assert f"python -c \"import vedette; vedette.init('{inbox.dsn}'); a, b = 1, 0; a / b\"" in text
    assert "inbox.db" in text


def test_the_empty_page_says_that_something_was_refused(inbox):
    inbox.send(b"nonsense")
    assert "1 request was refused" in opened(inbox, "/").text


# --- notices ---


def test_what_retention_took_and_clients_dropped_is_said_above_every_page(tmp_path):
    report = {"discarded_events": [{"reason": "queue_overflow", "category": "error", "quantity": 2000}]}
    with RunningInbox(tmp_path / "inbox.db", "--keep", "10") as inbox:
        send_items(inbox, "client_report", report)
        for _ in range(13):
            inbox.send(envelope(order_failed()))
        wait_until(lambda: inbox.get("/api/stats")["removed_events"] == 3)
        for path in ("/", "/other", "/?q=nothing"):
            text = opened(inbox, path).text
            assert "a client dropped 2 000 errors: queue_overflow" in text
            assert "3 events were removed" in text


# --- other ---


def test_what_is_no_error_is_shown_with_its_kind_size_and_content(inbox):
    send_items(inbox, "session", {"sid": "abc"})
    send_items(inbox, "brand_new", {"hello": "world"}, made_up="header")
    page = opened(inbox, "/other")
    assert re.search(r'brand_new \{"hello": "world"\} .*made_up header .* 18 B', page.text)
    assert re.search(r'session \{"sid": "abc"\}', page.text)


def test_kinds_narrow_the_page(inbox):
    send_items(inbox, "session", {"sid": "abc"})
    send_items(inbox, "brand_new", {"hello": "world"})
    inbox.send(b"nonsense")
    everything = opened(inbox, "/other")
    for kind, text, missing in (
        ("session", "abc", "hello"),
        ("unrecognized", "hello", "abc"),
        ("refused", "nonsense", "abc"),
    ):
        assert f"/other?type={kind}" in everything.links
        page = opened(inbox, f"/other?type={kind}").text
        assert text in page
        assert missing not in page
    assert opened(inbox, "/other?type=made-up", 404)


@pytest.mark.parametrize("kind", ["session", "refused"])
def test_many_are_paged(inbox, kind):
    for number in range(70):
        if kind == "refused":
            inbox.send(f"nonsense <{number}>".encode())
        else:
            send_items(inbox, kind, {"sid": f"<{number}>"})
    first = opened(inbox, f"/other?type={kind}")
    [older] = [link for link in first.links if "before=" in link]
    second = opened(inbox, older)
    shown = re.findall(r"<(\d+)>", first.text) + re.findall(r"<(\d+)>", second.text)
    assert sorted({int(number) for number in shown}) == list(range(70))
    assert not [link for link in second.links if "before=" in link]


def test_a_refused_envelope_is_listed_with_status_reason_and_beginning(inbox):
    answer = inbox.send(b'{"event_id": "x"}\n{"type": "event", "length": 4000}\n{"message": "cut')
    assert answer.status_code == 400
    text = opened(inbox, "/other").text
    assert "400 " + answer.json()["detail"] in text
    assert '{"message": "cut' in text


def test_an_attachment_is_downloaded_and_nothing_else(inbox):
    page = b"<script>alert(1)</script>"
    event = item(json.dumps(order_failed()).encode())
    attached = item(page, "attachment", filename='../..\\CON "x"\r\n.html', content_type="text/html")
    inbox.send(json.dumps({"event_id": EVENT_ID}).encode() + b"\n" + event + attached)
    other = opened(inbox, "/other")
    assert re.search(r"project 1 #\d+ 25 B", other.text)
    assert f"/events/{EVENT_ID}" in other.links
    [download] = [link for link in other.links if link.endswith("/payload")]
    answer = inbox.http.get(download)
    assert answer.content == page
    assert answer.headers["content-type"] == "application/octet-stream"
    number = download.split("/")[3]
    assert answer.headers["content-disposition"] == f'attachment; filename="{number}-.._.._CON__x___.html"'
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("row", ["0", "999999", "x", "-1", "9" * 30])
def test_a_payload_that_is_not_there_is_404(inbox, row):
    send_items(inbox, "session", {})
    assert inbox.http.get(f"/api/items/{row}/payload").status_code == 404


# --- logs and traces ---


def test_logs_are_lines_with_time_level_text_and_attributes(inbox):
    records = [
        {"timestamp": time.time(), "level": "warn", "body": "stock low", "attributes": {"sku": {"value": "4711"}}},
        {"timestamp": time.time() - 1, "level": "error", "body": "no answer"},
    ]
    send_items(inbox, "log", {"items": records}, item_count=2)
    page = opened(inbox, "/logs")
    assert re.search(
        r"\d\d:\d\d:\d\d\.\d{3} warning stock low sku 4711 \d\d:\d\d:\d\d\.\d{3} error no answer", page.text
    )
    assert "Logs 2" in page.text
    assert "Other" not in page.text
    assert "stock low" not in opened(inbox, "/other").text


def test_traces_have_name_operation_spans_and_duration(inbox):
    trace = {"op": "http.server", "status": "ok"}
    sent = {"transaction": "GET /x", "start_timestamp": 1.0, "timestamp": 1.5, "contexts": {"trace": trace}}
    send_items(inbox, "transaction", {**sent, "spans": [{}, {}]})
    text = opened(inbox, "/traces").text
    assert "http.server GET /x status ok" in text
    assert "2 spans 500.0 ms" in text


def test_logs_are_paged_by_what_they_hold(inbox):
    for batch in range(4):
        records = [{"timestamp": batch + 1.0, "body": f"<{batch}.{number}>"} for number in range(90)]
        send_items(inbox, "log", {"items": records})
    first = opened(inbox, "/logs")
    [older] = [link for link in first.links if "before=" in link]
    second = opened(inbox, older)
    seen = [re.findall(r"<(\d)\.\d+>", page.text) for page in (first, second)]
    assert [sorted(set(batches)) for batches in seen] == [["2", "3"], ["0", "1"]]
    assert sum(map(len, seen)) == 360


@pytest.mark.parametrize(("kind", "path"), [("log", "/logs"), ("span", "/traces")])
def test_what_cannot_be_read_says_why_and_can_be_downloaded(inbox, kind, path):
    inbox.send(b"{}\n" + item(b"[1, 2]", kind))
    page = opened(inbox, path)
    assert "its payload is no JSON object" in page.text
    assert [link for link in page.links if link.endswith("/payload")]


# --- deletion ---


def test_everything_is_deleted_by_a_form_that_asks(inbox):
    inbox.send(envelope(order_failed()))
    send_items(inbox, "session", {})
    page = opened(inbox, "/delete")
    assert "1 issue with 1 event, 1 other item, 0 refused envelopes" in page.text
    assert ("form", ("action", "class", "method")) in page.elements
    answer = inbox.http.post("/delete", headers={**BROWSER, "Sec-Fetch-Site": "same-origin", "Origin": "null"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Waiting for the first error" in opened(inbox, "/").text
    assert inbox.get("/api/stats")["items"] == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_another_sites_page_deletes_nothing(inbox, headers):
    inbox.send(envelope(order_failed()))
    assert inbox.http.post("/delete", headers=headers).status_code == 403
    assert inbox.get("/api/stats")["events"] == 1


def test_opening_the_page_that_asks_deletes_nothing(inbox):
    inbox.send(envelope(order_failed()))
    opened(inbox, "/delete")
    assert inbox.get("/api/stats")["events"] == 1


# --- errors ---


def test_a_person_gets_a_page_and_a_program_json(inbox):
    page = opened(inbox, "/nowhere", 404)
    assert "There is nothing at /nowhere" in page.text
    assert inbox.http.get("/nowhere").json() == {"detail": "Not Found: GET '/nowhere'", "causes": []}
    assert inbox.http.get("/api/nowhere", headers=BROWSER).json()["detail"] == "Not Found: GET '/api/nowhere'"


def test_a_bad_cursor_is_said(inbox):
    assert "before must be a number" in opened(inbox, "/?before=x", 400).text
    assert inbox.http.get("/?before=x").status_code == 400


def test_who_may_not_read_gets_a_page_with_nothing_of_the_inbox_on_it(tmp_path):
    with RunningInbox(tmp_path / "inbox.db", "--host", "0.0.0.0", "--key", "the-secret-key") as inbox:
        inbox.http.post("/api/1/envelope/", content=envelope(order_failed()), params={"sentry_key": "the-secret-key"})
        for path in (*PAGES, "/issues.json", "/issues.txt", "/api/items/1/payload"):
            answer = inbox.http.get(path, headers=BROWSER)
            assert answer.status_code == 401, path
            assert "the-secret-key" not in answer.text
            assert "CheckoutError" not in answer.text
        page = opened(inbox, "/", 401)
        assert ("input", ("autocomplete", "name", "required", "spellcheck", "type")) in page.elements
        for link in page.links:
            if link.startswith("/static/"):
                assert inbox.http.get(link).status_code == 200
        assert inbox.http.post("/delete").status_code == 401


# --- safety ---


@pytest.mark.parametrize("path", [*PAGES, "/nowhere", "/api/items/1/payload", "/issues.txt", "/issues.json"])
def test_every_answer_has_the_headers_that_keep_it_apart(inbox, path):
    send_items(inbox, "session", {})
    headers = inbox.http.get(path, headers=BROWSER).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", [*PAGES, "/issues.json", "/api/items/1/payload"])
def test_a_name_that_is_not_ours_gets_nothing(inbox, path):
    inbox.send(envelope(order_failed()))
    answer = inbox.http.get(path, headers={**BROWSER, "Host": "evil.example"})
    assert answer.status_code == 400
    assert "CheckoutError" not in answer.text
    assert inbox.dsn not in answer.text


def hostile_body(text: str) -> bytes:
    """An error, an item of each place and a client report, with this text wherever there may be text."""
    dressed = {"filename": text, "content_type": text, text: text}
    event = order_failed(user=text, order=text, release=text, environment=text, level=text, logger=text)
    event["exception"]["values"][0]["stacktrace"]["frames"][0].update(filename=text, function=text, context_line=text)
    event["exception"]["values"][0]["type"] = event["exception"]["values"][1]["type"] = text
    log = {"items": [{"body": text, "level": text, "trace_id": text, "attributes": {text: {"value": text}}}]}
    trace = {"op": text, "status": text, "trace_id": text}
    report = {"discarded_events": [{"reason": text, "category": text, "quantity": 1}]}
    payloads = {
        "event": event,
        "attachment": text,
        "session": {text: text},
        "log": log,
        "transaction": {"transaction": text, "contexts": {"trace": trace}},
        "client_report": report,
        "made_up": text,
        text: text,
    }
    items = [item(json.dumps(payload).encode(), kind, **dressed) for kind, payload in payloads.items()]
    return json.dumps({"event_id": new_event_id(), "sent_at": text}).encode() + b"\n" + b"".join(items)


def test_hostile_text_becomes_no_element_and_stays_readable(tmp_path):
    shapes: list[list[tuple[str, tuple[str, ...]]]] = []
    for name, text in (("plain", "x\ud800"), ("hostile", HOSTILE)):
        with RunningInbox(tmp_path / f"{name}.db") as inbox:
            assert inbox.send(hostile_body(text)).status_code == 200
            inbox.http.post("/api/1/envelope/", content=text.encode("utf-8", "replace"), headers=AUTH)
            found = [opened(inbox, path) for path in ("/", "/logs", "/traces", "/other", "/other?type=attachment")]
            shapes.append([element for page in found for element in page.elements])
            for page in found:
                assert all(link.startswith(("/", "#main")) for link in page.links)
    assert shapes[0] == shapes[1]
    for page in found:
        assert "</details></pre></td><script>alert(1)</script>" in page.text
        assert "{{7*7}} {% raw %}" in page.text
        assert not re.search("[\x00\x1b\u202e\u202c]", page.text)
        assert "\\u202eevil" in page.text
