"""The cache in a folder of files, through cachelib; shared by the processes of one machine."""

from __future__ import annotations

import math
import os
import struct
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cachelib.file import FileSystemCache
from cachelib.serializers import FileSystemSerializer

from main.resources.cache.entries import LAYOUT, bound_seconds, name_value, seal, unseal
from main.resources.cache.filelocks import FileLocks
from main.resources.cache.private import make_private, require_private
from main.resources.cache.sweep import sweep_values
from main.resources.cache.sweeper import EVERY, Sweeper
from main.service.errors import CacheDown
from main.util.clock import Clock, SystemClock
from main.util.perprocess import PerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMEOUT = 0.5  # seconds that a lock is waited for: this stands on the way of a request
MOST_BYTES = 512 * 1024 * 1024  # of all values together
_PING = f"{LAYOUT}:ping"
_SWEEP = f"{LAYOUT}:sweep"


class _Bytes(FileSystemSerializer):
    """Writes bytes as they are, where cachelib would write and read pickles: reading one can run code."""

    def dump(self, value: Any, f: IO[bytes], protocol: int = 0) -> None:  # noqa: ARG002 - cachelib's signature
        f.write(value)

    def load(self, f: IO[bytes]) -> Any:
        return f.read()

    def dumps(self, value: Any, protocol: int = 0) -> bytes:  # noqa: ARG002 - cachelib's signature
        return bytes(value)

    def loads(self, bvalue: bytes) -> Any:
        return bvalue


class _Files(FileSystemCache):
    serializer = _Bytes()

    def __init__(self, folder: Path) -> None:
        # Its own pruning looks at every file for each value once the folder is full; FileCache sweeps instead.
        super().__init__(str(folder), threshold=0, mode=0o600)

    def put(self, key: str, value: bytes, seconds: int) -> None:
        """Write a value as :meth:`set` does, which leaves what it could not write whole behind: on a full disk, one file a try.

        Raises:
            OSError: it could not be written; nothing is left of it.
        """
        file, half = tempfile.mkstemp(suffix=self._fs_transaction_suffix, dir=self._path)
        try:
            with os.fdopen(file, "wb") as out:
                out.write(struct.pack("I", self._normalize_timeout(seconds)))
                self.serializer.dump(value, out)
            Path(half).replace(self._get_filename(key))
        except OSError:
            Path(half).unlink(missing_ok=True)
            raise

    def _run_safely(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run it once: where a permission is missing, trying for ten seconds only makes a request wait."""
        return fn(*args, **kwargs)


class FileCache:
    """Values as files in a private folder, each written beside and then moved to its place, so that none is read half.

    The least recently written go when ``size`` bytes are full, which is looked after once a minute, on a thread that setting wakes.
    """

    def __init__(self, folder: Path, *, size: int = MOST_BYTES, timeout: float = TIMEOUT, clock: Clock | None = None) -> None:
        self._folder = folder
        self._values = folder / "values"
        self._locks_folder = folder / "locks"
        self._size = size
        self._clock = clock or SystemClock()
        self._locks = FileLocks(self._locks_folder, timeout, self._clock)
        self._files = PerProcess(self._prepare)
        self._sweeper = Sweeper(self._sweep_in_turn)

    def _prepare(self) -> _Files:
        for folder in (self._folder, self._values, self._locks_folder):
            make_private(folder)
        return _Files(self._values)

    def open(self) -> None:
        """Make the folder, or close it to others."""
        self._files.drop()
        self._files.get()

    def ping(self) -> None:
        """Return when the folder can be used."""
        with self._ready() as files:
            files.put(_PING, seal(b"", 0), 1)
            if not files.get(_PING):
                raise CacheDown("The cache's folder cannot be read.")

    def close(self) -> None:
        """Do nothing more than forget the folder: no file is kept open."""
        self._files.drop()

    def get(self, key: str) -> bytes | None:
        """Give the value, or None where there is none or its time is over."""
        with self._ready() as files:
            found = unseal(files.get(name_value(key)))
        return found[0] if found and self._clock.timestamp() < found[1] else None

    def set(self, key: str, value: bytes, seconds: float) -> None:
        """Keep the value for that long."""
        kept = bound_seconds(seconds)
        if not kept:
            self.delete(key)
            return
        try:
            with self._ready() as files:
                # cachelib counts whole seconds, so the exact end stands in the file.
                files.put(name_value(key), seal(value, self._clock.timestamp() + kept), math.ceil(kept) + 1)
        finally:
            self._sweeper.wake()  # all the more where the disk is full: it makes room

    def delete(self, key: str) -> None:
        """Drop the value, if there is one."""
        with self._ready() as files:
            if not files.delete(name_value(key)):
                raise CacheDown("The cache's folder cannot be written to.")

    def lock(self, key: str, owner: str, seconds: float) -> bool:
        """Take the lock of this name, or renew it where the owner has it; False while another owner's is alive."""
        with self._ready():
            return self._locks.take(key, owner, seconds)

    def unlock(self, key: str, owner: str) -> None:
        """Give the lock back, if it is still the owner's."""
        with self._ready():
            self._locks.give_back(key, owner)

    def sweep(self) -> None:
        """Remove what is over, what writers left half, and the oldest of what is too much."""
        with self._ready():
            sweep_values(self._values, self._clock.timestamp(), self._size)
            self._locks.sweep()

    def _sweep_in_turn(self) -> None:
        try:
            turn = self.lock(_SWEEP, str(os.getpid()), EVERY / 2)  # one process is enough
        except CacheDown:
            turn = True  # a full disk takes no lock either, and two sweeps at once do no harm
        if turn:
            self.sweep()

    @contextmanager
    def _ready(self) -> Iterator[_Files]:
        files = self._files.get()
        try:
            require_private(self._folder)
            yield files
        except CacheDown:
            self._files.drop()  # the folder is made, or closed to others, by the next call
            raise
        except OSError as error:
            self._files.drop()
            raise CacheDown(f"The cache's folder cannot be used ({error.strerror}).") from error
