from __future__ import annotations

import functools
import gzip
import os
import tracemalloc
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from vedette._inbox.decoding import decode_body
from vedette._inbox.limits import MIB, Refused

ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": functools.partial(brotli.compress, quality=2),
    "zstd": zstandard.ZstdCompressor().compress,
    "identity": bytes,
    "": bytes,
}
COMPRESSIONS = ["gzip", "deflate", "br", "zstd"]
ENVELOPE = b'{"event_id":"5d0c6b7e9f1a4c3d8e2b7a6f5c4d3e2f"}\n' + bytes(range(256)) * 1000


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


@pytest.mark.parametrize("encoding", ENCODERS)
def test_each_encoding_comes_back_as_it_was_without_a_remark(encoding):
    assert decode_body(ENCODERS[encoding](ENVELOPE), encoding) == (ENVELOPE, [])


@given(st.binary(max_size=300_000), st.sampled_from(COMPRESSIONS))
def test_any_bytes_survive_compression(data, encoding):
    body, _ = decode_body(ENCODERS[encoding](data), encoding)
    assert body == data


def test_names_of_encodings_are_read_in_any_case():
    assert decode_body(gzip.compress(ENVELOPE), " GZip ")[0] == ENVELOPE


def test_encodings_on_top_of_each_other_are_undone_from_the_last():
    body = brotli.compress(gzip.compress(ENVELOPE))
    assert decode_body(body, "gzip, br") == (ENVELOPE, [])


def test_deflate_without_its_zlib_wrapper_is_read_with_a_remark():
    assert decode_body(raw_deflate(ENVELOPE), "deflate") == (ENVELOPE, ["deflate without its zlib wrapper"])


def test_gzip_is_found_unnamed():
    expected = (ENVELOPE, ["gzip without a Content-Encoding header"])
    assert decode_body(gzip.compress(ENVELOPE), "") == expected


def test_a_plain_body_under_the_name_of_an_encoding_is_read_with_a_remark():
    assert decode_body(b"{}\n", "zstd") == (b"{}\n", ["Content-Encoding says zstd, but the body was plain"])


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_several_members_are_read_as_one_body(encoding):
    compress = ENCODERS[encoding]
    assert decode_body(compress(b"{}\n") + compress(ENVELOPE), encoding) == (b"{}\n" + ENVELOPE, [])


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_rubbish_after_the_body_is_left_out_with_a_remark(encoding):
    body, remarks = decode_body(ENCODERS[encoding](ENVELOPE) + b"rubbish", encoding)
    assert body == ENVELOPE
    assert remarks == ["7 bytes after the compressed body"]


@pytest.mark.parametrize("encoding", COMPRESSIONS)
def test_a_body_cut_short_is_refused(encoding):
    compressed = ENCODERS[encoding](ENVELOPE)
    with pytest.raises(Refused) as refusal:
        decode_body(compressed[: len(compressed) // 2], encoding)
    assert (refusal.value.status, refusal.value.code) == (400, "bad_encoding")


@pytest.mark.parametrize("encoding", COMPRESSIONS)
def test_a_body_of_another_kind_is_refused(encoding):
    with pytest.raises(Refused, match=f"no valid {encoding}") as refusal:
        decode_body(b"\x07no such thing" * 10, encoding)
    assert refusal.value.status == 400


def test_an_unknown_encoding_is_refused_with_those_that_are_known():
    with pytest.raises(Refused, match="unknown Content-Encoding 'snappy': use one of gzip") as refusal:
        decode_body(b"\x00", "snappy")
    assert refusal.value.status == 415


def test_what_one_encoding_makes_for_the_next_counts_too():
    data = os.urandom(1000)  # which gzip makes no smaller
    body = gzip.compress(gzip.compress(data))
    assert decode_body(body, "gzip, gzip", limit=2100) == (data, [])
    with pytest.raises(Refused) as refused:
        decode_body(body, "gzip, gzip", limit=1500)
    assert refused.value.status == 413


def test_no_more_than_three_encodings_are_undone():
    with pytest.raises(Refused, match="more than 3"):
        decode_body(b"\x00", "gzip, gzip, gzip, gzip")


@pytest.mark.parametrize("encoding", COMPRESSIONS)
def test_a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not(encoding):
    compressed = ENCODERS[encoding](b"\x00" * 100_000)
    assert len(decode_body(compressed, encoding, limit=100_000)[0]) == 100_000
    with pytest.raises(Refused, match="more than 99999 bytes when decompressed") as refusal:
        decode_body(compressed, encoding, limit=99_999)
    assert refusal.value.status == 413


@pytest.mark.parametrize("encoding", COMPRESSIONS)
def test_a_bomb_is_refused_while_it_explodes(encoding):
    bomb = ENCODERS[encoding](bytes(128 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(Refused) as refusal:
            decode_body(bomb, encoding, limit=8 * MIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refusal.value.status == 413
    assert peak < 48 * MIB


def test_a_zstd_frame_that_asks_for_too_much_memory_is_refused():
    parameters = zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=False)
    engine = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = engine.compress(b"a" * 1000) + engine.flush()
    with pytest.raises(Refused, match="no valid zstd"):
        decode_body(body, "zstd")
