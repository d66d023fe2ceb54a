"""A shop of plain ASGI that fails on purpose: each failure arrives once, with its request.

    SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/asgi/fails.py

It serves itself with uvicorn on a free port, sends itself requests, and ends.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import urllib.error
import urllib.request
from typing import Any

import uvicorn

import vedette
from vedette.integrations.asgi import SentryAsgiMiddleware

# What arrives, by the name of the transaction. ASGI knows no routes, so that is the path.
FAILURES = {"KeyError: 'AT'": "/pay/lamp", "TimeoutError: the stock does not answer": "/stock"}
REQUESTS = {"KeyError: 'AT'": "POST /pay/lamp", "TimeoutError: the stock does not answer": "GET /stock"}

VAT = {"DE": 0.19, "FR": 0.20}

vedette.init(release="shop@1.0")


async def pay(receive: Any) -> str:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message.get("more_body", False)
    order = json.loads(body)
    vedette.set_tag("country", order["country"])
    return str(order["price"] * (1 + VAT[order["country"]]))


async def look_up_stock() -> str:
    await asyncio.sleep(0)
    raise TimeoutError("the stock does not answer")


async def shop(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    status, text = 200, ""
    if scope["path"] == "/pay/lamp":
        text = await pay(receive)
    elif scope["path"] == "/stock":
        text = await asyncio.create_task(look_up_stock())  # a task of the request has its scope
    else:
        status = 404
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": text.encode()})


application = SentryAsgiMiddleware(shop)


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
    server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    ask(f"{base}/pay/lamp", {"country": "DE", "price": 10})  # goes well
    ask(f"{base}/pay/lamp", {"country": "AT", "price": 10, "password": "s3cret"})
    ask(f"{base}/stock")
    ask(f"{base}/nowhere")  # 404 is an answer, not a failure
    server.should_exit = True
    thread.join()


if __name__ == "__main__":
    main()
