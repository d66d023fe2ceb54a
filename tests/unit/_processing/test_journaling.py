"""Delivery with a journal: what is on disk when, what is sent again, what waits, and that the accounts are right."""

from __future__ import annotations

import itertools
import os
import signal
import stat
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.programs import run_program
from tests.servers import Answer, RecordingServer
from tests.waiting import wait_until
from vedette._processing import backoff
from vedette._processing.backoff import Backoff
from vedette._protocol.categories import DataCategory
from vedette.transport import HttpTransport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AWAY = "http://key@127.0.0.1:9/7"  # nobody listens there
LIMIT = (("X-Sentry-Rate-Limits", "60:error:key"),)


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as server:
        yield server


def client_of(dsn: str, folder: Path, **options: Any) -> vedette.Client:
    return vedette.Client(dsn, cache_dir=str(folder), shutdown_timeout=5, **options)


def messages(server: RecordingServer) -> Counter[str]:
    return Counter(event["logentry"]["formatted"] for event in server.events)


def balance(client: vedette.Client) -> dict[str, int]:
    """Of each category what is unaccounted for."""
    stats = client.stats()
    found = Counter[str]()
    for counts in (stats.captured, stats.adopted):
        found.update(counts)
    for counts in (stats.delivered, stats.refused, stats.waiting, stats.kept):
        found.subtract(counts)
    for category, reasons in stats.dropped.items():
        found.subtract({category: sum(reasons.values())})
    return {category: number for category, number in found.items() if number}


class Restarting:
    """A server that goes away, and comes back at the same port."""

    def __init__(self) -> None:
        self.server = RecordingServer()
        self.server.start()
        self.port = self.server.port

    def stop(self) -> None:
        self.server.close()

    def start(self) -> None:
        self.server.start(self.port)


@pytest.fixture
def restarting() -> Iterator[Restarting]:
    restarting = Restarting()
    yield restarting
    restarting.stop()


@pytest.mark.spec("PAIN-12", "OFF-02", "TP-02", "TP-59")
def test_what_is_delivered_is_gone_from_the_disk(server: RecordingServer, tmp_path: Path) -> None:
    client = client_of(server.dsn(), tmp_path)
    for number in range(20):
        client.capture_message(f"event {number}")
    client.flush(10)
    assert messages(server) == {f"event {number}": 1 for number in range(20)}
    stats = client.stats()
    assert (stats.delivered, stats.kept, stats.waiting) == ({"error": 20}, {}, {})
    client.close(5)
    with RecordingServer() as other:
        again = client_of(server.dsn(), tmp_path)
        again.flush(5)
        assert again.stats().adopted == {}
        again.close(5)
        assert not other.requests
    assert len(server.events) == 20


