"""What readers of the catalogue feel while somebody hammers on the door: logins from one address, and from hundreds at once."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from bench.load import OpenLoop, percentile
from bench.stack import HOST
from sample.chain import start_stack
from sample.plan import Plan, find_nginx
from sample.ports import SHOP_PORTS
from sample.processes import Family, find_free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

READS = 60  # a second
LOGINS = 100  # a second
ADDRESSES = {"one address": 1, "250 addresses": 250}
_FORK = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Hammered:
    """What readers felt (p99 in milliseconds), before and meanwhile, and what came of the logins, by status."""

    rest: float
    busy: float
    answers: Counter[int]

    @property
    def ratio(self) -> float:
        """The p99 during the flood over the p99 just before."""
        return self.busy / self.rest


def measure_flood(rounds: int, seconds: float, folder: Path) -> dict[str, list[Hammered]]:
    """Read at a steady rate from the chain of `make run`, at rest and under each kind of flood, in turns."""
    found: dict[str, list[Hammered]] = {name: [] for name in ADDRESSES}
    with _serving(folder) as port:
        OpenLoop(port, READS).run_for(3)
        for _ in range(rounds):
            for name, addresses in ADDRESSES.items():
                found[name].append(_feel(port, addresses, seconds))
    return found


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[int]:
    os.environ["AISLE_LIMITS__API"] = (
        "999999/s"  # all readers come from one address; a limit that nothing reaches is counted like any other
    )
    plan = Plan(
        folder, HOST, find_free_port(HOST), {shop: find_free_port(HOST) for shop in SHOP_PORTS}, find_nginx(dict(os.environ))
    )
    family = Family(plan.run)
    try:
        start_stack(family, plan, watch=False)
        yield plan.port
    finally:
        family.stop()


def _feel(port: int, addresses: int, seconds: float) -> Hammered:
    rest = OpenLoop(port, READS).run_for(seconds)
    with flooding(port, addresses) as answers:
        time.sleep(1)
        busy = OpenLoop(port, READS).run_for(seconds)
    return Hammered(percentile(rest, 99) * 1000, percentile(busy, 99) * 1000, answers)


@contextlib.contextmanager
def flooding(port: int, addresses: int) -> Iterator[Counter[int]]:
    """Try a password of another name each time until the block ends, whatever is answered; the statuses are there then."""
    ours, theirs = _FORK.Pipe()
    process = _FORK.Process(target=_flood, args=(theirs, port, addresses), daemon=True)
    process.start()
    ours.recv()
    answers: Counter[int] = Counter()
    try:
        yield answers
    finally:
        ours.send("stop")
        answers.update(ours.recv())
        process.join()


def _flood(control: Connection, port: int, addresses: int) -> None:
    control.send("ready")
    control.send(asyncio.run(_try_on_schedule(control, port, addresses)))


async def _try_on_schedule(control: Connection, port: int, addresses: int) -> list[int]:
    tasks: list[asyncio.Task[int]] = []
    started = time.perf_counter()
    while not control.poll():
        await asyncio.sleep(max(0.0, started + len(tasks) / LOGINS - time.perf_counter()))
        address = f"127.77.0.{1 + len(tasks) % addresses}"  # all of 127/8 is this machine
        tasks.append(asyncio.create_task(_try(port, address, f"nobody-{len(tasks)}")))
    control.recv()
    return list(await asyncio.gather(*tasks))


async def _try(port: int, address: str, name: str) -> int:
    body = orjson.dumps({"username": name, "password": "one that nobody has"})
    reader, writer = await asyncio.open_connection(HOST, port, local_addr=(address, 0))
    head = f"POST /auth HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return int(answer.split(b" ", 2)[1])


def print_floods(found: dict[str, list[Hammered]]) -> None:
    """Print what readers felt, round by round."""
    for name, rounds in found.items():
        for felt in rounds:
            told = ", ".join(f"{number} x {status}" for status, number in sorted(felt.answers.items()))
            print(
                f"logins from {name}: p99 {felt.rest:.1f} -> {felt.busy:.1f} ms  x{felt.ratio:.2f}  (logins: {told})",
                flush=True,
            )


def main(rounds: int = 3, seconds: int = 10) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        print_floods(measure_flood(rounds, seconds, Path(name)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
