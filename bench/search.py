"""Searching a million products, and what a worker weighs and how fast it starts, whatever the catalogue's size."""

from __future__ import annotations

import argparse
import random
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.load import ask_closed, percentile, reader_paths
from bench.stack import aisle
from bench.store import EVERYWHERE, prepare_store
from main.resources.catalogue.reader import SqliteReader
from main.service.model import FACETS, SORTS, Query
from main.service.words import parse_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RARE_SHARE = 0.01
SAMPLES = 300
_ALL_PRICES = {"min_price": 1, "max_price": 10**15, "currency": "EUR"}
ANY_WORD = ("one of the 50 most frequent words", "a word in every product", "two frequent words")
SECONDS = 20.0  # the longest any one kind of query is measured


@dataclass
class Words:
    """The words of a store: rare ones, those nearly too frequent to be rare, and the most frequent."""

    rare: list[str]
    borderline: list[str]
    frequent: list[str]


@dataclass
class Latencies:
    """What one kind of query took, in milliseconds: by the clock, and of the processor's time, which neighbours disturb less."""

    name: str
    values: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        """The median."""
        return median(self.values)

    @property
    def p99(self) -> float:
        """What one in a hundred exceeded."""
        return percentile(self.values, 99)

    def __str__(self) -> str:
        """All of it on one line."""
        busy = f"{median(self.processor):.1f} and {percentile(self.processor, 99):.1f}"
        return f"p50 {self.p50:.1f}, p99 {self.p99:.1f} ms (of the processor: {busy})"


@dataclass(frozen=True)
class Weight:
    """What a worker weighs after a thousand requests, in bytes."""

    products: int
    rss: int
    uss: int


def read_words(database: Path, count: int) -> Words:
    """Give the words of a store by how many products have them."""
    connection = sqlite3.connect(database)
    connection.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, product_index, 'row')")
    rows = connection.execute("SELECT term, doc FROM temp.vocabulary WHERE doc > 1 AND term GLOB '[a-z]*'").fetchall()
    connection.close()
    limit = count * RARE_SHARE
    return Words(
        rare=[term for term, found in rows if found < limit],
        borderline=[term for term, found in rows if limit / 2 <= found < limit],
        frequent=[term for term, found in sorted(rows, key=lambda row: -row[1]) if found >= limit][:50],
    )


def query_kinds(words: Words, count: int, rng: random.Random) -> dict[str, Callable[[], Query]]:
    """Give for each kind of query what makes one."""
    common = [*words.frequent[:20], EVERYWHERE]
    return {
        "words in < 1 % of products": lambda: _words(rng.choice(rng.choice((words.rare, words.borderline)))),
        "one of the 50 most frequent words": lambda: _words(rng.choice(words.frequent)),
        "a word in every product": lambda: _words(EVERYWHERE, page=rng.randrange(1, 20)),
        "two frequent words": lambda: _words(" ".join(rng.sample(common, 2))),
        "prefix of 2 letters": lambda: _words(rng.choice(words.rare)[:2] + "*"),
        "prefix of 4 letters": lambda: _words(rng.choice(words.rare)[:4] + "*"),
        "phrase of two frequent words": lambda: _words('"' + " ".join(rng.sample(words.frequent[:20], 2)) + '"'),
        "rare word, by price": lambda: _words(rng.choice(words.borderline), sort="price"),
        "frequent word, by price": lambda: _words(rng.choice(common), sort="price"),
        "frequent word, price range": lambda: _words(rng.choice(common), **_prices(rng)),
        "frequent word, all facets": lambda: _words(rng.choice(common), facets=FACETS),
        "rare word, all facets": lambda: _words(rng.choice(words.borderline), facets=FACETS),
        "price range": lambda: Query(**_prices(rng)),
        "price range, by rating": lambda: Query(sort="-rating", **_prices(rng)),
        "no words, any order, first 100 pages": lambda: Query(sort=rng.choice(SORTS[1:]), page=rng.randrange(1, 101)),
        "no words, all facets": lambda: Query(facets=FACETS, page=rng.randrange(1, 101)),
        # What somebody asks who means to keep the machine busy.
        "half way down everything that has a price": lambda: _half_way(count, sort=rng.choice(SORTS[1:])),
        "half way down a word in every product": lambda: _half_way(
            count, sort=rng.choice(SORTS[1:]), terms=parse_words(EVERYWHERE)
        ),
        "two prefixes of the most frequent words": lambda: _words(
            " ".join(f"{word[:3]}*" for word in rng.sample(common, 2)), facets=FACETS, **_ALL_PRICES
        ),
        "two prefixes of a word in every product": lambda: _words(
            " ".join(f"{EVERYWHERE[:letters]}*" for letters in (3, 4)), facets=FACETS, **_ALL_PRICES
        ),
    }


