"""``python -m main keys``: the keys that sign tokens, and the keys given to machines."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from main.bootstrap_doors import build_machines, make_keys
from main.service.errors import AisleError, InvalidQuery
from main.service.model import Role
from main.settings import SettingsError, load_settings
from main.util.clock import isoformat
from main.util.logs import configure_logs

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from main.settings import Settings

_DAYS = re.compile(r"([1-9][0-9]{0,3})([dhm])\Z")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_LONGEST = timedelta(days=3650)


class Lasting(click.ParamType[timedelta | None]):
    """How long a key lasts: ``90d``, ``12h``, or ``never``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta | None:
        """Give the time; None for never."""
        if value == "never":
            return None
        found = _DAYS.match(value)
        lasts = int(found[1]) * _UNITS[found[2]] if found else None
        if lasts is None or lasts > _LONGEST:
            self.fail(f"{value!r}; allowed: a number with d, h or m, such as 90d, at most 3650d, or never", param, ctx)
        return lasts


@click.group()
def keys() -> None:
    """Keys that sign tokens, and keys for machines."""


@keys.command()
@click.option("--at-once", is_flag=True, help="End every token that older keys signed, as when one was stolen.")
def rotate(*, at_once: bool) -> None:
    """Sign tokens with a new key; the older ones verify until all that they signed is over."""
    with _told() as settings:
        made = make_keys(settings).rotate(at_once=at_once)
        click.echo(f"Key {made.kid} ({made.algorithm}) signs from now on; every process follows within a minute.")


@keys.command("list")
def list_keys() -> None:
    """Show the keys that sign and verify tokens, and those given to machines; never the keys themselves."""
    with _told() as settings:
        signing = _table("signing key", "algorithm", "state", "made", "verifies until")
        for view in make_keys(settings).views():
            signing.add_row(view.kid, view.algorithm, view.state, _time(view.created_at), _time(view.until))
        machines = _table("machine's key", "name", "role", "made", "expires", "last used", "ended")
        with build_machines(settings) as service:
            for key in service.find_all():
                times = (key.created_at, key.expires_at, key.last_used_at, key.revoked_at)
                machines.add_row(key.id, escape(key.name), key.role, *map(_time, times))
        Console().print(signing, machines)


@keys.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What the machine may do.")
@click.option("--expires", type=Lasting(), default="90d", show_default=True, help="For how long: 90d, 12h, or never.")
def issue(name: str, role: str, expires: timedelta | None) -> None:
    """Give machine NAME a key. It is shown once, on standard output, and cannot be had again."""
    with _told() as settings, build_machines(settings) as service:
        key, text = service.issue(name, Role(role), expires)
        until = f"until {isoformat(key.expires_at)}" if key.expires_at else "until it is revoked"
        click.echo(f"Key {key.id} for {key.name} ({key.role}), good {until}. This is the only time it is shown:", err=True)
        click.echo(text)


@keys.command()
@click.argument("key_id", metavar="ID")
def revoke(key_id: str) -> None:
    """End the machine's key ID; every process refuses it within a second."""
    with _told() as settings, build_machines(settings) as service:
        service.revoke(key_id)
        click.echo(f"Key {key_id} is ended.")


@contextmanager
def _told() -> Iterator[Settings]:
    """Give the settings; whatever goes wrong inside is told on standard error, and the command ends with 1."""
    try:
        settings = load_settings()
        configure_logs(settings.logger.level, terminal={"console": True, "json": False}.get(settings.logger.kind))
        yield settings
    except InvalidQuery as error:
        _fail("; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.errors.items()))
    except (AisleError, SettingsError) as error:
        _fail(str(error))


def _fail(text: str) -> None:
    click.echo(text, err=True)
    sys.exit(1)


def _table(first: str, *others: str) -> Table:
    table = Table()
    table.add_column(first, no_wrap=True)  # it is what a person copies
    for title in others:
        table.add_column(title, overflow="fold")
    return table


def _time(moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z" if moment else ""
