"""The receiver over real HTTP: what it takes, what it refuses, and what becomes of either."""

from __future__ import annotations

import gzip
import html
import json
import socket
import threading
import zlib
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import brotli
import httpx
import pytest
import zstandard

import vedette
from tests.inboxes import AUTH, EVENT_ID, RunningInbox, envelope, item, new_event_id, order_failed
from tests.waiting import wait_until
from vedette._inbox.limits import MIB

ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "identity": bytes,
}


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    with RunningInbox(tmp_path_factory.mktemp("inbox") / "inbox.db") as running:
        yield running


def raw_request(inbox: RunningInbox, *parts: bytes, end: bool = False) -> bytes:
    """Send bytes as they are, and read until the inbox closes or a whole JSON answer is there."""
    address = urlsplit(inbox.url)
    with closing(socket.create_connection((address.hostname, address.port), timeout=5)) as connection:
        for part in parts:
            connection.sendall(part)
        if end:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
            if received.endswith(b"}"):
                break
        return received


def refusals(inbox: RunningInbox) -> list[dict[str, object]]:
    return inbox.get("/api/items", type="refused")["results"]


# --- what it takes ---


@pytest.mark.parametrize("encoding", ENCODERS)
def test_an_envelope_in_any_encoding_is_stored_as_sent(inbox, encoding):
    event_id = new_event_id()
    body = envelope(order_failed(user=encoding), event_id=event_id)
    answer = inbox.send(ENCODERS[encoding](body), Content_Encoding=encoding)
    assert (answer.status_code, answer.json()) == (200, {"id": event_id})
    assert inbox.get(f"/api/events/{event_id}")["user"] == {"id": encoding}
    assert inbox.http.get(f"/api/events/{event_id}/envelope").content == body


@pytest.mark.parametrize("path", ["/api/42/envelope/", "/api/42/envelope", "/api/007/envelope/?sentry_version=7"])
def test_any_project_number_is_taken_with_and_without_the_last_slash(inbox, path):
    assert inbox.send(envelope({"message": "m"}), path).status_code == 200


def test_a_key_may_stand_in_header_query_or_envelope(inbox):
    def post(path: str, headers: dict[str, str], **envelope_headers: str) -> int:
        body = envelope({"message": "m"}, **envelope_headers)
        return httpx.post(inbox.url + path, content=body, headers=headers, trust_env=False).status_code

    assert post("/api/1/envelope/", AUTH) == 200
    assert post("/api/1/envelope/?sentry_key=k", {}) == 200
    assert post("/api/1/envelope/", {}, dsn="http://k@127.0.0.1/1") == 200
    assert post("/api/1/envelope/", {}) == 403


def test_a_sender_that_gets_it_wrong_is_put_up_with_and_told_on_the_event(inbox):
    event_id = new_event_id()
    body = b'{"event_id":"%s"}\r\n{"type":"event"}\r\n{"message":"m","extra":{"x":NaN}}\r\n\r\n' % event_id.encode()
    assert inbox.send(gzip.compress(body)).status_code == 200
    event = inbox.get(f"/api/events/{event_id}")
    assert event["extra"] == {"x": "NaN"}
    assert event["remarks"] == [
        "gzip without a Content-Encoding header",
        "CRLF line ends",
        "blank lines between or after the items",
        "NaN isn't JSON: read as text",
    ]


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


def framed(
    event: bytes, *, header: bytes = b"", between: bytes = b"\n", end: bytes = b"\n", length: bool = True
) -> bytes:
    """An envelope of one event as a sender writes it that knows better."""
    first = header or b'{"event_id":"%s"}' % EVENT_ID.encode()
    second = b'{"type":"event","length":%d}' % len(event) if length else b'{"type":"event"}'
    return first + between + second + between + event + end


PLAIN = json.dumps({"message": "m"}).encode()


