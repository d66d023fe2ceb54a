"""A client on aiohttp whose server fails on purpose: each failure arrives once, after the requests before it.

    SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/aiohttp/fails.py

It serves itself on a free port, sends requests to that, and ends.
"""

from __future__ import annotations

import asyncio

from aiohttp import ClientConnectionError, ClientSession, web

import vedette

# What arrives. The failures are the client's, outside of any request to the server, so there is no transaction.
FAILURES = {"RuntimeError: no price of a lamp: 503": None, "RuntimeError: the bank cannot be reached": None}
BREADCRUMBS = {
    "RuntimeError: no price of a lamp: 503": "http",
    "RuntimeError: the bank cannot be reached": "http",
}

TOKEN = "s3cret"

vedette.init(release="shop@1.0")


async def stock(request: web.Request) -> web.Response:
    return web.Response(text="7", status=503 if request.match_info["article"] == "lamp" else 200)


async def price(session: ClientSession, article: str) -> float:
    async with session.get(f"/{article}", params={"token": TOKEN}) as answer:
        if not answer.ok:
            raise RuntimeError(f"no price of a {article}: {answer.status}")
        return float(await answer.text())


async def pay(session: ClientSession) -> None:
    try:
        await session.post("http://127.0.0.1:9/pay", json={"password": TOKEN})
    except ClientConnectionError as error:
        raise RuntimeError("the bank cannot be reached") from error


async def shop(base: str) -> None:
    async with ClientSession(base) as session:
        for article in ("table", "lamp"):
            try:
                print(article, await price(session, article))
            except RuntimeError as error:
                vedette.capture_exception(error)
    async with ClientSession() as session:
        try:
            await pay(session)
        except RuntimeError as error:
            vedette.capture_exception(error)


async def main() -> None:
    application = web.Application()
    application.router.add_get("/{article}", stock)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    await shop(f"http://{host}:{port}")
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
