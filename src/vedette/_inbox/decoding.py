"""Request bodies: every content encoding a sender may use, counted *while* it is undone.

A bomb costs its limit in memory and time, not its size: no decoder is given more input, or asked for more
output, than what can overshoot the limit by 32 MiB.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol, TypeAlias, cast

import zstandard

from vedette._inbox.limits import KIB, MAX_DECOMPRESSED, MIB, Refused

Body: TypeAlias = bytes | bytearray
Chunks: TypeAlias = Iterator[bytes]

_MAX_LAYERS: Final = 3  # encodings on top of each other
_INPUT: Final = 64 * KIB  # bytes given at once to decoders that bound their output
_OUTPUT: Final = MIB  # bytes asked of them at once
_ZSTD_INPUT: Final = KIB  # zstandard has no bound on its output: a block of 4 bytes makes 128 KiB at most
_ZSTD_WINDOW: Final = 128 * MIB  # memory that a zstd frame may ask for
_GZIP_MAGIC: Final = b"\x1f\x8b"
_ZLIB, _RAW_DEFLATE, _GZIP = 15, -15, 31  # zlib's "wbits"


class _Brotli(Protocol):
    """What is used of ``brotli``, which comes without types."""

    error: type[Exception]

    def Decompressor(self) -> _BrotliDecompressor: ...  # noqa: N802 - its name


class _BrotliDecompressor(Protocol):
    def process(self, data: bytes, output_buffer_limit: int) -> bytes: ...
    def can_accept_more_data(self) -> bool: ...
    def is_finished(self) -> bool: ...


brotli = cast("_Brotli", importlib.import_module("brotli"))


class _CorruptError(Exception):
    """A body that isn't what its encoding says."""


def decode_body(body: Body, encoding: str, *, limit: int = MAX_DECOMPRESSED) -> tuple[Body, list[str]]:
    """The body without its content encodings, and remarks on what was put up with.

    ``encoding`` is the header Content-Encoding: ``gzip``, ``br``, ``zstd``, ``deflate`` (with and without zlib
    wrapper), ``identity``, several with commas. Gzip is found unnamed, and a plain body under any name.
    Raises ``Refused``: 415 for an unknown encoding, 400 for a corrupt body, 413 beyond ``limit`` bytes, those that
    a layer makes for the next one counted too.
    """
    remarks: list[str] = []
    names = [name for name in (part.strip().lower() for part in encoding.split(",")) if name not in {"", "identity"}]
    if len(names) > _MAX_LAYERS:
        raise Refused(415, "bad_encoding", f"more than {_MAX_LAYERS} content encodings")
    if not names and body.startswith(_GZIP_MAGIC):
        remarks.append("gzip without a Content-Encoding header")
        names = ["gzip"]
    for name in reversed(names):
        decoder = _DECODERS.get(name)
        if decoder is None:
            known = "gzip, deflate, br, zstd, identity"
            raise Refused(415, "bad_encoding", f"unknown Content-Encoding {name[:40]!a}: use one of {known}")
        if body[:1] == b"{":  # none of the encodings begins so
            remarks.append(f"Content-Encoding says {name}, but the body was plain")
            continue
        body = _decoded(name, decoder(body, remarks), limit)
        limit -= len(body)
    return body, remarks


def _decoded(name: str, chunks: Chunks, limit: int) -> bytearray:
    out = bytearray()
    try:
        for chunk in chunks:
            if len(out) + len(chunk) > limit:
                out.clear()  # the exception's traceback holds this frame
                raise Refused(413, "too_large", f"more than {limit} bytes when decompressed ({name})")
            out += chunk
    except (_CorruptError, zlib.error, brotli.error, zstandard.ZstdError) as error:
        raise Refused(400, "bad_encoding", f"the body is no valid {name}", (str(error)[:200],)) from None
    return out


def _inflate(body: Body, wbits: int, remarks: list[str], *, members: bool) -> Chunks:
    view = memoryview(body)
    engine = zlib.decompressobj(wbits)
    position = 0
    while position < len(view):
        piece: bytes | memoryview = view[position : position + _INPUT]
        position += len(piece)
        while piece:
            yield engine.decompress(piece, _OUTPUT)
            piece = engine.unconsumed_tail
        while not engine.eof and (more := engine.decompress(b"", _OUTPUT)):  # output that the limit held back
            yield more
        if engine.eof and (position < len(view) or engine.unused_data):
            position -= len(engine.unused_data)
            if not (members and bytes(view[position : position + 2]) == _GZIP_MAGIC):
                remarks.append(f"{len(view) - position} bytes after the compressed body")
                return
            engine = zlib.decompressobj(wbits)
    if not engine.eof:
        message = "the compressed data is cut short"
        raise _CorruptError(message)


def _gunzip(body: Body, remarks: list[str]) -> Chunks:
    return _inflate(body, _GZIP, remarks, members=True)


def _undeflate(body: Body, remarks: list[str]) -> Chunks:
    try:
        zlib.decompressobj(_ZLIB).decompress(bytes(body[:2]))  # checks the wrapper's two bytes
        wbits = _ZLIB
    except zlib.error:
        remarks.append("deflate without its zlib wrapper")
        wbits = _RAW_DEFLATE
    return _inflate(body, wbits, remarks, members=False)


def _unbrotli(body: Body, remarks: list[str]) -> Chunks:
    del remarks
    engine = brotli.Decompressor()
    for position in range(0, len(body), _INPUT):
        yield engine.process(bytes(body[position : position + _INPUT]), _OUTPUT)
        while not engine.can_accept_more_data():
            yield engine.process(b"", _OUTPUT)
    if not engine.is_finished():
        message = "the compressed data is cut short"
        raise _CorruptError(message)


def _unzstd(body: Body, remarks: list[str]) -> Chunks:
    context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    engine = context.decompressobj()
    position = 0
    while position < len(body):
        piece = bytes(body[position : position + _ZSTD_INPUT])
        position += len(piece)
        yield engine.decompress(piece)
        if (engine.eof and position < len(body)) or engine.unused_data:
            position -= len(engine.unused_data)
            if bytes(body[position : position + 4]) != zstandard.FRAME_HEADER:
                remarks.append(f"{len(body) - position} bytes after the compressed body")
                return
            engine = context.decompressobj()
    if not engine.eof:
        message = "the compressed data is cut short"
        raise _CorruptError(message)


_DECODERS: Final[dict[str, Callable[[Body, list[str]], Chunks]]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