@pytest.mark.parametrize(
    ("body", "encoding", "remark"),
    [
        # What Bugsink or Spotlight answer 400, 403, 404, 413 or 500, or drop (docs of the servers' ways: servers.md).
        pytest.param(ENCODERS["zstd"](framed(PLAIN)), "zstd", None, id="zstd"),
        pytest.param(zlib.compress(framed(PLAIN)), "deflate", None, id="deflate"),
        pytest.param(raw_deflate(framed(PLAIN)), "deflate", "deflate without its zlib wrapper", id="raw deflate"),
        pytest.param(brotli.compress(framed(PLAIN)), "br", None, id="br"),
        pytest.param(gzip.compress(framed(PLAIN)), "", "gzip without a Content-Encoding header", id="gzip unnamed"),
        pytest.param(framed(PLAIN), "gzip", "Content-Encoding says gzip, but the body was plain", id="plain, named"),
        pytest.param(framed(PLAIN, end=b"\n\n"), "", "blank lines between or after the items", id="blank last line"),
        pytest.param(framed(PLAIN, end=b""), "", None, id="no last line end"),
        pytest.param(framed(PLAIN, between=b"\r\n", end=b"\r\n"), "", "CRLF line ends", id="CRLF"),
        pytest.param(framed(PLAIN, length=False), "", None, id="no length"),
        pytest.param(
            framed(PLAIN, header=b'{"event_id":"%s","trace":{"x":"%s"}}' % (EVENT_ID.encode(), b"t" * 9_000)),
            "",
            None,
            id="long trace header",
        ),
        pytest.param(
            framed(b'{"event_id":"%s","message":"m"}' % EVENT_ID.encode(), header=b"{}"),
            "",
            "no valid event_id in the envelope header: other servers refuse this",
            id="no event_id in the header",
        ),
        pytest.param(framed(PLAIN[:-1] + b',"extra":{"x":NaN}}'), "", "NaN isn't JSON: read as text", id="NaN"),
        pytest.param(
            framed(PLAIN[:-1] + b',"extra":{"x":"\\ud800"}}'), "", "lone surrogates: written out", id="lone surrogate"
        ),
        pytest.param(
            framed(PLAIN[:-1] + b',"extra":{"x":"\xff"}}'),
            "",
            "invalid UTF-8: the bytes concerned were replaced by U+FFFD",
            id="invalid UTF-8",
        ),
        pytest.param(framed(PLAIN) + item(b"\x00 no JSON", "unheard_of"), "", None, id="unknown item beside it"),
        pytest.param(framed(PLAIN) + item(b"{", "client_report"), "", None, id="broken report beside it"),
    ],
)
def test_what_other_servers_refuse_is_taken_and_remarked(inbox, body, encoding, remark):
    assert inbox.http.delete("/api/events").status_code == 204  # each has the same event id
    answer = inbox.send(body, **({"Content_Encoding": encoding} if encoding else {}))
    assert (answer.status_code, answer.json()) == (200, {"id": EVENT_ID})
    event = inbox.get(f"/api/events/{EVENT_ID}")
    assert event["message"] == "m"
    assert event["remarks"] == ([remark] if remark else [])
    assert inbox.get("/api/issues")["results"][0]["title"] == "m"
    page = inbox.http.get(f"/events/{EVENT_ID}")
    assert page.status_code == 200
    assert remark is None or html.escape(remark, quote=False).split(":")[0].replace("'", "&#39;") in page.text


@pytest.mark.parametrize(
    "refused_by_relay",
    [
        {"level": "warn"},
        {"level": "catastrophe"},
        {"release": "x" * 300},
        {"release": "latest"},
        {"release": "a/b\nc"},
        {"environment": "x/" * 100},
        {"environment": "None"},
        {"dist": "with a space" * 10},
        {"unheard_of": {"x": 1}},
        {"tags": {"key with ünusual signs!": "v", "x" * 300: "y" * 300}},
        {"tags": [["a", "b"], ["c"]]},
        {"user": {"ip_address": "not an address"}},
        {"exception": {"values": [{"type": "E", "value": "v", "stacktrace": {"frames": []}}]}},
        {
            "exception": {
                "values": [{"type": "E", "stacktrace": {"frames": [{"lineno": "7", "in_app": "yes"}]}, "mechanism": {}}]
            }
        },
        {"sdk": {"name": "s"}},
        {"timestamp": 99_999_999_999},
        {"timestamp": "1999-12-31T23:59:59Z"},
        {"breadcrumbs": {"values": [{"level": "warn", "data": "text"}]}},
        {"breadcrumbs": [{"message": "as old SDKs send them"}]},
        {"logentry": {"message": "m %s", "params": ["x"]}, "message": {"formatted": "m"}},
    ],
    ids=lambda event: ascii(event)[:40],
)
def test_what_relay_refuses_or_trims_is_shown_as_sent(inbox, refused_by_relay):
    event_id = new_event_id()
    assert inbox.send(envelope(refused_by_relay, event_id=event_id)).status_code == 200
    event = inbox.get(f"/api/events/{event_id}")
    assert {name: event[name] for name in refused_by_relay} == refused_by_relay
    assert event["remarks"] == []
    assert inbox.http.get(f"/events/{event_id}").status_code == 200
    assert inbox.http.get("/").status_code == 200


