"""Writes and reads the rows of syncs: asked for, running, ended."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from main.resources.database.times import from_ms, to_ms
from main.service.model import SyncRecord, SyncState

if TYPE_CHECKING:
    import datetime as dt

    import sqlalchemy as sa

    from main.service.model import SyncReport

KEPT_SYNCS = 200  # of each source
COLUMNS = ", ".join(field.name for field in fields(SyncRecord) if field.name != "note")
_LEFT = "The process that ran it ended before the sync did."


def request_sync(connection: sa.Connection, source: str, now: dt.datetime, *, force: bool) -> SyncRecord:
    """Write down that a sync is asked for, unless one waits already."""
    _ensure_source(connection, source)
    connection.exec_driver_sql(
        "INSERT INTO sync (source, state, force, requested_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (source) WHERE state = 'requested' DO UPDATE SET force = max(sync.force, excluded.force)",
        (source, SyncState.REQUESTED, int(force), to_ms(now)),
    )
    forget_old_syncs(connection, source)
    return _one(connection, "source = ? AND state = ?", source, SyncState.REQUESTED)


def begin_sync(connection: sa.Connection, source: str, now: dt.datetime, *, force: bool) -> SyncRecord:
    """Turn the sync that is asked for into a running one, or write down a new one."""
    connection.exec_driver_sql(
        "UPDATE sync SET state = ?, finished_at = ?, error = ? WHERE source = ? AND state = ?",
        (SyncState.STOPPED, to_ms(now), _LEFT, source, SyncState.RUNNING),
    )
    taken = connection.exec_driver_sql(
        "UPDATE sync SET state = ?, started_at = ?, force = max(force, ?) WHERE source = ? AND state = ?",
        (SyncState.RUNNING, to_ms(now), int(force), source, SyncState.REQUESTED),
    )
    if taken.rowcount:
        # What was promised is kept by the next process if this one dies: the source is due until this sync has ended.
        _ensure_source(connection, source)
        connection.exec_driver_sql("UPDATE source SET next_sync_at = ? WHERE name = ?", (to_ms(now), source))
    else:
        connection.exec_driver_sql(
            "INSERT INTO sync (source, state, force, started_at) VALUES (?, ?, ?, ?)",
            (source, SyncState.RUNNING, int(force), to_ms(now)),
        )
        forget_old_syncs(connection, source)
    return _one(connection, "source = ? AND state = ?", source, SyncState.RUNNING)


def write_progress(connection: sa.Connection, report: SyncReport) -> None:
    """Write down how far a running sync is."""
    _update(connection, report, {"state": SyncState.RUNNING})


def end_sync(connection: sa.Connection, report: SyncReport, state: SyncState) -> None:
    """Write down how a sync ended; one without a row of its own gets one."""
    ended = {"state": state, "finished_at": to_ms(report.finished_at)}
    if report.id is not None:
        _update(connection, report, ended)
        return
    values = {"source": report.source, "started_at": to_ms(report.started_at), **ended, **_figures(report)}
    marks = ", ".join("?" * len(values))
    connection.exec_driver_sql(f"INSERT INTO sync ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    forget_old_syncs(connection, report.source)


def forget_old_syncs(connection: sa.Connection, source: str) -> None:
    """Keep only the newest rows of a source."""
    connection.exec_driver_sql(
        "DELETE FROM sync WHERE source = ? AND id <= (SELECT id FROM sync WHERE source = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (source, source, KEPT_SYNCS),
    )


def read_syncs(connection: sa.Connection, source: str, page: int, per_page: int) -> tuple[list[SyncRecord], int]:
    """Give one page of a source's syncs, newest first, and how many there are."""
    total = connection.exec_driver_sql("SELECT count(*) FROM sync WHERE source = ?", (source,)).scalar_one()
    rows = connection.exec_driver_sql(
        f"SELECT {COLUMNS} FROM sync WHERE source = ? ORDER BY id DESC LIMIT ? OFFSET ?",
        (source, per_page, (page - 1) * per_page),
    ).all()
    return [_record(row) for row in rows], int(total)


def read_sync(connection: sa.Connection, source: str, number: int) -> SyncRecord | None:
    """Give one sync of a source."""
    row = connection.exec_driver_sql(f"SELECT {COLUMNS} FROM sync WHERE id = ? AND source = ?", (number, source)).first()
    return None if row is None else _record(row)


def _figures(report: SyncReport) -> dict[str, Any]:
    return {
        "pages": report.pages,
        "received": report.received,
        "total": report.total,
        "products": report.products,
        "rejected": report.rejected,
        "created": report.created,
        "updated": report.updated,
        "deleted": report.deleted,
        "error_type": report.error_type,
        "error": report.error,
        "version": report.version,
    }


def _update(connection: sa.Connection, report: SyncReport, values: dict[str, Any]) -> None:
    # Only while it runs: a process that was taken for dead does not overwrite what was written down about it.
    values = {**values, **_figures(report)}
    connection.exec_driver_sql(
        f"UPDATE sync SET {', '.join(f'{name} = ?' for name in values)} WHERE id = ? AND state = 'running'",
        (*values.values(), report.id),
    )


def _ensure_source(connection: sa.Connection, source: str) -> None:
    connection.exec_driver_sql("INSERT INTO source (name) VALUES (?) ON CONFLICT (name) DO NOTHING", (source,))


def _one(connection: sa.Connection, condition: str, *values: object) -> SyncRecord:
    return _record(connection.exec_driver_sql(f"SELECT {COLUMNS} FROM sync WHERE {condition}", values).one())


def _record(row: sa.Row[Any]) -> SyncRecord:
    values = dict(row._mapping)  # noqa: SLF001 - how SQLAlchemy gives a row's columns by name
    times = {name: from_ms(values[name]) for name in ("requested_at", "started_at", "finished_at")}
    return SyncRecord(**{**values, **times, "state": SyncState(row.state), "force": bool(row.force)})
