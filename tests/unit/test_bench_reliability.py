"""What `make faults` and `make soak` count with: a server that is unreliable on purpose, and the arithmetic."""

from __future__ import annotations

import gzip
import http.client
import itertools
import json
import math
from collections import Counter
from dataclasses import replace

import pytest

from bench.reliability.faults import measure
from bench.reliability.judging import Run, judge
from bench.reliability.plan import Down, Dropping, Refusing, Slow, Window
from bench.reliability.promises import broken_promises
from bench.reliability.receiver import Receiver
from bench.reliability.running import JOURNAL, VEDETTE, Ended, Process
from bench.reliability.scenarios import SCENARIOS, Scenario
from bench.reliability.soak import Soak, faults
from bench.reliability.steadiness import second_half, trend
from bench.reliability.tally import Tally
from tests.waiting import wait_until

ALWAYS = math.inf
PLAIN = Scenario("plain", "captures", ("capture_and_leave", "3"), lossless=True)
LOSSY = replace(PLAIN, lossless=False)


def item(item_type: str, payload: object) -> bytes:
    body = json.dumps(payload).encode()
    return json.dumps({"type": item_type, "length": len(body)}).encode() + b"\n" + body + b"\n"


def event(text: str) -> bytes:
    return b"{}\n" + item("event", {"exception": {"values": [{"value": "the cause"}, {"value": text}]}})


def connection_to(receiver: Receiver) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(receiver.dsn.partition("@")[2].partition("/")[0], timeout=5)


def post(connection: http.client.HTTPConnection, body: bytes, **headers: str) -> http.client.HTTPResponse:
    connection.request("POST", "/api/1/envelope/", body, headers)
    response = connection.getresponse()
    response.read()
    return response


# --- the receiver ---


def test_captures_are_told_apart_by_their_text_and_the_second_arrival_of_one_is_a_duplicate():
    with Receiver() as receiver:
        connection = connection_to(receiver)
        for text in ("one", "two", "two"):
            assert post(connection, event(text)).status == 200
        connection.close()
        tally = receiver.tally()
    assert (tally.arrived, tally.duplicates, receiver.arrived()) == (2, 1, 2)


def test_compressed_and_chunked_bodies_and_client_reports_are_read():
    report = [
        {"reason": "network_error", "category": "error", "quantity": 3},
        {"reason": "network_error", "category": "attachment", "quantity": 99},
    ]
    body = gzip.compress(event("one") + item("client_report", {"discarded_events": report}))
    with Receiver() as receiver:
        connection = connection_to(receiver)
        headers = {"Content-Encoding": "gzip"}
        connection.request("POST", "/", iter([body[:10], body[10:]]), headers, encode_chunked=True)
        assert connection.getresponse().status == 200
        connection.close()
        tally = receiver.tally()
    assert (tally.arrived, tally.reported, tally.malformed) == (1, Counter(network_error=3), [])


def test_what_cannot_be_read_is_answered_400_and_remembered():
    with Receiver() as receiver:
        connection = connection_to(receiver)
        assert post(connection, b"{}\nno json\n").status == 400
        connection.close()
        assert len(receiver.tally().malformed) == 1


@pytest.mark.parametrize(("status", "too_many"), [(429, 1), (500, 0)])
def test_a_refused_event_has_not_arrived(status, too_many):
    with Receiver() as receiver:
        receiver.start([Window(0, ALWAYS, Refusing(status, retry_after=7))])
        connection = connection_to(receiver)
        response = post(connection, event("one"))
        connection.close()
        tally = receiver.tally()
    assert (response.status, response.getheader("Retry-After")) == (status, "7")
    assert (tally.arrived, tally.refused, tally.too_many) == (0, Counter(one=1), too_many)


