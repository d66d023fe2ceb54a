"""Encodings of a request body: gzip and deflate always, ``zstd`` and ``br`` with a package (ruling 18)."""

from __future__ import annotations

import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType
    from typing import Any, Final

ENCODINGS: Final = ("gzip", "deflate", "br", "zstd")
"""What the protocol accepts as ``Content-Encoding`` (CMP-03)."""

# An event of 34 475 bytes, with 25 frames, their source lines and 60 breadcrumbs (CPython 3.13), by level:
#          1              2              3              4              6              9
#   gzip   164 us 3.44x   169 us 3.50x   186 us 3.54x   285 us 3.68x   492 us 3.77x   911 us 3.79x
#   zstd    57 us 3.64x                   74 us 3.72x                  219 us 3.87x
#   br      77 us 3.53x                  138 us 3.78x   292 us 3.90x
# Behind level 3 a few percent of size cost half as much time again, and more, in the host's own process.
LEVELS: Final = {"gzip": 3, "deflate": 3, "br": 3, "zstd": 3}

_LEAST_WINDOW, _MOST_WINDOW = 9, 15  # powers of two that zlib knows
_GZIP: Final = 16  # added to the window, it has zlib write gzip's header, without a time stamp
_MODULES: Final = {"br": ("brotli",), "zstd": ("compression.zstd", "zstandard")}
_EXTRAS: Final = {"br": "brotli", "zstd": "zstd"}


def compress(data: bytes, encoding: str, level: int | None = None) -> bytes:
    """The body in this encoding. Raises ValueError for one not in ENCODINGS or whose package is missing."""
    if level is None:
        level = LEVELS.get(encoding, 0)
    if encoding in ("gzip", "deflate"):
        compressor = _zlib_compressor(encoding, level, len(data))
        packed: bytes = compressor.compress(data) + compressor.flush()
        return packed
    module = _module_of(encoding)
    if module.__name__ == "brotli":
        packed = module.compress(data, quality=level)
    elif module.__name__ == "zstandard":
        packed = module.ZstdCompressor(level=level).compress(data)
    else:
        packed = module.compress(data, level)
    return packed


def compressed(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The same for data that comes, and goes, in pieces; no empty piece is among them."""
    level = LEVELS.get(encoding, 0)
    compressor: Any
    if encoding in ("gzip", "deflate"):
        compressor = _zlib_compressor(encoding, level)
        take, finish = compressor.compress, compressor.flush
    else:
        module: Any = _module_of(encoding)
        if module.__name__ == "brotli":
            compressor = module.Compressor(quality=level)
            take, finish = compressor.process, compressor.finish
        elif module.__name__ == "zstandard":
            compressor = module.ZstdCompressor(level=level).compressobj()
            take, finish = compressor.compress, compressor.flush
        else:
            compressor = module.ZstdCompressor(level)
            take, finish = compressor.compress, compressor.flush
    for piece in pieces:
        packed = take(piece)
        if packed:
            yield packed
    packed = finish()
    if packed:
        yield packed


def _zlib_compressor(encoding: str, level: int, size: int | None = None) -> Any:
    """One for data of this size, if it is known.

    A window into which all of it fits finds as much as the largest, which is made anew, in fresh pages, for each event:
    3 843 bytes took 76 us with that, and 50 with theirs.
    """
    window = _MOST_WINDOW if size is None else min(max(size.bit_length(), _LEAST_WINDOW), _MOST_WINDOW)
    return zlib.compressobj(level, zlib.DEFLATED, window + _GZIP if encoding == "gzip" else window)


def check_encoding(encoding: str) -> None:
    """Raise ValueError if bodies cannot be compressed like this here; the message names what to install."""
    if encoding not in ("gzip", "deflate"):
        _module_of(encoding)


def _module_of(encoding: str) -> ModuleType:
    from importlib import import_module  # noqa: PLC0415 - for optional packages only

    if encoding not in _MODULES:
        raise ValueError(f"unknown compression {encoding!r}; vedette knows {', '.join(ENCODINGS)}")
    for name in _MODULES[encoding]:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise ValueError(f"compression {encoding!r} needs a package: pip install 'vedette[{_EXTRAS[encoding]}]'")
