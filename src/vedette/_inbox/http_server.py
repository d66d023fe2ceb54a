"""uvicorn, as the inbox needs it: who ends it, how it ends, and that it sleeps."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from typing import TYPE_CHECKING, Final

import uvicorn

from vedette._inbox.connection import Connection

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Generator
    from types import FrameType

    from starlette.types import ASGIApp

_GRACE_SECONDS: Final = 1  # for requests in flight when asked to end


class HttpServer(uvicorn.Server):
    """uvicorn, ended by a signal with exit code 0 instead of the signal once more, and without waiting for streams.

    It sleeps while nothing happens.
    """

    def __init__(self, app: ASGIApp, ready: Callable[[], None], close_streams: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._ready = ready
        self._close_streams = close_streams

    async def serve_on(self, listener: socket.socket) -> None:
        """Until a signal comes."""
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        await self.serve(sockets=[listener])

    async def main_loop(self) -> None:
        """Once a second, for the header Date; uvicorn's own looks ten times as often whether it should end."""
        while not await self.on_tick(0):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._end.wait(), 1)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal asks it to end, which it does at once."""
        super().handle_exit(sig, frame)
        self._loop.call_soon_threadsafe(self._end.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """It answers from here on."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """That requests are cut short is no news to who ended the inbox: uvicorn's traceback of each is not shown."""
        self._close_streams()
        logger = logging.getLogger("uvicorn.error")
        logger.disabled = True
        try:
            await super().shutdown(sockets)
            if self.server_state.tasks:  # cancelled just now
                await asyncio.wait(self.server_state.tasks, timeout=_GRACE_SECONDS)
        finally:
            logger.disabled = False

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """While it serves; no signal is raised once more at the end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
