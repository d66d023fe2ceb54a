"""Asks the receiver what came. Imports what it needs when it does: by then memory has been read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def ask(dsn: str, what: str) -> Any:
    """What the receiver says of a DSN's project: its "tally" or its "events"."""
    import json
    import socket

    address, _, project = dsn.partition("@")[2].rpartition("/")
    host, _, port = address.partition("/")[0].partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection, connection.makefile("rb") as reader:
        connection.sendall(f"GET /{what}/{project} HTTP/1.1\r\n\r\n".encode())
        while reader.readline().strip():
            pass
        return json.loads(reader.readline())
