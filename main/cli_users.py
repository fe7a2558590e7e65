"""``python -m main users``: who may log in."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from main.bootstrap_doors import build_accounts
from main.cli_common import fail, load
from main.service.errors import AisleError
from main.service.model import Role
from main.util.logs import configure_logs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from main.service.accounts import AccountService
    from main.service.model import Account

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ROLES = click.Choice([role.value for role in Role])
_LONGEST_LINE = 10_000
_from_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input, not from a prompt.")


@click.group()
def users() -> None:
    """Say who may log in, and as what."""


@users.command("add")
@click.argument("username")
@click.option("--role", type=_ROLES, default=Role.READER.value, show_default=True, help="What the account may do.")
@_from_stdin
def add_user(username: str, role: str, *, password_stdin: bool) -> None:
    """Make account USERNAME; the password is asked for."""
    with _accounts() as accounts:
        accounts.check_new(username)
        made = accounts.add(username, _read_password(from_stdin=password_stdin), Role(role))
    click.echo(f"Account {made.id}: {made.username}, {made.role}.")


@users.command("list")
def list_users() -> None:
    """Show all accounts."""
    with _accounts() as accounts:
        Console().print(_user_table(accounts.find_all()))


@users.command("passwd")
@click.argument("username")
@_from_stdin
def change_password(username: str, *, password_stdin: bool) -> None:
    """Give account USERNAME another password and end all its logins."""
    with _accounts() as accounts:
        accounts.get(username)
        changed = accounts.change_password(username, _read_password(from_stdin=password_stdin))
    click.echo(f"{changed.username} has another password; every login so far has ended.")


@users.command("disable")
@click.argument("username")
def disable_user(username: str) -> None:
    """Switch account USERNAME off and end all its logins."""
    with _accounts() as accounts:
        changed = accounts.set_enabled(username, enabled=False)
    click.echo(f"{changed.username} is switched off; every login so far has ended.")


@users.command("enable")
@click.argument("username")
def enable_user(username: str) -> None:
    """Switch account USERNAME on again."""
    with _accounts() as accounts:
        changed = accounts.set_enabled(username, enabled=True)
    click.echo(f"{changed.username} may log in again.")


@users.command("import")
@click.argument("file", type=_FILE)
@click.option("--role", type=_ROLES, default=Role.READER.value, show_default=True, help="For entries that name none.")
@click.option("--allow-weak", is_flag=True, help="Import weak passwords too, and name them.")
def import_users(file: Path, role: str, *, allow_weak: bool) -> None:
    """Take over a users.json with plain passwords. Ends with 1 when an entry was left out."""
    taken = left = 0
    with _accounts() as accounts:
        for done in accounts.take_over(file.read_bytes(), role=Role(role), allow_weak=allow_weak):
            taken, left = taken + (done.account is not None), left + (done.account is None)
            if done.account is None:
                click.echo(f"{done.name!r} left out: {done.remark}", err=True)
            elif done.remark:
                click.echo(f"{done.name!r} imported; {done.remark}", err=True)
    click.echo(f"{taken} accounts imported, {left} left out.")
    click.echo(f"{file} holds passwords in plain text: delete it, and every copy of it.", err=True)
    sys.exit(1 if left else 0)


@contextmanager
def _accounts() -> Iterator[AccountService]:
    services = build_accounts(load())
    configure_logs("warning")  # the person at the terminal is told in words
    try:
        services.lifecycle.open()
        yield services.accounts
    except (AisleError, OSError) as error:
        fail(str(error))
    finally:
        services.lifecycle.close()


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        try:
            return sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n")
        except UnicodeDecodeError:
            fail("The password on standard input is not text in UTF-8.")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _user_table(accounts: Sequence[Account]) -> Table:
    table = Table("id", "username", "role", "enabled", "since")
    for account in accounts:
        enabled = "[green]yes[/]" if account.enabled else "[red]no[/]"
        table.add_row(
            str(account.id), escape(account.username), account.role.value, enabled, f"{account.created_at:%Y-%m-%d %H:%M}"
        )
    return table
