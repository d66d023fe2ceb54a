"""``/api/stream`` over HTTP: what a browser, or anything else that reads server-sent events, is told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest

from tests.inboxes import WAIT, RunningInbox, envelope, new_event_id, order_failed

if TYPE_CHECKING:
    from collections.abc import Iterator


class Message(NamedTuple):
    kind: str
    data: dict[str, object]
    id: str


class Stream:
    """The messages of one response. Comments and messages without data are passed over, as a browser does."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()
        self.id = ""

    def next(self) -> Message | None:
        """The next message; None at the end."""
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
                continue
            self.id = fields.get("id", self.id)
            if "data" in fields:
                return Message(fields.get("event", "message"), json.loads(fields["data"]), self.id)
            fields = {}
        return None

    def started(self) -> Stream:
        """After its first lines have come: what is sent from now on is told."""
        next(self._lines)
        return self


@contextmanager
def stream(inbox: RunningInbox, **headers: str) -> Iterator[Stream]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with (
        httpx.Client(base_url=inbox.url, timeout=WAIT, trust_env=False) as client,
        client.stream("GET", "/api/stream", headers=named) as response,
    ):
        yield Stream(response)


@pytest.fixture
def inbox(tmp_path):
    with RunningInbox(tmp_path / "inbox.db") as running:
        yield running


def test_what_happens_is_told_in_order(inbox):
    first, second = new_event_id(), new_event_id()
    with stream(inbox) as told:
        told.started()
        assert told.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        inbox.send(envelope(order_failed(), event_id=first))
        issue = {"issue": 1, "count": 1, "events": 1, "new": True}
        assert told.next() == Message("issue", {**issue, "event_id": first}, "1-0-0-1")
        inbox.send(envelope(order_failed(user="bob"), event_id=second))
        assert told.next() == Message("issue", {**issue, "count": 2, "new": False, "event_id": second}, "2-0-0-2")
        inbox.send(b"garbage")
        assert told.next() == Message("item", {"items": 1}, "2-1-0-3")
        inbox.http.delete("/api/events")
        assert told.next() == Message("cleared", {"reason": "deleted"}, "2-1-1-0")


def test_what_another_process_deletes_is_told_within_two_seconds(inbox, tmp_path):
    inbox.send(envelope(order_failed()))
    with stream(inbox) as told:
        told.started()
        clear = [sys.executable, "-m", "vedette", "inbox", "clear", "--yes", "--db", str(tmp_path / "inbox.db")]
        subprocess.run(clear, check=True, capture_output=True)
        start = time.monotonic()
        message = told.next()
        assert message is not None
        assert message[:2] == ("cleared", {"reason": "deleted"})
        assert time.monotonic() - start < 2


def test_a_reader_goes_on_where_it_was_also_after_a_restart(tmp_path):
    with RunningInbox(tmp_path / "inbox.db") as inbox:
        with stream(inbox) as told:
            told.started()
            inbox.send(envelope(order_failed()))
            message = told.next()
            assert message is not None
        inbox.send(envelope({"message": "while nobody read"}))
        inbox.send(envelope(order_failed()))
    with RunningInbox(tmp_path / "inbox.db") as inbox:
        inbox.send(envelope({"message": "after the restart"}))
        with stream(inbox, Last_Event_ID=message.id) as told:
            issues = [told.next() for _ in range(3)]
    assert [(one.data["issue"], one.data["count"]) for one in issues if one] == [(2, 1), (1, 2), (3, 1)]


def test_a_reader_of_another_database_is_told_to_fetch_anew(inbox):
    with stream(inbox, Last_Event_ID="7-0-0-7") as told:
        assert told.next() == Message("cleared", {"reason": "missed"}, "0-0-0-0")


def test_other_sites_and_other_names_get_nothing(inbox):
    with stream(inbox, Origin="https://evil.example") as told:
        assert "access-control-allow-origin" not in told.response.headers
        assert told.response.headers["cross-origin-resource-policy"] == "same-origin"
    with stream(inbox, Host="evil.example") as told:
        assert told.response.status_code == 400


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_two_seconds_with_nine_streams_open(inbox, signal_number):
    with ExitStack() as stack:
        streams = [stack.enter_context(stream(inbox)).started() for _ in range(9)]
        start = time.monotonic()
        assert inbox.end(signal_number) == (0, "")
        assert time.monotonic() - start < 2
        assert [one.next() for one in streams] == [None] * 9  # ended in order, not torn off


@pytest.mark.long
def test_readers_that_go_make_room(inbox):
    """More than may read at once, one after the other: each is seen to have gone."""
    for _ in range(110):
        with stream(inbox) as told:
            assert told.response.status_code == 200
            told.started()


def test_a_burst_from_several_senders_ends_with_the_right_count(inbox):
    def send() -> None:
        with httpx.Client(base_url=inbox.url, trust_env=False) as client:
            for _ in range(25):
                client.post("/api/1/envelope/?sentry_key=k", content=envelope(order_failed()))

    with stream(inbox) as told:
        told.started()
        senders = [threading.Thread(target=send) for _ in range(4)]
        for sender in senders:
            sender.start()
        counts = [0]
        events = 0
        while counts[-1] < 100:
            message = told.next()
            assert message is not None
            counts.append(int(str(message.data["count"])))
            events += int(str(message.data["events"]))
        for sender in senders:
            sender.join()
    assert counts == sorted(counts)
    assert events == 100
