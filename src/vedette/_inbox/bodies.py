"""Receiving request bodies, bounded in bytes, in time, and in all of them together."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from starlette.requests import ClientDisconnect

from vedette._inbox.limits import KEPT_REFUSAL_BYTES, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

    from vedette._inbox.settings import Settings

_DRAINED = 4  # times the limit: how much of a body that is too large is read, so that its sender gets the answer


class ByteBudget:
    """Bytes that may be held at once; who asks for more waits, first come first served. For one loop."""

    def __init__(self, total: int) -> None:
        self._free = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> None:
        """Wait until that much is free, and hold it."""
        if not self._waiting and size <= self._free:
            self._free -= size
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (size, future)
        self._waiting.append(entry)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give(size)  # it was granted at the same moment
            else:
                self._waiting.remove(entry)
                self.give(0)
            raise

    def give(self, size: int) -> None:
        """Give back, and let those in who fit now."""
        self._free += size
        while self._waiting and self._waiting[0][0] <= self._free:
            wanted, future = self._waiting.popleft()
            self._free -= wanted
            future.set_result(None)


class Bodies:
    """Reads request bodies within ``Settings``' limits."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._budget = ByteBudget(settings.max_in_flight)

    @asynccontextmanager
    async def body_of(self, request: Request) -> AsyncGenerator[Received]:
        """The body, its bytes held in the budget for as long as the context lasts.

        Raises nothing of its own: a body that could not be received whole comes with the refusal.
        """
        limit = self._settings.max_body
        declared = request.headers.get("content-length", "")
        is_size = declared.isdigit() and len(declared) < 20  # noqa: PLR2004 - digits of a 64-bit number
        held = min(int(declared), limit) if is_size else limit
        held = min(held, self._settings.max_in_flight)
        received = Received()
        try:
            with anyio.fail_after(self._settings.request_seconds):
                await self._budget.take(held)
        except TimeoutError:
            received.refused = Refused(503, "busy", "too many bytes are in flight already: try again later")
            yield received
            return
        try:
            await self._receive(request, received, limit)
            surplus = held - len(received.body)
            self._budget.give(surplus)  # a body sent in chunks had the whole limit held for it
            held -= surplus
            yield received
        finally:
            self._budget.give(held)

    async def _receive(self, request: Request, received: Received, limit: int) -> None:
        seconds = self._settings.request_seconds
        try:
            with anyio.fail_after(seconds):
                async for chunk in request.stream():
                    received.size += len(chunk)
                    if received.size <= limit:
                        received.body += chunk
                    elif received.size > limit * _DRAINED:
                        break
        except TimeoutError:
            received.refuse(Refused(408, "too_slow", f"the body was not there after {seconds:g} s"))
        except ClientDisconnect:
            received.refuse(Refused(400, "cut_off", "the connection ended within the body"))
        if received.size > limit:
            received.refuse(Refused(413, "too_large", f"more than {limit} bytes as sent"))


class Received:
    """What came of a request's body."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.size = 0  # of all that was read, kept or not
        self.refused: Refused | None = None

    def refuse(self, refused: Refused) -> None:
        """Keep the beginning only, with the reason."""
        self.refused = refused
        del self.body[KEPT_REFUSAL_BYTES:]
