"""Writes down how syncs ended: the source's row, the sync's own, the quarantine, the shape of the records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.resources.catalogue.rows import quarantine_row
from main.resources.catalogue.shapes import write_shapes
from main.resources.catalogue.syncs import end_sync
from main.resources.database.times import to_ms
from main.service.model import SyncState

if TYPE_CHECKING:
    from collections.abc import Iterable

    import sqlalchemy as sa

    from main.service.model import Rejected, SyncReport


def replace_quarantine(connection: sa.Connection, source: str, rejected: Iterable[Rejected]) -> None:
    """Put these records in the place of what was in the source's quarantine."""
    connection.exec_driver_sql("DELETE FROM quarantine WHERE source = ?", (source,))
    rows = [quarantine_row(source, record) for record in rejected]
    if rows:
        connection.exec_driver_sql("INSERT INTO quarantine VALUES (?, ?, ?, ?, ?)", rows)


def record_success(connection: sa.Connection, report: SyncReport) -> None:
    """Record a sync that gave a new snapshot."""
    connection.exec_driver_sql(
        "INSERT INTO source (name, products, rejected, synced_at, attempted_at, outcome, failures, duration_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT (name) DO UPDATE SET products = excluded.products,"
        " rejected = excluded.rejected, synced_at = excluded.synced_at, attempted_at = excluded.attempted_at,"
        " outcome = excluded.outcome, failures = 0, duration_ms = excluded.duration_ms",
        (
            report.source,
            report.products,
            report.rejected,
            to_ms(report.finished_at),
            to_ms(report.finished_at),
            report.outcome,
            report.duration_ms,
        ),
    )
    _close(connection, report)


def record_failure(connection: sa.Connection, report: SyncReport) -> None:
    """Record a sync that left the snapshot in place."""
    connection.exec_driver_sql(
        "INSERT INTO source (name, attempted_at, outcome, error_type, error, failed_at, failures, duration_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT (name) DO UPDATE SET attempted_at = excluded.attempted_at,"
        " outcome = excluded.outcome, error_type = excluded.error_type, error = excluded.error,"
        " failed_at = excluded.failed_at, failures = source.failures + 1, duration_ms = excluded.duration_ms",
        (
            report.source,
            to_ms(report.finished_at),
            report.outcome,
            report.error_type,
            report.error,
            to_ms(report.finished_at),
            report.duration_ms,
        ),
    )
    _close(connection, report)


def record_rejected(connection: sa.Connection, report: SyncReport, rejected: Iterable[Rejected]) -> None:
    """Put what a sync without a snapshot turned away into the source's quarantine."""
    replace_quarantine(connection, report.source, rejected)
    connection.exec_driver_sql("UPDATE source SET rejected = ? WHERE name = ?", (report.rejected, report.source))


def _close(connection: sa.Connection, report: SyncReport) -> None:
    end_sync(connection, report, SyncState(report.outcome))
    write_shapes(connection, report)
