"""What ``python -m main tasks`` does, refuses and shows."""

import pytest
from click.testing import CliRunner

from main import cli
from main.resources.tasks.sqlite import SqliteTasks
from main.service.model import Resolution, TaskKind, TaskStatus
from test.fakes import NOW, make_task


@pytest.fixture
def environ(tmp_path):
    (tmp_path / "config.yml").write_text("{}")
    return {"AISLE_CONFIG": str(tmp_path / "config.yml"), "AISLE_DATA": str(tmp_path / "data"), "COLUMNS": "200"}


@pytest.fixture
def copy(environ):
    """Return a function that runs the copy with these options."""
    return lambda *words, **more: CliRunner().invoke(cli.main, ["tasks", "copy", *words], env={**environ, **more})


@pytest.fixture
def listed(environ):
    """Return a function that lists tasks with these options."""
    return lambda *words, **more: CliRunner().invoke(cli.main, ["tasks", "list", *words], env={**environ, **more})


@pytest.fixture
def board(tmp_path):
    """The configured store with two tasks, and three numbers given."""
    store = SqliteTasks(tmp_path / "data" / "tasks.db")
    for title in ("one", "two", "three"):
        store.add(make_task(title))
    store.delete(2, 1)
    store.replace(store.get(3).changed({"assignee": "ben"}, NOW, "ben"), 1)
    yield store
    store.close()


def test_a_board_is_copied_from_the_configured_store_and_counted(copy, board, tmp_path):
    result = copy("--to", "sqlite:///other.db")
    assert (result.exit_code, result.stderr.strip()) == (0, "")
    assert result.stdout == "2 tasks are in both, 2 of them copied just now; the last number given is 3.\n"
    other = SqliteTasks(tmp_path / "data" / "other.db")
    assert other.scan(0, 9) == board.scan(0, 9)
    assert other.add(make_task()).id == 4
    other.close()


def test_urls_may_stand_in_files(copy, board, tmp_path):
    (tmp_path / "from").write_text(f"sqlite:///{tmp_path}/data/tasks.db\n")
    (tmp_path / "to").write_text("sqlite:///other.db")
    assert copy("--from", f"@{tmp_path}/from", "--to", f"@{tmp_path}/to").exit_code == 0
    assert (tmp_path / "data" / "other.db").exists()


def test_a_target_of_another_board_is_refused_in_words(copy, board, tmp_path):
    other = SqliteTasks(tmp_path / "data" / "other.db")
    other.add(make_task("elsewhere"))
    other.close()
    result = copy("--to", "sqlite:///other.db")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Task 1 is another one in the target" in result.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--to", "mysql://ada:hunter2@db/x"), "--to: ***; allowed: sqlite:///FILE, postgresql://"),
        (("--from", "x", "--to", "sqlite:///other.db"), "--from: ***; allowed: sqlite:///FILE"),
        (("--to", "@/none/there"), "--to: [Errno 2] No such file"),
        (("--to", "postgresql://127.0.0.1:1/x"), "The store does not answer."),
    ],
)
def test_what_cannot_be_used_is_told_without_its_password(copy, board, words, told):
    result = copy(*words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr
    assert "hunter2" not in result.output


def test_a_target_has_to_be_named(copy):
    assert copy().exit_code == 2


# list


def rows(result):
    """The table's cells."""
    assert (result.exit_code, result.stderr.strip()) == (0, "")
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.stdout.splitlines() if "│" in line]


def test_all_tasks_are_listed_by_number(listed, board):
    for number in range(120):
        board.add(make_task(f"[red]more[/] {number}"))
    found = rows(listed())
    assert found[:2] == [["1", "open", "manual", "one"], ["3", "open", "manual", "three"]]
    assert found[-1] == ["123", "open", "manual", "[red]more[/] 119"]
    assert len(found) == 122


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (("--status", "done"), ["4"]),
        (("--status", "open,DONE"), ["1", "3", "4"]),
        (("--kind", "mismatch"), ["4"]),
        (("--kind", "manual, mismatch", "--status", "open"), ["1", "3"]),
    ],
)
def test_status_and_kind_narrow_the_list_as_in_the_api(listed, board, words, numbers):
    board.add(make_task("four", kind=TaskKind.MISMATCH, status=TaskStatus.DONE, resolution=Resolution.FIXED))
    assert [cells[0] for cells in rows(listed(*words))] == numbers


def test_where_there_is_none_that_is_said(listed, board):
    assert listed("--status", "done").stdout == "There is no such task.\n"
    board.reset()
    assert listed().stdout == "There is no task.\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--status", "gone"), "gone; allowed, several by commas: open, doing, done"),
        (("--kind", "manual,x,y"), "x, y; allowed, several by commas: manual, quarantine"),
    ],
)
def test_a_word_that_is_none_is_refused_with_those_there_are(listed, words, told):
    result = listed(*words)
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_board_that_is_away_is_told_in_words(listed):
    result = listed(AISLE_TASKS__URL="postgresql://127.0.0.1:1/tasks")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "does not answer" in result.stderr
