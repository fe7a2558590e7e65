"""What all backends share: names for keys, how long a value may stay, and a value with its end in front of it."""

from __future__ import annotations

import struct
from hashlib import blake2b
from zlib import crc32

# A later layout of what is stored takes another number, and so never reads what this one wrote.
LAYOUT = "aisle1"
LONGEST = 29 * 24 * 3600.0  # memcached takes more than 30 days of seconds for a date

_HEAD = struct.Struct(">2sdI")
_MARK = b"A1"


def name_value(key: str) -> str:
    """Give the name that a key's value is stored under: short, of plain signs, whatever the key is."""
    return f"{LAYOUT}:{_digest(key)}"


def name_lock(key: str) -> str:
    """Give the name that a lock is stored under; never that of a value."""
    return f"{LAYOUT}:lock:{_digest(key)}"


def _digest(key: str) -> str:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


def bound_seconds(seconds: float) -> float:
    """Give the seconds that something is kept for: 0 where that is no time at all, and 29 days at most."""
    return min(seconds, LONGEST) if seconds > 0 else 0.0


def seal(value: bytes, end: float) -> bytes:
    """Put the end of a value's time (Unix seconds) and a checksum in front of it."""
    return _HEAD.pack(_MARK, end, crc32(value)) + value


def unseal(sealed: bytes | None) -> tuple[bytes, float] | None:
    """Give a sealed value and its end; None for what was cut, damaged, or never sealed."""
    if sealed is None or len(sealed) < _HEAD.size:
        return None
    mark, end, checksum = _HEAD.unpack_from(sealed)
    value = sealed[_HEAD.size :]
    return (value, end) if mark == _MARK and crc32(value) == checksum else None
