"""memcached and Redis as real programs on free loopback ports, which can be killed, frozen and started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from sample.ports import LOOPBACK
from sample.processes import find_free_port
from test.faults.frozen import freeze, thaw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAMS = {"memcached": "memcached", "redis": "redis-server"}
PATIENCE = 30


class CacheServer:
    """One server process of a kind; what it keeps is gone when it ends."""

    def __init__(self, kind: str, folder: Path, *options: str, tls: bool = False) -> None:
        self.kind = kind
        self.tls = tls
        self.options = options
        self.folder = folder
        self.port = find_free_port(LOOPBACK)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        program = shutil.which(PROGRAMS[self.kind])
        if program is None:
            pytest.skip(f"{PROGRAMS[self.kind]} is not installed here")
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([program, *self._options(), *self.options], cwd=self.folder, stdout=log, stderr=log)
        self._wait()

    def _options(self) -> list[str]:
        if self.kind == "memcached":
            user = ["-u", "nobody"] if os.geteuid() == 0 else []
            return ["-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "64", *user]
        keep_nothing = ["--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        port = ["--port", "0", "--tls-port", str(self.port)] if self.tls else ["--port", str(self.port)]
        return ["--bind", "127.0.0.1", *port, *keep_nothing]

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                socket.create_connection(self.address, 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError((self.folder / "log").read_text())

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        assert self.process is not None
        freeze(self.process.pid)

    def thaw(self) -> None:
        assert self.process is not None
        thaw(self.process.pid)


@contextmanager
def serving(kind: str, folder: Path, *options: str, tls: bool = False) -> Iterator[CacheServer]:
    """A server of this kind; skips the test, and says why, where its program is missing."""
    server = CacheServer(kind, folder, *options, tls=tls)
    server.start()
    try:
        yield server
    finally:
        server.kill()
