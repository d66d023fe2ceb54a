"""A shop on FastAPI that fails on purpose: each failure arrives once, with its request.

    SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/fastapi/fails.py

It serves itself with uvicorn on a free port, sends itself requests, and ends.
"""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from typing import Any

import fastapi
import pydantic
import uvicorn

import vedette

# What arrives, by the name of the transaction: the route.
FAILURES = {
    "KeyError: 'AT'": "/pay/{article}",
    "ValueError: no stock of chair": "/stock/{article}",
    "HTTPException: 503: closed for today": "/counter",
}
REQUESTS = {
    "KeyError: 'AT'": "POST /pay/lamp",
    "ValueError: no stock of chair": "GET /stock/chair",
    "HTTPException: 503: closed for today": "GET /counter",
}

VAT = {"DE": 0.19, "FR": 0.20}

vedette.init(release="shop@1.0")
app = fastapi.FastAPI()


class Order(pydantic.BaseModel):
    """What is to be paid."""

    country: str
    price: float
    password: str = ""


@app.post("/pay/{article}")
async def pay(article: str, order: Order) -> float:
    vedette.set_tag("country", order.country)
    return order.price * (1 + VAT[order.country])


@app.get("/stock/{article}")
def stock(article: str) -> int:  # in one of FastAPI's threads
    raise ValueError(f"no stock of {article}")


@app.get("/counter")
async def counter() -> None:
    raise fastapi.HTTPException(503, "closed for today")


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
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    ask(f"{base}/pay/lamp", {"country": "DE", "price": 10})  # goes well
    ask(f"{base}/pay/lamp", {"price": "cheap"})  # 422 is an answer, not a failure
    ask(f"{base}/pay/lamp", {"country": "AT", "price": 10, "password": "s3cret"})
    ask(f"{base}/stock/chair")
    ask(f"{base}/counter")
    server.should_exit = True
    thread.join()


if __name__ == "__main__":
    main()