def test_a_server_that_is_down_refuses_connections_and_comes_back_on_its_port():
    with Receiver() as receiver:
        idle = connection_to(receiver)
        post(idle, event("before"))
        receiver.start([Window(0, 0.3, Down())])
        with pytest.raises(ConnectionRefusedError):
            connection_to(receiver).connect()
        assert idle.sock.recv(1) == b""
        idle.close()
        wait_until(lambda: receiver.seconds() > 0.3)
        connection = connection_to(receiver)
        wait_until(lambda: can_connect(connection))
        post(connection, event("after"))
        connection.close()
        assert set(receiver.tally().accepted) == {"before", "after"}


def can_connect(connection: http.client.HTTPConnection) -> bool:
    try:
        connection.connect()
    except ConnectionRefusedError:
        return False
    return True


def test_a_dropped_request_counts_as_nothing():
    with Receiver() as receiver:
        receiver.start([Window(0, ALWAYS, Dropping())])
        connection = connection_to(receiver)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            post(connection, event("one"))
        connection.close()
        tally = receiver.tally()
    assert (tally.arrived, tally.refused) == (0, Counter())


def test_an_event_whose_client_did_not_wait_for_the_answer_has_arrived_unanswered():
    with Receiver() as receiver:
        receiver.start([Window(0, ALWAYS, Slow(0.1))])
        connection = connection_to(receiver)
        connection.request("POST", "/", event("one"))
        connection.close()
        wait_until(receiver.arrived)
        assert receiver.tally().unanswered == 1


# --- the programs ---


def test_a_program_is_measured_from_its_start_to_its_end():
    result = measure(PLAIN, VEDETTE)
    assert (result.captured, result.arrived, result.told, result.unaccounted) == (3, 3, 0, 0)
    assert result.exact is True
    assert result.exit_seconds is not None
    assert list(broken_promises(PLAIN, VEDETTE, result)) == []


def test_a_program_that_does_not_end_is_ended_and_told_of(tmp_path):
    with Receiver() as receiver, Process(VEDETTE, receiver.dsn, str(tmp_path), ("wait_for_more",)) as process:
        process.start()
        ended = process.finish(0.05)
    assert ended.hung
    assert ended.returncode == -9


def test_a_program_that_does_not_start_ends_the_measurement(tmp_path):
    with (
        Process(VEDETTE, "no DSN", str(tmp_path), PLAIN.job) as process,
        pytest.raises(SystemExit, match="did not start"),
    ):
        process.start()


# --- the arithmetic ---


def stats(**counts: object) -> dict[str, object]:
    nothing = dict.fromkeys(("captured", "adopted", "delivered", "refused", "waiting", "kept"), 0)
    return {**nothing, "dropped": {}, **counts}


def ended(captured: int, **counts: object) -> Ended:
    return Ended(captured={1: captured}, stats={1: stats(captured=captured, **counts)})


def test_what_neither_arrived_nor_is_told_of_is_unaccounted():
    tally = Tally(accepted=Counter(a=1, b=2), reported=Counter(queue_overflow=1))
    result = judge([Run(Ended(captured={1: 5}), tally)])
    assert (result.arrived, result.duplicates, result.told, result.unaccounted) == (2, 1, 1, 2)
    assert result.exact is None


def test_stats_that_agree_with_the_receiver_are_exact():
    tally = Tally(accepted=Counter("ab"), refused=Counter("c"), too_many=1)
    result = judge([Run(ended(4, delivered=2, refused=1, dropped={"network_error": 1}), tally)])
    assert (result.told, result.answered_no, result.unaccounted, result.exact) == (2, 1, 0, True)


@pytest.mark.parametrize(
    ("counts", "tally"),
    [
        ({"delivered": 1}, Tally(accepted=Counter("a"))),  # 1 of 2
        ({"delivered": 2}, Tally(accepted=Counter("a"))),
        ({"delivered": 1, "refused": 1}, Tally(accepted=Counter("a"))),
        ({"delivered": 1, "dropped": {"network_error": 1}}, Tally(accepted=Counter("ab"))),
        ({"delivered": 2}, Tally(accepted=Counter("ab"), reported=Counter(network_error=1))),
    ],
)
def test_stats_that_contradict_the_receiver_or_themselves_are_not(counts, tally):
    result = judge([Run(ended(2, **counts), tally)])
    assert result.exact is False
    assert any("not exact" in line for line in broken_promises(PLAIN, VEDETTE, result))


