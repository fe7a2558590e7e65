"""The whole chain on free ports in a temporary folder, started by the launcher's own code, and small clients to try it with."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sample.chain import start_stack, start_uwsgi
from sample.plan import ROOT, Plan, find_nginx
from sample.ports import LOOPBACK, SHOP_PORTS
from sample.processes import Child, Family, answers, end_group, find_free_port

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sample.plan import Tls

NGINX = find_nginx(dict(os.environ))
NO_NGINX = "Nginx is not installed here: neither on PATH nor in /usr/sbin"


@dataclass(frozen=True)
class Answer:
    """A response that was read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Site:
    """What runs and is asked over HTTP."""

    plan: Plan
    family: Family

    def fetch(
        self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """The answer of the front."""
        return fetch(self.plan.port, path, method, headers, body)

    def send_raw(self, data: bytes) -> Answer:
        """The answer to bytes that no well-behaved client would send."""
        with socket.create_connection((LOOPBACK, self.plan.port), timeout=20) as connection:
            connection.sendall(data)
            response = HTTPResponse(connection)
            response.begin()
            return read(response)


@dataclass(frozen=True)
class Stack(Site):
    """A running chain."""

    def send_json(self, path: str, given: Any, headers: Mapping[str, str] | None = None, *, address: str = LOOPBACK) -> Answer:
        """The answer to a POST of JSON from one of this machine's addresses, of which there are many: 127.0.0.1, 127.0.0.2 and so on."""
        kind = {"Content-Type": "application/json"}
        return fetch(self.plan.port, path, "POST", {**kind, **(headers or {})}, json.dumps(given).encode(), address=address)

    def run_command(self, *words: str, given: str = "") -> str:
        """What a command of `python -m main` writes to standard output."""
        command = [sys.executable, "-m", "main", *words]
        environ = self.plan.make_environment()
        done = subprocess.run(
            command, cwd=ROOT, env=environ, input=given, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    def behave(self, shop: str, fault: str) -> None:
        """Have a sample shop misbehave, or behave again, as `python -m sample behave` does for a person."""
        command = [sys.executable, "-m", "sample", "behave", shop, fault]
        subprocess.run(command, cwd=ROOT, env=self.plan.make_environment(), stdout=subprocess.DEVNULL, timeout=60, check=True)

    def find_workers(self) -> list[psutil.Process]:
        """uWSGI's living workers."""
        return [worker for worker in psutil.Process(self._uwsgi.process.pid).children() if not is_gone(worker)]

    def find_ready_workers(self) -> list[psutil.Process]:
        """Those of the workers that have loaded the application."""
        log = self.read_uwsgi_log()
        return [worker for worker in self.find_workers() if f"pid: {worker.pid} (default app)" in log]

    def has_all_workers(self) -> bool:
        """Whether each place is taken by a worker that has loaded the application."""
        return len(self.find_ready_workers()) == 4

    def read_uwsgi_log(self) -> str:
        """What uWSGI and the application have written."""
        return (self.family.logs / "uwsgi.log").read_text()

    @property
    def _uwsgi(self) -> Child:
        return next(child for child in self.family.children if child.name == "uwsgi")

    @contextmanager
    def without_uwsgi(self, seconds: float = 20.0) -> Iterator[int]:
        """Stops uWSGI, killing it after a while, and leaves Nginx alone in front; its exit code; starts it again afterwards."""
        uwsgi = self._uwsgi
        end_group(uwsgi, seconds)
        self.family.children.remove(uwsgi)
        try:
            yield uwsgi.process.returncode
        finally:
            start_uwsgi(self.family, self.plan, self.plan.make_environment())
            self.family.wait_until("uWSGI", lambda: answers(LOOPBACK, self.plan.port, "/health"))


@contextmanager
def run_stack(data: Path, nginx: str | None, tls: Tls | None = None, *, watch: bool = False, **environ: str) -> Iterator[Stack]:
    """The chain, until the block ends, with a watcher where one is wanted; ``environ`` are its settings."""
    plan = Plan(data, LOOPBACK, find_free_port(LOOPBACK), {shop: find_free_port(LOOPBACK) for shop in SHOP_PORTS}, nginx, tls)
    family = Family(plan.run)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"AISLE_LIMITS__API": "off", **environ}.items():  # all tests come from one address
            patch.setenv(name, value)
        try:
            start_stack(family, plan, watch=watch)
            yield Stack(plan, family)
        finally:
            family.stop()


def fetch(
    port: int,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    *,
    address: str = LOOPBACK,
) -> Answer:
    """One request on a connection of its own, never through a proxy of the environment."""
    connection = HTTPConnection(LOOPBACK, port, timeout=20, source_address=(address, 0))
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        return read(connection.getresponse())
    finally:
        connection.close()


def read(response: HTTPResponse) -> Answer:
    """The whole of a response."""
    headers: dict[str, str] = {}
    for name, value in response.getheaders():  # a field that stands on several lines is one list (RFC 9110, 5.3)
        headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
    return Answer(response.status, headers, response.read())


def wait_for(what: str, is_true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Returns once it is true; fails after a generous while."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)


def is_gone(process: psutil.Process) -> bool:
    """Whether it has ended, even if nobody has collected its exit code yet."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def stop_and_wait(process: subprocess.Popen[Any], number: signal.Signals, seconds: float = 20.0) -> int:
    """The exit code after a signal; kills what did not end."""
    process.send_signal(number)
    try:
        return process.wait(seconds)
    finally:
        process.kill()
