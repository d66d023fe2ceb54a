"""What a sender may cost the inbox at most: memory, disk, time, connections."""

from __future__ import annotations

import gzip
import os
import signal
import socket
import threading
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.inboxes import EVENT_ID, RunningInbox, envelope, item, new_event_id, order_failed
from tests.waiting import wait_until
from vedette._inbox.limits import MIB

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
