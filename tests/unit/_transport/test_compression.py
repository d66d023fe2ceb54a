from __future__ import annotations

import sys

import pytest

from tests.servers import decoded
from vedette._transport.compression import ENCODINGS, check_encoding, compress

BODY = b'{"type":"event"}\n' * 200


@pytest.mark.spec("CMP-03", "CMP-04", "CMP-05", "CMP-06", "CMP-07")
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_another_implementation_reads_what_was_compressed(encoding):
    check_encoding(encoding)
    packed = compress(BODY, encoding)
    assert len(packed) < len(BODY) / 5
    assert decoded(packed, encoding) == BODY
    assert decoded(compress(b"", encoding), encoding) == b""


def test_the_same_body_gives_the_same_bytes():
    assert compress(BODY, "gzip")[4:8] == bytes(4)  # gzip's time stamp


def test_levels_are_honoured():
    body = bytes(range(256)) * 40 + BODY
    assert len(compress(body, "gzip", 9)) < len(compress(body, "gzip", 1))


@pytest.mark.parametrize("encoding", ["lzma", "", "identity", "GZIP"])
def test_an_unknown_encoding_names_those_there_are(encoding):
    with pytest.raises(ValueError, match=f"unknown compression '{encoding}'; vedette knows gzip, deflate, br, zstd"):
        check_encoding(encoding)


@pytest.mark.parametrize(("encoding", "extra"), [("br", "brotli"), ("zstd", "zstd")])
def test_a_missing_package_is_named(encoding, extra, monkeypatch):
    for module in ("brotli", "zstandard", "compression.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=rf"'{encoding}' needs a package: pip install 'vedette\[{extra}\]'"):
        check_encoding(encoding)
