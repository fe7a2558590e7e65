"""Locks in the shared cache that live as long as their holder: short, renewed while held, free soon after a holder's death."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import structlog

from main.util.ids import new_id
from main.util.perprocess import PerProcess
from main.util.threads import try_thread

if TYPE_CHECKING:
    from main.service.ports.caches import Cache

LEASE = 1.8  # seconds: outlives three renewals that come late, and is over within two seconds of its holder's death
_RENEW = 0.5  # seconds between renewals
_LINGER = 1.0  # seconds that the thread waits for another lock to renew before it ends

_log = structlog.get_logger("live")


class Leases:
    """The locks this process holds; one thread renews them, started by the first and gone when none is left."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        # An application that was loaded before a fork would share one name otherwise.
        self._owner = PerProcess(lambda: f"{socket.gethostname()}:{os.getpid()}:{new_id()}")
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._renewing = threading.Lock()
        self._thread: threading.Thread | None = None

    def take(self, key: str) -> bool:
        """Take the lock of this name; False while another process, or another thread of this one, has it."""
        with self._lock:
            if key in self._held:
                return False
            self._held.add(key)
        taken = False
        try:
            taken = self._cache.lock(key, self._owner.get(), LEASE)
        finally:
            if not taken:
                self._let_go(key)
        if taken:
            self._start_renewing()
        return taken

    def release(self, key: str) -> None:
        """Give the lock back."""
        # Never while it is being renewed: a renewal that comes after would take it anew. And held until it is free in the cache:
        # another thread of this process that took it in between would lose it to this one's unlocking.
        with self._renewing:
            try:
                self._cache.unlock(key, self._owner.get())
            finally:
                self._let_go(key)

    def _let_go(self, key: str) -> None:
        with self._lock:
            self._held.discard(key)

    def _start_renewing(self) -> None:
        with self._lock:
            # Without one, the lock is held all the same: it may end before the work does, and that is a second call at worst.
            self._thread = self._thread or try_thread("leases", self._run, _log, "leases.thread_refused")

    def _run(self) -> None:
        try:
            while (held := self._wait()) is not None:
                for key in held:
                    with self._renewing:
                        if key in self._held:
                            self._cache.lock(key, self._owner.get(), LEASE)
        finally:
            with self._lock:
                if self._thread is threading.current_thread():
                    self._thread = None

    def _wait(self) -> list[str] | None:
        idle_since = time.monotonic()
        while True:
            with self._lock:
                before = set(self._held)
                if not before and time.monotonic() >= idle_since + _LINGER:
                    self._thread = None
                    return None
            # Nobody wakes it, which would cost each look a switch of threads: what is taken meanwhile has time for two such naps.
            time.sleep(_RENEW)
            with self._lock:
                if before:
                    return [key for key in self._held if key in before]
