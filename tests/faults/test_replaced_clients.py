"""A client that another ``init`` replaced, or that is closed elsewhere: what it holds is not forgotten at the end."""

from __future__ import annotations

import threading
import time

import pytest

import vedette
from tests.programs import run_program
from tests.servers import RecordingServer, never, slowly
from tests.waiting import wait_until

REPLACED = """
import sys, time, vedette
vedette.init(sys.argv[1], shutdown_timeout=float(sys.argv[2]))
for number in range(20):
    vedette.capture_message(f"older {number}")
vedette.init(sys.argv[1], shutdown_timeout=float(sys.argv[2]))
vedette.capture_message("newer")
vedette.flush()
print(time.monotonic())
"""


@pytest.mark.spec("CLI-17", "PAIN-04")
def test_what_a_replaced_client_holds_arrives_though_the_program_ends_at_once() -> None:
    with RecordingServer() as server:
        server.default = slowly(0.02)
        ended = run_program(REPLACED, server.dsn(), "5")
        assert (ended.code, ended.stderr) == (0, "")
        texts = {event["logentry"]["formatted"] for event in server.events}
    assert texts == {"newer", *(f"older {number}" for number in range(20))}


@pytest.mark.spec("CLI-17", "PAIN-16")
def test_a_replaced_client_does_not_prolong_the_end_of_the_program() -> None:
    with RecordingServer() as server:
        server.default = never()
        ended = run_program(REPLACED, server.dsn(), "0.5")
        assert (ended.code, ended.stderr) == (0, "")
        assert (
            ended.at - float(ended.stdout) < 0.5 + 0.3 + 0.3
        )  # both have their time at once; the last is for Python's end


@pytest.mark.spec("CLI-23")
def test_a_second_close_waits_for_the_first() -> None:
    with RecordingServer() as server:
        server.default = slowly(0.3)
        client = vedette.Client(server.dsn())
        client.capture_message("hello")
        first = threading.Thread(target=client.close, args=(10,))
        first.start()
        wait_until(lambda: not client.is_active())
        client.close(10)
        assert client.stats().delivered == {"error": 1}
        first.join()


@pytest.mark.spec("CLI-24")
def test_a_flush_does_not_wait_for_what_a_close_gave_up() -> None:
    with RecordingServer() as server:
        server.default = slowly(0.5)
        client = vedette.Client(server.dsn())
        for number in range(5):
            client.capture_message(f"hello {number}")
        server.wait_for(1)
        start = time.monotonic()
        flush = threading.Thread(target=client.flush, args=(20,))
        flush.start()
        wait_until(flush.is_alive)
        client.close(0.05)
        flush.join(20)
        assert time.monotonic() - start < 5
