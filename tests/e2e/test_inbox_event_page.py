"""The page of an event over HTTP: its forms, its deletion, and what it says when there is nothing to show."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.inboxes import RunningInbox, envelope, item, new_event_id, order_failed
from tests.unit._inbox.event.events import chained

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    options = ("--editor", "zed", "--path-map", "/srv/app=/home/me/shop")
    with RunningInbox(tmp_path_factory.mktemp("inbox") / "inbox.db", *options) as running:
        yield running


@pytest.fixture
def event_id(inbox):
    event_id = new_event_id()
    inbox.send(envelope(chained(event_id=event_id), event_id=event_id))
    return event_id


def issue_of(inbox, event_id):
    return inbox.get(f"/api/events/{event_id}")["issue"]


def test_an_issue_is_its_newest_event_and_an_event_stays_itself(inbox):
    first, second = new_event_id(), new_event_id()
    for order, event_id in (("A-1", first), ("A-2", second)):
        inbox.send(envelope(order_failed(order=order), event_id=event_id))
    number = issue_of(inbox, first)
    assert "cannot price order A-2 for ann" in inbox.http.get(f"/issues/{number}").text
    pinned = inbox.http.get(f"/events/{first}")
    assert pinned.headers["content-type"] == "text/html; charset=utf-8"
    assert "cannot price order A-1 for ann" in pinned.text
    assert f'href="/events/{second}">newer' in pinned.text


def test_an_event_is_also_markdown_text_and_json(inbox, event_id):
    for place in (f"/events/{event_id}", f"/issues/{issue_of(inbox, event_id)}"):
        markdown, text, data = (inbox.http.get(place + form) for form in (".md", ".txt", ".json"))
        assert markdown.headers["content-type"] == "text/markdown; charset=utf-8"
        assert markdown.text.startswith("# CheckoutError: cannot price order A-17 for ann\n")
        assert text.headers["content-type"] == "text/plain; charset=utf-8"
        assert "❱ shop/pricing.py:7 vat" in text.text
        assert "attempts" in text.text  # all variables
        assert text.text.rstrip().endswith(f"{inbox.url}/events/{event_id}")
        assert data.json() == inbox.get(f"/api/events/{event_id}")


def test_an_event_id_is_taken_with_dashes_and_in_capitals(inbox, event_id):
    parts = (event_id[:8], event_id[8:12], event_id[12:16], event_id[16:20], event_id[20:])
    assert inbox.http.get("/events/" + "-".join(parts).upper()).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/events/" + "0" * 32,
        "/events/x",
        "/events/.md",
        "/issues/99999",
        "/issues/0",
        "/issues/x.json",
        "/issues/" + "9" * 40,
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(inbox, path):
    answer = inbox.http.get(path, headers=HTML)
    assert answer.status_code == 404
    assert "there is no such" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_the_raw_envelope_is_a_link_away(inbox, event_id):
    path = f"/api/events/{event_id}/envelope"
    assert f'href="{path}"' in inbox.http.get(f"/events/{event_id}").text
    assert event_id.encode() in inbox.http.get(path).content


def test_places_are_links_into_the_chosen_editor_with_paths_mapped(inbox, event_id):
    page = inbox.http.get(f"/events/{event_id}").text
    assert 'href="zed://file/home/me/shop/shop/pricing.py:7"' in page


def test_attachments_are_downloads_also_those_that_came_later(inbox):
    event_id = new_event_id()
    sent = json.dumps({"event_id": event_id}).encode() + b"\n"
    inbox.send(sent + item(json.dumps(order_failed()).encode()) + item(b"<script>", "attachment", filename="a<b>.html"))
    inbox.send(sent + item(b"more", "attachment", filename="later.txt", content_type="text/plain"))
    page = inbox.http.get(f"/events/{event_id}").text
    assert "a&lt;b&gt;.html</a> 8 B" in page
    assert "later.txt</a> text/plain · 4 B" in page
    path = page.partition('<li><a href="')[2].partition('"')[0]
    answer = inbox.http.get(path)
    assert answer.content == b"<script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_an_issue_is_deleted_by_a_form_of_our_own_page_only(inbox, event_id):
    number = issue_of(inbox, event_id)
    path = f"/issues/{number}/delete"
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert inbox.http.post(path, headers=headers).status_code == 403
    assert inbox.http.get(path).status_code == 405
    assert inbox.http.get(f"/issues/{number}").status_code == 200
    answer = inbox.http.post(path, headers={"Origin": inbox.url, "Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert inbox.http.get(f"/issues/{number}").status_code == 404
    assert inbox.http.post(path).headers["location"] == "/"  # from another tab: what was asked for is so


@pytest.mark.parametrize(
    "payload",
    [
        b"no json",
        b"[1]",
        b"{}",
        b'{"exception": {"values": [null, 3, {"stacktrace": {"frames": [7]}}]}}',
        b'{"a":NaN}',
        b'"\xff"',
    ],
)
def test_a_broken_event_gets_a_page_that_says_what_is_wrong(inbox, payload):
    event_id = new_event_id()
    inbox.send(json.dumps({"event_id": event_id}).encode() + b"\n" + item(payload))
    answer = inbox.http.get(f"/events/{event_id}")
    assert answer.status_code == 200
    assert "<h1" in answer.text
    if payload != b"{}":
        assert "<h2>Remarks</h2>" in answer.text


def test_pages_have_the_headers_that_keep_them_apart(inbox, event_id):
    for form in ("", ".md", ".txt", ".json"):
        headers = inbox.http.get(f"/events/{event_id}{form}").headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--editor", "emacs"], "should be vscode, pycharm, zed, sublime, none or like"),
        (["--editor", "javascript://{path}"], "should be vscode"),
        (["--path-map", "/app"], "should be like /app=."),
    ],
)
def test_a_wrong_editor_or_path_map_is_refused_at_the_start(tmp_path, options, said):
    command = [sys.executable, "-m", "vedette", "inbox", "--db", str(tmp_path / "x.db"), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert said in " ".join(ended.stderr.split())
