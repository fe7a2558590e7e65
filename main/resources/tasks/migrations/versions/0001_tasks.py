"""Tasks, and the last number that one was given."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Texts are compared by their bytes, as SQLite does by itself: an order that hangs on a server's language is no order to page by.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=nullable)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("title"),
        _text("short_description"),
        sa.Column("priority", sa.Integer, nullable=False),
        _text("status"),
        _text("resolution", nullable=True),
        _text("kind"),
        _text("product", nullable=True),
        _text("assignee", nullable=True),
        _text("cause", nullable=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        _text("created_by"),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        _text("updated_by"),
        _text("title_key"),
        _text("text_key"),
        _text("history"),
    )
    op.create_index("task_cause", "task", ["cause"], unique=True)
    op.create_index("task_status", "task", ["status"])
    op.create_index("task_product", "task", ["product"])
    op.create_index("task_assignee", "task", ["assignee"])
    op.create_index("task_title", "task", ["title"])
    counter = op.create_table("task_counter", sa.Column("id", sa.Integer, primary_key=True), sa.Column("last", sa.BigInteger))
    op.bulk_insert(counter, [{"id": 1, "last": 0}])
