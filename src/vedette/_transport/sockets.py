"""urllib3's pools over connections that keep one deadline, and know whether they were used before.

urllib3 grants a request's time-out anew to each address of a host, to the tunnel through a proxy, to the handshake,
and to each piece of an answer. Here one deadline bounds them all: the seconds that are left are set on the socket
before each step. Not bounded: the look-up of the host's name, which cannot be interrupted.

urllib3 is imported inside the functions: it takes 56 ms, which only the sender pays (design, decision 3).
"""

from __future__ import annotations

import io
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable
    from typing import Any, Final

    import urllib3
    from urllib3.connection import HTTPConnection

_MOST_HEAD: Final = 262_144  # bytes of an answer before its body; servers accept some 8 to 64 KiB themselves
_BODY_SECONDS: Final = 1.0  # that the body may take behind the headers
_LEAST_TIMEOUT: Final = 0.001  # seconds; a socket takes 0 for "do not block"

_until: Any = None


class StaleConnectionError(ConnectionError):
    """A connection that had been used before died without an answer: the server had closed it meanwhile."""


def is_stale(error: BaseException) -> bool:
    """Whether urllib3 failed because a pooled connection had been closed by the server.

    In its place urllib3 leaves a gap on top of the pool, so the next request opens a new connection.
    """
    return any(isinstance(part, StaleConnectionError) for part in error.args)


def stale(error: OSError) -> StaleConnectionError:
    """That of a connection that had been used before, and failed like this."""
    return StaleConnectionError(f"a pooled connection had died: {error!r}")


def timeout_until(deadline: float, most: float) -> urllib3.Timeout:
    """A time-out that ends at ``deadline`` (of the monotonic clock), whenever it is asked; ``most`` seconds a step."""
    global _until  # noqa: PLW0603 - made once: a class a request would be garbage that only a collection finds
    if _until is None:
        _until = _until_class()
    timeout: urllib3.Timeout = _until(deadline, most)
    return timeout


def pool_classes(*, socks: bool) -> dict[str, Any]:
    """The pools for http and https servers, behind a SOCKS proxy or not."""
    import urllib3  # noqa: PLC0415
    from urllib3.connection import HTTPSConnection  # noqa: PLC0415

    plain = _connection_class()
    if socks:
        from urllib3.contrib.socks import SOCKSConnection  # noqa: PLC0415 - of an extra

        plain = type("SocksConnection", (SOCKSConnection, plain), {})
    # Any: urllib3 declares the attribute as a protocol that its own classes do not meet.
    secured: Any = type("TLSConnection", (plain, HTTPSConnection), {})

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = plain

    class TLSPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = secured

        def _validate_conn(self, conn: Any) -> None:
            # Without urllib3's warning, on stderr, of a context that verifies nothing: the program gave it.
            if conn.is_closed:
                conn.connect()

    return {"http": Pool, "https": TLSPool}


def _until_class() -> Any:
    import urllib3  # noqa: PLC0415

    class Until(urllib3.Timeout):
        """urllib3's own counts from where it thinks that connecting began, which is behind a proxy's tunnel."""

        def __init__(self, deadline: float, most: float) -> None:
            super().__init__()
            self._deadline = deadline
            self._most = most

        def clone(self) -> Until:
            return self

        @property
        def connect_timeout(self) -> float:
            return min(self._most, _left(self._deadline))

        @property
        def read_timeout(self) -> float:
            return self.connect_timeout

    return Until


def _left(deadline: float) -> float:
    return max(_LEAST_TIMEOUT, deadline - time.monotonic())


