"""Answers to requests that carry an Idempotency-Key, kept so that a repeated one is answered alike."""

from alembic import op

revision = "0004"
down_revision = "0003"

_STATEMENTS = (
    """
    CREATE TABLE reply (
        scope TEXT NOT NULL,
        key TEXT NOT NULL,
        fingerprint BLOB NOT NULL,
        owner TEXT NOT NULL,
        status INTEGER,
        headers TEXT,
        body BLOB,
        expires_at INTEGER NOT NULL,
        PRIMARY KEY (scope, key)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX reply_expires ON reply (expires_at)",
)


def upgrade() -> None:
    """Add the table."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
