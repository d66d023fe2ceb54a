"""The body of a request as far as the application reads it, and no further (PAIN-10, FW-common-10, FW-common-11)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, Final

_LIMITS: Final[Mapping[str, int]] = {"never": 0, "small": 4_000, "medium": 10_000, "always": 1_000_000}
"""Bytes; an event with a larger body than the last would be shrunk at once."""


class Body:
    """What the application has read so far, if it is not too much to be kept."""

    __slots__ = ("_limit", "_pieces", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self.size: int = 0
        """Bytes read."""

    def note(self, piece: bytes) -> None:
        """Remember what was read."""
        self.size += len(piece)
        if self.size <= self._limit:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def forget(self) -> None:
        """The application goes back, and reads again what it has read."""
        self._pieces.clear()
        self.size = 0

    def read_so_far(self) -> bytes | None:
        """All that was read; None for nothing, and for more than ``max_request_body_size`` allows."""
        return b"".join(self._pieces) if 0 < self.size <= self._limit else None


def limit_of(client: Any) -> int:
    """How many bytes of a body may be kept; 0 where bodies are not collected at all."""
    limit = _LIMITS[client.options["max_request_body_size"]]
    return limit if limit and client.policy.collects_body("incomingRequest") else 0


def is_structured(content_type: str) -> bool:
    """Whether a body is JSON or a form without files, whose sensitive fields can be filtered (DAT-39 to DAT-42)."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind in {"application/json", "application/x-www-form-urlencoded"} or kind.endswith("+json")


_READING: Final = frozenset({"read1", "readall"})
"""What not every server's stream has; nor ``readinto`` and ``seek``."""


class TeedInput:
    """A ``wsgi.input`` that notes what is read from it. Everything else is the stream's own."""

    def __init__(self, stream: Any, body: Body) -> None:
        self._stream = stream
        self._body = body

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._stream, name)
        if name not in _READING:
            return self._readinto if name == "readinto" else self._seek if name == "seek" else found

        def noting(*size: Any) -> bytes:
            return self._noted(found(*size))

        return noting

    def _readinto(self, buffer: Any) -> Any:
        count = self._stream.readinto(buffer)
        if type(count) is int and count > 0:
            self._body.note(bytes(memoryview(buffer)[:count]))
        return count

    def _seek(self, *position: Any) -> Any:
        self._body.forget()
        return self._stream.seek(*position)

    def read(self, *size: Any) -> bytes:
        """As the stream's."""
        return self._noted(self._stream.read(*size))

    def readline(self, *size: Any) -> bytes:
        """As the stream's."""
        return self._noted(self._stream.readline(*size))

    def readlines(self, *hint: Any) -> list[bytes]:
        """As the stream's."""
        lines: list[bytes] = self._stream.readlines(*hint)
        self._note_each(lines)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            yield self._noted(line)

    def __next__(self) -> bytes:
        return self._noted(next(self._stream))

    def _note_each(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self._noted(line)

    def _noted(self, piece: bytes) -> bytes:
        if type(piece) is bytes:
            self._body.note(piece)
        return piece
