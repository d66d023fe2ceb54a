"""The server of the measurements, in a process of its own: it takes what is sent and answers at once, late, or 429.

    http://key@127.0.0.1:PORT/7            answers at once
    http://key@127.0.0.1:PORT/far/7        after 50 ms, as a server on another continent would
    http://key@127.0.0.1:PORT/refusing/7   429, come back in an hour
    GET /tally/7                           what came for project 7
    GET /events/7                          its events, as they came

Bodies are kept as they came, and are looked into only when somebody asks: while it is measured, the server has as
little to do as it can. HTTP and envelopes are parsed here, by nothing of either SDK.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import socket
import threading
from collections import defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, BinaryIO

from bench.reliability.receiver import answer, read_body, read_headers

if TYPE_CHECKING:
    from collections.abc import Iterator

OK, TOO_MANY = 200, 429
FAR_SECONDS = 0.05
AN_HOUR = 3600


@dataclass(frozen=True)
class Request:
    """One request that was read to its end."""

    at: float
    """When, by ``time.monotonic``, which all processes of a machine share."""
    size: int
    """Its bytes, with line and headers."""
    encoding: str
    body: bytes

    def events(self) -> list[dict[str, Any]]:
        """The events in its envelope."""
        data = gzip.decompress(self.body) if self.encoding == "gzip" else self.body
        return [json.loads(payload) for headers, payload in items_of(data) if headers["type"] == "event"]


def items_of(envelope: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Headers and payloads of the items of an envelope."""
    _, _, rest = envelope.partition(b"\n")
    while rest.strip():
        line, _, rest = rest.partition(b"\n")
        headers = json.loads(line)
        length = headers.get("length")
        payload = rest.partition(b"\n")[0] if length is None else rest[:length]
        rest = rest[len(payload) + 1 :]
        yield headers, payload


def tally(requests: list[Request]) -> dict[str, float]:
    """How much came, and when the last event did."""
    events = [len(request.events()) for request in requests]
    with_events = [request for request, count in zip(requests, events, strict=True) if count]
    return {
        "events": sum(events),
        "bytes": sum(request.size for request in with_events),
        "last_at": max((request.at for request in with_events), default=0.0),
    }


class CountingReader:
    """A connection's incoming bytes, counted."""

    def __init__(self, reader: BinaryIO) -> None:
        self.count = 0
        self._reader = reader

    def readline(self) -> bytes:
        """One line."""
        line = self._reader.readline()
        self.count += len(line)
        return line

    def read(self, size: int) -> bytes:
        """So many bytes, unless the connection ends before."""
        data = self._reader.read(size)
        self.count += len(data)
        return data


class Receiver:
    """Listens on a free port of the loopback interface, with a thread for each connection."""

    def __init__(self) -> None:
        self._requests: defaultdict[str, list[Request]] = defaultdict(list)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Until the process is ended."""
        while True:
            connection, _ = self._listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve_connection, args=(connection,), daemon=True).start()

    def _serve_connection(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as reader, suppress(OSError, ValueError):
            while self._serve_one(connection, reader):
                pass

    def _serve_one(self, connection: socket.socket, reader: BinaryIO) -> bool:
        """Read one request and answer it; False where the connection ends."""
        counting: Any = CountingReader(reader)
        method, _, rest = counting.readline().decode("latin-1").partition(" ")
        if not method:
            return False
        path = rest.partition(" ")[0].strip("/").split("/")
        headers = read_headers(counting)
        body = read_body(counting, headers)
        if body is None:
            return False
        if method == "GET":
            connection.sendall(self._tell(*path))
            return True
        *behaviour, _, project, _ = path  # .../api/7/envelope
        if behaviour == ["far"]:
            sleep(FAR_SECONDS)
        request = Request(monotonic(), counting.count, headers.get("content-encoding", ""), body)
        self._requests[project].append(request)
        connection.sendall(answer(TOO_MANY, AN_HOUR) if behaviour == ["refusing"] else answer(OK))
        return True

    def _tell(self, what: str, project: str) -> bytes:
        requests = list(self._requests[project])
        told = tally(requests) if what == "tally" else [event for each in requests for event in each.events()]
        body = json.dumps(told).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s\n" % (len(body) + 1, body)


def _serve(port: Any) -> None:
    receiver = Receiver()
    port.put(receiver.port)
    receiver.serve()


@contextmanager
def receiving() -> Iterator[int]:
    """A receiver in another process; the port that it listens on."""
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()
    process = context.Process(target=_serve, args=(told,), daemon=True)
    process.start()
    try:
        yield told.get(timeout=30)
    finally:
        process.terminate()
        process.join()
