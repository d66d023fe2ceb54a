"""A SOCKS5 proxy (RFC 1928, RFC 1929) on 127.0.0.1: connects as asked, and records by which name and by whom."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from tests.servers import WAIT, Listener, exchange

if TYPE_CHECKING:
    from typing import BinaryIO

NO_AUTHENTICATION, USER_AND_PASSWORD, NOTHING_ACCEPTABLE = 0, 2, 0xFF
IPV4, NAME, IPV6 = 1, 3, 4
SUCCEEDED, REFUSED = 0, 5


class SocksServer(Listener):
    """``user`` and ``password``, where given, are asked for. ``names`` says where host names lead to."""

    def __init__(self, *, user: str = "", password: str = "", names: dict[str, str] | None = None) -> None:
        super().__init__()
        self._credentials = (user, password)
        self._names = names or {}
        self.asked: list[tuple[str, int]] = []
        """Host, as the client said it, and port."""
        self.tried: list[tuple[str, str]] = []
        """User and password, as the client said them."""

    @property
    def netloc(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _serve(self, sock: socket.socket, reader: BinaryIO, number: int) -> None:
        if not self._greet(sock, reader):
            return
        host, port = self._asked_for(reader)
        self.asked.append((host, port))
        try:
            upstream = socket.create_connection((self._names.get(host, host), port), WAIT)
        except OSError:
            sock.sendall(struct.pack("!BBBB4sH", 5, REFUSED, 0, IPV4, bytes(4), 0))
            return
        with upstream:
            sock.sendall(struct.pack("!BBBB4sH", 5, SUCCEEDED, 0, IPV4, bytes(4), 0))
            exchange(sock, upstream)

    def _greet(self, sock: socket.socket, reader: BinaryIO) -> bool:
        version, count = reader.read(2)
        assert version == 5, f"no SOCKS5: {version}"
        offered = reader.read(count)
        wanted = USER_AND_PASSWORD if any(self._credentials) else NO_AUTHENTICATION
        if wanted not in offered:
            sock.sendall(bytes((5, NOTHING_ACCEPTABLE)))
            return False
        sock.sendall(bytes((5, wanted)))
        if wanted == NO_AUTHENTICATION:
            return True
        assert reader.read(1) == b"\1"
        user, password = (reader.read(reader.read(1)[0]).decode() for _ in range(2))
        self.tried.append((user, password))
        is_right = (user, password) == self._credentials
        sock.sendall(bytes((1, 0 if is_right else 1)))
        return is_right

    def _asked_for(self, reader: BinaryIO) -> tuple[str, int]:
        _, command, _, kind = reader.read(4)
        assert command == 1, f"no CONNECT: {command}"
        if kind == NAME:
            host = reader.read(reader.read(1)[0]).decode()
        elif kind == IPV4:
            host = socket.inet_ntop(socket.AF_INET, reader.read(4))
        else:
            assert kind == IPV6
            host = socket.inet_ntop(socket.AF_INET6, reader.read(16))
        return host, struct.unpack("!H", reader.read(2))[0]
