"""A list page of 30 out of a big catalogue: Aisle through uWSGI against FastAPI and uvicorn, the same file, as many workers."""

from __future__ import annotations

import random
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import quote

from bench.load import ask_closed, fetch, percentile
from bench.stack import BIN, HOST, aisle, make_env, serving, shop, write_config
from bench.sync import run_sync
from sample.processes import find_free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.stack import Server

WORKERS = 2
CLIENTS = 4
FILTERED_SHARE = 5  # one path in five has a filter


@dataclass
class Contender:
    """A server and what it reached, round by round: answers a second, CPU milliseconds an answer, p99 in milliseconds."""

    server: Server
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    tails: list[float] = field(default_factory=list)

    def run(self, paths: Sequence[str], seconds: float) -> None:
        """Ask as fast as it answers for that long."""
        spent = self.server.cpu_seconds
        count, latencies = ask_closed(self.server.port, paths, seconds, CLIENTS)
        self.costs.append((self.server.cpu_seconds - spent) * 1000 / count)
        self.rates.append(count / seconds)
        self.tails.append(percentile(latencies, 99) * 1000)


def page_paths(port: int, count: int = 200, seed: int = 3) -> list[str]:
    """Give different pages within the first hundred, some of them of a category or a price range."""
    rng = random.Random(seed)
    categories = sorted({product["category"] for product in fetch(port, "/products?per_page=100")["data"]})
    return [_path(rng, categories) for _ in range(count)]


def _path(rng: random.Random, categories: Sequence[str]) -> str:
    page = rng.randrange(1, 101)
    if rng.randrange(FILTERED_SHARE):
        return f"/products?page={page}"
    if rng.randrange(2):
        return f"/products?category={quote(rng.choice(categories))}&page={1 + page % 20}"
    return f"/products?min_price={rng.randrange(250, 350)}&sort=price&page={1 + page % 5}"


def check_same(one: Server, other: Server, paths: Sequence[str]) -> None:
    """Return when both give the same products, whole, and the same totals."""
    for path in paths:
        ours, theirs = fetch(one.port, path), fetch(other.port, path)
        if ours["total"] != theirs["total"] or list(map(_shown, ours["data"])) != list(map(_shown, theirs["data"])):
            raise RuntimeError(f"the answers to {path} differ")


def _shown(product: dict[str, object]) -> dict[str, object]:
    """Give a product without what is empty; times to the second, because they are written in two ways."""
    kept = {key: value for key, value in product.items() if value not in ([], {}, None)}
    return {key: str(value)[:19] if key.endswith("_at") else value for key, value in kept.items()}


def start_contenders(stack: ExitStack, env: dict[str, str], folder: Path, database: Path) -> dict[str, Contender]:
    """Start Aisle without and with its LRU, and FastAPI, all on one file."""
    plain, _ = stack.enter_context(aisle({**env, "AISLE_SEARCH__CACHED_PAGES": "0"}, folder, workers=WORKERS))
    cached, _ = stack.enter_context(aisle(env, folder, workers=WORKERS))
    port = find_free_port(HOST)
    options = ["--host", HOST, "--port", str(port), "--workers", str(WORKERS), "--log-level", "warning", "--no-access-log"]
    command = [str(BIN / "uvicorn"), "bench.fastapi_app:app", *options]
    fast, _ = stack.enter_context(serving(command, {**env, "BENCH_DATABASE": str(database)}, folder / "uvicorn.log", port))
    return {"FastAPI": Contender(fast), "Aisle": Contender(plain), "Aisle, LRU": Contender(cached)}


def measure(env: dict[str, str], database: Path, folder: Path, rounds: int, seconds: float) -> dict[str, Contender]:
    """Let all of them answer the same paths, in alternating rounds."""
    with ExitStack() as stack:
        contenders = start_contenders(stack, env, folder, database)
        paths = page_paths(contenders["Aisle"].server.port)
        check_same(contenders["Aisle"].server, contenders["FastAPI"].server, paths[:40])
        for contender in contenders.values():
            ask_closed(contender.server.port, paths, 1.5, CLIENTS)
        for contender in _in_turn(list(contenders.values()), rounds):
            contender.run(paths, seconds)
    return contenders


def _in_turn(contenders: list[Contender], rounds: int) -> Iterator[Contender]:
    """Give every contender once a round, each round in the opposite order of the one before."""
    for number in range(rounds):
        yield from contenders if number % 2 == 0 else reversed(contenders)


def ratio(contenders: dict[str, Contender], name: str) -> float:
    """Give how many times as many pages as FastAPI it answers, by the medians of all rounds."""
    return median(contenders[name].rates) / median(contenders["FastAPI"].rates)


def print_contenders(contenders: dict[str, Contender]) -> None:
    """Print what each reached."""
    for name, found in contenders.items():
        print(
            f"{name:10} {median(found.rates):7,.0f}/s  x{ratio(contenders, name):.2f}  {median(found.costs):.2f} ms CPU a page"
            f"  p99 {median(found.tails):.1f} ms  rounds: {' '.join(f'{rate:,.0f}' for rate in found.rates)}",
            flush=True,
        )


def main(count: int = 100_000, rounds: int = 5, seconds: int = 4) -> None:
    """Sync a shop, then measure and print."""
    with tempfile.TemporaryDirectory() as name, shop(count, Path(name)) as url:
        folder = Path(name)
        env = make_env(folder / "data", write_config(folder / "config.yml", {"big": url}))
        run_sync(env, folder)
        print_contenders(measure(env, folder / "data" / "aisle.db", folder, rounds, seconds))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
