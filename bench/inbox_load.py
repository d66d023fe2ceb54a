"""Sends events to a DSN from several connections, and prints the seconds that it took until the last answer.

    python -m bench.inbox_load DSN EVENTS CONNECTIONS SEED

A process of its own, so that what is measured shares a core with it at most, and no interpreter. Bodies are made and
compressed before the clock starts.
"""

from __future__ import annotations

import gzip
import json
import random
import socket
import sys
import threading
import time
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

EVENT_SIZE = 22_000  # bytes of an event's JSON
ISSUES = 200  # different ones
OWN_FRAMES = 6  # of the program itself; those further out are a library's
WORDS = ["order", "price", "tax", "net", "cart", "ann", "AT", "Decimal('29.97')", "shop", "None", "total", "currency"]


NUMBER, EVENT_ID = "@0000001", "@" * 32
"""What stands for the number and the id of an event in the text of its issue; as long as they are."""


def event(issue: int) -> dict[str, Any]:
    """An error in one of ``ISSUES`` places, with breadcrumbs, tags, and frames with locals up to the size."""
    chance = random.Random(issue)
    made: dict[str, Any] = {
        "event_id": EVENT_ID,
        "timestamp": datetime.now(timezone.utc).isoformat(),
        "platform": "python",
        "level": "error",
        "release": "shop@1.4.0",
        "environment": "production",
        "server_name": "till-3",
        "transaction": f"/orders/{issue}",
        "user": {"id": str(chance.randrange(10_000))},
        "tags": {"tenant": "acme", "till": str(issue % 7), "order": NUMBER},
        "request": {"method": "POST", "url": "http://shop.example/orders", "headers": {"Accept": "*/*"}},
        "sdk": {"name": "bench", "version": "1.0"},
        "breadcrumbs": {"values": [{"category": "query", "message": _text(chance, 12)} for _ in range(10)]},
        "exception": {"values": []},
    }
    for kind, value in (("KeyError", "'AT'"), ("CheckoutError", f"cannot price order A-{NUMBER} for ann")):
        frames = [_frame(chance, issue, depth) for depth in range(3)]
        made["exception"]["values"].append({"type": kind, "value": value, "stacktrace": {"frames": frames}})
    depth = 3
    while len(json.dumps(made)) < EVENT_SIZE:
        made["exception"]["values"][0]["stacktrace"]["frames"].insert(0, _frame(chance, issue, depth))
        depth += 1
    return made


def _frame(chance: random.Random, issue: int, depth: int) -> dict[str, Any]:
    return {
        "filename": f"shop/part{depth}.py",
        "abs_path": f"/srv/shop/part{depth}.py",
        "module": f"shop.part{depth}",
        "function": f"step_{issue}_{depth}",
        "lineno": 10 + depth,
        "in_app": depth < OWN_FRAMES,
        "pre_context": [f"    {_text(chance, 6)}" for _ in range(5)],
        "context_line": f"    total = vat(net, order[{issue}])",
        "post_context": [f"    {_text(chance, 6)}" for _ in range(5)],
        "vars": {f"{chance.choice(WORDS)[:5].lower()}_{n}": _text(chance, 5) for n in range(8)},
    }


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(words))


def requests(dsn: str, events: int, seed: int) -> list[bytes]:
    """Whole HTTP requests, compressed as SDKs send them."""
    parts = urlsplit(dsn)
    chance = random.Random(seed)
    texts = [json.dumps(event(issue), separators=(",", ":")) for issue in range(min(ISSUES, events))]
    made = []
    for number in range(events):
        event_id = f"{chance.getrandbits(128):032x}"
        text = texts[number % len(texts)].replace(EVENT_ID, event_id).replace(NUMBER, f"{seed * events + number:08}")
        payload = text.encode()
        body = gzip.compress(
            b'{"event_id":"%s"}\n{"type":"event","length":%d}\n%s\n' % (event_id.encode(), len(payload), payload), 5
        )
        head = (
            f"POST /api{parts.path}/envelope/ HTTP/1.1\r\nHost: {parts.hostname}:{parts.port}\r\n"
            f"X-Sentry-Auth: Sentry sentry_key={parts.username}, sentry_version=7\r\n"
            f"Content-Type: application/x-sentry-envelope\r\nContent-Encoding: gzip\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def send_all(address: tuple[str, int], waiting: list[bytes], failures: list[bytes]) -> None:
    """One connection at a time, opened again where the server closes it."""
    connection = None
    for request in waiting:
        connection = connection or socket.create_connection(address)
        connection.sendall(request)
        answer = _answer(connection)
        if not answer.startswith(b"HTTP/1.1 200"):
            failures.append(answer[:300])
            return
        if b"connection: close" in answer.lower():
            connection.close()
            connection = None


def _answer(connection: socket.socket) -> bytes:
    received = b""
    while True:
        head, end, body = received.partition(b"\r\n\r\n")
        if end:
            lines = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
            if len(body) >= int(lines.get(b"content-length", b"0")):
                return received
        chunk = connection.recv(65536)
        if not chunk:
            return received
        received += chunk


def main() -> None:
    dsn, events, connections, seed = sys.argv[1], *map(int, sys.argv[2:5])
    parts = urlsplit(dsn)
    address = (parts.hostname or "", parts.port or 80)
    made = requests(dsn, events, seed)
    failures: list[bytes] = []
    threads = [
        threading.Thread(target=send_all, args=(address, made[number::connections], failures))
        for number in range(connections)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    if failures:
        raise SystemExit(f"not taken: {failures[0]!r}")
    print(seconds)


if __name__ == "__main__":
    main()
