"""Clients: one that asks on schedule whatever the server does, and one that asks as fast as it is answered."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import random
import socket
import time
from typing import TYPE_CHECKING, Any

import orjson

from bench.stack import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection

_FORK = multiprocessing.get_context("spawn")
SETTLE_SECONDS = 10.0


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that this many percent of the values do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share / 100))]


def reader_paths(seed: int, count: int = 300) -> list[str]:
    """Give what readers of a catalogue ask for: mostly pages, some filters and orders."""
    rng = random.Random(seed)
    pages = [f"/products?page={rng.randrange(1, 101)}" for _ in range(count // 2)]
    ordered = [f"/products?sort={rng.choice(('price', '-rating'))}&page={rng.randrange(1, 31)}" for _ in range(count // 4)]
    priced = [f"/products?min_price={rng.randrange(400, 500)}&sort=price" for _ in range(count // 4)]
    paths = pages + ordered + priced
    rng.shuffle(paths)
    return paths


class OpenLoop:
    """Asks at a fixed rate from a process of its own; a latency counts from the moment the request was planned for."""

    def __init__(self, port: int, rate: float) -> None:
        self.port = port
        self.rate = rate
        self.latencies: list[float] = []

    def run_for(self, seconds: float) -> list[float]:
        """Ask for that long and give the latencies in seconds."""
        with self.running():
            time.sleep(seconds)
        return self.latencies

    @contextlib.contextmanager
    def running(self) -> Iterator[OpenLoop]:
        """Ask until the block ends; ``latencies`` has the outcome then."""
        ours, theirs = _FORK.Pipe()
        process = _FORK.Process(target=_ask_on_schedule, args=(theirs, self.port, self.rate), daemon=True)
        process.start()
        ours.recv()
        try:
            yield self
        finally:
            ours.send("stop")
            self.latencies = ours.recv()
            process.join()


def _ask_on_schedule(control: Connection, port: int, rate: float) -> None:
    control.send("ready")
    control.send(asyncio.run(_schedule(control, port, rate)))


async def _schedule(control: Connection, port: int, rate: float) -> list[float]:
    tasks: list[asyncio.Task[float]] = []
    paths, started = reader_paths(1), time.perf_counter()
    while not control.poll():
        planned = started + len(tasks) / rate
        await asyncio.sleep(max(0.0, planned - time.perf_counter()))
        tasks.append(asyncio.create_task(_ask(port, paths[len(tasks) % len(paths)], planned)))
    control.recv()
    return list(await asyncio.gather(*tasks))


async def _ask(port: int, path: str, planned: float) -> float:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(_request(path, "close"))
    acknowledge_at_once(writer.get_extra_info("socket"))
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    await reader.readexactly(_length_of(head))
    latency = time.perf_counter() - planned
    writer.close()
    return latency


def ask_closed(port: int, paths: Sequence[str], seconds: float, clients: int) -> tuple[int, list[float]]:
    """Ask from ``clients`` processes as fast as answers come; give how many came and each one's latency in seconds."""
    with _FORK.Pool(clients) as pool:
        pool.map(time.sleep, [0.05] * clients)
        work = [(port, list(paths[index::clients] or paths), seconds) for index in range(clients)]
        found = [latency for latencies in pool.starmap(_ask_in_turn, work, chunksize=1) for latency in latencies]
    return len(found), found


def _ask_in_turn(port: int, paths: Sequence[str], seconds: float, renew_after: int = 50) -> list[float]:
    """Ask on one kept-alive connection, renewed now and then so that it does not stay with one worker."""
    latencies: list[float] = []
    requests = [_request(path, "keep-alive") for path in paths]
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        with socket.create_connection((HOST, port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(renew_after):
                started = time.perf_counter()
                connection.sendall(requests[len(latencies) % len(requests)])
                read_answer(connection)
                latencies.append(time.perf_counter() - started)
                if started > deadline:
                    return latencies
    return latencies


def read_answer(connection: socket.socket) -> bytes:
    """Give the body of an answer that says its length.

    Raises:
        RuntimeError: it is not a 200, or the connection ended.
    """
    held = b""
    while b"\r\n\r\n" not in held:
        held += _receive(connection)
    head, _, body = held.partition(b"\r\n\r\n")
    parts = [body]
    missing = _length_of(head) - len(body)
    while missing > 0:
        parts.append(_receive(connection))
        missing -= len(parts[-1])
    return b"".join(parts)


def _length_of(head: bytes) -> int:
    if b" 200 " not in head[:20]:
        raise RuntimeError(head.decode("latin-1"))
    return int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])


def _receive(connection: socket.socket) -> bytes:
    acknowledge_at_once(connection)
    chunk = connection.recv(262_144)
    if not chunk:
        raise RuntimeError("the server closed the connection")
    return chunk


def _request(path: str, connection: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: application/json\r\nConnection: {connection}\r\n\r\n".encode()


def acknowledge_at_once(connection: socket.socket) -> None:
    """Let no server wait 40 ms for a delayed ACK between head and body: uvicorn's and uWSGI's sockets have Nagle's algorithm on."""
    if hasattr(socket, "TCP_QUICKACK"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def fetch(port: int, path: str) -> Any:
    """Give the JSON of one answer."""
    with socket.create_connection((HOST, port)) as connection:
        connection.sendall(_request(path, "close"))
        return orjson.loads(read_answer(connection))
