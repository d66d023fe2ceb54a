"""A shop on aiohttp that fails on purpose: each failure arrives once, with its request and what it asked others before.

    SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/aiohttp/fails.py

It serves itself on a free port, sends itself requests, and ends.
"""

from __future__ import annotations

import asyncio

from aiohttp import ClientConnectionError, ClientSession, web

import vedette

# What arrives, by the name of the transaction: the handler, with its module.
FAILURES = {
    "KeyError: 'AT'": "__main__.pay",
    "RuntimeError: the bank cannot be reached": "__main__.refund",
    "HTTPServiceUnavailable: Service Unavailable": "__main__.Counter",
}
REQUESTS = {
    "KeyError: 'AT'": "POST /pay/lamp",
    "RuntimeError: the bank cannot be reached": "GET /refund/7",
    "HTTPServiceUnavailable: Service Unavailable": "GET /counter",
}
BREADCRUMBS = {"RuntimeError: the bank cannot be reached": "http"}

VAT = {"DE": 0.19, "FR": 0.20}
TOKEN = "s3cret"

vedette.init(release="shop@1.0")
routes = web.RouteTableDef()


@routes.post("/pay/{article}")
async def pay(request: web.Request) -> web.Response:
    order = await request.json()
    if request.match_info["article"] == "chair":
        raise web.HTTPConflict(text="sold out")  # an answer, not a failure
    vedette.set_tag("country", order["country"])
    return web.Response(text=str(order["price"] * (1 + VAT[order["country"]])))


@routes.get("/refund/{order}")
async def refund(request: web.Request) -> web.Response:
    async with ClientSession() as session:
        try:
            await session.post("http://127.0.0.1:9/refund", json={"token": TOKEN})
        except ClientConnectionError as error:
            raise RuntimeError("the bank cannot be reached") from error
    return web.Response()


@routes.view("/counter")
class Counter(web.View):
    """Where customers are served."""

    async def get(self) -> web.Response:
        """Serve one."""
        raise web.HTTPServiceUnavailable


async def shop(session: ClientSession) -> None:
    orders = (
        ("lamp", {"country": "DE", "price": 10}),  # goes well
        ("chair", {"country": "DE", "price": 40}),
        ("lamp", {"country": "AT", "price": 10, "password": "s3cret"}),
    )
    for article, order in orders:
        async with session.post(f"/pay/{article}", json=order, headers={"Authorization": "Bearer s3cret"}) as answer:
            print(answer.url, answer.status)
    for path in ("/refund/7", "/counter", "/nowhere"):
        async with session.get(path) as answer:
            print(answer.url, answer.status)


async def main() -> None:
    application = web.Application()
    application.add_routes(routes)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with ClientSession(f"http://{host}:{port}") as session:
        await shop(session)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
