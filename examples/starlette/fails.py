"""A shop on Starlette that fails on purpose: each failure arrives once, with its request.

    SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/starlette/fails.py

It serves itself with uvicorn on a free port, sends itself requests, and ends.
"""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

import vedette

if TYPE_CHECKING:
    from starlette.requests import Request

# What arrives, by the name of the transaction: the route.
FAILURES = {
    "KeyError: 'AT'": "/shop/pay/{article}",
    "HTTPException: 503: the stock is closed": "/stock",
    "OSError: the printer is on fire": "/invoice/{number:int}",
}
REQUESTS = {
    "KeyError: 'AT'": "POST /shop/pay/lamp",
    "HTTPException: 503: the stock is closed": "GET /stock",
    "OSError: the printer is on fire": "GET /invoice/7",
}

VAT = {"DE": 0.19, "FR": 0.20}

vedette.init(release="shop@1.0")


async def pay(request: Request) -> PlainTextResponse:
    order = await request.json()
    vedette.set_tag("country", order["country"])
    return PlainTextResponse(str(order["price"] * (1 + VAT[order["country"]])))


async def stock(request: Request) -> PlainTextResponse:
    raise HTTPException(503, "the stock is closed")


def print_invoice() -> None:
    raise OSError("the printer is on fire")


async def invoice(request: Request) -> PlainTextResponse:
    return PlainTextResponse("it is being printed", background=BackgroundTask(print_invoice))


app = Starlette(
    routes=[
        Mount("/shop", routes=[Route("/pay/{article}", pay, methods=["POST"])]),
        Route("/stock", stock),
        Route("/invoice/{number:int}", invoice),
    ]
)


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
    ask(f"{base}/shop/pay/lamp", {"country": "DE", "price": 10})  # goes well
    ask(f"{base}/shop/pay/lamp", {"country": "AT", "price": 10, "password": "s3cret"})
    ask(f"{base}/stock")
    ask(f"{base}/invoice/7")  # answers well, and fails behind it
    ask(f"{base}/nowhere")  # 404 is an answer, not a failure
    server.should_exit = True
    thread.join()


if __name__ == "__main__":
    main()