def test_two_events_in_one_envelope_are_both_kept_and_remarked(inbox):
    first, second = new_event_id(), new_event_id()
    body = envelope({"message": "a", "event_id": first}, {"message": "b", "event_id": second}, event_id=first)
    assert inbox.send(body).json() == {"id": first}
    remark = "2 events in one envelope: other servers drop them"
    assert [inbox.get(f"/api/events/{one}")["remarks"] for one in (first, second)] == [[remark], [remark]]


def test_the_same_event_again_is_answered_200_and_counted_once(inbox):
    body = envelope({"message": "sent after an answer that got lost"})
    assert inbox.send(body).json() == inbox.send(body).json()
    (issue,) = inbox.get("/api/issues", q="an answer that got lost")["results"]
    assert issue["count"] == 1


def test_the_old_store_endpoint_takes_the_json_of_an_event(inbox):
    event_id = new_event_id()
    body = json.dumps({"event_id": event_id, "message": "old"}).encode()
    for path in ("/api/1/store/", "/api/1/store"):
        assert inbox.send(zlib.compress(body), path, Content_Encoding="deflate").json() == {"id": event_id}
    assert inbox.get(f"/api/events/{event_id}")["message"] == "old"


@pytest.mark.parametrize("kind", ["application/x-sentry-envelope", "text/plain", "text/plain;charset=UTF-8", ""])
@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_the_stream_endpoint_takes_what_spotlight_takes_without_a_key(inbox, kind, encoding):
    event_id = new_event_id()
    headers = {name: value for name, value in (("Content-Type", kind), ("Content-Encoding", encoding)) if value}
    headers["Origin"] = "http://localhost:5173"  # a page under development, whose SDK sends to its side-car
    body = ENCODERS[encoding or "identity"](envelope({"message": "m"}, event_id=event_id))
    answer = httpx.post(f"{inbox.url}/stream", content=body, headers=headers, trust_env=False)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, headers["Origin"])
    event = inbox.get(f"/api/events/{event_id}")
    assert (event["message"], event["remarks"]) == ("m", [])


def test_a_client_without_a_dsn_may_take_the_inbox_for_its_spotlight(inbox):
    with vedette.Client(spotlight=f"{inbox.url}/stream") as client:
        event_id = client.capture_message("a message for Spotlight")
        client.flush(5)
        wait_until(lambda: inbox.http.get(f"/api/events/{event_id}").status_code == 200)
    assert inbox.get(f"/api/events/{event_id}")["logentry"]["formatted"] == "a message for Spotlight"


def test_a_body_in_chunks_is_taken(inbox):
    body = envelope({"message": "m"})
    answer = inbox.http.post("/api/1/envelope/", content=iter([body[:10], body[10:]]), headers=AUTH)
    assert answer.status_code == 200


def test_items_of_all_kinds_are_listed(inbox):
    assert inbox.send(b"{}\n" + item(b'{"status":"ok"}', "check_in") + item(b"?", "unheard_of")).json() == {}
    found = inbox.get("/api/items", limit=2)
    assert [one["type"] for one in found["results"]] == ["unheard_of", "check_in"]
    assert found["results"][1]["excerpt"] == '{"status":"ok"}'


def test_a_page_of_this_machine_may_send_and_read_the_answer(inbox):
    origin = "http://localhost:3000"
    answer = inbox.send(envelope({"message": "m"}), Origin=origin)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
    asked = inbox.http.options("/api/1/envelope/", headers={"Origin": origin})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, origin)
    assert "x-sentry-auth" in asked.headers["access-control-allow-headers"]


