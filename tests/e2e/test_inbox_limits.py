"""What a sender may cost the inbox at most: memory, disk, time, connections."""

from __future__ import annotations

import gzip
import os
import re
import signal
import socket
import sqlite3
import sys
import threading
import time
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.inboxes import EVENT_ID, RunningInbox, envelope, item, new_event_id, order_failed
from tests.waiting import wait_until
from vedette._inbox.limits import MIB

if sys.platform == "linux":
    import resource

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the memory from /proc")


@pytest.fixture
def inbox(tmp_path) -> Iterator[RunningInbox]:
    with RunningInbox(tmp_path / "inbox.db") as running:
        running.http.timeout = 50
        yield running


def memory_mib(inbox: RunningInbox, kind: str = "VmHWM") -> int:
    """The peak of the inbox's memory, or what it has now (``VmRSS``)."""
    status = Path(f"/proc/{inbox.process.pid}/status").read_text()
    (kib,) = [int(line.split()[1]) for line in status.splitlines() if line.startswith(kind)]
    return kib // 1024


def disk_mib(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir()) // MIB


def connected(inbox: RunningInbox) -> socket.socket:
    address = httpx.URL(inbox.url)
    return socket.create_connection((address.host, address.port), timeout=50)


# --- memory and disk ---


@needs_proc
@pytest.mark.long
def test_an_attachment_of_190_mib_costs_one_copy_of_it_in_memory_and_on_disk(tmp_path, inbox):
    attachment = os.urandom(8192) * (190 * MIB // 8192)
    body = envelope(order_failed(), event_id=EVENT_ID) + item(attachment, "attachment", filename="core")
    assert inbox.send(gzip.compress(body, 1), Content_Encoding="gzip").status_code == 200
    assert memory_mib(inbox) < 300
    wait_until(lambda: disk_mib(tmp_path) < 200, timeout=20)
    for _ in range(3):  # a look at the event does not read what stands beside it
        assert inbox.get(f"/api/events/{EVENT_ID}")["user"] == {"id": "ann"}
        inbox.get("/api/items")
    with inbox.http.stream("GET", f"/api/events/{EVENT_ID}/envelope") as answer:
        position = 0
        for chunk in answer.iter_bytes():
            assert chunk == body[position : position + len(chunk)]
            position += len(chunk)
    assert position == len(body)
    assert memory_mib(inbox) < 300
    assert memory_mib(inbox, "VmRSS") < 100


@needs_proc
@pytest.mark.long
def test_many_large_bodies_at_once_wait_for_each_other(tmp_path, inbox):
    """Eight of 60 MiB: four fit into what may be in flight, and nothing of them stays."""
    answers: list[int] = []

    def send() -> None:
        body = envelope(order_failed(), event_id=new_event_id()) + item(bytes(60 * MIB), "attachment")
        with httpx.Client(base_url=inbox.url, timeout=50, trust_env=False) as client:
            answers.append(client.post("/api/1/envelope/?sentry_key=k", content=body).status_code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8
    assert memory_mib(inbox) < 400
    wait_until(lambda: memory_mib(inbox, "VmRSS") < 100, timeout=20)
    wait_until(lambda: disk_mib(tmp_path) < 520, timeout=20)  # --keep-bytes: 512 MiB


def test_events_that_swell_when_decoded_are_refused_together(inbox):
    """A mebibyte of empty arrays takes 20 as Python's: an envelope may bring four such events, not two hundred."""
    swelling = {"extra": {"x": [[]] * 250_000}}
    assert inbox.send(envelope(*[swelling] * 4)).status_code == 200
    answer = inbox.send(envelope(*[swelling] * 5))
    assert (answer.status_code, "together: the limit is 4194304" in answer.json()["detail"]) == (413, True)


# --- what is kept ---


@pytest.mark.long
@pytest.mark.timeout(240)
def test_of_twelve_thousand_events_ten_thousand_are_kept_and_the_page_says_so(tmp_path):
    with RunningInbox(tmp_path / "inbox.db", "--keep", "10000") as inbox:
        assert send_many(inbox, 12_000) == {200}
        wait_until(lambda: inbox.get("/api/stats")["removed_events"] == 2_000, timeout=20)
        stats = inbox.get("/api/stats")
        assert (stats["stored"], stats["events"]) == (12_000, 10_000)
        assert [issue["count"] for issue in inbox.get("/api/issues")["results"]] == [12_000]
        numbers = [event["number_in_issue"] for event in inbox.get("/api/issues/1/events", limit=200)["results"]]
        assert numbers == list(range(12_000, 11_800, -1))
        oldest = inbox.get("/api/issues/1/events", before=2_010)["results"]
        assert [event["number_in_issue"] for event in oldest][-2:] == [2_002, 1]  # the first one goes last
        assert re.search(r"2.?000 events were removed", inbox.http.get("/").text)
        if Path("/proc/self/status").exists():
            assert memory_mib(inbox) < 100


@pytest.mark.long
def test_the_file_does_not_grow_once_the_limit_is_reached(tmp_path):
    """Events push out older ones, and their pages are used again: after three times the limit as after once."""
    padding = {"extra": {"text": "x" * 20_000}}
    with RunningInbox(tmp_path / "inbox.db", "--keep", "300") as inbox:
        send_many(inbox, 330, **padding)
        wait_until(lambda: inbox.get("/api/stats")["removed_events"] == 30)
        before = (tmp_path / "inbox.db").stat().st_size
        assert before > 20_000 * 200
        send_many(inbox, 900, **padding)
        wait_until(lambda: inbox.get("/api/stats")["removed_events"] == 930)
        assert (tmp_path / "inbox.db").stat().st_size < before * 1.3
        assert (tmp_path / "inbox.db-wal").stat().st_size <= 16 * MIB


def send_many(inbox: RunningInbox, number: int, **more: object) -> set[int]:
    """The statuses that were answered to that many events, from four connections."""
    statuses: set[int] = set()

    def send(count: int) -> None:
        connection = HTTPConnection(httpx.URL(inbox.url).netloc.decode(), timeout=50)
        for _ in range(count):
            body = envelope(order_failed(**more), event_id=new_event_id())
            connection.request("POST", "/api/1/envelope/?sentry_key=k", body)
            answer = connection.getresponse()
            answer.read()
            statuses.add(answer.status)
        connection.close()

    threads = [threading.Thread(target=send, args=(number // 4 + (part < number % 4),)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


# --- when it cannot be kept ---


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of another process's files is set by prlimit")
def test_a_full_disk_is_said_to_each_sender_and_nothing_that_was_answered_200_is_lost(tmp_path, inbox):
    kept, refused = _sent_until_refused(inbox, tmp_path)
    assert kept
    assert inbox.get("/api/stats")["events"] == len(kept)  # it can still be read
    resource.prlimit(inbox.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    event_id = new_event_id()
    assert inbox.send(envelope(order_failed(), event_id=event_id)).status_code == 200
    inbox.end(signal.SIGKILL)
    with RunningInbox(tmp_path / "inbox.db") as again:
        assert all(again.http.get(f"/api/events/{one}").status_code == 200 for one in [*kept, event_id])
        assert all(again.http.get(f"/api/events/{one}").status_code == 404 for one in refused)


def _sent_until_refused(inbox: RunningInbox, folder: Path) -> tuple[list[str], list[str]]:
    """The ids of what was taken and of what was not, when there was room for some more only."""
    room = max(file.stat().st_size for file in folder.iterdir()) + 300_000
    resource.prlimit(inbox.process.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    kept: list[str] = []
    refused: list[str] = []
    while len(refused) < 5:
        assert len(kept) < 1_000
        event_id = new_event_id()
        answer = inbox.send(envelope(order_failed(extra={"text": "x" * 20_000}), event_id=event_id))
        assert answer.status_code in {200, 503}, answer.text
        (kept if answer.status_code == 200 else refused).append(event_id)
        if answer.status_code == 503:
            assert answer.json()["detail"] == "the inbox could not store this"
            assert re.search(r"disk|full", answer.json()["causes"][0])
            assert answer.headers["retry-after"] == "1"
    return kept, refused


@pytest.mark.long
def test_a_database_that_another_program_locks_is_said_to_the_sender_and_can_be_read(tmp_path, inbox):
    assert inbox.send(envelope(order_failed(), event_id=EVENT_ID)).status_code == 200
    with closing(sqlite3.connect(tmp_path / "inbox.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = inbox.send(envelope(order_failed(), event_id=new_event_id()))
        assert (answer.status_code, "locked" in answer.json()["causes"][0]) == (503, True)
        assert inbox.get(f"/api/events/{EVENT_ID}")
        assert inbox.http.get("/issues/1").status_code == 200
        other.execute("ROLLBACK")
    assert inbox.send(envelope(order_failed(), event_id=new_event_id())).status_code == 200


@pytest.mark.long
@pytest.mark.timeout(240)
def test_thirty_kills_right_after_the_answer_lose_nothing(tmp_path):
    answered: list[str] = []
    for _ in range(30):
        event_id = new_event_id()
        with RunningInbox(tmp_path / "inbox.db") as inbox:
            assert inbox.send(envelope(order_failed(), event_id=event_id)).status_code == 200
            inbox.process.kill()
            answered.append(event_id)
    with RunningInbox(tmp_path / "inbox.db") as inbox:
        assert inbox.get("/api/stats")["events"] == 30
        assert {event["event_id"] for event in inbox.get("/api/issues/1/events")["results"]} == set(answered)


# --- time ---


@pytest.mark.long
def test_a_head_that_is_not_there_after_30_seconds_ends_the_connection(inbox):
    """Whether nothing comes, or a byte now and then, also after a request that was answered."""
    pause = threading.Event()
    begun = time.monotonic()
    with ExitStack() as stack:
        silent, slow, kept = (stack.enter_context(closing(connected(inbox))) for _ in range(3))
        kept.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        _read_answer(kept)
        senders = {"silent": silent, "slow": slow, "kept": kept}
        ended: dict[str, float] = {}
        while len(ended) < 3:
            assert time.monotonic() - begun < 45
            for name, connection in senders.items():
                if name not in ended and not _trickle(connection, b"" if name == "silent" else b"G"):
                    ended[name] = time.monotonic() - begun
            pause.wait(0.5)
        assert all(29 < seconds < 35 for seconds in ended.values()), ended


def _read_answer(connection: socket.socket) -> None:
    answer = b""
    while not answer.endswith(b"}"):
        chunk = connection.recv(65536)
        assert chunk
        answer += chunk
    assert answer.startswith(b"HTTP/1.1 200")


def _trickle(connection: socket.socket, byte: bytes) -> bool:
    """Send a byte; whether the connection is still there."""
    try:
        connection.sendall(byte)
        connection.settimeout(0.01)
        return connection.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


@pytest.mark.long
def test_a_connection_that_was_used_is_ended_when_nothing_follows(inbox):
    with closing(connected(inbox)) as connection:
        connection.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        _read_answer(connection)
        begun = time.monotonic()
        assert connection.recv(1) == b""
        assert time.monotonic() - begun < 8


@pytest.mark.long
def test_who_reads_no_answer_is_cut_off_after_30_seconds(inbox):
    attachment = item(bytes(20 * MIB), "attachment")
    assert inbox.send(envelope(order_failed(), event_id=EVENT_ID) + attachment).status_code == 200
    with closing(connected(inbox)) as connection:
        connection.sendall(b"GET /api/events/%s/envelope HTTP/1.1\r\nHost: localhost\r\n\r\n" % EVENT_ID.encode())
        begun = time.monotonic()
        threading.Event().wait(35)
        received = 0
        with suppress(ConnectionError):
            while chunk := connection.recv(MIB):
                received += len(chunk)
        assert received < 20 * MIB
        assert time.monotonic() - begun < 45


@needs_proc
@pytest.mark.long
def test_it_takes_no_cpu_while_nothing_happens(inbox):
    def cpu_seconds() -> float:
        tasks = Path(f"/proc/{inbox.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    assert inbox.send(envelope(order_failed())).status_code == 200
    pause = threading.Event()
    pause.wait(2)
    before = cpu_seconds()
    pause.wait(5)
    assert cpu_seconds() - before < 0.05  # of five seconds: it does not poll. `make bench-inbox` has the figure


# --- the end ---


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_during_an_upload_is_quiet_and_the_upload_is_listed(tmp_path, inbox, signal_number):
    with closing(connected(inbox)) as connection:
        connection.sendall(b"POST /api/1/envelope/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{}")
        assert inbox.get("/api/health")  # which came later: the upload is under way
        begun = time.monotonic()
        assert inbox.end(signal_number) == (0, "")
        assert time.monotonic() - begun < 2
    with RunningInbox(tmp_path / "inbox.db") as again:
        (refused,) = again.get("/api/items", type="refused")["results"]
        assert (refused["excerpt"], refused["reason"]) == ("{}", "the connection ended within the body")
