"""Starts what is measured: sample shops, syncs, uWSGI and uvicorn, each in its own process on a free port."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import yaml

from main.util.logs import configure_logs
from sample.processes import die_with_parent, find_free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
HOST = "127.0.0.1"
START_SECONDS = 120.0
PULSE_SECONDS = 0.01

configure_logs("warning")  # what is measured inside this process logs no calls


@dataclass(frozen=True)
class Server:
    """A server under measurement."""

    host: str
    port: int
    process: psutil.Process

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://{self.host}:{self.port}"

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that answer: its children, or itself when it has none."""
        children = self.process.children(recursive=True)
        return [child for child in children if "resource_tracker" not in " ".join(child.cmdline())] or [self.process]

    @property
    def cpu_seconds(self) -> float:
        """What it has used of the processors so far, its children included."""
        times = [process.cpu_times() for process in (self.process, *self.process.children(recursive=True))]
        return float(sum(spent.user + spent.system for spent in times))


def make_env(data: Path, config: Path, **extra: str) -> dict[str, str]:
    """Give the environment of an Aisle with its own data and configuration, without anything of ours in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AISLE_", "C8Y_"))}
    # A limit that nothing reaches is counted like any other.
    ours = {"AISLE_DATA": str(data), "AISLE_CONFIG": str(config), "PYTHONUNBUFFERED": "1", "AISLE_LIMITS__API": "999999/s"}
    ours["AISLE_AUTH__ANONYMOUS"] = "reader"
    return kept | {"PATH": f"{BIN}{os.pathsep}{kept.get('PATH', os.defpath)}"} | ours | extra


def write_config(path: Path, shops: Mapping[str, str]) -> Path:
    """Write a configuration with these sources, name to URL."""
    sources = [{"name": name, "kind": "dummyjson", "url": url, "currency": "EUR", "every": "1h"} for name, url in shops.items()]
    path.write_text(yaml.safe_dump({"logger": {"kind": "json"}, "auth": {"anonymous": "reader"}, "sources": sources}))
    return path


@contextlib.contextmanager
def spawned(command: Sequence[str], env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process whose output goes to a file; at the end it is stopped, with all it started."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - there are no threads here
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to stop and kill what is left of its group."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def serving(
    command: Sequence[str], env: Mapping[str, str], log: Path, port: int, path: str = "/health"
) -> Iterator[tuple[Server, float]]:
    """Start a server and give it with the seconds from its start to its first 200."""
    started = time.perf_counter()
    with spawned(command, env, log) as process:
        while not answers(port, path):
            if process.poll() is not None or time.perf_counter() - started > START_SECONDS:
                raise RuntimeError(f"{command[0]} does not answer:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(PULSE_SECONDS)
        yield Server(HOST, port, psutil.Process(process.pid)), time.perf_counter() - started


@contextlib.contextmanager
def shop(count: int, folder: Path, *, seed: int = 1, changed_share: float = 0.0) -> Iterator[str]:
    """Serve a shop of that many invented products; the value is its URL."""
    port = find_free_port(HOST)
    options = ["--count", str(count), "--seed", str(seed), "--changed-share", str(changed_share), "--port", str(port)]
    command = [sys.executable, "-m", "sample", "generate", *options]
    with serving(command, os.environ, folder / "shop.log", port, "/products?limit=1") as (server, _):
        yield server.url


@contextlib.contextmanager
def aisle(
    env: Mapping[str, str], folder: Path, *, workers: int = 2, threads: int = 4, path: str = "/products?per_page=1"
) -> Iterator[tuple[Server, float]]:
    """Serve Aisle by uWSGI with the production settings, the workers speaking HTTP themselves."""
    port = find_free_port(HOST)
    command = [str(BIN / "uwsgi"), "--ini", str(ROOT / "uwsgi.ini"), "--http11-socket", f"{HOST}:{port}"]
    sized = {"AISLE_WORKERS": str(workers), "AISLE_THREADS": str(threads), "AISLE_LOGGER__LEVEL": "warning"}
    with serving(command, {**env, **sized}, folder / "uwsgi.log", port, path) as started:
        yield started


def answers(port: int, path: str) -> bool:
    """Tell whether a GET there is a 200."""
    connection = HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return response.status == 200


def peak_memory(pid: int) -> int:
    """Give the most bytes a process ever held, as far as the system tells; 0 when it is gone."""
    with contextlib.suppress(psutil.Error, OSError, ValueError):
        status = Path(f"/proc/{pid}/status")
        if not status.exists():
            return int(psutil.Process(pid).memory_info().rss)
        line = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM:")), "VmHWM: 0")
        return int(line.split()[1]) * 1024
    return 0
