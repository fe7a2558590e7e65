"""Syncs that are asked for and under way, heartbeats of watchers, the shapes of sources' records and how they drifted."""

from alembic import op

revision = "0002"
down_revision = "0001"

_STATEMENTS = (
    # SQLite cannot drop NOT NULL from a column. AUTOINCREMENT: the address of a sync that is gone never becomes another's.
    "ALTER TABLE sync RENAME TO sync_0001",
    """
    CREATE TABLE sync (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL,
        state TEXT NOT NULL,
        force INTEGER NOT NULL DEFAULT 0,
        requested_at INTEGER,
        started_at INTEGER,
        finished_at INTEGER,
        pages INTEGER NOT NULL DEFAULT 0,
        received INTEGER NOT NULL DEFAULT 0,
        total INTEGER,
        products INTEGER NOT NULL DEFAULT 0,
        rejected INTEGER NOT NULL DEFAULT 0,
        created INTEGER NOT NULL DEFAULT 0,
        updated INTEGER NOT NULL DEFAULT 0,
        deleted INTEGER NOT NULL DEFAULT 0,
        error_type TEXT,
        error TEXT,
        version INTEGER
    )
    """,
    """
    INSERT INTO sync (id, source, state, started_at, finished_at, pages, products, rejected, created, updated, deleted,
                      error_type, error, version)
    SELECT id, source, outcome, started_at, finished_at, pages, products, rejected, created, updated, deleted,
           error_type, error, version
    FROM sync_0001
    """,
    "DROP TABLE sync_0001",
    "CREATE INDEX sync_source ON sync (source, id)",
    "CREATE UNIQUE INDEX sync_requested ON sync (source) WHERE state = 'requested'",
    "CREATE TABLE heartbeat (source TEXT PRIMARY KEY, seen_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE shape (source TEXT PRIMARY KEY, good TEXT, drift TEXT, drifted_at INTEGER)",
)


def upgrade() -> None:
    """Let a sync's row begin with its request, and add what is new."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
