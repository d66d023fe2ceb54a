"""Real servers for the suite: sockets on 127.0.0.1, port 0, programmable answers, everything recorded.

``RecordingServer`` plays the server that envelopes go to, ``RecordingProxy`` a proxy in front of it. Both are
context managers, ready when entered, and let go of every waiting thread when left. They parse HTTP and
envelopes by themselves: nothing of vedette is used, so a mistake made there is not made here as well.
"""

from __future__ import annotations

import gzip
import json
import select
import socket
import ssl
import threading
import zlib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

WAIT = 5.0
"""Seconds after which a test that waits has failed."""
PATIENCE = 30.0
"""Seconds after which a connection that nothing happens on is given up."""


@dataclass(frozen=True)
class Answer:
    """What the server does with one request."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b'{"id":"00000000000000000000000000000000"}'
    gate: threading.Event | None = None
    """Answer only once this is set (or the server is closed)."""
    read_gate: threading.Event | None = None
    """Read the request only once this is set."""
    body_gate: threading.Event | None = None
    """The same between headers and body."""
    hang_up: Literal["before_reading", "after_reading", "in_answer", "after_answer"] | None = None
    """Close the connection at this point; ``after_answer`` does not announce it."""
    drip: float | None = None
    """Seconds between any two bytes of the answer."""
    announced_length: int | None = None
    """A Content-Length that may be a lie."""

    def head(self) -> bytes:
        length = len(self.body) if self.announced_length is None else self.announced_length
        lines = [f"HTTP/1.1 {self.status} Because", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(frozen=True)
class RecordedItem:
    headers: dict[str, Any]
    payload: bytes

    @property
    def type(self) -> str:
        return str(self.headers["type"])

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


@dataclass(frozen=True)
class RecordedEnvelope:
    headers: dict[str, Any]
    items: tuple[RecordedItem, ...]

    def items_of(self, item_type: str) -> list[RecordedItem]:
        return [item for item in self.items if item.type == item_type]


@dataclass(frozen=True)
class Request:
    """One request as it came over the wire."""

    connection: int
    """1 for the first connection the server accepted, and so on."""
    method: str
    target: str
    version: str
    raw_headers: tuple[tuple[str, str], ...]
    raw_body: bytes

    @cached_property
    def headers(self) -> dict[str, str]:
        """Names in lower case."""
        return {name.lower(): value for name, value in self.raw_headers}

    @cached_property
    def body(self) -> bytes:
        """Without its Content-Encoding."""
        return decoded(self.raw_body, self.headers.get("content-encoding"))

    @cached_property
    def envelope(self) -> RecordedEnvelope:
        return parsed_envelope(self.body)


def decoded(body: bytes, encoding: str | None) -> bytes:
    if encoding in (None, "identity"):
        return body
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    if encoding == "br":
        import brotli  # noqa: PLC0415 - only where a test uses it

        return bytes(brotli.decompress(body))
    if encoding == "zstd":
        import zstandard  # noqa: PLC0415 - as above

        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    raise AssertionError(f"unknown Content-Encoding {encoding!r}")


def parsed_envelope(data: bytes) -> RecordedEnvelope:
    """As strict as the strictest server: each item has a ``length``, nothing is behind the last newline."""
    head, newline, rest = data.partition(b"\n")
    assert newline, "no newline behind the envelope header"
    items: list[RecordedItem] = []
    while rest:
        line, newline, rest = rest.partition(b"\n")
        assert newline, f"no newline behind an item header: {line!r}"
        headers = header_line(line)
        length = headers["length"]
        assert type(length) is int, f"length is no integer: {length!r}"
        assert len(rest) > length, "the payload is short, or no newline follows it"
        assert rest[length : length + 1] == b"\n", f"no newline behind {length} bytes of payload"
        items.append(RecordedItem(headers, rest[:length]))
        rest = rest[length + 1 :]
    return RecordedEnvelope(header_line(head), tuple(items))


def header_line(line: bytes) -> dict[str, Any]:
    assert line == line.strip(), f"white space around a header: {line!r}"
    headers = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    assert isinstance(headers, dict), f"a header is no object: {line!r}"
    return headers


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


class Listener:
    """Accepts connections, each served by a thread of its own."""

    host = "127.0.0.1"
    """Set to ``::1`` before it starts, it listens there."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl_context = ssl_context
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._changed = threading.Condition()
        self.handshake_gate: threading.Event | None = None
        """Shake hands (TLS) only once this is set."""
        self.port = 0
        self.connections = 0
        """How many connections were accepted."""
        self.failures: list[Exception] = []
        """What broke a connection: handshakes that failed, clients that were not understood."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def start(self, port: int = 0) -> None:
        self._closing.clear()
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, port), family=family, backlog=128)
        self.port = self._listener.getsockname()[1]
        self._run(self._accept, self._listener)

    def close(self) -> None:
        """Stop listening, cut all connections, and end every thread."""
        self._closing.set()
        if self._listener is not None:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut_connections()
        for thread in self._threads:
            thread.join(WAIT)
        self._threads.clear()

    def cut_connections(self) -> None:
        """Close all open connections from this side."""
        with self._changed:
            open_now = list(self._open)
        for sock in open_now:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def wait_for_no_connections(self, timeout: float = WAIT) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: not self._open, timeout), "connections are still open"

    def _run(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True, name=type(self).__name__)
        with self._changed:
            self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while not self._closing.is_set():
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(PATIENCE)
                with self._changed:
                    self.connections += 1
                    self._open.add(sock)
                self._run(self._serve_and_close, sock, self.connections)

    def _serve_and_close(self, sock: socket.socket, number: int) -> None:
        plain = sock
        try:
            if self._ssl_context is not None:
                self._wait(self.handshake_gate)
                sock = self._ssl_context.wrap_socket(sock, server_side=True)
                with self._changed:
                    self._open.discard(plain)
                    self._open.add(sock)
            with sock.makefile("rb") as reader:
                self._serve(sock, reader, number)
        except Exception as error:  # kept for the test to look at
            self.failures.append(error)
        finally:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
            with self._changed:
                self._open -= {plain, sock}
                self._changed.notify_all()

    def _wait(self, gate: threading.Event | None) -> None:
        while gate is not None and not self._closing.is_set() and not gate.wait(0.01):
            pass

    def _serve(self, sock: socket.socket, reader: BinaryIO, number: int) -> None:
        raise NotImplementedError


class RecordingServer(Listener):
    """Records each request and answers as told: with the next queued answer, or else the default one.

    ``answer(status=429, headers=...)`` queues one; ``default`` may be set to an Answer, or to a function from
    Request to Answer. ``requests`` holds what came; ``wait_for(n)`` waits for n of them.
    """

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        super().__init__(ssl_context)
        self.requests: list[Request] = []
        self.default: Answer | Callable[[Request], Answer] = Answer()
        self._answers: deque[Answer] = deque()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'http' if self._ssl_context is None else 'https'}://{host}:{self.port}"

    def dsn(self, key: str = "abc", project: str = "7") -> str:
        return self.url.replace("://", f"://{key}@") + f"/{project}"

    def answer(self, answer: Answer | None = None, *, times: int = 1, **fields: Any) -> None:
        """Queue an answer, given as one or by its fields."""
        self._answers.extend([answer or Answer(**fields)] * times)

    def wait_for(self, count: int = 1, timeout: float = WAIT) -> list[Request]:
        """The requests, once there are as many."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.requests) >= count, timeout)
            assert arrived, f"{len(self.requests)} of {count} requests came within {timeout} s"
            return list(self.requests)

    @property
    def envelopes(self) -> list[RecordedEnvelope]:
        with self._changed:
            return [request.envelope for request in self.requests]

    def items(self, item_type: str) -> list[RecordedItem]:
        """The items of this type in all envelopes so far."""
        return [item for envelope in self.envelopes for item in envelope.items_of(item_type)]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events in all envelopes so far."""
        return [item.json for item in self.items("event")]

    def clear(self) -> None:
        """Forget what came so far."""
        with self._changed:
            self.requests.clear()

    def _next_answer(self) -> Answer | None:
        with suppress(IndexError):
            return self._answers.popleft()
        return None

    def _serve(self, sock: socket.socket, reader: BinaryIO, number: int) -> None:
        while not self._closing.is_set():
            if not reader.peek(1):  # type: ignore[attr-defined] - a BufferedReader
                return
            answer = self._next_answer()
            if answer is not None and answer.hang_up == "before_reading":
                return
            self._wait(answer and answer.read_gate)
            request = read_request(reader, number)
            with self._changed:
                self.requests.append(request)
                self._changed.notify_all()
            if answer is None:
                answer = self.default if isinstance(self.default, Answer) else self.default(request)
            if not self._give(sock, answer):
                return

    def _give(self, sock: socket.socket, answer: Answer) -> bool:
        """Whether the connection stays open."""
        self._wait(answer.gate)
        if answer.hang_up == "after_reading":
            return False
        if answer.hang_up == "in_answer":
            sock.sendall(answer.head()[:8])  # in the middle of the status line
            return False
        self._send(sock, answer.head(), answer.drip)
        self._wait(answer.body_gate)
        self._send(sock, answer.body, answer.drip)
        return answer.hang_up is None

    def _send(self, sock: socket.socket, data: bytes, drip: float | None) -> None:
        if drip is None:
            sock.sendall(data)
            return
        for byte in data:
            sock.sendall(bytes([byte]))
            if self._closing.wait(drip):
                return


class DiscardingServer(Listener):
    """For bodies too large to be kept: ``sizes`` holds how many bytes each had when unpacked (gzip)."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def dsn(self) -> str:
        return f"http://abc@127.0.0.1:{self.port}/7"

    def _serve(self, sock: socket.socket, reader: BinaryIO, number: int) -> None:
        while reader.peek(1):  # type: ignore[attr-defined] - a BufferedReader
            _line(reader)
            headers = dict(_headers(reader))
            unpacking = zlib.decompressobj(31)
            size = 0
            for chunk in _chunks(reader) if "transfer-encoding" in headers else _blocks(reader, headers):
                packed = chunk
                while packed:
                    size += len(unpacking.decompress(packed, 1 << 20))
                    packed = unpacking.unconsumed_tail
            assert unpacking.eof, "the body ended in the middle"
            self.sizes.append(size)
            sock.sendall(Answer().head() + Answer().body)


