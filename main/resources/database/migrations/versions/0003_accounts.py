"""Accounts, what was given out to them, keys of machines, and the version by which processes notice that something ended."""

from alembic import op

revision = "0003"
down_revision = "0002"

_STATEMENTS = (
    # AUTOINCREMENT: a token of an account that is gone never becomes another's. name_key: NFKC, case folded.
    """
    CREATE TABLE account (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        username TEXT NOT NULL,
        name_key TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL,
        enabled INTEGER NOT NULL DEFAULT 1,
        generation INTEGER NOT NULL DEFAULT 1,
        password_hash TEXT NOT NULL,
        created_at INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE token_family (
        family TEXT PRIMARY KEY,
        account INTEGER NOT NULL,
        current TEXT NOT NULL,
        until INTEGER NOT NULL,
        ended_at INTEGER
    ) WITHOUT ROWID
    """,
    "CREATE INDEX token_family_account ON token_family (account)",
    "CREATE INDEX token_family_until ON token_family (until)",
    "CREATE INDEX token_family_ended ON token_family (ended_at) WHERE ended_at IS NOT NULL",
    """
    CREATE TABLE api_key (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        digest BLOB NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER,
        last_used_at INTEGER
    ) WITHOUT ROWID
    """,
    "CREATE TABLE revocation (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)",
    "INSERT INTO revocation (id, version) VALUES (1, 0)",
)


def upgrade() -> None:
    """Add what accounts need."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
