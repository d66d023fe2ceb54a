"""Attachments over real HTTP: what arrives, what is given up so that the event arrives, and what it costs."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.inboxes import RunningInbox
from tests.programs import run_program
from tests.servers import DiscardingServer, RecordingServer
from tests.waiting import wait_until
from vedette.attachments import Attachment

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024


def dropped() -> dict[str, dict[str, int]]:
    return {category: dict(reasons) for category, reasons in vedette.get_client().stats().dropped.items()}


def left_out(event: dict[str, Any]) -> list[str]:
    found: list[str] = event["contexts"].get("attachments", {}).get("left_out", [])
    return found


def assert_all_accounted_for() -> None:
    stats = vedette.get_client().stats()
    for category, captured in stats.captured.items():
        known = sum(each.get(category, 0) for each in (stats.delivered, stats.refused, stats.waiting))
        assert captured == known + sum(stats.dropped.get(category, {}).values()), category


def reported(server: RecordingServer) -> dict[tuple[str, str], int]:
    """What the server was told of losses."""
    told: dict[tuple[str, str], int] = {}
    for item in server.items("client_report"):
        for record in item.json["discarded_events"]:
            key = (record["reason"], record["category"])
            told[key] = told.get(key, 0) + record["quantity"]
    return told


@pytest.mark.spec("ATT-03", "ATT-12", "ATT-14", "ATT-15", "ENV-38", "ENV-50")
def test_files_and_bytes_arrive_to_the_byte_behind_their_event(tmp_path: Path) -> None:
    content = os.urandom(3 * MIB) + b"\n\n"
    (tmp_path / "large.bin").write_bytes(content)
    with RecordingServer() as server:
        vedette.init(server.dsn())
        vedette.add_attachment(b"\n{}\n\x00", "small.log")
        vedette.add_attachment(path=str(tmp_path / "large.bin"))
        event_id = vedette.capture_message("with files")
        vedette.flush(10)
        (envelope,) = server.envelopes
        assert envelope.headers["event_id"] == event_id
        assert [item.type for item in envelope.items] == ["event", "attachment", "attachment"]
        small, large = envelope.items[1:]
        assert small.headers == {
            "type": "attachment",
            "filename": "small.log",
            "content_type": "text/plain",
            "length": 5,
        }
        assert small.payload == b"\n{}\n\x00"
        assert large.payload == content
        assert_all_accounted_for()


def test_the_inbox_keeps_what_was_attached_to_the_byte(tmp_path: Path) -> None:
    content = os.urandom(2 * MIB)
    (tmp_path / "large.bin").write_bytes(content)
    with RunningInbox(tmp_path / "inbox.db") as inbox:
        vedette.init(inbox.dsn)
        vedette.add_attachment(path=str(tmp_path / "large.bin"))
        event_id = vedette.capture_message("with a file")
        vedette.capture_feedback(
            {"message": "see below", "associated_event_id": event_id},
            hint={"attachments": [Attachment(b"\x89PNG\n", "shot.png")]},
        )
        vedette.flush(10)
        wait_until(lambda: len(inbox.get("/api/items", type="attachment")["results"]) == 3)
        envelope = inbox.http.get(f"/api/events/{event_id}/envelope").content
        assert envelope.endswith(b'"length":%d}\n%b\n' % (len(content), content))
        (feedback,) = inbox.get("/api/items", type="feedback")["results"]
        assert feedback["type"] == "feedback"
        assert vedette.get_client().stats().dropped == {}


@pytest.mark.spec("RATE-02", "CR-23", "ATT-36")
def test_a_limit_on_attachments_does_not_stop_the_event() -> None:
    with RecordingServer() as server:
        server.answer(headers=(("X-Sentry-Rate-Limits", "60:attachment:organization"),))
        vedette.init(server.dsn())
        vedette.add_attachment(b"12345", "a.txt")
        vedette.capture_message("goes with its file")
        vedette.flush(5)
        vedette.capture_message("goes without")
        vedette.flush(5)
        assert [[item.type for item in each.items][:2] for each in server.envelopes] == [
            ["event", "attachment"],
            ["event", "client_report"],
        ]
        assert left_out(server.events[1]) == ["a.txt: the server takes none now"]
        assert reported(server) == {
            ("ratelimit_backoff", "attachment"): 5,
            ("ratelimit_backoff", "attachment_item"): 1,
        }
        assert_all_accounted_for()


def test_a_limit_that_comes_while_an_event_waits_costs_its_attachments_only() -> None:
    gate = threading.Event()
    with RecordingServer() as server:
        server.answer(gate=gate, headers=(("X-Sentry-Rate-Limits", "60:attachment_item:organization"),))
        vedette.init(server.dsn())
        vedette.add_attachment(b"12345", "a.txt")
        vedette.capture_message("the first, which brings the limit")
        server.wait_for(1)
        vedette.capture_message("waits")
        gate.set()
        vedette.flush(5)
        assert [item.type for item in server.envelopes[1].items] == ["event", "client_report"]
        assert dropped()["attachment_item"] == {"ratelimit_backoff": 1}
        assert_all_accounted_for()


@pytest.mark.spec("CR-16", "CR-14", "CR-40")
def test_attachments_that_are_too_large_for_the_server_are_given_up_for_the_event() -> None:
    with RecordingServer() as server:
        server.answer(status=413)
        vedette.init(server.dsn())
        vedette.add_attachment(os.urandom(MIB), "large.bin")
        vedette.capture_message("with a file")
        vedette.flush(10)
        assert [item.type for item in server.envelopes[1].items] == ["event", "client_report"]
        assert left_out(server.events[1]) == ["large.bin: too large for the server (413)"]
        assert vedette.get_client().stats().delivered == {"error": 1}
        assert reported(server) == {("send_error", "attachment"): MIB, ("send_error", "attachment_item"): 1}
        assert_all_accounted_for()


def test_small_attachments_stay_when_the_event_was_what_was_too_large() -> None:
    with RecordingServer() as server:
        server.answer(status=413)
        vedette.init(server.dsn())
        vedette.add_attachment(b"12345", "small.txt")
        vedette.set_extra("large", ["x" * 1000] * 500)
        vedette.capture_message("with a file")
        vedette.flush(10)
        assert [item.type for item in server.envelopes[1].items] == ["event", "attachment"]
        assert dropped() == {}


@pytest.mark.spec("CR-13", "CR-14", "CR-21", "ATT-04")
@pytest.mark.parametrize(("status", "fate"), [(500, "send_error"), (429, None)])
def test_attachments_share_the_fate_of_their_envelope(status: int, fate: str | None) -> None:
    with RecordingServer() as server:
        server.answer(status=status)
        vedette.init(server.dsn())
        vedette.add_attachment(b"x" * 500, "a.txt")
        vedette.capture_message("with a file")
        vedette.flush(5)
        counted = {"error": 1, "attachment": 500, "attachment_item": 1}
        if fate is None:
            assert vedette.get_client().stats().refused == counted
            assert dropped() == {}
        else:
            assert dropped() == {category: {fate: quantity} for category, quantity in counted.items()}
        assert_all_accounted_for()


def test_a_file_that_shrinks_while_it_is_sent_does_not_cost_the_event(tmp_path: Path) -> None:
    path = tmp_path / "shrinks.bin"
    path.write_bytes(os.urandom(MIB) * 30)
    gate = threading.Event()
    with RecordingServer() as server:
        server.answer(read_gate=gate)
        vedette.init(server.dsn(), max_attachment_size=1 << 30)
        vedette.add_attachment(path=str(path))
        vedette.capture_message("with a file")
        wait_until(lambda: server.connections == 1)
        os.truncate(path, MIB)
        gate.set()
        vedette.flush(20)
        (event,) = server.events
        assert left_out(event) == ["shrinks.bin: its file changed while it was sent"]
        assert vedette.get_client().stats().delivered == {"error": 1}
        assert dropped() == {
            "attachment": {"internal_sdk_error": 30 * MIB},
            "attachment_item": {"internal_sdk_error": 1},
        }
        assert_all_accounted_for()


@pytest.mark.spec("FBK-07", "FBK-09")
def test_a_limit_on_feedback_stops_feedback_and_nothing_else() -> None:
    with RecordingServer() as server:
        server.answer(headers=(("X-Sentry-Rate-Limits", "60:feedback:organization"),))
        vedette.init(server.dsn())
        assert vedette.capture_feedback({"message": "first"}) is not None
        vedette.flush(5)
        assert vedette.capture_feedback({"message": "second"}) is None
        vedette.capture_message("an error")
        vedette.flush(5)
        assert [item.json["contexts"]["feedback"]["message"] for item in server.items("feedback")] == ["first"]
        assert len(server.events) == 1
        assert reported(server) == {("ratelimit_backoff", "feedback"): 1}
        assert_all_accounted_for()


MEASURED = """
    import json, sys
    import vedette

    def peak():
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    dsn, path = sys.argv[1:]
    vedette.init(dsn, max_attachment_size=1 << 40, shutdown_timeout=300)
    vedette.add_attachment(b"small", "small.bin")
    vedette.capture_message("all that sending needs is imported")
    vedette.flush(60)
    vedette.get_isolation_scope().clear()
    before = peak()
    vedette.add_attachment(path=path)
    vedette.capture_message("with a huge file")
    vedette.flush(300)
    stats = vedette.get_client().stats()
    print(json.dumps({"kib": peak() - before, "dropped": len(stats.dropped), "events": stats.delivered["error"]}))
"""


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.spec("PAIN-29")
@pytest.mark.parametrize(("mib", "content"), [(200, "random"), (1024, "sparse")])
def test_a_huge_file_costs_five_mib_of_memory_at_most(tmp_path: Path, mib: int, content: str) -> None:
    path = tmp_path / "huge.bin"
    with path.open("wb") as file:
        if content == "sparse":
            file.truncate(mib * MIB)
        else:
            block = os.urandom(MIB)
            for _ in range(mib):
                file.write(block)
    with DiscardingServer() as server:
        ended = run_program(MEASURED, server.dsn(), str(path), timeout=280)
        assert ended.code == 0, ended.stderr
        measured = json.loads(ended.stdout)
        assert measured["events"] == 2
        assert measured["dropped"] == 0
        assert server.sizes[1] > mib * MIB
        assert measured["kib"] <= 5 * 1024
    path.unlink()
