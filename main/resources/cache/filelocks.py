"""Locks as files: owner, seconds and end, changed under the kernel's own lock on the file."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from main.resources.cache.entries import bound_seconds, name_lock, seal, unseal
from main.service.errors import CacheDown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from main.util.clock import Clock

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_PAUSE = 0.002
_LONGEST = 4096
_SECONDS = struct.Struct(">d")
_SLACK = 1.0  # seconds by which the machine's clock may be put right without any lock being lost


@dataclass(frozen=True, slots=True)
class _Holder:
    """What stands in a lock's file: whose it is, for how many seconds it was taken, and when (Unix seconds) those are over."""

    owner: bytes
    seconds: float
    end: float

    def is_alive(self, now: float) -> bool:
        """Tell whether the lock is held; an end farther ahead than its own seconds was written before the clock was set back."""
        return 0 < self.end - now <= self.seconds + _SLACK


class FileLocks:
    """The locks in one folder. A file is there only while its lock is held, or until somebody finds that its owner died."""

    def __init__(self, folder: Path, timeout: float, clock: Clock) -> None:
        self._folder = folder
        self._timeout = timeout
        self._clock = clock

    def take(self, key: str, owner: str, seconds: float) -> bool:
        """Take or renew a lock; False while another owner's is alive.

        Raises:
            OSError: the file cannot be used.
            CacheDown: somebody keeps the file itself locked.
        """
        with self._held(self._folder / name_lock(key)) as file:
            holder, now = _read(file), self._clock.timestamp()
            if holder is not None and holder.owner != owner.encode() and holder.is_alive(now):
                return False
            kept = bound_seconds(seconds)
            _write(file, _Holder(owner.encode(), kept, now + kept))
            return True

    def give_back(self, key: str, owner: str) -> None:
        """Give a lock back, if it is still the owner's.

        Raises:
            OSError: the file cannot be used.
            CacheDown: somebody keeps the file itself locked.
        """
        path = self._folder / name_lock(key)
        with self._held(path) as file:
            holder = _read(file)
            if holder is None or holder.owner == owner.encode():
                path.unlink()

    def sweep(self) -> None:
        """Remove the files of owners that died.

        Raises:
            OSError: the folder cannot be used.
        """
        now = self._clock.timestamp()
        for path in self._folder.iterdir():
            # One that is in use this very moment is not left over.
            with contextlib.suppress(CacheDown), self._held(path, timeout=0) as file:
                holder = _read(file)
                if holder is None or not holder.is_alive(now):
                    path.unlink()

    @contextlib.contextmanager
    def _held(self, path: Path, timeout: float | None = None) -> Iterator[int]:
        """Hold the file's own lock, which the kernel frees when a process dies."""
        until = time.monotonic() + (self._timeout if timeout is None else timeout)
        while True:
            file = os.open(path, _FLAGS, 0o600)
            try:
                _lock(file, until)
                if _is_still(file, path):
                    yield file
                    return
            finally:
                # Closing alone would not do: a child forked meanwhile has the same open file.
                fcntl.flock(file, fcntl.LOCK_UN)
                os.close(file)


def _lock(file: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise CacheDown("Another process keeps a lock's file to itself.") from error
            time.sleep(_PAUSE)
        else:
            return


def _is_still(file: int, path: Path) -> bool:
    """Tell whether the file is still the one at this path; whoever held it before may have removed it."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(file), there)


def _read(file: int) -> _Holder | None:
    """Give what stands in a lock's file; None where it was damaged, or never written."""
    found = unseal(os.pread(file, _LONGEST, 0))
    if found is None or len(found[0]) < _SECONDS.size:
        return None
    told, end = found
    (seconds,) = _SECONDS.unpack_from(told)
    return _Holder(told[_SECONDS.size :], seconds, end)


def _write(file: int, holder: _Holder) -> None:
    data = seal(_SECONDS.pack(holder.seconds) + holder.owner, holder.end)
    os.pwrite(file, data, 0)
    os.ftruncate(file, len(data))