def test_four_senders_at_once_lose_nothing(inbox):
    before = inbox.get("/api/stats")["stored"]
    failures: list[int] = []

    def send() -> None:
        with httpx.Client(trust_env=False) as client:
            for _ in range(50):
                answer = client.post(f"{inbox.url}/api/1/envelope/", content=envelope(order_failed()), headers=AUTH)
                if answer.status_code != 200:
                    failures.append(answer.status_code)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert inbox.get("/api/stats")["stored"] == before + 200


def test_hostile_text_in_every_field_comes_back_as_it_was(inbox):
    bad = "<script>alert!(1)</script>\x00\x1b[31m\u202e{{7*7}}</details>\r\n"
    event = order_failed(
        user=bad, order=bad, release=bad, transaction=bad, tags={bad: bad}, fingerprint=[bad, "{{ default }}"]
    )
    event["exception"]["values"][0].update(type=bad, value=bad, module=bad)
    event["exception"]["values"][0]["stacktrace"]["frames"][0].update(filename=bad, function=bad, lineno=bad)
    event_id = new_event_id()
    body = envelope(event, event_id=event_id).replace(b"alert!", b"\\ud800")  # as long
    assert inbox.send(body).status_code == 200
    assert inbox.get(f"/api/events/{event_id}")["release"] == bad.replace("alert!", "\\ud800")
    issue = inbox.get("/api/issues", q="\\ud800")["results"][0]
    assert inbox.get(f"/api/issues/{issue['id']}/events")["results"][0]["event_id"] == event_id


# --- what it refuses ---


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"garbage", "malformed envelope at byte 0: envelope header is no JSON: 'garbage'"),
        (b'{}\n{"type":"event","length":99}\n{}', "malformed envelope at byte 32: payload of item 1 is cut short"),
        (b'{}\n{"type":"event","length":1}\n{}\n', "a newline is due"),
    ],
)
def test_a_malformed_envelope_is_refused_with_its_reason_and_listed(inbox, body, detail):
    answer = inbox.send(body)
    assert answer.status_code == 400
    assert detail in answer.json()["detail"]
    kept = refusals(inbox)[0]
    assert (kept["status"], kept["project"], kept["size"]) == (400, "1", len(body))
    assert kept["excerpt"] == body.decode()
    assert detail in str(kept["reason"])


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (envelope({"message": "x" * MIB}), 413, "the limit is 1048576"),
        (b"{}\n" + item(b"", "x") * 1001, 413, "more than 1000 items"),
        (b"{}\n" + item(b"[" * 201 + b"]" * 201), 400, "more than 200 levels deep"),
    ],
)
def test_what_is_over_a_limit_is_refused(inbox, body, status, detail):
    answer = inbox.send(body)
    assert (answer.status_code, detail in answer.json()["detail"]) == (status, True), answer.text


def test_an_unknown_encoding_and_a_corrupt_body_are_refused(inbox):
    assert inbox.send(b"x", Content_Encoding="snappy").status_code == 415
    answer = inbox.send(gzip.compress(envelope({"message": "m"}))[:30], Content_Encoding="gzip")
    assert answer.json() == {"detail": "the body is no valid gzip", "causes": ["the compressed data is cut short"]}
    assert answer.status_code == 400


def test_a_body_over_64_mib_is_refused_to_a_sender_that_writes_it_all(inbox):
    answer = inbox.send(bytes(64 * MIB + 1))
    assert (answer.status_code, answer.json()["detail"]) == (413, "more than 67108864 bytes as sent")
    assert refusals(inbox)[0]["size"] == 64 * MIB + 1


def test_without_a_key_the_reason_is_given_and_the_body_listed(inbox):
    body = envelope({"message": "keyless"})
    answer = httpx.post(f"{inbox.url}/api/1/envelope/", content=body, trust_env=False)
    assert answer.status_code == 403
    assert answer.json()["detail"] == "no key: send X-Sentry-Auth, ?sentry_key= or the envelope header dsn"
    assert refusals(inbox)[0]["excerpt"] == body.decode()


