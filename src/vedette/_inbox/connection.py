"""HTTP/1.1 by uvicorn, on connections that nobody can hold open for nothing.

Guarantees
- The head of a request must be there ``patience`` seconds after the connection was made, or after its first byte on
  a connection that is used again. uvicorn itself waits for ever, and bounds only the pause between two requests.
- Who takes no bytes of an answer for as long is cut off. A stream that has nothing to say is not.
- When the inbox ends, who is still sending a body is given ``farewell`` seconds.

Bodies have a time limit of their own (``bodies.py``), for they may have to wait until there is room.

Relies on: ``cycle`` of uvicorn's protocol, the request that was begun last; all on one event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

from vedette._inbox.limits import REQUEST_SECONDS

if TYPE_CHECKING:
    import asyncio


class Connection(H11Protocol):
    """One connection of a client."""

    patience = REQUEST_SECONDS
    farewell = 0.5

    _head: asyncio.TimerHandle | None = None
    _answer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A client is there: it should say something."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Bytes came: of a head that is not complete, of a body, or of what nobody asked for."""
        super().data_received(data)
        if self._is_answering():
            self._forget_head()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._forget_head()
        self._forget_answer()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client reads more slowly than we write, or no more."""
        super().pause_writing()
        self._answer = self.loop.call_later(self.patience, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        self._forget_answer()

    def shutdown(self) -> None:
        """The inbox ends."""
        super().shutdown()
        if self._is_answering() and self.cycle.more_body:
            self.loop.call_later(self.farewell, self.transport.abort)

    def _is_answering(self) -> bool:
        # There is none before the first request, whatever uvicorn's types say.
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]

    def _await_head(self) -> None:
        if self._head is None:
            self._head = self.loop.call_later(self.patience, self.transport.abort)

    def _forget_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _forget_answer(self) -> None:
        if self._answer is not None:
            self._answer.cancel()
            self._answer = None
