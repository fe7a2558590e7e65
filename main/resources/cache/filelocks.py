"""Locks as files: owner and end, changed under the kernel's own lock on the file."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

from main.resources.cache.entries import bound_seconds, name_lock, seal, unseal
from main.service.errors import CacheDown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from main.util.clock import Clock

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_PAUSE = 0.002
_LONGEST_OWNER = 4096


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
            holder, now = unseal(os.pread(file, _LONGEST_OWNER, 0)), self._clock.now().timestamp()
            if holder is not None and holder[0] != owner.encode() and now < holder[1]:
                return False
            _write(file, seal(owner.encode(), now + bound_seconds(seconds)))
            return True

    def give_back(self, key: str, owner: str) -> None:
        """Give a lock back, if it is still the owner's.

        Raises:
            OSError: the file cannot be used.
            CacheDown: somebody keeps the file itself locked.
        """
        path = self._folder / name_lock(key)
        with self._held(path) as file:
            holder = unseal(os.pread(file, _LONGEST_OWNER, 0))
            if holder is None or holder[0] == owner.encode():
                path.unlink()

    def sweep(self) -> None:
        """Remove the files of owners that died.

        Raises:
            OSError: the folder cannot be used.
        """
        now = self._clock.now().timestamp()
        for path in self._folder.iterdir():
            # One that is in use this very moment is not left over.
            with contextlib.suppress(CacheDown), self._held(path, timeout=0) as file:
                holder = unseal(os.pread(file, _LONGEST_OWNER, 0))
                if holder is None or holder[1] <= now:
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


def _write(file: int, data: bytes) -> None:
    os.pwrite(file, data, 0)
    os.ftruncate(file, len(data))