def test_a_project_is_a_number(inbox):
    answer = inbox.send(envelope({"message": "m"}), "/api/shop/envelope/")
    assert (answer.status_code, answer.json()["detail"]) == (404, "a project is a number, not 'shop'")


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_page_of_another_site_may_not_send(inbox, origin):
    answer = inbox.send(envelope({"message": "m"}), Origin=origin)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert inbox.http.options("/api/1/envelope/", headers={"Origin": origin}).status_code == 403


def test_a_foreign_host_is_refused_on_every_route_and_told_what_to_do(inbox):
    for path in ("/", "/api/issues", "/api/health", "/nowhere"):
        answer = inbox.http.get(path, headers={"Host": "evil.example"})
        assert answer.status_code == 400
    answer = inbox.send(envelope({"message": "m"}), Host="host.docker.internal:8969")
    assert answer.status_code == 400
    assert "--allow-host host.docker.internal" in answer.json()["detail"]
    assert "--allow-host" in str(refusals(inbox)[0]["reason"])


def test_a_connection_that_ends_within_the_body_is_listed(inbox):
    head = b"POST /api/1/envelope/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
    raw_request(inbox, head, b'{"event_id":"', end=True)
    wait_until(lambda: refusals(inbox)[0]["reason"] == "the connection ended within the body")
    assert refusals(inbox)[0]["excerpt"] == '{"event_id":"'


def test_no_request_makes_it_fail(inbox):
    """Whatever the bytes: no answer in the 500s, and the inbox goes on."""
    line = b"POST /api/1/envelope/?sentry_key=x HTTP/1.1\r\n"
    for request in (
        line + b"\r\n",
        line + b"Host: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
        line + b"Host: [::1\r\nContent-Length: 0\r\n\r\n",
        line + b"Host: localhost\r\nOrigin: http://[\r\nContent-Length: 0\r\n\r\n",
        line + b"Host: localhost\r\nContent-Encoding: \xff\r\nContent-Length: 0\r\n\r\n",
        line + b"Host: localhost\r\nX-Sentry-Auth: \xff\xff\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /api/1/envelope/?sentry_key=%ff%00 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
        b"GET /api/issues/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/issues?q=%ff%00&limit=%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/issues?q=%ed%a0%80%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /api/issues/" + b"9" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/items?before=" + b"9" * 18 + b"&type=%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"\x16\x03\x01\x00\xee no HTTP at all\r\n\r\n",
    ):
        answer = raw_request(inbox, request, end=True)
        assert answer == b"" or answer.split()[1][:1] in {b"2", b"4"}, (request[:80], answer)
    assert inbox.get("/api/health")["name"] == "vedette-inbox"


def test_a_key_of_its_own_makes_the_inbox_strict(tmp_path):
    with RunningInbox(tmp_path / "inbox.db", "--key", "mine") as inbox:
        assert "//mine@" in inbox.dsn
        body = envelope({"message": "m"})
        assert inbox.send(body).status_code == 403
        assert inbox.send(body, "/stream").status_code == 403
        assert inbox.send(body, "/api/1/envelope/", X_Sentry_Auth="Sentry sentry_key=mine").status_code == 200
        assert inbox.send(envelope({"message": "m"}, dsn=inbox.dsn), "/stream", X_Sentry_Auth="").status_code == 200


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the memory of the process from /proc")
@pytest.mark.parametrize(
    "encoding", ["gzip", *(pytest.param(encoding, marks=pytest.mark.long) for encoding in ("br", "zstd"))]
)
def test_a_bomb_is_refused_within_bounded_memory(tmp_path, encoding):
    bomb = {
        "gzip": lambda data: gzip.compress(data, 1),
        "br": lambda data: brotli.compress(data, quality=1),
        "zstd": ENCODERS["zstd"],
    }[encoding](bytes(300 * MIB))
    with RunningInbox(tmp_path / "inbox.db") as inbox:
        for _ in range(4):  # nothing of one may stay until the next
            answer = inbox.send(bomb, Content_Encoding=encoding)
            assert answer.status_code == 413
        status = Path(f"/proc/{inbox.process.pid}/status").read_text()
        (peak,) = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
        assert peak < 400 * 1024  # KiB
        assert inbox.send(envelope({"message": "m"}, event_id=EVENT_ID)).json() == {"id": EVENT_ID}
