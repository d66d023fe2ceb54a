"""A shop on Flask that fails on purpose: each failure arrives once, with its request.

    SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/flask/fails.py

It serves itself with Werkzeug on a free port, sends itself requests, and ends.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from typing import Any

import flask
from werkzeug.serving import make_server

import vedette

# What arrives, by the name of the transaction: the endpoint.
FAILURES = {"KeyError: 'AT'": "pay", "OSError: the printer is on fire": "invoice"}
REQUESTS = {"KeyError: 'AT'": "POST /pay/lamp", "OSError: the printer is on fire": "GET /invoice/7"}

VAT = {"DE": 0.19, "FR": 0.20}

vedette.init(release="shop@1.0")
app = flask.Flask("shop")


class SoldOutError(Exception):
    """Handled by the application, and so no event."""


@app.errorhandler(SoldOutError)
def sold_out(error: SoldOutError) -> tuple[str, int]:
    return f"sold out: {error}", 409


@app.post("/pay/<article>")
def pay(article: str) -> str:
    order = flask.request.get_json()
    if article == "chair":
        raise SoldOutError(article)
    vedette.set_tag("country", order["country"])
    return str(order["price"] * (1 + VAT[order["country"]]))


def print_out(number: int) -> str:
    raise OSError("the printer is on fire")


@app.get("/invoice/<int:number>")
def invoice(number: int) -> str:
    try:
        return print_out(number)
    except OSError:
        app.logger.exception("invoice %s is not printed", number)  # logged and raised again: still one event
        raise


def ask(url: str, body: dict[str, Any] | None = None) -> None:
    data = None if body is None else json.dumps(body).encode()
    try:
        request = urllib.request.Request(
            url, data, {"Content-Type": "application/json", "Authorization": "Bearer s3cret"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            print(url, answer.status)
    except urllib.error.HTTPError as error:
        print(url, error)


def main() -> None:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    base = f"http://127.0.0.1:{server.server_port}"
    ask(f"{base}/pay/lamp", {"country": "DE", "price": 10})  # goes well
    ask(f"{base}/pay/chair", {"country": "DE", "price": 40})  # handled
    ask(f"{base}/pay/lamp", {"country": "AT", "price": 10, "password": "s3cret"})
    ask(f"{base}/invoice/7")
    ask(f"{base}/nowhere")  # 404 is an answer, not a failure
    server.shutdown()
    thread.join()
    server.server_close()


if __name__ == "__main__":
    main()
