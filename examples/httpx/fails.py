"""A client on HTTPX whose server fails on purpose: each failure arrives once, after the requests before it.

    SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/httpx/fails.py

It serves itself on a free port, sends requests to that, and ends.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import make_server

import httpx

import vedette

if TYPE_CHECKING:
    from collections.abc import Iterable

# What arrives. No framework is at work, so there is no transaction.
FAILURES = {"RuntimeError: no price of a lamp: 503": None, "ConnectError: All connection attempts failed": None}
BREADCRUMBS = {
    "RuntimeError: no price of a lamp: 503": "http",
    "ConnectError: All connection attempts failed": "http",
}

TOKEN = "s3cret"

vedette.init(release="shop@1.0")


def stock(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("503 Service Unavailable" if environ["PATH_INFO"] == "/lamp" else "200 OK", [])
    return [b"7"]


def price(client: httpx.Client, article: str) -> float:
    answer = client.get(f"/{article}", params={"token": TOKEN})
    if answer.is_server_error:
        raise RuntimeError(f"no price of a {article}: {answer.status_code}")
    return float(answer.text)


async def ask_closed_port() -> None:
    async with httpx.AsyncClient() as client:
        await client.get("http://127.0.0.1:9/")


def main() -> None:
    with make_server("127.0.0.1", 0, stock) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
            for article in ("table", "lamp"):
                try:
                    print(article, price(client, article))
                except RuntimeError as error:
                    vedette.capture_exception(error)
        try:
            asyncio.run(ask_closed_port())
        except httpx.ConnectError as error:
            vedette.capture_exception(error)
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    main()