class RecordingProxy(Listener):
    """A forwarding proxy: ``CONNECT`` for https servers, absolute URLs else. Records what it was asked."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None, *, refuse_with: int | None = None) -> None:
        super().__init__(ssl_context)
        self.asked: list[Request] = []
        self.refuse_with = refuse_with

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'http' if self._ssl_context is None else 'https'}://{host}:{self.port}"

    def _serve(self, sock: socket.socket, reader: BinaryIO, number: int) -> None:
        while reader.peek(1):  # type: ignore[attr-defined] - a BufferedReader
            request = read_request(reader, number)
            self.asked.append(request)
            if self.refuse_with is not None:
                sock.sendall(Answer(status=self.refuse_with, body=b"").head())
                return
            if request.method == "CONNECT":
                self._tunnel(sock, request.target)
                return
            self._forward(sock, request)

    def _tunnel(self, sock: socket.socket, target: str) -> None:
        host, _, port = target.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)), WAIT) as upstream:
            with self._changed:
                self._open.add(upstream)
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            exchange(sock, upstream)
            with self._changed:
                self._open.discard(upstream)

    def _forward(self, sock: socket.socket, request: Request) -> None:
        netloc, _, path = request.target.partition("://")[2].partition("/")
        host, _, port = netloc.rpartition(":")
        lines = [f"{request.method} /{path} HTTP/1.1"]
        lines += [f"{n}: {v}" for n, v in request.raw_headers if not n.lower().startswith("proxy-")]
        lines.append("Connection: close")
        with socket.create_connection((host.strip("[]"), int(port)), WAIT) as upstream:
            upstream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + request.raw_body)
            upstream.shutdown(socket.SHUT_WR)
            with suppress(OSError):
                while data := upstream.recv(65_536):
                    sock.sendall(data)


def exchange(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either side ends; on one thread, as TLS sockets must not be shared by two."""
    with suppress(OSError):
        while True:
            waiting = [sock for sock in (one, other) if isinstance(sock, ssl.SSLSocket) and sock.pending()]
            for source in waiting or select.select([one, other], [], [], PATIENCE)[0]:
                data = source.recv(65_536)
                if not data:
                    return
                (other if source is one else one).sendall(data)


