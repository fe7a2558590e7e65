"""``python -m main tasks``: the board, listed, and carried from one store to another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from main.bootstrap_tasks import build_task_copy, build_tasks
from main.cli_common import fail, load
from main.service.errors import AisleError
from main.service.model import PER_PAGE_MAX, TaskKind, TaskQuery, TaskStatus
from main.settings import SettingsError, read_task_url
from main.util.logs import configure_logs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from main.service.model import Task
    from main.service.tasks import TaskService
    from main.settings import Settings

_URL_HELP = "A URL as tasks.url has it, or @FILE with one inside, which keeps a password out of the list of processes."


@click.group()
def tasks() -> None:
    """The tasks of those who curate the catalogue."""


class Several(click.ParamType[tuple[str, ...]]):
    """Some of a few words, by commas, as the API takes them."""

    name = "words"

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(map(str, words))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Give the words; the command ends where one is none of those."""
        if isinstance(value, tuple):
            return value
        given = tuple(word.strip() for word in str(value).lower().split(","))
        if unknown := [word for word in given if word not in self._words]:
            self.fail(f"{', '.join(unknown)}; allowed, several by commas: {', '.join(self._words)}", param, ctx)
        return given


@tasks.command("list")
@click.option(
    "--status", type=Several(TaskStatus), default=(), help="Only with this status: open,doing or done; several by commas."
)
@click.option("--kind", type=Several(TaskKind), default=(), help="Only of this kind, such as quarantine; several by commas.")
def list_tasks(status: tuple[str, ...], kind: tuple[str, ...]) -> None:
    """Show the tasks, by number."""
    settings = load()
    configure_logs("warning")  # the person at the terminal is told in words
    table = Table()
    for title in ("id", "status", "kind"):
        table.add_column(title, no_wrap=True)
    table.add_column("title", overflow="fold")
    try:
        with build_tasks(settings) as service:
            for task in _walk(service, TaskQuery(status=status, kind=kind, per_page=PER_PAGE_MAX)):
                table.add_row(str(task.id), task.status, task.kind, escape(task.title))
    except AisleError as error:
        fail(str(error))
    Console().print(table if table.row_count else "There is no such task." if status or kind else "There is no task.")


def _walk(service: TaskService, query: TaskQuery) -> Iterator[Task]:
    """Give all tasks that a query asks for, page by page."""
    total = query.per_page
    while (query.page - 1) * query.per_page < total:
        found, total = service.find(query)
        yield from found
        query = replace(query, page=query.page + 1)


@tasks.command("copy")
@click.option("--from", "source", metavar="URL", help=f"Where they are; config.yml's tasks.url by itself. {_URL_HELP}")
@click.option("--to", "target", metavar="URL", required=True, help=f"Where they shall be. {_URL_HELP}")
def copy_tasks(source: str | None, target: str) -> None:
    """Copy all tasks with numbers and histories into an empty store; run it again when it was broken off."""
    settings = load()
    configure_logs("warning")  # the person at the terminal is told in words
    try:
        urls = (_read(source, "--from", settings), _read(target, "--to", settings))
        with build_task_copy(settings, *urls) as copy, Console(stderr=True).status("Copying") as status:
            done = copy.run(lambda count: status.update(f"Copying: {count} tasks"))
    except (AisleError, OSError) as error:
        fail(str(error))
    click.echo(f"{done.tasks} tasks are in both, {done.copied} of them copied just now; the last number given is {done.last}.")


def _read(given: str | None, option: str, settings: Settings) -> str:
    if given is None:
        return settings.tasks.url
    try:
        return read_task_url(Path(given[1:]).read_text(encoding="utf-8").strip() if given.startswith("@") else given)
    except (OSError, UnicodeDecodeError, SettingsError) as error:
        fail(f"{option}: {error}")
