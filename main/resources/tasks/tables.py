"""The two tables that the SQL stores share, and the statements that ask for a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from main.resources.database.engine import Schema
from main.resources.tasks.records import FILTERS, HISTORY, split_sort
from main.service.model import TaskStatus
from main.util.text import fold

if TYPE_CHECKING:
    from main.service.model import TaskQuery

SCHEMA = Schema(Path(__file__).parent / "migrations", "0001", "task_schema")
_METADATA = sa.MetaData()
TASK = sa.Table(
    "task",
    _METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    *(sa.Column(name, sa.Text) for name in ("title", "short_description")),
    sa.Column("priority", sa.Integer),
    *(sa.Column(name, sa.Text) for name in ("status", "resolution", "kind", "product", "assignee", "cause")),
    sa.Column("version", sa.BigInteger),
    *(sa.Column(name, sa.BigInteger) for name in ("created_at", "updated_at")),
    *(sa.Column(name, sa.Text) for name in ("created_by", "updated_by", "title_key", "text_key", HISTORY)),
)
COUNTER = sa.Table("task_counter", _METADATA, sa.Column("id", sa.Integer, primary_key=True), sa.Column("last", sa.BigInteger))
LISTED = [column for column in TASK.c if column.name not in {HISTORY, "title_key", "text_key"}]

NEXT_NUMBER = sa.update(COUNTER).values(last=COUNTER.c.last + 1).returning(COUNTER.c.last)
LAST_NUMBER = sa.select(COUNTER.c.last)
COUNT = sa.select(sa.func.count()).select_from(TASK)
LEFT_BY_KIND = sa.select(TASK.c.kind, sa.func.count()).where(TASK.c.status != TaskStatus.DONE.value).group_by(TASK.c.kind)


def page_of(query: TaskQuery) -> sa.Select[Any]:
    """Give the statement for a page's tasks."""
    name, falls = split_sort(query.sort)
    order = [TASK.c[name].desc() if falls else TASK.c[name].asc()]
    if name != "id":
        order.append(TASK.c.id.asc())
    start = (query.page - 1) * query.per_page
    return sa.select(*LISTED).where(*_filters(query)).order_by(*order).limit(query.per_page).offset(start)


def count_of(query: TaskQuery) -> sa.Select[Any]:
    """Give the statement for how many tasks the whole result has."""
    return COUNT.where(*_filters(query))


def _filters(query: TaskQuery) -> list[sa.ColumnElement[bool]]:
    wanted = ((name, getattr(query, name)) for name in FILTERS)
    chosen = [TASK.c[name].in_(values) for name, values in wanted if values]
    return chosen + [TASK.c.text_key.contains(fold(word), autoescape=True) for word in query.words]
