"""The bombs are what real decoders take them for."""

from __future__ import annotations

import ctypes
import ctypes.util
import gzip
import zlib

import pytest

from test.faults.bombs import MAKERS, bomb, chain

SIZES = [1, 2118, 2119, 2120, (1 << 24) + 1, (1 << 24) + 2119, 40 << 20]


def decode_brotli(packed: bytes, size: int) -> bytes:
    library = load("brotlidec")
    length, room = ctypes.c_size_t(size + 10), ctypes.create_string_buffer(size + 10)
    assert library.BrotliDecoderDecompress(ctypes.c_size_t(len(packed)), packed, ctypes.byref(length), room) == 1
    return room.raw[: length.value]


def decode_zstd(packed: bytes, size: int) -> bytes:
    library = load("zstd")
    library.ZSTD_decompress.restype = ctypes.c_size_t
    room = ctypes.create_string_buffer(size + 10)
    length = library.ZSTD_decompress(room, ctypes.c_size_t(size + 10), packed, ctypes.c_size_t(len(packed)))
    assert not library.ZSTD_isError(ctypes.c_size_t(length))
    return room.raw[:length]


def load(name: str) -> ctypes.CDLL:
    found = ctypes.util.find_library(name)
    if found is None:
        pytest.skip(f"lib{name} is not installed here, so nothing can decode what was made")
    return ctypes.CDLL(found)


DECODERS = {
    "gzip": lambda packed, _: gzip.decompress(packed),
    "deflate": lambda packed, _: zlib.decompress(packed),
    "br": decode_brotli,
    "zstd": decode_zstd,
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("encoding", MAKERS)
def test_a_bomb_becomes_as_many_spaces_as_it_was_told(encoding: str, size: int) -> None:
    decoded = DECODERS[encoding](bomb(encoding, size), size)
    assert len(decoded) == size
    assert decoded.count(b" ") == size


@pytest.mark.parametrize("encoding", MAKERS)
def test_200_mb_fit_into_250_kb(encoding: str) -> None:
    assert len(bomb(encoding)) < 250_000


def test_a_chain_has_as_many_layers() -> None:
    body = chain(b"x", 6)
    for _ in range(6):
        body = gzip.decompress(body)
    assert body == b"x"
