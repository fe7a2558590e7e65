"""Live looks: what a fan-out costs beside its slowest shop, what a silent one costs the others, and that one miss is one call."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import orjson
import requests
import yaml

from bench.load import fetch, percentile
from bench.stack import HOST, aisle, make_env, serving
from bench.sync import run_sync
from sample.processes import find_free_port
from test.faults.barrier import fire
from test.faults.openloop import drive
from test.faults.sampler import each
from test.faults.servers import serving as cache_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.stack import Server
    from test.faults.sampler import Sample
    from test.faults.volley import Shot

LATENCY_MS = 100
DEADLINE_MS = 400
PRODUCTS = 200
WORKERS = 4
FRESH_MS = 100  # the least there is; pages come again only after max_stale, so that each look is really made
RULES = {"fresh": f"{FRESH_MS}ms", "revalidate": "100ms", "max_stale": "1s"}


@dataclass(frozen=True)
class Stage:
    """Shops, and an Aisle over them."""

    shops: Server
    aisle: Server
    key: str

    def tell(self, *, latency_ms: int = LATENCY_MS, silent: str = "") -> None:
        """Have the shops answer so."""
        fetch(self.shops.port, f"/_set?latency_ms={latency_ms}&silent={silent}")

    def count_calls(self) -> dict[str, int]:
        """Give how many looks each shop was asked for since this was last called."""
        calls: dict[str, int] = fetch(self.shops.port, "/_calls")
        return calls

    def switch(self, name: str, mode: str) -> None:
        """Set a source's breaker."""
        headers = {"X-API-Key": self.key, "If-Match": "*"}
        requests.patch(
            f"{self.aisle.url}/sources/{name}", json={"breaker": mode}, headers=headers, timeout=20
        ).raise_for_status()

    def page(self, number: int, count: int, deadline_ms: int = DEADLINE_MS) -> str:
        """Give the path of the page that holds the product of this number of each of ``count`` shops."""
        return f"/products?live=true&sort=name&per_page={count}&page={number % PRODUCTS + 1}&deadline_ms={deadline_ms}"


@contextlib.contextmanager
def stage(count: int, folder: Path, rules: dict[str, str] | None = None, **more: Any) -> Iterator[Stage]:
    """Start ``count`` shops, sync them and serve them with four workers of four threads."""
    port, data = find_free_port(HOST), Path(tempfile.mkdtemp(dir=folder))
    command = [sys.executable, "-m", "bench.liveshop", "--port", str(port), "--count", str(PRODUCTS)]
    with serving(command, os.environ, data / "shops.log", port, "/_calls") as (shops, _):
        sources = [
            {
                "name": f"s{n}",
                "kind": "dummyjson",
                "url": f"{shops.url}/s{n}",
                "currency": "EUR",
                "timeout": "1s",
                "every": "1h",
            }
            for n in range(count)
        ]
        config = data / "config.yml"
        config.write_text(yaml.safe_dump({"logger": {"kind": "json"}, "live": rules or {}, "sources": sources, **more}))
        env = make_env(data, config)
        run_sync(env, data)
        issue = [sys.executable, "-m", "main", "keys", "issue", "bench", "--role", "admin"]
        key = subprocess.run(issue, env=env, capture_output=True, text=True, check=True).stdout.strip()
        with aisle(env, data, workers=WORKERS) as (server, _):
            yield Stage(shops, server, key)


def time_answers(port: int, paths: Sequence[str]) -> tuple[list[float], list[dict[str, Any]]]:
    """Ask one after the other, and give each one's milliseconds and body."""
    took, bodies = [], []
    connection = HTTPConnection(HOST, port, timeout=20)  # its client's own time is no time of Aisle's: requests takes 2 ms
    connection.connect()
    try:
        for path in paths:
            started = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            took.append((time.perf_counter() - started) * 1000)
            if answer.status != HTTPStatus.OK:
                raise RuntimeError(f"{answer.status}: {body[:200]!r}")
            bodies.append(orjson.loads(body))
    finally:
        connection.close()
    return took, bodies


def time_bare(url: str, count: int, rounds: int) -> list[float]:
    """Make the same calls as a script would: a thread and a kept connection a shop."""
    sessions = [requests.Session() for _ in range(count)]
    took = []
    with ThreadPoolExecutor(count) as pool:
        for number in range(rounds):
            started = time.perf_counter()
            asked = [pool.submit(_ask_shop, sessions[n], f"{url}/s{n}/products/{number % PRODUCTS + 1}") for n in range(count)]
            for one in asked:
                one.result()
            took.append((time.perf_counter() - started) * 1000)
    return took


def _ask_shop(session: requests.Session, url: str) -> Any:
    return session.get(url, timeout=5).json()


@dataclass(frozen=True)
class FanOut:
    """Milliseconds of a page with one product of each of the shops, and of the same calls by a bare script."""

    ours: list[float]
    bare: list[float]


def measure_fan_out(folder: Path, count: int, rounds: int) -> FanOut:
    """Look at one product of each shop, in turns with a script that does nothing else."""
    with stage(count, folder, RULES) as it:
        it.tell()
        time_answers(it.aisle.port, [it.page(n, count) for n in range(12)])
        ours, bare = [], []
        for start in range(0, rounds, 20):
            took, bodies = time_answers(it.aisle.port, [it.page(n, count) for n in range(start, start + 20)])
            if any(body["meta"]["live"]["confirmed"] != count for body in bodies):
                raise RuntimeError("not every shop has answered")
            ours += took
            bare += time_bare(it.shops.url, count, 20)
    return FanOut(ours, bare)


