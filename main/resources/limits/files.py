"""A storage of the ``limits`` library that the processes of one machine share: counters in a few hundred small files.

A counter lives in the file that its key's digest names, in a place of 32 bytes: digest, end of its window, number. To count is to lock one file,
read it and write 16 bytes: some 30 microseconds, and two keys seldom wait for each other. Nothing is synced to the disk: what counts seconds
or minutes may be lost in a power cut.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from limits.storage import Storage

from main.util.filelocks import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHARDS = 256
MOST = 4096  # places of a file: a million counters in all, 32 MiB; beyond that what would end first is given up
_PLACE = struct.Struct("<16sdQ")
_VALUES = struct.Struct("<dQ")
_DIGEST = 16
_LARGEST = 2**63
PATIENCE = 0.25  # seconds to wait for a file that a stopped process holds


class FileStorage(Storage):
    """Fixed windows only. Raises OSError where the folder cannot be used or a file is held for too long."""

    STORAGE_SCHEME = None

    def __init__(self, folder: Path, *, now: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._folder = folder
        self._now = now

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What the methods raise."""
        return OSError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count so many more and give the number; the first of a window begins it, ``expiry`` seconds long."""
        with self._opened(key) as (file, digest):
            content, now = os.pread(file, MOST * _PLACE.size, 0), self._now()
            at = _find(content, digest)
            ends, number = _values(content, at)
            if ends <= now:
                ends, number = now + expiry, 0
            # A clock that was set back must not keep a window open for longer than windows are.
            ends, number = min(ends, now + expiry), min(number + amount, _LARGEST)
            if at >= 0:
                os.pwrite(file, _VALUES.pack(ends, number), at + _DIGEST)
            else:
                os.pwrite(file, _PLACE.pack(digest, ends, number), _free_place(content, now))
            return number

    def get(self, key: str) -> int:
        """Give the number, 0 where no window is open."""
        return self._read(key)[1]

    def get_expiry(self, key: str) -> float:
        """Give when the window ends (seconds since 1970); now, where none is open."""
        return self._read(key)[0]

    def clear(self, key: str) -> None:
        """End a window."""
        with self._opened(key) as (file, digest):
            at = _find(os.pread(file, MOST * _PLACE.size, 0), digest)
            if at >= 0:
                os.pwrite(file, _VALUES.pack(0.0, 0), at + _DIGEST)

    def check(self) -> bool:
        """Tell whether the folder can be used."""
        try:
            self.get("check")
        except OSError:
            return False
        return True

    def reset(self) -> int | None:
        """End all windows; gives how many files that were."""
        paths = list(self._folder.glob("*.counts"))
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)

    def _read(self, key: str) -> tuple[float, int]:
        with self._opened(key) as (file, digest):
            content, now = os.pread(file, MOST * _PLACE.size, 0), self._now()
        at = _find(content, digest)
        ends, number = _values(content, at)
        return (ends, number) if ends > now else (now, 0)

    @contextmanager
    def _opened(self, key: str) -> Iterator[tuple[int, bytes]]:
        digest = hashlib.blake2b(key.encode(), digest_size=_DIGEST).digest()
        path = self._folder / f"{digest[0] % SHARDS:02x}.counts"
        # Whoever holds a file needs it for microseconds: no progress is looked for.
        with locked(path, PATIENCE, lambda: None) as file:
            yield file, digest


def _find(content: bytes, digest: bytes) -> int:
    at = content.find(digest)
    while at >= 0 and at % _PLACE.size:
        at = content.find(digest, at + 1)
    return at


def _values(content: bytes, at: int) -> tuple[float, int]:
    if at < 0:
        return 0.0, 0
    ends, number = _VALUES.unpack_from(content, at + _DIGEST)
    return float(ends), int(number)


def _free_place(content: bytes, now: float) -> int:
    """Give where a new counter goes: over one whose window has ended, behind all others, or over the one that ends first."""
    whole = len(content) - len(content) % _PLACE.size
    ends = [found[1] for found in _PLACE.iter_unpack(content[:whole])]
    over = next((index for index, end in enumerate(ends) if end <= now), None)
    if over is not None:
        return over * _PLACE.size
    return whole if len(ends) < MOST else ends.index(min(ends)) * _PLACE.size
