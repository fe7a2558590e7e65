"""Fires planned requests over raw connections from processes of its own: what barrier.py and openloop.py are made of.

``run(url, offsets, ...)`` gives one Shot for each offset (seconds after the start), in order. It is its own program, so that the clients'
work is not done by the interpreter of the test: each process gets its share on its standard input, connects (``ahead``: before the start),
says it is ready, is told the moment to start, and writes its shots.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]
LEAD_SECONDS = 0.2  # between "all are ready" and the start


@dataclass(frozen=True)
class Shot:
    """One request: ``status`` is 0 when no answer came, and ``fault`` says why; ``seconds`` counts from the planned moment."""

    planned: float
    seconds: float
    status: int
    headers: dict[str, str]
    body: bytes
    fault: str


@dataclass(frozen=True)
class Volley:
    """All shots of a run."""

    shots: list[Shot]

    @property
    def statuses(self) -> Counter[int]:
        return Counter(shot.status for shot in self.shots)

    @property
    def slowest(self) -> float:
        return max(shot.seconds for shot in self.shots)

    def percentile(self, percent: float) -> float:
        """The seconds that so many of a hundred did not exceed (nearest rank); unanswered ones count with the time they were given."""
        ordered = sorted(shot.seconds for shot in self.shots)
        return ordered[max(0, -(-len(ordered) * percent // 100).__int__() - 1)]


def run(
    url: str | Sequence[str],
    offsets: Sequence[float],
    *,
    ahead: bool,
    processes: int = 2,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30.0,
) -> Volley:
    """Several URLs (of one host and port) are taken in turn."""
    urls = [url] if isinstance(url, str) else list(url)
    plans = [(offset, make_request(urls[number % len(urls)], headers or {})) for number, offset in enumerate(offsets)]
    place = urlsplit(urls[0])
    workers = [start_worker(place.hostname, place.port or 80, plans[n::processes], ahead, timeout) for n in range(processes)]
    try:
        for worker in workers:
            if worker.stdout.readline() != "ready\n":
                raise RuntimeError(f"a client ended with {worker.wait(10)} before it was ready")
        start = time.monotonic() + LEAD_SECONDS
        for worker in workers:
            worker.stdin.write(f"{start}\n")
            worker.stdin.flush()
        shots = [read_shots(worker) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    return Volley([shots[number % processes][number // processes] for number in range(len(plans))])


def make_request(url: str, headers: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = {"Host": parts.netloc, "Connection": "close", **headers}
    return f"GET {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"


def start_worker(host: str | None, port: int, plans: list[Any], ahead: bool, timeout: float) -> subprocess.Popen[str]:  # noqa: FBT001
    worker = subprocess.Popen(
        [sys.executable, "-m", "test.faults.volley"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    json.dump({"host": host, "port": port, "plans": plans, "ahead": ahead, "timeout": timeout}, worker.stdin)
    worker.stdin.write("\n")
    worker.stdin.flush()
    return worker


def read_shots(worker: subprocess.Popen[str]) -> list[Shot]:
    return [Shot(**{**found, "body": found["body"].encode("latin-1")}) for found in json.loads(worker.stdout.readline())]


class Client(asyncio.Protocol):
    """One connection and its one request."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.ended = asyncio.get_running_loop().create_future()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data
        if is_whole(self.heard):
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)

    def _end(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result((time.monotonic(), error))


def split(heard: bytes | bytearray) -> tuple[int, dict[str, str], bytes] | None:
    """Status, headers and what there is of the body; None without a whole head."""
    head, found, body = bytes(heard).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if not found or not first.startswith("HTTP/1."):
        return None
    pairs = (line.partition(":") for line in lines)
    return int(first.split(" ")[1]), {name.lower(): value.strip() for name, _, value in pairs}, body


def is_whole(heard: bytearray) -> bool:
    parts = split(heard)
    return parts is not None and parts[1].get("content-length") == str(len(parts[2]))


async def shoot(
    spec: dict[str, Any], plan: tuple[float, str], start: float, made: tuple[Client | None, str] | None
) -> dict[str, Any]:
    offset, request = plan
    planned = start + offset
    await asyncio.sleep(planned - time.monotonic())
    client, fault = made or await connect(spec)
    ended = time.monotonic()
    if client is not None:
        client.transport.write(request.encode("latin-1"))
        try:
            ended, error = await asyncio.wait_for(client.ended, max(0.0, planned + spec["timeout"] - time.monotonic()))
            fault = type(error).__name__ if error else ""
        except TimeoutError:
            ended, fault = time.monotonic(), "timeout"
        client.transport.abort()
    status, headers, body = (client and split(client.heard)) or (0, {}, b"")
    if not status or fault or ("content-length" in headers and headers["content-length"] != str(len(body))):
        status, fault = 0, fault or "no whole answer"
    return {
        "planned": offset,
        "seconds": ended - planned,
        "status": status,
        "headers": headers,
        "body": body.decode("latin-1"),
        "fault": fault,
    }


async def connect(spec: dict[str, Any]) -> tuple[Client | None, str]:
    try:
        opening = asyncio.get_running_loop().create_connection(Client, spec["host"], spec["port"])
        return (await asyncio.wait_for(opening, spec["timeout"]))[1], ""
    except OSError as error:  # TimeoutError is one
        return None, f"not connected: {type(error).__name__}"


async def work() -> None:
    spec = json.loads(sys.stdin.readline())
    made = await asyncio.gather(*(connect(spec) for _ in spec["plans"])) if spec["ahead"] else [None] * len(spec["plans"])
    print("ready", flush=True)
    start = float(await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline))
    shots = (shoot(spec, plan, start, one) for plan, one in zip(spec["plans"], made, strict=True))
    print(json.dumps(await asyncio.gather(*shots)), flush=True)


if __name__ == "__main__":
    asyncio.run(work())
