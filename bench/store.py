"""Stores of any size, built the way a sync builds them, kept in a folder so that the next run finds them."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from bench.stack import ROOT, make_env, write_config
from main.controller.documents import dump_product
from main.resources.catalogue.writer import SqliteWriter
from main.resources.upstream.kinds import connect
from main.service.model import Outcome, Source, SyncReport
from main.util.clock import SystemClock
from sample.generate import generate_products

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVERYWHERE = "warranted"  # a word that is in every product
PER_SOURCE = 250_000
_OWNER = "bench"


def prepare_store(folder: Path, count: int) -> tuple[Path, dict[str, str]]:
    """Give the database and the environment of an Aisle with that many products, built when it is not there yet."""
    data = folder / f"store-{count}"
    database = data / "aisle.db"
    names = [f"shop{number}" for number in range(-(-count // PER_SOURCE))]
    made_by = data / "made-by"
    if not made_by.exists() or made_by.read_text() != _recipe():
        print(f"building a store of {count:,} products in {data.name}", flush=True)
        shutil.rmtree(data, ignore_errors=True)
        _build(database, names, count)
        made_by.write_text(_recipe())
    config = write_config(data / "config.yml", dict.fromkeys(names, "http://127.0.0.1:9"))
    return database, make_env(data, config)


def _recipe() -> str:
    """Give what changes when stores would be built differently: the schema and the invented products."""
    recipe = hashlib.blake2b(digest_size=16)
    for path in (*sorted((ROOT / "main/resources/database/migrations/versions").glob("*.py")), ROOT / "sample/generate.py"):
        recipe.update(path.read_bytes())
    return recipe.hexdigest()


def _build(database: Path, names: list[str], count: int) -> None:
    records = generate_products(count)
    writer = SqliteWriter(database)
    writer.open()
    for name in names:
        _fill(
            writer, Source(name=name, kind="dummyjson", url="http://127.0.0.1:9", currency="EUR"), islice(records, PER_SOURCE)
        )
    writer.close()


def _fill(writer: SqliteWriter, source: Source, records: Iterator[dict[str, Any]]) -> None:
    now = dt.datetime.now(dt.UTC)
    connector = connect(source, clock=SystemClock())
    writer.acquire(source.name, _OWNER, now + dt.timedelta(hours=1), now)
    with writer.stage(source.name) as staging:
        for record in records:
            raw = orjson.dumps(record | {"description": f"{record['description']} {EVERYWHERE.capitalize()}."})
            product = connector.load(raw)
            staging.add(product, dump_product(product), b"%d" % record["id"])
        report = SyncReport(
            source=source.name, outcome=Outcome.OK, started_at=now, finished_at=now, products=staging.counts()[1]
        )
        staging.commit(report, [], _OWNER)
    writer.release(source.name, _OWNER)
