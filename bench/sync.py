"""How fast a shop comes in: the first time, unchanged, a twentieth changed; the memory it takes; what readers feel of it."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import requests

from bench.load import OpenLoop, percentile
from bench.stack import aisle, make_env, peak_memory, shop, spawned, write_config

CHANGED_SHARE = 0.05
RATE = 60
REST_SECONDS = 12.0


@dataclass(frozen=True)
class Synced:
    """One run of ``python -m main sync``."""

    products: int
    crawl_s: float
    process_s: float
    peak: int

    @property
    def rate(self) -> float:
        """Products a second from the first call to the committed snapshot."""
        return self.products / self.crawl_s


@dataclass(frozen=True)
class Felt:
    """What readers felt: p50 and p99 in milliseconds, at rest and during a sync."""

    rest: tuple[float, float]
    busy: tuple[float, float]
    requests: int

    @property
    def ratio(self) -> float:
        """The p99 during the sync over the p99 just before."""
        return self.busy[1] / self.rest[1]


def run_sync(env: dict[str, str], folder: Path) -> Synced:
    """Run one sync in its own process and measure it."""
    log = folder / f"sync-{time.monotonic_ns()}.log"
    started, peak = time.perf_counter(), 0
    with spawned([sys.executable, "-m", "main", "sync"], env, log) as process:
        while process.poll() is None:
            peak = max(peak, peak_memory(process.pid))
            time.sleep(0.02)
    elapsed = time.perf_counter() - started
    events = [orjson.loads(line) for line in log.read_bytes().splitlines() if line.startswith(b"{")]
    begun, done = (_last(events, name, log) for name in ("source.sync_started", "source.synced"))
    return Synced(done["products"], (_moment(done) - _moment(begun)).total_seconds(), elapsed, peak)


def _last(events: list[dict[str, Any]], name: str, log: Path) -> dict[str, Any]:
    found = [event for event in events if event["event"] == name]
    if not found:
        raise RuntimeError(f"no {name} in the sync's log:\n{log.read_text(errors='replace')[-3000:]}")
    return found[-1]


def _moment(event: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromisoformat(event["timestamp"])


def measure_speed(count: int, rounds: int, folder: Path) -> dict[str, list[Synced]]:
    """Sync a shop into a new store, again, and again after a twentieth of it changed; that many times."""
    found: dict[str, list[Synced]] = {"first": [], "unchanged": [], "changed": []}
    with shop(count, folder, changed_share=CHANGED_SHARE) as url:
        env = make_env(folder / "data", write_config(folder / "speed.yml", {"big": url}))
        for _ in range(rounds):
            shutil.rmtree(folder / "data", ignore_errors=True)
            found["first"].append(run_sync(env, folder))
            found["unchanged"].append(run_sync(env, folder))
            requests.post(f"{url}/_change", timeout=60).raise_for_status()
            found["changed"].append(run_sync(env, folder))
    return found


def measure_readers(count: int, rounds: int, folder: Path) -> list[Felt]:
    """Read at a steady rate, at rest and during the first sync of a second shop as large as the first."""
    data, kept = folder / "data", folder / "kept"
    shutil.rmtree(data, ignore_errors=True)
    found = []
    with shop(count, folder) as old, shop(count, folder, seed=2) as new:
        run_sync(make_env(data, write_config(folder / "one.yml", {"big": old})), folder)
        shutil.copytree(data, kept, dirs_exist_ok=True)
        env = make_env(data, write_config(folder / "two.yml", {"big": old, "second": new}))
        for _ in range(rounds):
            shutil.rmtree(data)
            shutil.copytree(kept, data)
            found.append(_feel(env, folder))
    return found


def _feel(env: dict[str, str], folder: Path) -> Felt:
    with aisle(env, folder) as (server, _):
        OpenLoop(server.port, RATE).run_for(3)
        rest = OpenLoop(server.port, RATE).run_for(REST_SECONDS)
        with OpenLoop(server.port, RATE).running() as busy:
            run_source(env, folder, "second")
    return Felt(_spread(rest), _spread(busy.latencies), len(busy.latencies))


def run_source(env: dict[str, str], folder: Path, name: str) -> None:
    """Sync one source in its own process."""
    with spawned([sys.executable, "-m", "main", "sync", "--source", name], env, folder / "second.log") as process:
        if process.wait() != 0:
            raise RuntimeError(f"the sync failed:\n{(folder / 'second.log').read_text(errors='replace')[-3000:]}")


def _spread(latencies: list[float]) -> tuple[float, float]:
    return percentile(latencies, 50) * 1000, percentile(latencies, 99) * 1000


def print_speed(found: dict[str, list[Synced]]) -> None:
    """Print the medians and what each round gave."""
    for name, runs in found.items():
        rates = [run.rate for run in runs]
        whole = [run.products / run.process_s for run in runs]
        shown = " ".join(f"{rate:,.0f}" for rate in rates)
        print(
            f"{name:10} {median(rates):9,.0f}/s  (whole process {median(whole):9,.0f}/s)"
            f"  peak {max(run.peak for run in runs) / 1e6:5.0f} MB  rounds: {shown}",
            flush=True,
        )


def print_readers(found: list[Felt]) -> None:
    """Print what readers felt, round by round."""
    for felt in found:
        print(
            f"readers    p50 {felt.rest[0]:.1f} -> {felt.busy[0]:.1f} ms, p99 {felt.rest[1]:.1f} -> {felt.busy[1]:.1f} ms"
            f"  x{felt.ratio:.2f}  ({felt.requests} requests)",
            flush=True,
        )


def main(count: int = 100_000, rounds: int = 3) -> None:
    """Measure and print everything."""
    with tempfile.TemporaryDirectory() as name:
        print_speed(measure_speed(count, rounds, Path(name)))
        print_readers(measure_readers(count, rounds, Path(name)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