def _connection_class() -> Any:
    from urllib3.connection import HTTPConnection  # noqa: PLC0415
    from urllib3.response import HTTPResponse  # noqa: PLC0415, TC002

    class Connection(HTTPConnection):
        response_class = _response_class()
        is_vedettes_own = True
        """Whoever watches requests of the program, StdlibIntegration above all, leaves these out."""
        answers = 0
        """Answers that came over this TCP connection."""
        deadline: float | None = None
        """Of connecting."""

        def connect(self) -> None:
            self.deadline = time.monotonic() + self.timeout if isinstance(self.timeout, (int, float)) else None
            super().connect()
            self.answers = 0
            self._grant_what_is_left()

        def _new_conn(self) -> socket.socket:
            return _new_socket(self, self._dns_host.strip("[]"), self.deadline)

        def _tunnel(self) -> None:
            self._grant_what_is_left()
            super()._tunnel()  # of http.client, as urllib3 calls it
            self._grant_what_is_left()

        def _grant_what_is_left(self) -> None:
            if self.deadline is not None:
                self.timeout = _left(self.deadline)
                self.sock.settimeout(self.timeout)

        def request(self, *args: Any, **kwargs: Any) -> None:
            try:
                super().request(*args, **kwargs)
            except BrokenPipeError:
                raise  # urllib3 looks for an answer nevertheless: the server may have refused the body half way
            except OSError as error:
                self.raise_if_stale(error)
                raise

        def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 does
            try:
                response = super().getresponse()
            except OSError as error:
                self.raise_if_stale(error)
                raise
            self.answers += 1
            return response

        def raise_if_stale(self, error: OSError) -> None:
            if self.answers and not isinstance(error, TimeoutError):
                raise stale(error) from error

    return Connection


def _response_class() -> Any:
    import http.client  # noqa: PLC0415

    class Response(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, received: bytes = b"", **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.fp.close()
            self.reader = _DeadlineReader(sock, received)
            self.fp = io.BufferedReader(self.reader)

        def begin(self) -> None:
            super().begin()
            self.reader.reached_body()

    return Response


def _new_socket(connection: HTTPConnection, host: str, deadline: float | None) -> socket.socket:
    """Connected to one of the host's addresses; failures are told as urllib3 tells them."""
    import socket  # noqa: PLC0415

    from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError  # noqa: PLC0415
    from urllib3.util.connection import allowed_gai_family  # noqa: PLC0415

    try:
        addresses = socket.getaddrinfo(host, connection.port, allowed_gai_family(), socket.SOCK_STREAM)
        return _connected(addresses, deadline, connection.socket_options or ())
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except UnicodeError as error:  # a label that is empty or too long
        raise NameResolutionError(host, connection, socket.gaierror(str(error))) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, f"connecting to {host} took too long") from error
    except OSError as error:
        raise NewConnectionError(connection, f"no connection to {host}: {error}") from error


def _connected(
    addresses: list[tuple[Any, ...]], deadline: float | None, socket_options: Iterable[tuple[Any, ...]]
) -> socket.socket:
    """A connection to the first address that answers. Each may take its share of the time that is left.

    So a host whose IPv6 address is a black hole is reached by its IPv4 address, and in time.
    """
    import socket  # noqa: PLC0415

    failure: OSError | None = None
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            for option in socket_options:
                sock.setsockopt(*option)
            if deadline is not None:
                sock.settimeout(max(_LEAST_TIMEOUT, _left(deadline) / (len(addresses) - number)))
            sock.connect(address)
            if deadline is not None:
                sock.settimeout(_left(deadline))
            return sock
        except OSError as error:
            failure = error
            if sock is not None:
                sock.close()
    try:
        raise failure or OSError("the host has no address")
    finally:
        failure = None  # it holds this frame


class _DeadlineReader(io.RawIOBase):
    """Reads an answer within the socket's time-out in all; a socket by itself grants it to each read anew.

    What comes before the body (any number of ``100 Continue`` too) is bounded in bytes: whoever reads the body bounds
    that, but http.client takes 100 lines of 64 KiB each for headers, and spends many times as much memory on them.
    ``received`` is what somebody has read of it already.
    """

    def __init__(self, sock: socket.socket, received: bytes) -> None:
        super().__init__()
        self._received = received
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket open until the answer is closed
        timeout = sock.gettimeout()
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self.left_for_head: int | None = _MOST_HEAD

    def reached_body(self) -> None:
        """The answer is known. The rest only saves the connection, which is not worth much waiting."""
        self.left_for_head = None
        if self._deadline is not None:
            self._deadline = min(self._deadline, time.monotonic() + _BODY_SECONDS)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            self._sock.settimeout(left)
        if self._received:
            count: int | None = min(len(buffer), len(self._received))
            buffer[:count] = self._received[:count]
            self._received = self._received[count:]
        else:
            count = self._raw.readinto(buffer)
        if self.left_for_head is not None and count:
            self.left_for_head -= count
            if self.left_for_head < 0:
                raise ConnectionError(f"more than {_MOST_HEAD} bytes, and no end of the headers")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
