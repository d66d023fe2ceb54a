"""One POST: over an open connection where there is one, else the whole way through urllib3, which opens it.

Purpose: from the second request on, a body of known length goes out with its head in one piece, and an answer that
came in one piece is split where it stands.

Guarantees
- The server sees the same request, and the caller the same answers, errors and deadlines as by way of urllib3.
- Connections are urllib3's: it opens them, with its TLS, and both ways take them from its pool.
- Only an answer that is as plain as can be is read here. Any other is read by ``http.client``, from its first byte on.
- A connection goes back to the pool only when the whole answer was read; else it is closed.

Not here: what an HTTP proxy forwards without a tunnel, and bodies that are made while they are sent.

urllib3 is imported inside the functions: it takes 56 ms, which only the sender pays (design, decision 3).
"""

from __future__ import annotations

from vedette._transport import answers, sockets
from vedette._transport.answers import Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    import urllib3

    from vedette._transport.idle_connections import IdleConnections
    from vedette._transport.streaming import Stream

_PIECE: Final = 16_384  # bytes that are received at once
_MOST_HEADERS: Final = 100  # as http.client has it
_FIRST_FINAL_STATUS: Final = 200
_WITHOUT_BODY: Final = "304"  # whatever its headers say
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Poster:
    """Posts to one URL, with the same headers each time. Several threads may use it."""

    def __init__(self, manager: urllib3.PoolManager, url: str, headers: Mapping[str, str]) -> None:
        self.manager: urllib3.PoolManager = manager
        self._url = url
        self._headers = headers
        self._head = b""
        self._pool: Any = None  # once a request has gone by way of urllib3

    def post(self, body: bytes | Stream, encoding: str, timeout: urllib3.Timeout) -> Answer:
        """The answer to a request with this body. Raises urllib3's HTTPError."""
        if isinstance(body, bytes):
            connection = self._take_connected()
            if connection is not None:
                return self._post_over(connection, body, encoding, timeout)
        return self._post_by_urllib3(body, encoding, timeout)

    def _post_over(self, connection: Any, body: bytes, encoding: str, timeout: urllib3.Timeout) -> Answer:
        framing = f"Content-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
        is_reusable = False
        try:
            answer, is_reusable = _exchange(connection, b"".join((self._head, framing.encode(), body)), timeout)
        except Exception as error:
            self._raise_as_urllib3(error)
            raise
        finally:
            if not is_reusable:
                connection.close()
            self._put_back(connection if is_reusable else None)  # the gap has the next request open another one
        return answer

    def _post_by_urllib3(self, body: bytes | Stream, encoding: str, timeout: urllib3.Timeout) -> Answer:
        from urllib3.util import SKIP_HEADER  # noqa: PLC0415

        data: Any = body
        response = self.manager.urlopen(
            "POST",
            self._url,
            body=data,
            headers={**self._headers, "Content-Encoding": encoding, "Accept-Encoding": SKIP_HEADER},
            timeout=timeout,
            retries=False,  # TRN-12, TRN-13
            redirect=False,  # the key in the headers is for this host only
            preload_content=False,
            decode_content=False,
        )
        body_of_answer = answers.body_of(response)
        if body_of_answer is None:
            response.close()
        response.release_conn()
        # An HTTP proxy wants another head; a tunnel through one, or a SOCKS proxy, is below all that is written here.
        if self._pool is None and (self.manager.proxy is None or self._url.startswith("https:")):
            self._head = _head(self._url, self._headers)
            self._pool = self.manager.connection_from_url(self._url)
        return Answer(response.status, response.headers, body_of_answer or b"")

    def _take_connected(self) -> Any:
        idle: IdleConnections | None = None if self._pool is None else self._pool.pool
        return None if idle is None else idle.take_connected()

    def _put_back(self, connection: Any) -> None:
        idle: IdleConnections | None = self._pool.pool  # None, where all were closed meanwhile
        if (idle is None or not idle.keep(connection)) and connection is not None:
            connection.close()

    def _raise_as_urllib3(self, error: Exception) -> None:
        """Raise what urllib3 makes of an error in the middle of a request, if it is one."""
        from http.client import HTTPException  # noqa: PLC0415

        from urllib3.exceptions import ProtocolError, ReadTimeoutError  # noqa: PLC0415

        if isinstance(error, TimeoutError):
            raise ReadTimeoutError(self._pool, self._url, "no answer in time") from error
        if isinstance(error, OSError):
            raise ProtocolError("Connection aborted.", sockets.stale(error)) from error
        if isinstance(error, HTTPException):
            raise ProtocolError("Connection aborted.", error) from error


def _head(url: str, headers: Mapping[str, str]) -> bytes:
    """The line and the headers that each request begins with, as urllib3 writes them."""
    from urllib3.util import parse_url  # noqa: PLC0415

    parsed = parse_url(url)
    is_default = parsed.port in (None, _DEFAULT_PORTS.get(parsed.scheme or ""))
    lines = [
        f"POST {parsed.request_uri} HTTP/1.1",
        f"Host: {parsed.host if is_default else parsed.netloc}",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
    ]
    return "\r\n".join(lines).encode("latin-1")


def _exchange(connection: Any, request: bytes, timeout: urllib3.Timeout) -> tuple[Answer, bool]:
    """The answer to these bytes, and whether the connection can take more. Raises OSError, HTTPException."""
    sock = connection.sock
    sock.settimeout(timeout.connect_timeout)
    try:
        sock.sendall(request)
    except BrokenPipeError:
        pass  # as with urllib3: the server may have refused the body half way, and have said so
    sock.settimeout(timeout.read_timeout)
    received = sock.recv(_PIECE) or b""  # urllib3's TLS inside TLS returns 0 at the end
    answer = plain_answer(received)
    if answer is not None:
        return answer, True
    sock.settimeout(timeout.read_timeout)  # what is left now
    return _read_by_http_client(connection, received)


def _read_by_http_client(connection: Any, received: bytes) -> tuple[Answer, bool]:
    """The same for an answer of which these bytes were received, within the socket's time-out."""
    response = connection.response_class(connection.sock, method="POST", received=received)
    try:
        response.begin()
        body = answers.body_of(response)
        is_reusable = body is not None and response.isclosed() and not response.will_close
        headers: dict[str, str] = {}
        for name, value in response.headers.items():
            _add(headers, name, value)
        return Answer(response.status, headers, body or b""), is_reusable
    finally:
        response.close()


def plain_answer(received: bytes) -> Answer | None:
    """The answer, if these bytes are all of it and can be read in one way only; else None."""
    head, end, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    status = first[9:12]
    is_final = first.startswith("HTTP/1.1 ") and status.isdecimal() and int(status) >= _FIRST_FINAL_STATUS
    if not end or not is_final or first[12:13].strip() or status == _WITHOUT_BODY or len(lines) > _MOST_HEADERS:
        return None
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.replace("-", "").isalnum() or not value.isprintable():
            return None  # folded, or malformed
        _add(headers, name, value.strip())
    is_whole = headers.get("content-length") == str(len(body)) and "transfer-encoding" not in headers
    stays_open = headers.get("connection", "keep-alive").lower() == "keep-alive"
    return Answer(int(status), headers, body) if is_whole and stays_open else None


def _add(headers: dict[str, str], name: str, value: str) -> None:
    """Under its name in small letters; what is said in several lines is joined, as HTTP has it."""
    key = name.lower()
    headers[key] = f"{headers[key]}, {value}" if key in headers else value
