"""``python -m main tasks``: the board, carried from one store to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from main.bootstrap_tasks import build_task_copy
from main.cli_common import fail, load
from main.service.errors import AisleError
from main.settings import SettingsError, read_task_url
from main.util.logs import configure_logs

if TYPE_CHECKING:
    from main.settings import Settings

_URL_HELP = "A URL as tasks.url has it, or @FILE with one inside, which keeps a password out of the list of processes."


@click.group()
def tasks() -> None:
    """The tasks of those who curate the catalogue."""


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
