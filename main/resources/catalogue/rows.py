"""How the catalogue's things are written into columns and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from main.resources.database.times import from_ms, to_ms
from main.service.model import Drift, Fault, LastSync, Outcome, Product, Rejected, SourceRecord, SyncState
from main.util.money import rank_minor
from main.util.text import fold

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy import Row

PRODUCT_COLUMNS = (
    "id",
    "source",
    "source_id",
    "name_key",
    "brand",
    "category",
    "gtin",
    "currency",
    "price",
    "availability",
    "rating",
    "updated_at",
    "digest",
)
STAGED_COLUMNS = (*PRODUCT_COLUMNS, "document")
SOURCE_COLUMNS = (
    "name",
    "products",
    "rejected",
    "synced_at",
    "attempted_at",
    "outcome",
    "error_type",
    "error",
    "failed_at",
    "failures",
    "duration_ms",
    "next_sync_at",
)


def product_row(product: Product, document: bytes, digest: bytes) -> tuple[Any, ...]:
    """Give the values of :data:`STAGED_COLUMNS`."""
    price = product.price
    return (
        product.id,
        product.source,
        product.source_id,
        fold(product.name),
        product.brand,
        product.category,
        product.gtin,
        price.currency if price else None,
        rank_minor(price.minor, price.currency) if price else None,
        product.availability,
        product.rating.average if product.rating else None,
        to_ms(product.updated_at),
        digest,
        document.decode(),
    )


def source_record(row: Row[Any]) -> SourceRecord:
    """Read a row of ``source`` joined with its live lease, its newest sync and its drift."""
    return SourceRecord(
        name=row.name,
        products=row.products,
        rejected=row.rejected,
        synced_at=from_ms(row.synced_at),
        attempted_at=from_ms(row.attempted_at),
        outcome=Outcome(row.outcome) if row.outcome else None,
        error_type=row.error_type,
        error=row.error,
        failed_at=from_ms(row.failed_at),
        failures=row.failures,
        duration_ms=row.duration_ms,
        next_sync_at=from_ms(row.next_sync_at),
        lease_until=from_ms(row.lease_until),
        last_sync=None if row.sync_id is None else LastSync(row.name, row.sync_id, SyncState(row.sync_state)),
        drift=_drift(row.drift, from_ms(row.drifted_at)),
    )


def _drift(text: str | None, seen_at: dt.datetime | None) -> Drift | None:
    if text is None or seen_at is None:
        return None
    new, missing, retyped = map(tuple, orjson.loads(text))
    return Drift(seen_at=seen_at, new=new, missing=missing, retyped=retyped)


def quarantine_row(source: str, rejected: Rejected) -> tuple[Any, ...]:
    """Give the values of a row of ``quarantine``."""
    faults = orjson.dumps([[fault.field, fault.reason] for fault in rejected.faults]).decode()
    return source, rejected.position, rejected.record_id, faults, rejected.raw


def rejected_record(row: Row[Any]) -> Rejected:
    """Read a row of ``quarantine`` back."""
    faults = tuple(Fault(field, reason) for field, reason in orjson.loads(row.faults))
    return Rejected(row.position, row.record_id, faults, row.raw)
