"""Writes and reads what a source's records look like and how that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from main.resources.database.times import to_ms
from main.service.model import FieldShape, Outcome, Shape

if TYPE_CHECKING:
    import sqlalchemy as sa

    from main.service.model import Drift, SyncReport


def write_shapes(connection: sa.Connection, report: SyncReport) -> None:
    """Keep the shape of a good crawl that got records, and a drift where there is one."""
    shape, drift = report.shape, report.drift
    if report.outcome is Outcome.OK and shape is not None and shape.records:
        connection.exec_driver_sql(
            "INSERT INTO shape (source, good) VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET good = excluded.good",
            (report.source, _shape_text(shape)),
        )
    if drift is not None:
        connection.exec_driver_sql(
            "INSERT INTO shape (source, drift, drifted_at) VALUES (?, ?, ?)"
            " ON CONFLICT (source) DO UPDATE SET drift = excluded.drift, drifted_at = excluded.drifted_at",
            (report.source, _drift_text(drift), to_ms(drift.seen_at)),
        )


def read_good_shape(connection: sa.Connection, source: str) -> Shape | None:
    """Give the shape of the last good crawl."""
    text = connection.exec_driver_sql("SELECT good FROM shape WHERE source = ?", (source,)).scalar()
    if text is None:
        return None
    records, fields = orjson.loads(text)
    return Shape(records, {name: FieldShape(count, frozenset(types)) for name, (count, *types) in fields.items()})


def _shape_text(shape: Shape) -> str:
    fields = {name: [field.records, *sorted(field.types)] for name, field in shape.fields.items()}
    return orjson.dumps([shape.records, fields]).decode()


def _drift_text(drift: Drift) -> str:
    return orjson.dumps([drift.new, drift.missing, drift.retyped]).decode()
