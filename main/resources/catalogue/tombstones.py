"""Tombstones: which products left the catalogue, and when, so that their addresses can say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.resources.database.times import from_ms, to_ms
from main.service.model import TOMBSTONES_KEPT, Tombstone

if TYPE_CHECKING:
    import datetime as dt

    import sqlalchemy as sa


def bury(connection: sa.Connection, now: dt.datetime) -> None:
    """Put up a tombstone for every id in ``temp.gone``, dated with the version that comes next; take down the oldest ones."""
    connection.exec_driver_sql("DELETE FROM tombstone WHERE deleted_at < ?", (to_ms(now - TOMBSTONES_KEPT),))
    connection.exec_driver_sql(
        "INSERT INTO tombstone (id, version, deleted_at)"
        " SELECT g.id, c.version + 1, ? FROM temp.gone g CROSS JOIN catalogue c WHERE true"
        " ON CONFLICT (id) DO UPDATE SET version = excluded.version, deleted_at = excluded.deleted_at",
        (to_ms(now),),
    )


def revive_staged(connection: sa.Connection) -> None:
    """Take down the tombstones of products that are in the catalogue again."""
    connection.exec_driver_sql("DELETE FROM tombstone WHERE id IN (SELECT id FROM temp.staged)")


def read_tombstone(connection: sa.Connection, product_id: str) -> Tombstone | None:
    """Give a product's tombstone; None while it is in the catalogue, or never was, or left it long ago."""
    row = connection.exec_driver_sql("SELECT version, deleted_at FROM tombstone WHERE id = ?", (product_id,)).first()
    return None if row is None else Tombstone(product_id, row.version, from_ms(row.deleted_at))
