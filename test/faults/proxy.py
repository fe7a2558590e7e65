"""A TCP proxy that misbehaves on demand: in front of any server, for any client."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICK = 0.02
_CHUNK = 65536
_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Faults:
    """What is wrong with the way between client and server; all of it can be had together.

    ``latency`` holds each piece of an answer back for these seconds; ``bandwidth`` lets that many bytes of answers through in a second;
    ``slicing`` cuts answers into pieces of that many bytes, ``slice_pause`` seconds apart; ``limit`` ends a connection after that many
    bytes of answers; ``slow_close`` keeps an ended connection open for these seconds; ``black_hole`` holds everything back, in both
    directions, until it is over; ``reset`` cuts every connection with a RST, those that are open and those to come.
    """

    latency: float = 0.0
    bandwidth: int | None = None
    slicing: int | None = None
    slice_pause: float = 0.0
    limit: int | None = None
    slow_close: float = 0.0
    black_hole: bool = False
    reset: bool = False


class _Link:
    """One client's connection and the one made for it to the server."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.over = threading.Event()
        self.cut = False
        self.answered = 0

    def end(self, *, cut: bool = False) -> None:
        self.cut = self.cut or cut
        self.over.set()

    def close(self) -> None:
        for side in (self.client, self.server):
            if self.cut:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            side.close()


class FaultProxy:
    """Listens on a free loopback port and passes on to ``target``; :meth:`set` changes what is wrong at any time."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.faults = Faults()
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._links: set[_Link] = set()
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()
        self._start(self._accept)

    def set(self, **faults: Any) -> None:
        """Let these be the faults from now on, and no others; without any, the way is good again."""
        self.faults = replace(Faults(), **faults)
        if self.faults.reset:
            self.cut()

    def cut(self) -> None:
        """Cut every connection that is open now."""
        for link in list(self._links):
            link.end(cut=True)

    def close(self) -> None:
        self._closed.set()
        for link in list(self._links):
            link.end()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _start(self, work: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed.is_set():
            if not _has_data(self._listener):
                continue
            client, _ = self._listener.accept()
            self.connections += 1
            if self.faults.reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
                client.close()
                continue
            try:
                server = socket.create_connection(self.target, 5)
            except OSError:
                client.close()
                continue
            link = _Link(client, server)
            self._links.add(link)
            self._start(self._serve, link)

    def _serve(self, link: _Link) -> None:
        asking = threading.Thread(target=self._pump, args=(link, link.client, link.server), daemon=True)
        asking.start()
        self._pump(link, link.server, link.client)
        asking.join()
        if self.faults.slow_close and not link.cut:
            self._closed.wait(self.faults.slow_close)
        self._links.discard(link)
        link.close()

    def _pump(self, link: _Link, source: socket.socket, sink: socket.socket) -> None:
        """Pass on what arrives until either side is done."""
        with contextlib.suppress(OSError):
            while self._wait_for_data(link, source):
                data = source.recv(_CHUNK)
                if not data or not self._hold_back(link):
                    break
                if sink is link.client:
                    self._answer(link, data)
                else:
                    sink.sendall(data)
        link.end()

    def _wait_for_data(self, link: _Link, source: socket.socket) -> bool:
        while not link.over.is_set():
            if _has_data(source):
                return True
        return False

    def _hold_back(self, link: _Link) -> bool:
        """Wait while there is a black hole; False when the connection ended in it."""
        while self.faults.black_hole and not link.over.is_set():
            time.sleep(_TICK)
        return not link.over.is_set()

    def _answer(self, link: _Link, data: bytes) -> None:
        faults = self.faults
        link.over.wait(faults.latency)
        size = faults.slicing or (max(1, faults.bandwidth // 50) if faults.bandwidth else len(data))
        pause = max(faults.slice_pause, size / faults.bandwidth if faults.bandwidth else 0.0)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            if faults.limit is not None:
                piece = piece[: max(0, faults.limit - link.answered)]
            link.client.sendall(piece)
            link.answered += len(piece)
            if faults.limit is not None and link.answered >= faults.limit:
                link.end()
            if link.over.wait(pause):
                return


def _has_data(sock: socket.socket) -> bool:
    waiting = select.poll()  # select() ends at 1024 descriptors
    waiting.register(sock, select.POLLIN)
    return bool(waiting.poll(_TICK * 1000))


@contextmanager
def faulty(target: tuple[str, int]) -> Iterator[FaultProxy]:
    """A proxy in front of a server, good until it is told otherwise."""
    proxy = FaultProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
