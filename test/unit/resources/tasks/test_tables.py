import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from main.resources.tasks.records import to_record
from main.resources.tasks.tables import COUNTER, LISTED, TASK, count_of, page_of
from main.service.model import TaskQuery
from test.fakes import make_task


def test_the_table_has_a_column_for_everything_that_is_kept():
    assert set(TASK.c.keys()) == set(to_record(make_task()))
    assert {column.name for column in LISTED} == set(TASK.c.keys()) - {"history", "title_key", "text_key"}
    assert set(COUNTER.c.keys()) == {"id", "last"}


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=lambda dialect: dialect.name)
def test_what_is_asked_travels_as_parameters_only(dialect):
    query = TaskQuery(words=("'; DROP",), status=("'; DROP",), priority=(1,), sort="-title", page=3, per_page=7)
    for statement in (page_of(query), count_of(query)):
        assert "DROP" not in str(statement.compile(dialect=dialect))


def test_equals_come_by_number():
    assert str(page_of(TaskQuery(sort="-title")).compile()).count("task.title_key DESC, task.id ASC") == 1
    assert "ORDER BY task.id DESC" in str(page_of(TaskQuery(sort="-id")).compile())
    assert isinstance(page_of(TaskQuery()), sa.Select)
