"""Reads a body that may be a bomb: bounded as it comes and as it unfolds, never more than a piece ahead."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

from main.service.errors import UpstreamGarbled, UpstreamUnreachable
from main.util.text import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PIECE = 64 * 1024
_GZIP = zlib.MAX_WBITS + 16
_MAGIC = b"\x1f"
_UNSUSPECTED = 256 * 1024
_MOST_FOLD = 200  # catalogues shrink some twenty times; what shrinks so much more is made to fill memory


def read_body(raw: Any, headers: Mapping[str, str], limit: int) -> bytes:
    """Give the whole body of an answer, decompressed; ``headers`` has its headers by their names in lower case.

    Raises:
        UpstreamGarbled: it is larger than ``limit``, grows beyond reason, or is encoded otherwise than asked for.
        UpstreamUnreachable: its compression broke off.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise UpstreamGarbled(f"The answer is encoded as {shorten(encoding, 40)!r}, where gzip alone is asked for.")
    if int(headers.get("content-length", 0)) > limit:
        raise _too_large(limit)
    pieces = _raw_pieces(raw, limit)
    # It gives its content without a copy. Closed here, because an error keeps the frames it went through, until the next collection.
    with io.BytesIO() as body:
        for piece in unfold(pieces) if "gzip" in encoding else pieces:
            if body.tell() + len(piece) > limit:
                raise _too_large(limit)
            body.write(piece)
        return body.getvalue()


def unfold(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress gzip (RFC 1952), also several members one after the other; what follows the last is padding.

    Raises:
        UpstreamGarbled: it is broken, or grows beyond reason.
        UpstreamUnreachable: it broke off.
    """
    member = zlib.decompressobj(_GZIP)
    fed = unfolded = 0
    for piece in pieces:
        fed += len(piece)
        rest = piece
        while rest:
            if member.eof:
                if not rest.startswith(_MAGIC):
                    break
                member = zlib.decompressobj(_GZIP)
            found = _inflate(member, rest)
            rest = member.unused_data if member.eof else member.unconsumed_tail
            unfolded += len(found)
            if unfolded > max(_UNSUSPECTED, (fed - len(rest)) * _MOST_FOLD):
                raise UpstreamGarbled(f"The answer grows more than {_MOST_FOLD} times when it is decompressed.")
            yield found
    while found := _inflate(member, b""):
        yield found
    if fed and not member.eof:
        raise UpstreamUnreachable("The answer's compression broke off.")


def say_size(size: int) -> str:
    """Give a number of bytes in the largest unit that divides it."""
    unit, name = next(((1 << power, name) for power, name in _UNITS if size % (1 << power) == 0), (1, "bytes"))
    return f"{size // unit} {name}"


_UNITS = ((30, "GiB"), (20, "MiB"), (10, "KiB"))


def _too_large(limit: int) -> UpstreamGarbled:
    return UpstreamGarbled(f"The answer is larger than {say_size(limit)}.")


def _raw_pieces(raw: Any, limit: int) -> Iterator[bytes]:
    received = 0
    while piece := raw.read1(_PIECE, decode_content=False):
        received += len(piece)
        if received > limit:
            raise _too_large(limit)
        yield piece


def _inflate(member: Any, data: bytes) -> bytes:
    try:
        found: bytes = member.decompress(data, _PIECE)
    except zlib.error as error:
        raise UpstreamGarbled("The answer's compression is broken.") from error
    return found
