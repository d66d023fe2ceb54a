"""Identifiers: random, lower-case hex, without the ``uuid`` module (which costs an import).

From ``os.urandom``, 64 at a time: each call of it is one of the system, in which another thread takes the GIL.

Guarantees
- Two processes never draw the same ones, whoever forks, at any byte code: what was read in another process is not used.
- Any thread, and any signal handler, may draw at any time.

Relies on: ``list.pop`` being one step.
"""

from __future__ import annotations

import os

_UUID_DIGITS = 32
_UUID_BYTES = 16
_READ_AT_ONCE = 64
_DASHES = (8, 13, 18, 23)
_VARIANTS = "89ab"


class _Supply:
    """Random bytes for identifiers, read in this process."""

    __slots__ = ("chunks", "pid")

    def __init__(self) -> None:
        data = os.urandom(_READ_AT_ONCE * _UUID_BYTES)
        self.chunks = [data[at : at + _UUID_BYTES] for at in range(0, len(data), _UUID_BYTES)]
        self.pid = os.getpid()


_supply = _Supply()


def _random_bytes() -> bytes:
    global _supply  # noqa: PLW0603 - one supply a process
    while True:
        supply = _supply
        try:
            chunk = supply.chunks.pop()
        except IndexError:
            _supply = _Supply()
            continue
        if supply.pid == os.getpid():  # asked last: the fork may come in between
            return chunk
        _supply = _Supply()


def new_event_id() -> str:
    """A version 4 UUID in its short form: 32 hex digits (EVT-02 to EVT-04, ENV-15)."""
    chunk = _random_bytes()
    digits = chunk.hex()
    # Version 4, and the variant of RFC 9562. By way of an int it takes twice as long.
    return f"{digits[:12]}4{digits[13:16]}{_VARIANTS[chunk[8] & 3]}{digits[17:]}"


def new_trace_id() -> str:
    """32 hex digits, never all zeros (EVT-90)."""
    return new_event_id()


def new_span_id() -> str:
    """16 hex digits, never all zeros (TRC-66)."""
    while True:
        span_id = _random_bytes()[:8].hex()
        if span_id.strip("0"):
            return span_id


def read_uuid(text: object) -> str | None:
    """A UUID with or without dashes, as 32 lower-case digits; None for anything else (ENV-16)."""
    if not isinstance(text, str) or not text.isascii():
        return None
    if len(text) == _UUID_DIGITS + len(_DASHES) and all(text[at] == "-" for at in _DASHES):
        text = text.replace("-", "")
    if len(text) != _UUID_DIGITS or not text.isalnum():  # `fromhex` passes over blanks
        return None
    try:
        bytes.fromhex(text)  # a tenth of looking at each digit
    except ValueError:
        return None
    return text.lower()
