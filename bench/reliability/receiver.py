"""The server of the measurements: it counts what reached it, and is as unreliable as its plan says.

It parses HTTP and envelopes by itself, so that a mistake of vedette's is not made here as well.

Guarantees
- An event counts as accepted once its request was read as a whole and is answered 2xx, and as refused once it is
  answered with any other status. A request that got no answer because of the plan counts as neither.
- A connection is cut between two requests only, so no plan makes it unclear what the client can know. What remains
  unclear is counted apart: ``unanswered``, where the client had gone before it could be answered.
- While the server is down its port stays taken, and connections to it are refused.
"""

from __future__ import annotations

import gzip
import math
import select
import socket
import threading
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING, BinaryIO

from bench.reliability.plan import HEALTHY, Down, Dropping, Fault, Refusing, Slow, Window
from bench.reliability.tally import Tally, parse_envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

OK = 200
REDIRECTED = 300  # statuses below are successes
CANNOT_READ = 400
TOO_MANY = 429
PATIENCE_SECONDS = 120.0  # after which a connection that nothing happens on is given up


# --- the server ------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Connection:
    """One client's connection; ``busy`` from the first byte of a request until its answer."""

    sock: socket.socket
    busy: bool = False
    cut: bool = False


class Receiver:
    """A server on a free port of the loopback interface, as a context manager."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._plan: Sequence[Window] = ()
        self._started: float | None = None
        self._lock = threading.Lock()
        self._applying = threading.Lock()
        self._connections: set[Connection] = set()
        self._listener: socket.socket | None = None
        self._closing = threading.Event()
        self._replanned = threading.Event()
        self._port = 0

    def __enter__(self) -> Self:
        self._listen()
        threading.Thread(target=self._keep_to_plan, daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._closing.set()
        self._replanned.set()
        self._stop_listening(stay_bound=False)
        self._cut_idle()

    @property
    def dsn(self) -> str:
        """Where to send to."""
        return f"http://key@127.0.0.1:{self._port}/1"

    def start(self, plan: Sequence[Window] = ()) -> None:
        """Start the clock at zero, and the plan with it."""
        with self._lock:
            self._plan = plan
            self._started = monotonic()
        self._replanned.set()
        self._apply_plan()

    def seconds(self) -> float:
        """What the clock shows; zero before it is started."""
        return 0.0 if self._started is None else monotonic() - self._started

    def tally(self) -> Tally:
        """What was counted so far."""
        with self._lock:
            return deepcopy(self._tally)

    def arrived(self) -> int:
        """The same as ``tally().arrived``, at no cost."""
        return len(self._tally.accepted)

    def settle(self, seconds: float) -> None:
        """Wait until every request that was begun is answered, for so long at most."""
        deadline = monotonic() + seconds
        while monotonic() < deadline and any(each.busy for each in tuple(self._connections)):
            sleep(0.01)

    def fault(self) -> Fault:
        """What the server suffers from now."""
        now = self.seconds()
        return next((each.fault for each in self._plan if each.start <= now < each.end), HEALTHY)

    # --- the plan ---

    def _keep_to_plan(self) -> None:
        while not self._closing.is_set():
            now = self.seconds()
            borders = [border for window in self._plan for border in (window.start, window.end) if border > now]
            self._replanned.wait(min(borders) - now if borders and min(borders) < math.inf else None)
            self._replanned.clear()
            self._apply_plan()

    def _apply_plan(self) -> None:
        with self._applying:
            fault = self.fault()
            if isinstance(fault, Down):
                self._stop_listening(stay_bound=True)
            elif not self._closing.is_set():
                self._listen()
            if isinstance(fault, Down | Dropping):
                self._cut_idle()

    def _listen(self) -> None:
        with self._lock:
            if self._listener is None:
                self._listener = self._bound()
            elif self._listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return
            self._port = self._listener.getsockname()[1]
            self._listener.listen(128)
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _stop_listening(self, *, stay_bound: bool) -> None:
        with self._lock:
            listener = self._listener
            if listener is None or (stay_bound and not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)):
                return
            with suppress(OSError):  # wakes the thread that accepts
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            self._listener = self._bound() if stay_bound else None

    def _bound(self) -> socket.socket:
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", self._port))
        return bound

    def _cut_idle(self) -> None:
        with self._lock:
            for each in self._connections:
                if not each.busy:
                    each.cut = True
                    with suppress(OSError):
                        each.sock.shutdown(socket.SHUT_RDWR)

    # --- connections ---

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(PATIENCE_SECONDS)
                connection = Connection(sock)
                with self._lock:
                    self._connections.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        try:
            with connection.sock, connection.sock.makefile("rb") as reader, suppress(OSError, ValueError):
                while self._serve_one(connection, reader) and self._is_kept(connection):
                    pass
        finally:
            with self._lock:
                self._connections.discard(connection)

    def _is_kept(self, connection: Connection) -> bool:
        """Idle from now on; not, if idle ones were cut off while this one was being answered."""
        with self._lock:
            connection.busy = False
            return not isinstance(self.fault(), Down | Dropping)

    def _serve_one(self, connection: Connection, reader: BinaryIO) -> bool:
        """Read one request and answer it; False where the connection ends."""
        first = reader.readline()
        with self._lock:
            if not first or connection.cut:
                return False
            connection.busy = True
        headers = read_headers(reader)
        if headers.get("expect", "").lower() == "100-continue":
            connection.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = read_body(reader, headers)
        fault = self.fault()
        if body is None or isinstance(fault, Down | Dropping):
            return False
        if isinstance(fault, Slow):
            self._closing.wait(fault.seconds)
        status = self._count(body, headers.get("content-encoding", ""), fault, gone=has_hung_up(connection.sock))
        retry_after = fault.retry_after if isinstance(fault, Refusing) else None
        connection.sock.sendall(answer(status, retry_after))
        return headers.get("connection", "").lower() != "close"

    def _count(self, body: bytes, encoding: str, fault: Fault, *, gone: bool) -> int:
        """Count what is in the body, and return the status to answer with."""
        try:
            contents = parse_envelope(gzip.decompress(body) if encoding == "gzip" else body)
        except Exception as error:
            with self._lock:
                self._tally.malformed.append(f"{error!r} in {body[:80]!r}")
            return CANNOT_READ
        status = fault.status if isinstance(fault, Refusing) else OK
        with self._lock:
            if status >= REDIRECTED:
                self._tally.refused.update(contents.events)
                self._tally.too_many += len(contents.events) * (status == TOO_MANY)
                return status
            self._tally.accepted.update(contents.events)
            self._tally.unanswered += len(contents.events) * gone
            self._tally.reported.update(contents.reported)
            if contents.events:
                self._tally.last_at = self.seconds()
                if math.isnan(self._tally.first_at):
                    self._tally.first_at = self._tally.last_at
        return status


# --- HTTP ------------------------------------------------------------------------------------------------------------


def read_headers(reader: BinaryIO) -> dict[str, str]:
    """Names in lower case."""
    headers: dict[str, str] = {}
    while (line := reader.readline()) not in {b"\r\n", b"\n", b""}:
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def read_body(reader: BinaryIO, headers: dict[str, str]) -> bytes | None:
    """The whole body, or None if the client hung up in the middle of it."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return read_chunks(reader)
    length = int(headers.get("content-length", "0"))
    body = reader.read(length)
    return body if len(body) == length else None


def read_chunks(reader: BinaryIO) -> bytes | None:
    """A chunked body, or None if it has no end."""
    chunks: list[bytes] = []
    while line := reader.readline():
        size = int(line.split(b";")[0], 16)
        chunk = reader.read(size)
        reader.readline()
        if not size:
            return b"".join(chunks)
        chunks.append(chunk)
    return None


def has_hung_up(sock: socket.socket) -> bool:
    """Whether the client has closed its side."""
    try:
        readable, _, _ = select.select([sock], [], [], 0)
        return bool(readable) and sock.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def answer(status: int, retry_after: int | None = None) -> bytes:
    """An answer as Sentry's servers give them."""
    body = b"{}"
    lines = [f"HTTP/1.1 {status} Because", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    if retry_after is not None:
        lines.append(f"Retry-After: {retry_after}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
