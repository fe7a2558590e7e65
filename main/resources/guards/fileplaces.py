"""The places of all sources for calls under way, counted over all processes of the machine: each is a byte of one file."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from main.resources.guards.places import Places, refuse_place
from main.util.bytelocks import try_lock_byte, unlock_byte
from main.util.filelocks import open_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHORTEST_NAP, _LONGEST_NAP = 0.001, 0.005
_LOOK = 1.0  # between two looks whether the file is still the one that other processes open
_MOST = 1 << 16  # places a source; what is left of a file's 63 bits tells sources apart

_log = structlog.get_logger("guard")


class _Opened:
    """The file as it was opened once; closed when the last place in it is given back and another was opened instead."""

    def __init__(self, path: Path) -> None:
        self.file = open_private(path)
        self.seen = os.fstat(self.file)

    def __del__(self) -> None:
        if hasattr(self, "file"):
            os.close(self.file)


class PlaceFile:
    """Opens the file when the first place is taken, and anew when somebody has removed it: opening it for each call costs too much."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: _Opened | None = None
        self._looked = float("-inf")

    def open(self) -> _Opened:
        """Give the open file.

        Raises:
            OSError: it is not to be had.
        """
        opened, now = self._opened, time.monotonic()
        if opened is None or (now - self._looked > _LOOK and not self._is_still(opened)):
            # Two threads may do this at once: each is content with its own, which goes with its last place.
            opened = self._opened = _Opened(self._path)
            self._looked = now
        return opened

    def _is_still(self, opened: _Opened) -> bool:
        self._looked = time.monotonic()
        try:
            return os.path.samestat(opened.seen, self._path.stat())
        except FileNotFoundError:
            return False


class FilePlaces:
    """One source's places. Inside the process it is first come first served; between processes luck decides."""

    def __init__(self, file: PlaceFile, source: str) -> None:
        self._file = file
        self._source = source
        self._first = int.from_bytes(hashlib.blake2b(source.encode(), digest_size=5).digest()) * _MOST
        self._own = Places()
        self._lock = threading.Lock()
        self._taken: set[int] = set()
        self._freed = threading.Event()
        self._shared = True

    @contextmanager
    def held(self, limit: int, deadline: float, closed: threading.Event | None = None) -> Iterator[None]:
        """Hold a place.

        Raises:
            UpstreamTimeout: none was free before the deadline (monotonic seconds).
            UpstreamClosed: ``closed`` was set a second ago at most, while none was free.
        """
        with self._own.held(limit, deadline, closed):
            place = self._take(limit, deadline, closed)
            try:
                yield
            finally:
                if place is not None:
                    self._give_back(*place)
                self._freed.set()

    def _take(self, limit: int, deadline: float, closed: threading.Event | None) -> tuple[_Opened, int] | None:
        """Give a locked place, or None where the file cannot be had: then this process counts for itself."""
        while True:
            self._freed.clear()
            try:
                place = self._try_all(limit)
            except OSError as error:
                if self._shared:
                    _log.warning("guard.places_not_shared", source=self._source, error=str(error))
                self._shared = False
                return None
            self._shared = True
            if place is not None:
                return place
            refuse_place(deadline, closed)
            nap = random.uniform(_SHORTEST_NAP, _LONGEST_NAP)  # noqa: S311 - no secret
            self._freed.wait(max(0.0, min(nap, deadline - time.monotonic())))

    def _try_all(self, limit: int) -> tuple[_Opened, int] | None:
        opened = self._file.open()
        for number in range(limit):
            if self._claim(number) and self._try(opened, number):
                return opened, number
        return None

    def _claim(self, number: int) -> bool:
        """Tell whether no other thread of this process has the place or is trying for it; the kernel cannot tell them apart."""
        with self._lock:
            if number in self._taken:
                return False
            self._taken.add(number)
            return True

    def _try(self, opened: _Opened, number: int) -> bool:
        locked = False
        try:
            locked = try_lock_byte(opened.file, self._first + number)
        finally:
            if not locked:
                self._taken.discard(number)
        return locked

    def _give_back(self, opened: _Opened, number: int) -> None:
        try:
            unlock_byte(opened.file, self._first + number)
        finally:
            self._taken.discard(number)