def measure_silent(folder: Path, count: int, rounds: int) -> tuple[list[float], int]:
    """Ask while one shop is silent and its breaker lets everything through: milliseconds, and in how many all others were complete."""
    with stage(count, folder, RULES) as it:
        it.tell()
        it.switch("s3", "closed")
        time_answers(it.aisle.port, [it.page(n, count) for n in range(12)])
        it.tell(silent="s3")
        took, bodies = time_answers(it.aisle.port, [it.page(n, count) for n in range(rounds)])
    return took, sum(body["meta"]["live"]["confirmed"] == count - 1 for body in bodies)


def measure_stampede(folder: Path, kind: str, asks: int) -> tuple[int, list[float]]:
    """Ask for one cold product so many times at once: the calls that came of it, and the milliseconds of each answer."""
    with contextlib.ExitStack() as stack:
        cache: dict[str, Any] = {"kind": kind}
        if kind != "file":
            server = stack.enter_context(cache_server(kind, Path(tempfile.mkdtemp(dir=folder))))
            cache["url"] = f"{kind}://{HOST}:{server.port}"
        it = stack.enter_context(stage(1, folder, cache=cache))
        it.tell()
        it.count_calls()
        volley = fire(f"{it.aisle.url}/products/s0:1?live=true&deadline_ms=5000", asks)
        if volley.statuses != {200: asks}:
            raise RuntimeError(f"answers: {volley.statuses}")
        return it.count_calls()["s0"], [shot.seconds * 1000 for shot in volley.shots]


@dataclass(frozen=True)
class Isolation:
    """The p99 in milliseconds with all shops well and with one hanging once its breaker is open; what the others confirmed of all asked."""

    well: float
    hanging: float
    share: float


def measure_isolation(folder: Path, count: int, rate: float, rounds: int, seconds: float) -> Isolation:
    """Ask at a steady rate, by turns with all shops well and with one that hangs: what else the machine does falls on both."""
    well: list[Shot] = []
    hanging: list[Shot] = []
    with stage(count, folder) as it:
        urls = [f"{it.aisle.url}{it.page(number, count)}" for number in range(2)]
        for _ in range(rounds):
            it.tell(latency_ms=20)
            _drive_until(it, urls, rate, "closed")
            well += drive(urls, rate=rate, seconds=seconds).shots
            it.tell(latency_ms=20, silent="s7")
            _drive_until(it, urls, rate, "open")
            hanging += drive(urls, rate=rate, seconds=seconds).shots
    told = [orjson.loads(shot.body)["meta"]["live"]["sources"] for shot in hanging if shot.status == 200]
    others = [source for sources in told for name, source in sources.items() if name != "s7"]
    confirmed = sum(source["state"] in {"live", "cached", "stale"} for source in others)
    return Isolation(_p99(well), _p99(hanging), confirmed / (len(hanging) * (count - 1)))


def _drive_until(it: Stage, urls: Sequence[str], rate: float, state: str) -> None:
    """Ask at this rate until the breaker is where it shall be, and a while longer."""
    for _ in range(30):
        drive(urls, rate=rate, seconds=3)
        if fetch(it.aisle.port, "/sources/s7")["guard"]["breaker"]["state"] == state:
            return
    raise RuntimeError(f"the breaker is not {state}")


def _p99(shots: Sequence[Shot]) -> float:
    return percentile([shot.seconds * 1000 for shot in shots], 99)


def measure_leftovers(folder: Path, asks: int) -> dict[str, float]:
    """Give by how much a worker has grown at most after so many faulted requests and five quiet seconds.

    Threads and descriptors are held against a worker that has met no fault; memory against one after as many faults, because a heap
    stays as large as its busiest moment, and only what goes on growing is left behind.
    """
    with stage(4, folder, RULES) as it:
        it.tell()
        it.switch("s3", "closed")
        urls = [f"{it.aisle.url}{it.page(number, 4)}" for number in range(PRODUCTS)]
        calm = _rest(it, urls)
        before, after = (_fault(it, urls, asks) for _ in range(2))
    return {
        "threads": max(after[pid].threads - calm[pid].threads for pid in calm),
        "descriptors": max(after[pid].descriptors - calm[pid].descriptors for pid in calm),
        "memory": max(after[pid].rss / before[pid].rss - 1 for pid in calm),
    }


def _fault(it: Stage, urls: list[str], asks: int) -> dict[int, Sample]:
    it.tell(silent="s3")
    drive(urls, rate=25, seconds=asks / 25)
    return _rest(it, urls)


def _rest(it: Stage, urls: list[str]) -> dict[int, Sample]:
    """Give each worker's holdings after some good requests and five quiet seconds."""
    it.tell()
    drive(urls, rate=25, seconds=4)
    time.sleep(5)
    pids = {process.pid for process in it.aisle.workers}
    return {pid: found for pid, found in each(it.aisle.process.pid).items() if pid in pids}


def main() -> None:
    """Measure and print everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = measure_fan_out(folder, 8, 100)
        print(
            f"8 shops  p50 {median(found.ours):.1f}, p90 {percentile(found.ours, 90):.1f} ms; bare {median(found.bare):.1f}",
            flush=True,
        )
        took, complete = measure_silent(folder, 8, 200)
        print(
            f"silent   p50 {median(took):.1f}, max {max(took):.1f} ms of {DEADLINE_MS}; others complete {complete}", flush=True
        )
        for kind in ("file", "memcached", "redis"):
            calls, answers = measure_stampede(folder, kind, 1000)
            print(f"1000     {kind}: {calls} calls, slowest {max(answers):.0f} ms", flush=True)
        print(measure_isolation(folder, 20, 50, 3, 20), flush=True)
        print(measure_leftovers(folder, 500), flush=True)


if __name__ == "__main__":
    main()
