"""The judge of random schedules is just: what it answered 2xx stands in its books, and nothing else."""

from __future__ import annotations

import socket
import threading

from tests.judging import JudgingServer, Plan
from tests.servers import WAIT, Answer


class Watched(JudgingServer):
    """Says when it has looked at its plans before it reads a request."""

    def __init__(self) -> None:
        super().__init__()
        self.has_looked = threading.Event()

    def _next_answer(self) -> Answer | None:
        answer = super()._next_answer()
        self.has_looked.set()
        return answer


def test_a_request_that_meets_a_plan_made_while_it_was_read_gets_no_answer_that_is_in_no_book() -> None:
    envelope = b'{"sender":"me"}\n{"type":"event","length":16}\n{"event_id":"1"}\n'
    with Watched() as server, socket.create_connection(("127.0.0.1", server.port), WAIT) as client:
        client.sendall(b"POST / HTTP/1.1\r\n")
        assert server.has_looked.wait(WAIT)
        server.planned.append(Plan(Answer(hang_up="before_reading")))
        client.sendall(b"Content-Length: %d\r\n\r\n" % len(envelope) + envelope)
        assert client.recv(1) == b""
    assert not server.books
