"""How a test puts products into a catalogue, and reads what comes out."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING

import orjson

from main.controller.documents import dump_product
from test.fakes.builders import make_report
from test.fakes.clock import NOW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from main.service.model import Product, Rejected, SyncReport


def digest_of(document: bytes) -> bytes:
    return hashlib.blake2b(document, digest_size=16).digest()


def put_snapshot(
    writer: Any, source: str, products: Iterable[Product], rejected: Sequence[Rejected] = (), *, owner: str = "one"
) -> SyncReport:
    """Commit these products as the source's snapshot, the way a crawl does: what is unchanged is kept, the rest added."""
    assert writer.acquire(source, owner, NOW + dt.timedelta(seconds=30), NOW)
    with writer.stage(source) as staging:
        for product in products:
            document = dump_product(product)
            known = staging.known().get(digest_of(document))
            if known is None:
                staging.add(product, document, digest_of(document))
            else:
                staging.keep(known)
        report = make_report(source, products=staging.counts()[1], rejected=len(rejected))
        done = staging.commit(report, rejected, owner)
    writer.release(source, owner)
    return done


def names_of(documents: Iterable[bytes]) -> list[str]:
    return [orjson.loads(document)["name"] for document in documents]


def ids_of(documents: Iterable[bytes]) -> list[str]:
    return [orjson.loads(document)["id"] for document in documents]
