"""Small compressed bodies that become huge, made at run time: ``bomb(encoding, size)`` decodes to ``size`` spaces.

gzip and deflate come from zlib. brotli and zstd are written by hand, since neither has an encoder here: a frame that says "one byte, this many
times" (RFC 8878 section 3.1.1.2: RLE blocks; RFC 7932 section 9: one literal and a copy of it).
"""

from __future__ import annotations

import gzip
import zlib

SPACE = 0x20
_PIECE = 1 << 20
_ZSTD_BLOCK = 128 << 10
_BROTLI_BLOCK = 1 << 24
_COPY_BASE = 2118  # the shortest copy of brotli's copy code 23


def bomb(encoding: str, size: int = 200 << 20) -> bytes:
    return MAKERS[encoding](size)


def chain(body: bytes, times: int = 6) -> bytes:
    """The body, gzipped so many times."""
    for _ in range(times):
        body = gzip.compress(body, mtime=0)
    return body


def make_zlib(size: int, wbits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    piece, rest = bytes([SPACE]) * _PIECE, size % _PIECE
    parts = [packer.compress(piece) for _ in range(size // _PIECE)]
    return b"".join([*parts, packer.compress(piece[:rest]), packer.flush()])


def make_zstd(size: int) -> bytes:
    """A frame without a content size, window of 1 MiB; its blocks are of the run-length kind."""
    frame = bytearray(b"\x28\xb5\x2f\xfd\x00\x50")
    while True:
        length = min(size, _ZSTD_BLOCK)
        size -= length
        frame += (length << 3 | 1 << 1 | (size == 0)).to_bytes(3, "little") + bytes([SPACE])
        if size == 0:
            return bytes(frame)


def make_brotli(size: int) -> bytes:
    """Meta-blocks of one literal and one copy of it from one byte before."""
    bits = _Bits()
    bits.add(0, 1)  # a window of 64 KiB
    while size > _COPY_BASE:
        length = min(size, _BROTLI_BLOCK)
        if 0 < size - length <= _COPY_BASE:
            length -= _COPY_BASE + 1
        size -= length
        _add_run(bits, length)
    for _ in range(size):
        _add_byte(bits)
    bits.add(0b11, 2)  # the last meta-block, and an empty one
    return bits.finish()


def _add_run(bits: _Bits, length: int) -> None:
    """A compressed meta-block; each of its prefix codes has one symbol, which then takes no bits."""
    bits.add(0, 1)  # not the last one
    nibbles = max(4, -(-(length - 1).bit_length() // 4))
    bits.add(nibbles - 4, 2)
    bits.add(length - 1, 4 * nibbles)
    bits.add(0, 1)  # compressed
    bits.add(0, 3)  # one block type each for literals, commands and distances
    bits.add(0, 6)  # no postfix bits, no direct distance codes
    bits.add(0, 2)  # the literals' context mode
    bits.add(0, 2)  # one tree each for literals and distances
    for symbol, width in ((SPACE, 8), (384 + (1 << 3) + 7, 10), (16, 6)):  # literal; insert 1 and copy long; distance 1 or 2
        bits.add(1, 2)
        bits.add(0, 2)
        bits.add(symbol, width)
    bits.add(length - 1 - _COPY_BASE, 24)
    bits.add(0, 1)  # distance 1


def _add_byte(bits: _Bits) -> None:
    """An uncompressed meta-block of one byte."""
    bits.add(0, 1)
    bits.add(0, 2)
    bits.add(0, 16)
    bits.add(1, 1)
    bits.align()
    bits.add(SPACE, 8)


class _Bits:
    """Bits, the lowest first."""

    def __init__(self) -> None:
        self._value, self._count = 0, 0

    def add(self, value: int, width: int) -> None:
        self._value |= value << self._count
        self._count += width

    def align(self) -> None:
        self._count = -(-self._count // 8) * 8

    def finish(self) -> bytes:
        return self._value.to_bytes(-(-self._count // 8), "little")


MAKERS = {
    "gzip": lambda size: make_zlib(size, 31),
    "deflate": lambda size: make_zlib(size, 15),
    "br": make_brotli,
    "zstd": make_zstd,
}
