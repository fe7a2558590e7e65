"""PostgreSQL and a server of MongoDB's protocol as real programs on free loopback ports, each database of its own a test's alone."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from sample.ports import LOOPBACK
from sample.processes import find_free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 60
WHERE_DEBIAN_PUTS_IT = Path("/usr/lib/postgresql")


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs; Debian keeps the server's off the PATH."""
    known = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    found = [*known, *sorted(WHERE_DEBIAN_PUTS_IT.glob("*/bin"), reverse=True)]
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


class PostgresServer:
    """One PostgreSQL server in a folder; ``fsync=off`` spares the disk, since the machine itself does not fail here."""

    def __init__(self, folder: Path) -> None:
        programs = find_postgres()
        if programs is None:
            pytest.skip("PostgreSQL's server (initdb, postgres) is not installed here")
        self.programs, self.folder, self.port = programs, folder, find_free_port(LOOPBACK)
        self.process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            other = pwd.getpwnam("nobody")
            self._as = {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}
            os.chown(folder, other.pw_uid, other.pw_gid)

    def start(self) -> None:
        data = self.folder / "data"
        if not data.exists():
            command = [
                self.programs / "initdb",
                "-D",
                data,
                "-U",
                "aisle",
                "-A",
                "trust",
                "-N",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ]
            self._run(command)
        options = ["-c", "fsync=off", "-c", "max_connections=200", "-k", str(self.folder), "-h", "127.0.0.1"]
        with (self.folder / "log").open("ab") as log:
            command = [str(self.programs / "postgres"), "-D", str(data), "-p", str(self.port), *options]
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, **self._as)
        self._wait()

    def _run(self, command: list[Any]) -> None:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, **self._as)
        assert done.returncode == 0, done.stderr

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.folder / "log").read_text())

    def url(self, database: str) -> str:
        return f"postgresql://aisle@127.0.0.1:{self.port}/{database}"

    def make_database(self) -> str:
        """The URL of a new and empty database."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


@contextmanager
def postgres(_: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL server; skips the test, and says why, where it is not installed.

    Its folder is none of pytest's, which are closed to the user that the server runs as.
    """
    with TemporaryDirectory(prefix="aisle-postgres-") as folder:
        server = PostgresServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _mongod(folder: Path, port: int) -> list[str]:
    return ["mongod", "--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1"]


def _ferretdb(folder: Path, port: int) -> list[str]:
    stored = ["--handler=sqlite", f"--sqlite-url=file:{folder}/", f"--state-dir={folder}"]
    return ["ferretdb", f"--listen-addr=127.0.0.1:{port}", "--debug-addr=-", "--telemetry=disable", *stored]


MONGO_PROGRAMS: dict[str, Callable[[Path, int], list[str]]] = {"mongod": _mongod, "ferretdb": _ferretdb}


@contextmanager
def mongo(folder: Path) -> Iterator[Callable[[], str]]:
    """A function that gives the URL of a new database, on the server that MONGO_URL names or on one that is started for it.

    Skips the test, and says why, where there is neither.
    """
    given, program = os.environ.get("MONGO_URL"), next((name for name in MONGO_PROGRAMS if shutil.which(name)), None)
    if given is None and program is None:
        pytest.skip("MONGO_URL names no server of MongoDB's protocol, and neither mongod nor ferretdb is on the PATH")
    made: list[str] = []
    with _serve(program, folder) if given is None else _given(given) as base:

        def make_database() -> str:
            made.append(f"test_{uuid.uuid4().hex}")
            head, _, options = base.partition("?")
            where = head.rstrip("/") if head.count("/") > 2 else head
            return f"{where.rpartition('/')[0] if where.count('/') > 2 else where}/{made[-1]}{'?' + options if options else ''}"

        yield make_database
        with MongoClient(base, serverSelectionTimeoutMS=2_000) as client:
            for name in made:
                client.drop_database(name)


@contextmanager
def _given(url: str) -> Iterator[str]:
    yield url


@contextmanager
def _serve(program: str, folder: Path) -> Iterator[str]:
    port = find_free_port(LOOPBACK)
    url = f"mongodb://127.0.0.1:{port}"
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(MONGO_PROGRAMS[program](folder, port), cwd=folder, stdout=log, stderr=log)
    try:
        if not _answers(url, process):
            pytest.skip(f"{program} did not come up here: {(folder / 'log').read_text(errors='replace')[-500:]}")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with MongoClient(url, serverSelectionTimeoutMS=500) as client:
                client.admin.command("ping")
        except PyMongoError:
            time.sleep(0.1)
        else:
            return True
    return False