@pytest.mark.spec("PAIN-12", "ENV-35")
def test_an_error_is_on_disk_when_its_capture_returns(server: RecordingServer, tmp_path: Path) -> None:
    ended = run_program(
        """
        import os, signal, sys, vedette
        vedette.init(sys.argv[1], cache_dir=sys.argv[2])
        for number in range(50):
            vedette.capture_message(f"event {number}")
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        AWAY,
        str(tmp_path),
    )
    assert ended.code == -signal.SIGKILL
    (written,) = tmp_path.glob("*/*.journal")
    assert b"sent_at" not in written.read_bytes()
    ended = run_program(
        """
        import os, sys, vedette
        os.rename(os.path.join(sys.argv[2], os.listdir(sys.argv[2])[0]), os.path.join(sys.argv[2], "old"))
        client = vedette.init(sys.argv[1], cache_dir=sys.argv[2])
        (new,) = [each for each in os.listdir(sys.argv[2]) if each != "old"]
        for each in os.listdir(os.path.join(sys.argv[2], "old")):  # as if it had been the same server
            os.rename(os.path.join(sys.argv[2], "old", each), os.path.join(sys.argv[2], new, each))
        client.flush(20)
        stats = client.stats()
        assert (stats.captured, stats.adopted, stats.delivered) == ({}, {"error": 50}, {"error": 50}), stats
        """,
        server.dsn(),
        str(tmp_path),
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert messages(server) == {f"event {number}": 1 for number in range(50)}
    assert all("sent_at" in envelope.headers for envelope in server.envelopes)


@pytest.mark.spec("PAIN-12", "CR-24", "CR-25")
def test_while_the_server_is_away_errors_are_kept_and_go_when_it_is_back(
    restarting: Restarting, tmp_path: Path
) -> None:
    client = client_of(restarting.server.dsn(), tmp_path)
    restarting.stop()
    for number in range(10):
        client.capture_message(f"event {number}")
    client.flush(5)
    assert client.stats().kept == {"error": 10}
    assert client.stats().dropped == {}
    restarting.start()
    wait_until(lambda: client.stats().delivered == {"error": 10}, timeout=20)  # by itself
    assert messages(restarting.server) == {f"event {number}": 1 for number in range(10)}
    assert balance(client) == {}
    client.close(5)


def test_a_flush_does_not_wait_for_a_server_that_is_away(tmp_path: Path) -> None:
    client = client_of(AWAY, tmp_path)
    for number in range(10):
        client.capture_message(f"event {number}")
    started = time.monotonic()
    client.flush(20)
    assert time.monotonic() - started < 5
    assert client.stats().kept == {"error": 10}
    client.close(20)
    assert time.monotonic() - started < 5
    assert client.stats().kept == {"error": 10}


@pytest.mark.spec("PAIN-12", "PAIN-16", "TRN-05")
def test_what_could_not_be_sent_is_sent_by_the_next_client(restarting: Restarting, tmp_path: Path) -> None:
    dsn = restarting.server.dsn()
    restarting.stop()
    first = client_of(dsn, tmp_path)
    for number in range(5):
        first.capture_message(f"event {number}")
    first.close(5)
    assert first.stats().kept == {"error": 5}
    restarting.start()
    second = client_of(dsn, tmp_path)
    wait_until(lambda: second.stats().delivered == {"error": 5}, timeout=20)  # nobody captured or flushed
    assert second.stats().adopted == {"error": 5}
    assert messages(restarting.server) == {f"event {number}": 1 for number in range(5)}
    assert balance(second) == {}
    second.close(5)


@pytest.mark.spec("OFF-05", "CR-22")
@pytest.mark.parametrize("status", [500, 503, 400, 404])
def test_what_the_server_answered_is_never_sent_again(server: RecordingServer, tmp_path: Path, status: int) -> None:
    server.answer(status=status)
    client = client_of(server.dsn(), tmp_path)
    client.capture_message("discarded")
    client.flush(5)
    assert client.stats().dropped == {"error": {"send_error": 1}}
    assert client.stats().kept == {}
    client.close(5)
    again = client_of(server.dsn(), tmp_path)
    again.flush(5)
    again.close(5)
    assert again.stats().adopted == {}
    assert len(server.events) == 1


def test_after_a_5xx_errors_wait_on_disk_and_only_those_on_their_way_are_lost(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "_random", lambda: 0.0)  # a pause of one second
    server.answer(status=503)
    client = client_of(server.dsn(), tmp_path)
    client.capture_message("discarded")
    client.flush(5)
    started = time.monotonic()
    for number in range(20):
        client.capture_message(f"event {number}")
    client.flush(5)  # which does not wait, and costs no event
    assert time.monotonic() - started < 0.9
    assert len(server.events) == 1
    assert client.stats().kept == {"error": 20}
    wait_until(lambda: client.stats().delivered == {"error": 20}, timeout=10)
    assert time.monotonic() - started > 0.5
    assert client.stats().dropped == {"error": {"send_error": 1}}
    assert balance(client) == {}
    client.close(5)


@pytest.mark.spec("RATE-02", "TP-56", "OFF-22")
def test_an_error_under_a_rate_limit_waits_on_disk(server: RecordingServer, tmp_path: Path) -> None:
    server.answer(headers=(("X-Sentry-Rate-Limits", "1:error:key"),))
    client = client_of(server.dsn(), tmp_path)
    client.capture_message("brings the limit")
    client.flush(5)
    for number in range(3):
        assert client.capture_message(f"waits {number}")
    client.capture_feedback({"message": "is not limited"})
    client.flush(5)
    assert client.stats().kept == {"error": 3}
    assert client.stats().delivered == {"error": 1, "feedback": 1}
    wait_until(lambda: client.stats().delivered == {"error": 4, "feedback": 1}, timeout=10)
    assert client.stats().dropped == {}
    client.close(5)


def test_an_error_that_was_refused_with_429_is_gone_and_the_rest_waits(server: RecordingServer, tmp_path: Path) -> None:
    server.answer(status=429, headers=LIMIT)
    client = client_of(server.dsn(), tmp_path)
    client.capture_message("refused")
    client.flush(5)
    client.capture_message("waits")
    client.flush(5)
    stats = client.stats()
    assert (stats.refused, stats.kept, stats.dropped) == ({"error": 1}, {"error": 1}, {})
    client.close(5)
    assert client.stats().kept == {"error": 1}


def test_a_burst_loses_nothing_however_small_the_queue(server: RecordingServer, tmp_path: Path) -> None:
    client = client_of(server.dsn(), tmp_path, transport_queue_size=10)
    for number in range(300):
        client.capture_message(f"event {number}")
    client.flush(30)
    assert messages(server) == {f"event {number}": 1 for number in range(300)}
    assert client.stats().dropped == {}
    client.close(5)


@pytest.mark.spec("OFF-20", "OFF-21")
def test_what_is_sent_again_keeps_a_distance_and_what_is_new_does_not_wait_for_it(
    restarting: Restarting, tmp_path: Path
) -> None:
    dsn = restarting.server.dsn()
    restarting.stop()
    first = client_of(dsn, tmp_path)
    for number in range(12):
        first.capture_message(f"old {number}")
    first.close(5)
    arrivals: list[tuple[float, str]] = []

    def note(request: Any) -> Answer:
        arrivals.append((time.monotonic(), request.envelope.items_of("event")[0].json["logentry"]["formatted"]))
        return Answer()

    restarting.server.default = note
    restarting.start()
    second = client_of(dsn, tmp_path)
    wait_until(lambda: len(arrivals) >= 2)
    for number in range(20):
        second.capture_message(f"new {number}")
    second.flush(20)
    assert second.stats().delivered == {"error": 32}
    old = [when for when, text in arrivals if text.startswith("old")]
    assert len(old) == 12
    assert min(later - earlier for earlier, later in itertools.pairwise(old)) > 0.08
    last_new = max(when for when, text in arrivals if text.startswith("new"))
    assert last_new < old[-1]
    second.close(5)


@pytest.mark.spec("PAIN-12")
def test_what_the_bounds_of_the_journal_cost_is_counted(tmp_path: Path) -> None:
    client = client_of(AWAY, tmp_path, cache_max_items=10)
    for number in range(30):
        client.capture_message(f"event {number}")
    client.flush(5)
    wait_until(lambda: balance(client) == {})
    stats = client.stats()
    assert stats.dropped["error"]["cache_overflow"] >= 20
    assert stats.kept["error"] <= 10
    client.close(5)


def test_an_error_is_sent_or_evicted_but_never_both(server: RecordingServer, tmp_path: Path) -> None:
    client = client_of(server.dsn(), tmp_path, cache_max_items=3, transport_queue_size=3)
    threads = [threading.Thread(target=lambda: [client.capture_message("x") for _ in range(100)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.flush(10)
    wait_until(lambda: not client.stats().kept)
    stats = client.stats()
    assert stats.delivered["error"] + stats.dropped["error"]["cache_overflow"] == 300
    assert len({event["event_id"] for event in server.events}) == len(server.events) == stats.delivered["error"]
    assert set(stats.dropped["error"]) == {"cache_overflow"}
    client.close(5)


def test_an_error_that_was_evicted_while_its_sending_failed_is_lost_once(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(server.dsn(), tmp_path, cache_max_items=3)
    reached, gate = threading.Event(), threading.Event()

    def fail(_: HttpTransport) -> None:
        reached.set()
        gate.wait(5)
        raise ImportError("of what sending needs")

    monkeypatch.setattr(HttpTransport, "ensure_imported", fail)
    client.capture_message("evicted")
    assert reached.wait(5)
    for _ in range(6):
        client.capture_message("in its place")
    gate.set()
    client.flush(5)
    assert balance(client) == {}
    client.close(5)


@pytest.mark.parametrize("is_read_back", [False, True])
def test_an_error_about_to_be_sent_when_the_client_is_closed_is_left_to_the_next_client(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_read_back: bool
) -> None:
    reached, gate = threading.Event(), threading.Event()
    ensure_imported = HttpTransport.ensure_imported

    def wait(transport: HttpTransport) -> None:
        reached.set()
        gate.wait(5)
        ensure_imported(transport)

    first = client_of(server.dsn(), tmp_path)
    monkeypatch.setattr(HttpTransport, "ensure_imported", wait)
    scope = vedette.Scope()
    if is_read_back:
        scope.add_attachment(bytes=b"x" * 10, filename="a.txt")
    first.capture_message("once", scope=scope)
    assert reached.wait(5)
    first.close(0)
    gate.set()
    wait_until(lambda: not first.stats().waiting)
    kept = {"error": 1, "attachment": 10, "attachment_item": 1} if is_read_back else {"error": 1}
    stats = first.stats()
    assert (stats.captured, stats.kept, stats.dropped) == (kept, kept, {})
    second = client_of(server.dsn(), tmp_path)
    second.flush(5)
    assert (second.stats().adopted, second.stats().delivered) == (kept, kept)
    assert messages(server) == {"once": 1}
    second.close(5)


def test_a_late_capture_waits_for_the_next_process(server: RecordingServer, tmp_path: Path) -> None:
    ended = run_program(
        """
        import sys, vedette
        client = vedette.init(sys.argv[1], cache_dir=sys.argv[2])
        vedette.capture_message("in time")
        client.close(5)
        assert vedette.capture_message("late")
        assert client.stats().kept == {"error": 1}, client.stats()
        """,
        server.dsn(),
        str(tmp_path),
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert len(server.events) == 1
    again = client_of(server.dsn(), tmp_path)
    again.flush(5)
    assert messages(server) == {"in time": 1, "late": 1}
    again.close(5)


def test_a_late_capture_past_the_bound_costs_nothing_of_what_was_left_to_the_next_client(
    restarting: Restarting, tmp_path: Path
) -> None:
    dsn = restarting.server.dsn()
    restarting.stop()
    first = client_of(dsn, tmp_path, cache_max_items=3)
    for number in range(3):
        first.capture_message(f"event {number}")
    first.close(5)
    first.capture_message("late")
    stats = first.stats()
    assert (stats.kept, stats.dropped) == ({"error": 3}, {"error": {"cache_overflow": 1}})
    restarting.start()
    second = client_of(dsn, tmp_path)
    second.flush(5)
    assert (second.stats().adopted, second.stats().delivered) == ({"error": 3}, {"error": 3})
    second.close(5)


def test_small_attachments_are_on_disk_too_and_large_ones_ride_along(restarting: Restarting, tmp_path: Path) -> None:
    dsn = restarting.server.dsn()
    restarting.stop()
    first = client_of(dsn, tmp_path)
    scope = vedette.Scope()
    scope.add_attachment(bytes=b"small", filename="small.txt")
    first.capture_message("with small", scope=scope)
    first.close(5)
    assert first.stats().kept == {"error": 1, "attachment": 5, "attachment_item": 1}
    assert balance(first) == {}
    restarting.start()
    second = client_of(dsn, tmp_path)
    large = vedette.Scope()
    large.add_attachment(bytes=os.urandom(1_500_000), filename="large.bin")
    second.capture_message("with large", scope=large)
    second.flush(10)
    found = {item.headers["filename"]: len(item.payload) for item in restarting.server.items("attachment")}
    assert found == {"small.txt": 5, "large.bin": 1_500_000}
    assert second.stats().adopted == {"error": 1, "attachment": 5, "attachment_item": 1}
    assert balance(second) == {}
    second.close(5)


def test_an_attachment_that_is_not_on_disk_waits_in_memory_while_the_server_is_away(
    restarting: Restarting, tmp_path: Path
) -> None:
    client = client_of(restarting.server.dsn(), tmp_path)
    restarting.stop()
    scope = vedette.Scope()
    scope.add_attachment(bytes=os.urandom(1_500_000), filename="large.bin")
    client.capture_message("with large", scope=scope)
    client.flush(5)
    stats = client.stats()
    assert (stats.kept, stats.waiting) == ({"error": 1}, {"attachment": 1_500_000, "attachment_item": 1})
    restarting.start()
    wait_until(lambda: client.stats().delivered.get("attachment_item") == 1, timeout=20)
    assert balance(client) == {}
    client.close(5)


def test_attachments_that_are_not_on_disk_take_bounded_memory_while_the_server_is_away(tmp_path: Path) -> None:
    client = client_of(AWAY, tmp_path)
    for number in range(40):
        scope = vedette.Scope()
        scope.add_attachment(bytes=bytes(1_500_000), filename="large.bin")
        client.capture_message(f"event {number}", scope=scope)
        client.flush(0.05)  # each time the worker finds nothing more that it can send
    wait_until(lambda: client.stats().kept == {"error": 40})
    stats = client.stats()
    assert stats.waiting["attachment"] <= 32 * 1024 * 1024
    assert stats.dropped["attachment_item"] == {"buffer_overflow": 40 - stats.waiting["attachment_item"]}
    client.close(0)
    assert balance(client) == {}


@pytest.mark.spec("PAIN-44")
def test_an_attachment_that_a_try_has_lost_is_counted_once(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "MOST_SECONDS", 0.1)
    gate = threading.Event()
    server.answer(gate=gate, headers=(("X-Sentry-Rate-Limits", "60:attachment:key"),))
    server.answer(hang_up="after_reading", times=2)
    client = client_of(server.dsn(), tmp_path, max_connections=1)
    client.capture_message("is told of the limit")
    scope = vedette.Scope()
    scope.add_attachment(bytes=b"x" * 684, filename="a.txt")
    client.capture_message("goes at the third try", scope=scope)  # before the limit is known
    gate.set()
    wait_until(lambda: client.stats().delivered.get("error") == 2)
    stats = client.stats()
    assert stats.dropped == {
        "attachment": {"ratelimit_backoff": 684},
        "attachment_item": {"ratelimit_backoff": 1},
    }
    assert balance(client) == {}
    assert server.items("attachment") == []
    assert server.events[-1]["contexts"]["attachments"]["left_out"] == ["a.txt: the server takes none now"]
    client.close(5)


def test_an_attachment_that_a_failed_try_went_without_is_kept_like_its_event_and_adopted_with_it(
    restarting: Restarting, tmp_path: Path
) -> None:
    dsn = restarting.server.dsn()
    restarting.stop()
    first = client_of(dsn, tmp_path)
    tried = threading.Event()

    def take_out_attachments(envelope: vedette.Envelope) -> None:
        envelope.items = [each for each in envelope.items if each.type != "attachment"]
        tried.set()

    first.on("before_envelope", take_out_attachments)
    scope = vedette.Scope()
    scope.add_attachment(bytes=b"x" * 684, filename="a.txt")
    first.capture_message("is kept", scope=scope)
    first.close(5)
    assert tried.is_set()
    everything = {"error": 1, "attachment": 684, "attachment_item": 1}
    assert (first.stats().kept, first.stats().dropped) == (everything, {})
    restarting.start()
    second = client_of(dsn, tmp_path)
    second.flush(5)
    assert (second.stats().adopted, second.stats().delivered) == (everything, everything)
    second.close(5)


def test_a_flush_right_after_the_start_sends_what_a_dead_process_left(server: RecordingServer, tmp_path: Path) -> None:
    ended = run_program(
        """
        import os, signal, sys, vedette
        for number in range(40):  # the worker looks at the same files at the same time
            folder = os.path.join(sys.argv[2], str(number))
            os.mkdir(folder)
            child = os.fork()
            if child == 0:
                signal.alarm(10)
                dying = vedette.Client(sys.argv[1], cache_dir=folder)
                dying.close(0)
                dying.capture_message("late")
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            client = vedette.Client(sys.argv[1], cache_dir=folder)
            client.flush(5)
            assert client.stats().delivered == {"error": 1}, (number, client.stats())
            client.close(5)
        """,
        server.dsn(),
        str(tmp_path),
        warnings="ignore",
    )
    assert (ended.code, ended.stderr) == (0, "")


def test_other_kinds_are_written_before_they_are_sent(restarting: Restarting, tmp_path: Path) -> None:
    client = client_of(restarting.server.dsn(), tmp_path)
    restarting.stop()
    client.capture_feedback({"message": "slow"})
    client.processor.add(DataCategory.MONITOR, {"check_in_id": "1"})
    client.flush(5)
    wait_until(lambda: client.stats().kept or client.stats().waiting)
    restarting.start()
    wait_until(lambda: client.stats().delivered == {"feedback": 1, "monitor": 1}, timeout=20)
    (check_in,) = restarting.server.items("check_in")
    assert check_in.json == {"check_in_id": "1"}
    assert balance(client) == {}
    client.close(5)


@pytest.mark.spec("OFF-18", "PAIN-12")
@pytest.mark.parametrize("flushes", [True, False])
def test_other_kinds_that_have_to_wait_are_on_disk(restarting: Restarting, tmp_path: Path, *, flushes: bool) -> None:
    """Captured while the server is known to be away: neither a kill nor the end of the program loses them."""
    first = client_of(restarting.server.dsn(), tmp_path)
    restarting.stop()
    first.capture_message("hello")
    first.flush(5)
    for number in range(3):
        first.capture_feedback({"message": f"slow {number}"})
    if flushes:
        first.flush(5)
        wait_until(lambda: not first.stats().waiting)
        assert first.stats().kept == {"error": 1, "feedback": 3}
    first.close(0)
    assert balance(first) == {}
    assert first.stats().kept == {"error": 1, "feedback": 3}
    restarting.start()
    second = client_of(restarting.server.dsn(), tmp_path)
    wait_until(lambda: second.stats().delivered == {"error": 1, "feedback": 3}, timeout=20)
    second.close(5)


@pytest.mark.spec("OFF-01")
def test_a_folder_that_is_not_there_is_made_for_its_user_alone(server: RecordingServer, tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    client = client_of(server.dsn(), folder)
    client.capture_message("hello")
    assert stat.S_IMODE(next(folder.iterdir()).stat().st_mode) == 0o700
    client.close(5)
    assert len(server.events) == 1


def test_secrets_are_scrubbed_before_anything_is_written(tmp_path: Path) -> None:
    client = client_of(AWAY, tmp_path)
    client.capture_event({"message": "hello", "extra": {"password": "hunter2-hunter2"}})
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"hello" in written
    assert b"hunter2" not in written
    client.close(1)


def test_a_folder_that_cannot_be_used_is_told_of_once_and_delivery_goes_on(
    server: RecordingServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no folder")
    client = client_of(server.dsn(), tmp_path / "file")
    client.capture_message("arrives")
    client.flush(5)
    assert messages(server) == {"arrives": 1}
    assert caplog.text.count("cache_dir") == 1
    client.close(5)


def test_an_attachment_that_is_not_on_disk_is_lost_at_the_end_and_counted(tmp_path: Path) -> None:
    client = client_of(AWAY, tmp_path)
    for name in ("tried", "not tried"):
        scope = vedette.Scope(client=client)
        scope.add_attachment(bytes=os.urandom(1_500_000), filename="large.bin")
        scope.capture_message(name)
    client.close(1)
    wait_until(lambda: client.stats().kept == {"error": 2})
    stats = client.stats()
    assert stats.waiting == {}
    assert stats.dropped == {
        "attachment": {"network_error": 3_000_000},
        "attachment_item": {"network_error": 2},
    }
    assert balance(client) == {}


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    client = client_of(AWAY, tmp_path / "var" / "cache")
    client.capture_message("kept")
    client.close(1)
    wait_until(lambda: client.stats().kept == {"error": 1})
    assert list((tmp_path / "var" / "cache").rglob("*.journal"))


def test_an_empty_path_means_no_journal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = vedette.Client(AWAY, cache_dir="", shutdown_timeout=0)
    client.capture_message("in memory")
    assert client.stats().waiting == {"error": 1}
    assert caplog.text == ""
    client.close(0)


def test_a_relative_path_stays_where_it_was_at_init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    client = vedette.Client(AWAY, cache_dir="cache", shutdown_timeout=0)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    client.capture_message("kept")
    client.close(0)
    assert list((tmp_path / "cache").rglob("*.journal"))
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(("one", "other"), [("/a/b", "/a-b"), ("/a" + "/b" * 100, "/c" + "/b" * 100)])
def test_dsns_whose_names_look_alike_have_folders_of_their_own(tmp_path: Path, one: str, other: str) -> None:
    for path in (one, other):
        client = client_of(f"http://key@127.0.0.1:9{path}/7", tmp_path)
        client.capture_message("kept")
        client.close(0)
    folders = list(tmp_path.iterdir())
    assert len(folders) == 2
    assert all(len(folder.name) < 250 for folder in folders)


def test_who_flushes_does_not_wait_until_the_worker_has_left_a_burst_alone(
    server: RecordingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vedette._processing.outbox.HOLD_SECONDS", 60.0)
    client = client_of(server.dsn(), tmp_path)
    for number in range(3):  # before the worker was seen waiting, while it waits, and once more
        client.capture_message(f"event {number}")
        client.flush(20)
        assert client.stats().delivered == {"error": number + 1}
    client.close(5)


def test_an_error_that_is_too_large_for_the_server_is_shrunk(server: RecordingServer, tmp_path: Path) -> None:
    server.answer(status=413)
    client = client_of(server.dsn(), tmp_path)
    extra = {f"note {number}": "x" * 90_000 for number in range(9)}
    client.processor.add(DataCategory.ERROR, {"event_id": "0" * 32, "extra": extra})
    client.flush(5)
    assert client.stats().delivered == {"error": 1}
    sizes = [len(request.body) for request in server.requests]
    assert sizes[0] > 800_000
    assert sizes[1] < 260_000
    assert client.stats().kept == {}
    client.close(5)


def test_a_forked_child_keeps_its_own_and_nothing_twice(restarting: Restarting, tmp_path: Path) -> None:
    dsn = restarting.server.dsn()
    restarting.stop()
    ended = run_program(
        """
        import os, sys, vedette
        client = vedette.init(sys.argv[1], cache_dir=sys.argv[2])
        vedette.capture_message("parent")
        pid = os.fork()
        if pid == 0:
            assert not client.stats().kept, client.stats()
            vedette.capture_message("child")
            assert client.stats().kept == {"error": 1}, client.stats()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert client.stats().kept == {"error": 1}, client.stats()
        """,
        dsn,
        str(tmp_path),
        warnings="ignore",  # the worker tries to connect: CPython 3.12 warns of its thread
    )
    assert (ended.code, ended.stderr) == (0, "")
    restarting.start()
    client = client_of(dsn, tmp_path)
    client.flush(10)
    assert messages(restarting.server) == {"parent": 1, "child": 1}
    client.close(5)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_pauses_grow_up_to_a_minute_and_end_with_the_first_answer() -> None:
    clock = Clock()
    pause = Backoff(clock, lambda: 0.999_999)
    assert not pause.is_on()
    found: list[float] = []
    for _ in range(12):
        pause.offline()
        found.append(pause.seconds_left())
        pause.offline()  # one of those that were on their way at the same time
        assert pause.seconds_left() == found[-1]
        clock.now += found[-1] + 0.001
    assert found == pytest.approx(sorted(found))
    assert 0.1 <= found[0] <= 0.2
    assert found[-1] == pytest.approx(60.0, rel=0.01)
    pause.succeeded()
    assert not pause.is_on()
    assert pause.seconds_left() == 0.0


def test_pauses_are_never_shorter_than_the_least_of_their_kind() -> None:
    clock = Clock()
    pause = Backoff(clock, lambda: 0.0)
    pause.offline()
    assert pause.seconds_left() == pytest.approx(0.1)
    clock.now += 1.0
    pause.refused()
    assert pause.seconds_left() == pytest.approx(1.0)
    pause.may_probe()
    assert pause.seconds_left() == pytest.approx(1.0)  # it would cost an event
    clock.now += 2.0
    pause.offline()
    pause.may_probe()
    assert pause.seconds_left() == 0.0
    assert pause.is_on()
