"""``GET /api/stream``: what happens in the inbox, as server-sent events, for the pages that are open.

Guarantees
- Nobody waits for a reader: ``announce`` sets a flag, and each reader is told what the database holds beyond its
  own position (``changes.py``). There is no queue: who reads slowly is told the sum, and past 200 issues to
  fetch anew; what is buffered for it are the server's 64 KiB and one message.
- A reader sees each change at least once, in order, at most ten times a second; what other processes change
  (``inbox clear``) within a second. Everything up to a message's ``id`` has been told: with it as
  ``Last-Event-ID`` a reader goes on where it was, also after a restart of the server.
- Without readers nothing runs. At most 100 read at once (503). ``close`` ends all of them at once.

Relies on: one event loop, on which all but ``announce`` is called; ``Store`` being thread-safe.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from vedette._inbox.changes import MISSED, Change, Position
from vedette._inbox.limits import Refused
from vedette._inbox.schema import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from starlette.requests import Request

    from vedette._inbox.settings import Settings
    from vedette._inbox.store import Store

_MAX_READERS: Final = 100
_LOOK_SECONDS: Final = 1.0  # between looks for what other processes did
_REST_SECONDS: Final = 0.1  # between messages: what happens meanwhile is told together
_RETRY_MS: Final = 1000
_TYPE: Final = "text/event-stream"


class Streams:
    """The route, and its readers."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._ping_seconds = settings.ping_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._readers: set[asyncio.Event] = set()
        self._is_announced = False
        self._is_closed = False

    def routes(self) -> list[Route]:
        """One."""
        return [Route("/api/stream", self._open, methods=["GET"])]

    def announce(self) -> None:
        """Something was committed. From any thread; never blocks."""
        if self._loop is None or not self._readers or self._is_announced:
            return
        self._is_announced = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """End all streams, and take no more."""
        self._is_closed = True
        self._wake()

    def _wake(self) -> None:
        self._is_announced = False
        for reader in self._readers:
            reader.set()

    async def _open(self, request: Request) -> Response:
        if self._is_closed or len(self._readers) >= _MAX_READERS:
            raise Refused(503, "too_many_readers", f"at most {_MAX_READERS} may read the stream at once")
        if request.method == "HEAD":
            return Response(media_type=_TYPE)
        self._loop = asyncio.get_running_loop()
        return StreamingResponse(self._messages(request.headers.get("last-event-id", "")), media_type=_TYPE)

    async def _messages(self, seen: str) -> AsyncGenerator[bytes, None]:
        reader = asyncio.Event()
        self._readers.add(reader)
        try:
            with contextlib.suppress(StoreError):  # the database is gone: the reader comes again, and may be told why
                async for message in self._follow(reader, seen):
                    yield message
        finally:
            self._readers.discard(reader)

    async def _follow(self, reader: asyncio.Event, seen: str) -> AsyncGenerator[bytes, None]:
        clock = asyncio.get_running_loop().time
        given = Position.parse(seen)
        position = await run_in_threadpool(self._store.position) if given is None else given
        yield _written([MISSED] if seen and given is None else [], position)
        told = clock()
        while not self._is_closed:
            reader.clear()  # before looking, so that nothing falls between
            position, changes = await run_in_threadpool(self._store.changes, position)
            if changes:
                yield _written(changes, position)
                told = clock()
                await asyncio.sleep(_REST_SECONDS)
            elif clock() - told >= self._ping_seconds:
                yield b": ping\n\n"
                told = clock()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(reader.wait(), min(_LOOK_SECONDS, self._ping_seconds))


def _written(changes: Sequence[Change], position: Position) -> bytes:
    """The messages. Only the last has the id: who is cut off in between is told all of them again."""
    if not changes:
        return f"retry: {_RETRY_MS}\nid: {position}\n\n".encode("ascii")
    parts = [f"event: {change.kind}\ndata: {json.dumps(change.data, separators=(',', ':'))}\n" for change in changes]
    return ("\n".join(parts) + f"id: {position}\n\n").encode("ascii")
