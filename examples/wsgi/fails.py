"""A shop of plain WSGI that fails on purpose: each failure arrives once, with its request.

    SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/wsgi/fails.py

It serves itself on a free port, sends itself requests, and ends.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import vedette
from vedette.integrations.wsgi import SentryWsgiMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterator

# What arrives, by the name of the transaction. WSGI knows no routes, so that is the path.
FAILURES = {"KeyError: 'AT'": "/pay/lamp", "LookupError: page 2 is lost": "/report"}
REQUESTS = {"KeyError: 'AT'": "POST /pay/lamp", "LookupError: page 2 is lost": "GET /report"}

VAT = {"DE": 0.19, "FR": 0.20}

vedette.init(release="shop@1.0")


def pay(environ: dict[str, Any]) -> list[bytes]:
    order = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    vedette.set_tag("country", order["country"])
    return [str(order["price"] * (1 + VAT[order["country"]])).encode()]


def report() -> Iterator[bytes]:
    yield b"page 1\n"
    raise LookupError("page 2 is lost")  # while the answer is on its way


def shop(environ: dict[str, Any], start_response: Any) -> Any:
    path = environ["PATH_INFO"]
    start_response("200 OK" if path in {"/pay/lamp", "/report"} else "404 Not Found", [("Content-Type", "text/plain")])
    if path == "/pay/lamp":
        return pay(environ)
    return report() if path == "/report" else [b"there is no such page"]


application = SentryWsgiMiddleware(shop)


def ask(url: str, body: dict[str, Any] | None = None) -> None:
    data = None if body is None else json.dumps(body).encode()
    try:
        request = urllib.request.Request(
            url, data, {"Content-Type": "application/json", "Authorization": "Bearer s3cret"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            print(url, answer.status)
            answer.read()
    except (urllib.error.HTTPError, OSError) as error:
        print(url, error)


def main() -> None:
    with make_server("127.0.0.1", 0, application, handler_class=WSGIRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        ask(f"{base}/pay/lamp", {"country": "DE", "price": 10})  # goes well
        ask(f"{base}/pay/lamp", {"country": "AT", "price": 10, "password": "s3cret"})
        ask(f"{base}/report")
        ask(f"{base}/nowhere")  # 404 is an answer, not a failure
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    main()