def read_request(reader: BinaryIO, number: int) -> Request:
    method, target, version = _line(reader).split(" ")
    headers = _headers(reader, lower=False)
    by_name = {name.lower(): value for name, value in headers}
    if by_name.get("transfer-encoding") == "chunked":
        body = b"".join(_chunks(reader))
    else:
        body = _exactly(reader, int(by_name.get("content-length", "0")))
    return Request(number, method, target, version, tuple(headers), body)


def _line(reader: BinaryIO) -> str:
    line = reader.readline()
    assert line.endswith(b"\r\n"), f"the client hung up, or does not speak HTTP: {line!r}"
    return line[:-2].decode("latin-1")


def _headers(reader: BinaryIO, *, lower: bool = True) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    while line := _line(reader):
        name, _, value = line.partition(":")
        headers.append((name.lower() if lower else name, value.strip()))
    return headers


def _blocks(reader: BinaryIO, headers: dict[str, str]) -> Iterable[bytes]:
    left = int(headers["content-length"])
    while left:
        block = _exactly(reader, min(left, 65_536))
        yield block
        left -= len(block)


def _exactly(reader: BinaryIO, length: int) -> bytes:
    body = reader.read(length)
    assert len(body) == length, f"the client hung up after {len(body)} of {length} bytes"
    return body


def _chunks(reader: BinaryIO) -> Iterable[bytes]:
    while length := int(_line(reader), 16):
        yield _exactly(reader, length)
        _line(reader)
    _line(reader)


def unused_port() -> int:
    """A port of 127.0.0.1 that nobody listens on (it was free a moment ago)."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])