def _words(text: str, sort: str = "relevance", **more: Any) -> Query:
    return Query(terms=parse_words(text), sort=sort, **more)


def _half_way(count: int, **more: Any) -> Query:
    return Query(page=count // 200, per_page=100, facets=FACETS, **_ALL_PRICES, **more)


def _prices(rng: random.Random) -> dict[str, Any]:
    lowest = rng.randrange(1, 300)
    return {"min_price": lowest * 10_000, "max_price": (lowest + rng.randrange(5, 50)) * 10_000}


def measure_queries(database: Path, count: int, seconds: float = SECONDS, only: str = "") -> list[Latencies]:
    """Measure every kind of query on one connection, one after the other."""
    reader = SqliteReader(database)
    reader.open()
    kinds = query_kinds(read_words(database, count), count, random.Random(7))
    found = [_measure(name, make, reader, seconds) for name, make in kinds.items() if only in name]
    reader.close()
    return found


def _measure(name: str, make: Callable[[], Query], reader: SqliteReader, seconds: float) -> Latencies:
    result = Latencies(name)
    reader.find(make())
    deadline = time.perf_counter() + seconds
    while len(result.values) < SAMPLES and time.perf_counter() < deadline:
        query = make()
        started, busy = time.perf_counter(), time.thread_time()
        reader.find(query)
        result.processor.append((time.thread_time() - busy) * 1000)
        result.values.append((time.perf_counter() - started) * 1000)
    print(f"  {name:40} {result}  [{len(result.values)}]", flush=True)
    return result


def measure_weight(folder: Path, count: int) -> Weight:
    """Give the heavier of two workers after a thousand requests each."""
    database, env = prepare_store(folder, count)
    words = read_words(database, count)
    rare = random.Random(1).choices(words.rare, k=600)
    paths = [*reader_paths(5, 400), *(f"/products?q={word}" for word in rare)]
    with aisle(env, folder) as (server, _):
        served = 0
        while served < 2000:
            served += ask_closed(server.port, paths, 2, 4)[0]
        infos = [worker.memory_full_info() for worker in server.workers]
    return Weight(count, max(info.rss for info in infos), max(info.uss for info in infos))


def measure_start(folder: Path, count: int, rounds: int) -> list[float]:
    """Give the seconds from the start of uWSGI to its first 200 for a list, round by round."""
    _, env = prepare_store(folder, count)
    found = []
    for _ in range(rounds):
        with aisle(env, folder) as (_, seconds):
            found.append(seconds)
    return found


def measure_weights(folder: Path, counts: Sequence[int]) -> list[Weight]:
    """Weigh a worker at every size and print it."""
    found = []
    for count in counts:
        weight = measure_weight(folder, count)
        print(f"  worker at {count:9,} products: RSS {weight.rss / 1e6:.0f} MB, USS {weight.uss / 1e6:.0f} MB", flush=True)
        found.append(weight)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("var/bench"), help="where the stores are kept")
    parser.add_argument("--count", type=int, default=1_000_000, help="products to search in")
    parser.add_argument("--only", default="", help="only the kinds of query with this in their name")
    parser.add_argument("--queries", action="store_true", help="no memory, no start time")
    asked = parser.parse_args()
    asked.data.mkdir(parents=True, exist_ok=True)
    database, _ = prepare_store(asked.data, asked.count)
    measure_queries(database, asked.count, only=asked.only)
    if not asked.queries:
        measure_weights(asked.data, sorted({1000, 100_000, asked.count}))
        starts = measure_start(asked.data, 100_000, 5)
        print(f"  start to first 200 with 100,000 products: {median(starts):.2f} s ({', '.join(f'{s:.2f}' for s in starts)})")


if __name__ == "__main__":
    main()
