"""Bodies of requests: small envelopes as bytes, large ones read, compressed and sent piece by piece.

A server may take a body without Content-Length (chunked) or with one; the latter is what more of them
take. So a large envelope that turns out small when compressed goes as bytes as well.
"""

from __future__ import annotations

import time
from itertools import chain

from vedette._transport.compression import compress, compressed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from vedette._protocol.envelope import Envelope

LARGE_BYTES: Final = 1024 * 1024
"""In memory at most: of a plain envelope, and of the compressed beginning of a large one."""
_BYTES_PER_SECOND: Final = 1024 * 1024


class Stream:
    """A body that is made while it is sent, and made anew for a second try.

    Iterating raises UnreadableItemError when a file is no longer what it was, TimeoutError past the deadline.
    """

    def __init__(self, envelope: Envelope, encoding: str, deadline: float, begun: Iterator[bytes]) -> None:
        self._envelope = envelope
        self._encoding = encoding
        self._deadline = deadline
        self._begun: Iterator[bytes] | None = begun

    def __iter__(self) -> Iterator[bytes]:
        pieces, self._begun = self._begun, None
        for piece in pieces or compressed(self._envelope.pieces(), self._encoding):
            if time.monotonic() > self._deadline:
                raise TimeoutError("the server took too long to take the body")
            yield piece


def body_of(envelope: Envelope, encoding: str, deadline: float) -> bytes | Stream:
    """What is sent of an envelope. Raises UnreadableItemError, EnvelopeError."""
    if not is_large(envelope):
        return compress(b"".join(envelope.pieces()), encoding)
    pieces = compressed(envelope.pieces(), encoding)
    begun: list[bytes] = []
    size = 0
    for piece in pieces:
        begun.append(piece)
        size += len(piece)
        if size > LARGE_BYTES:
            return Stream(envelope, encoding, deadline, chain(begun, pieces))
    return b"".join(begun)


def is_large(envelope: Envelope) -> bool:
    """Whether it is better not held in memory at once: it has files, or many bytes."""
    payloads = [item.payload for item in envelope.items]
    if any(payload.is_file for payload in payloads):
        return True
    return sum(len(payload.bytes) for payload in payloads if payload.bytes is not None) > LARGE_BYTES


def extra_seconds(envelope: Envelope) -> float:
    """What a large envelope may take longer than others: a second for each MiB of its attachments."""
    sizes = (item.payload.size() for item in envelope.items if item.type == "attachment")
    return float(sum(sizes) // _BYTES_PER_SECOND)
