"""The settings a server last took, kept so that its workers can be replaced while config.yml is faulty."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from main.settings.exchange import FOLDER, read_mark
from main.settings.loader import SettingsError, find_data, load_settings
from main.util.files import read_text, write_whole
from main.util.processes import identify, is_fork

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from main.settings.model import Settings

_FILE = "good.json"


def start_settings(environ: Mapping[str, str] | None = None) -> tuple[Settings, list[str]]:
    """Give the settings to start with, and the faults of config.yml where they are those that this server took before.

    Raises:
        SettingsError: config.yml is faulty and this is a first start, or what was kept does not load either.
    """
    data = find_data(environ)
    mark = read_mark(data)
    try:
        return _load(environ), []
    except SettingsError as error:
        kept = _read(data)
        if not has_served(environ):
            raise
        try:
            settings = load_settings(environ, kept["text"])
        except SettingsError:
            raise error from None  # what is wrong with config.yml is what a person can mend
        # A reload asked for while the file was faulty still has to be followed.
        origin = settings.origin and replace(settings.origin, mark=mark)
        return replace(settings, origin=origin), error.faults


def refuse_silence(settings: Settings, before: int) -> None:
    """Return when settings may take the place of some with so many sources ``before``.

    A file that is emptied, to be written anew, is read without a fault at that moment: it must not end every source.

    Raises:
        SettingsError: they do not say what becomes of the sources.
    """
    if before and settings.origin is not None and settings.origin.silent:
        raise SettingsError(
            [f"sources: missing, where there were {before}; allowed: a list of sources ([] to remove them all)"]
        )


def has_served(environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether the server that this process belongs to has taken settings before, so that this is no first start.

    The server is the process that forks the workers or, where the application is loaded before the fork, this one. Who has a
    pid is told from who had it before, as in a container, whose first process always has the same.
    """
    server = _read(find_data(environ)).get("server")
    return server is not None and server in {identify(os.getpid()), identify(os.getppid())}


def keep_settings(settings: Settings) -> bool:
    """Keep the file's text, in which secrets are only named, for the next worker; tell whether another one was kept before.

    Raises:
        OSError: the data folder cannot be written to.
    """
    if settings.origin is None:
        return False
    before = _read(settings.data).get("text")
    server = identify(os.getppid() if is_fork() else os.getpid())
    write_whole(settings.data / FOLDER / _FILE, json.dumps({"server": server, "text": settings.origin.text}))
    return before is not None and before != settings.origin.text


def kept_settings(settings: Settings) -> Settings | None:
    """Give the settings that were last taken here, where that is known and they still load."""
    text = _read(settings.data).get("text")
    if settings.origin is None or text is None:
        return None
    try:
        return load_settings(settings.origin.environ, text)
    except SettingsError:
        return None


def _load(environ: Mapping[str, str] | None) -> Settings:
    found = load_settings(environ)
    if has_served(environ) and (taken := kept_settings(found)):
        refuse_silence(found, len(taken.sources))
    return found


def _read(data: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_text(data / FOLDER / _FILE))
    except ValueError:
        return {}
    whole = isinstance(found, dict) and isinstance(found.get("text"), str)
    return found if whole else {}
