"""What the commands share: settings or an end with every fault told."""

from __future__ import annotations

import sys
from typing import NoReturn

import click
import structlog

from main.settings import Settings, SettingsError, load_settings, start_settings
from main.util.logs import configure_logs


def load(*, last_good: bool = False) -> Settings:
    """Give the settings, with logging set up as they say; with ``last_good``, those last taken where config.yml is faulty.

    A faulty config.yml ends the program otherwise, with every fault on standard error.
    """
    try:
        settings, faults = start_settings() if last_good else (load_settings(), [])
    except SettingsError as error:
        fail(str(error))
    configure_logs(settings.logger.level, terminal={"console": True, "json": False}.get(settings.logger.kind))
    for fault in faults:
        structlog.get_logger("settings").error("settings.faulty", fault=fault, running="on the settings last taken")
    return settings


def fail(text: str) -> NoReturn:
    """End the program with 1 and a text on standard error."""
    click.echo(text, err=True)
    sys.exit(1)
