"""What left the catalogue: a tombstone for each product that is there no more."""

from alembic import op

revision = "0005"
down_revision = "0004"

_STATEMENTS = (
    # version: the first one of the catalogue that is without the product.
    "CREATE TABLE tombstone (id TEXT PRIMARY KEY, version INTEGER NOT NULL, deleted_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX tombstone_deleted ON tombstone (deleted_at)",
)


def upgrade() -> None:
    """Add the table."""
    for statement in _STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
