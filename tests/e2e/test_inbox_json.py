"""The JSON routes: what programs read from the inbox and may delete."""

from __future__ import annotations

import re

import pytest

from tests.inboxes import RunningInbox, envelope, exception, frame, new_event_id, order_failed

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    with RunningInbox(tmp_path_factory.mktemp("inbox") / "inbox.db") as running:
        for user in ("ann", "bob", "cid"):
            running.send(envelope(order_failed(user=user, release="shop@1.4.0")))
        for name in ("refund", "login"):
            values = [exception("ValueError", "x", frame(name))]
            running.send(envelope({"exception": {"values": values}}))
        yield running


def test_an_issue_has_its_documented_fields(inbox):
    issue = inbox.get("/api/issues/1")
    assert issue.pop("key")
    for name in ("first_seen", "last_seen"):
        assert RFC3339.fullmatch(issue.pop(name))
    assert "KeyError through the own functions total → vat" in issue.pop("explanation")
    assert issue == {
        "id": 1,
        "type": "CheckoutError",
        "value": "cannot price order A-17 for cid",
        "title": "CheckoutError: cannot price order A-17 for cid",
        "level": "error",
        "place": "shop/vat.py:7 in vat",
        "code_line": "rate = RATES[country]",
        "root_type": "KeyError",
        "root_value": "'AT'",
        "count": 3,
        "release": "shop@1.4.0",
        "environment": "",
    }


def test_lists_come_a_page_at_a_time_and_end_with_null(inbox):
    first = inbox.get("/api/issues", limit=2)
    assert [issue["id"] for issue in first["results"]] == [3, 2]
    last = inbox.get("/api/issues", limit=2, before=first["next"])
    assert [issue["id"] for issue in last["results"]] == [1]
    assert last["next"] is None


def test_the_search_is_the_stores(inbox):
    assert [issue["id"] for issue in inbox.get("/api/issues", q="release:shop@1.4.0 bob")["results"]] == [1]
    assert inbox.get("/api/issues", q="nothing like it") == {"results": [], "next": None}


def test_the_events_of_an_issue_are_as_received_with_what_the_inbox_knows(inbox):
    events = inbox.get("/api/issues/1/events", limit=2)
    assert [event["number_in_issue"] for event in events["results"]] == [3, 2]
    event = events["results"][0]
    assert inbox.get(f"/api/events/{event['event_id']}") == event
    dashed = re.sub(r"(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", event["event_id"])
    assert inbox.get(f"/api/events/{dashed}") == event
    assert RFC3339.fullmatch(event.pop("received_at"))
    known = {"event_id": event["event_id"], "issue": 1, "number_in_issue": 3, "remarks": []}
    assert event == {**order_failed(user="cid", release="shop@1.4.0"), **known}
    rest = inbox.get("/api/issues/1/events", limit=2, before=events["next"])
    assert [event["number_in_issue"] for event in rest["results"]] == [1]


def test_the_raw_envelope_is_a_download(inbox):
    event_id = inbox.get("/api/issues/1/events")["results"][0]["event_id"]
    answer = inbox.http.get(f"/api/events/{event_id}/envelope")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == f'attachment; filename="{event_id}.envelope"'


def test_stats_count_everything(inbox):
    stats = inbox.get("/api/stats")
    assert (stats["received"], stats["stored"], stats["issues"], stats["events"]) == (5, 5, 3, 5)


@pytest.mark.parametrize(
    "path",
    [
        "/api/issues/99",
        "/api/issues/0",
        "/api/issues/x",
        "/api/issues/99/events",
        f"/api/events/{'0' * 32}",
        "/api/events/short",
        f"/api/events/{'0' * 32}/envelope",
    ],
)
def test_what_is_not_there_is_a_404_in_json(inbox, path):
    answer = inbox.http.get(path)
    assert answer.status_code == 404
    assert "there is no such" in answer.json()["detail"]
    assert answer.json()["causes"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=-1", "before=1.5", "before=", "before=" + "9" * 30])
def test_a_parameter_that_is_none_is_named(inbox, query):
    answer = inbox.http.get(f"/api/issues?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(query.partition("=")[0] + " must be a number of 1 or more")


def test_unknown_routes_and_methods_answer_in_json(inbox):
    assert inbox.http.get("/nowhere").json() == {"detail": "Not Found: GET '/nowhere'", "causes": []}
    answer = inbox.http.post("/api/issues")
    assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, {"GET", "HEAD"})


@pytest.mark.parametrize("path", ["/", "/api/issues", "/api/health", "/nowhere"])
def test_every_answer_keeps_other_pages_out(inbox, path):
    answer = inbox.http.get(path, headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    wanted = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cache-control": "no-store",
    }
    assert {name: answer.headers[name] for name in wanted} == wanted
    assert answer.headers["content-security-policy"].startswith("default-src 'none';")


def test_the_front_says_where_to_send(inbox):
    assert inbox.dsn in inbox.http.get("/").text


def test_deleting_is_for_own_pages_and_programs(tmp_path):
    with RunningInbox(tmp_path / "inbox.db") as inbox:
        event_id = new_event_id()
        inbox.send(envelope(order_failed(), event_id=event_id))
        inbox.send(envelope({"message": "m"}))
        for headers in ({"Origin": "http://localhost:3000"}, {"Sec-Fetch-Site": "cross-site"}):
            for path in ("/api/issues/1", "/api/events"):
                assert inbox.http.delete(path, headers=headers).status_code == 403
        assert inbox.get("/api/stats")["events"] == 2
        assert inbox.http.delete("/api/issues/1", headers={"Origin": inbox.url}).status_code == 204
        assert inbox.http.delete("/api/issues/1").status_code == 404
        assert inbox.http.get(f"/api/events/{event_id}").status_code == 404
        assert inbox.http.delete("/api/events").status_code == 204
        assert inbox.get("/api/issues") == {"results": [], "next": None}