def test_what_a_client_gave_up_on_may_have_arrived_and_be_told_as_lost():
    tally = Tally(accepted=Counter("ab"), unanswered=1)
    result = judge([Run(ended(2, delivered=1, dropped={"network_error": 1}), tally)])
    assert (result.arrived, result.told, result.unaccounted, result.exact) == (2, 1, 0, True)


@pytest.mark.parametrize(("unclear", "exact"), [(0, False), (1, True)])
def test_an_answer_may_come_just_when_the_program_leaves(unclear, exact):
    run = Run(ended(2, delivered=1, dropped={"network_error": 1}), Tally(accepted=Counter("ab")), unclear=unclear)
    assert judge([run]).exact is exact


def test_what_the_next_run_delivers_is_counted_once():
    first = Run(ended(3, delivered=1, kept=2), Tally(accepted=Counter("a")))
    adopting = Ended(captured={2: 0}, stats={2: stats(adopted=2, delivered=2)})
    result = judge([first, Run(adopting, Tally(accepted=Counter("bc")))])
    assert (result.arrived, result.arrived_next, result.told, result.exact) == (1, 2, 0, True)
    assert list(broken_promises(PLAIN, JOURNAL, result)) == []


def test_what_the_next_run_did_not_find_is_told_of():
    first = Run(ended(3, delivered=1, kept=2), Tally(accepted=Counter("a")))
    adopting = Ended(captured={2: 0}, stats={2: stats(adopted=1, delivered=1)})
    result = judge([first, Run(adopting, Tally(accepted=Counter("b")))])
    assert (result.unaccounted, result.exact) == (1, False)
    assert any("1 never arrived" in line for line in broken_promises(PLAIN, JOURNAL, result))


def test_the_trend_is_the_line_of_least_squares():
    line = trend([(0.0, 10.0), (1.0, 13.0), (2.0, 12.0), (3.0, 15.0)])
    assert line.per_second == pytest.approx(1.4)
    assert line.per_minute == pytest.approx(84.0)
    assert line.growth == pytest.approx(4.2)


def test_the_first_half_of_the_time_is_left_out():
    assert second_half([(0.0, 1), (1.0, 2), (2.0, 3), (9.0, 4), (10.0, 5)]) == [(9.0, 4), (10.0, 5)]


@pytest.mark.parametrize(("kb_per_second", "flat"), [(0.0, True), (-9.0, True), (1.0, True), (1.2, False)])
def test_memory_that_rises_by_a_mebibyte_in_half_the_time_is_not_flat(kb_per_second, flat):
    soak = Soak(VEDETTE, 2000.0, seed=1)
    soak.samples.memory_kb = [(second, 5e4 + second * kb_per_second) for second in range(2000)]
    assert soak.is_flat() is flat


def test_the_same_seed_is_the_same_luck_and_ends_in_time():
    plan = faults(7, 600.0)
    assert plan == faults(7, 600.0)
    assert plan != faults(8, 600.0)
    assert all(one.end < other.start for one, other in itertools.pairwise(plan))
    assert plan[-1].end <= 600.0


def test_a_journal_keeps_what_a_server_is_known_to_refuse():
    refused = Tally(refused=Counter(map(str, range(5))))
    adopting = Ended(captured={2: 0}, stats={2: stats()})
    result = judge([Run(ended(5, dropped={"send_error": 5}), refused), Run(adopting, Tally())])
    broken = [list(broken_promises(replace(LOSSY, refusable=most), JOURNAL, result)) for most in (5, 4)]
    assert [len(each) for each in broken] == [0, 1]


def test_names_of_scenarios_are_unique():
    names = [each.name for each in SCENARIOS]
    assert len(set(names)) == len(names)
