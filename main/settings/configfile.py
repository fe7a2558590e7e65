"""config.yml while a process runs."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import structlog

from main.service.model import Reading
from main.settings.exchange import ask_reload, read_mark, write_answer
from main.settings.lastgood import keep_settings, refuse_silence
from main.settings.loader import SettingsError, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from main.service.model import Taken
    from main.settings.model import Settings

_UNCOMPARED = {"data", "origin", "platform", "sources"}  # the file does not say them, or they need no restart

_log = structlog.get_logger("settings")


class ConfigFile:
    """Reads config.yml again for a process that runs on ``settings`` and goes by ``name``; ``keeps`` what is right for its server."""

    def __init__(self, settings: Settings, name: str, *, keeps: bool = False) -> None:
        self._settings = settings
        self._name = name
        self._keeps = keeps
        self._sources = len(settings.sources)
        self._digest = settings.origin.digest if settings.origin else ""

    @property
    def started(self) -> str:
        """Give the mark of the last reload that was asked for before the file was read."""
        return self._settings.origin.mark if self._settings.origin else ""

    def mark(self) -> str:
        """Give the mark of the last reload that was asked for."""
        return read_mark(self._settings.data) if self._settings.origin else ""

    def read(self) -> Reading:
        """Read the file, and every file of secrets it names, again; the environment is that of the process."""
        if self._settings.origin is None:
            return Reading(self._settings.sources)
        try:
            fresh = load_settings(self._settings.origin.environ)
            refuse_silence(fresh, self._sources)
        except SettingsError as error:
            return Reading(faults=tuple(error.faults))
        self._sources = len(fresh.sources)
        self._digest = fresh.origin.digest if fresh.origin else ""
        if self._keeps:
            _try(lambda: keep_settings(fresh))
        return Reading(fresh.sources, changed_sections(self._settings, fresh))

    def keep(self) -> None:
        """Keep what this process started with; where its server ran on something else, the other processes are to follow."""
        if _try(lambda: keep_settings(self._settings)):
            _log.info("settings.newer_file_taken")
            self.announce()

    def announce(self) -> str:
        """Ask every process of this data folder to read the file again, and give the mark of that; the last one where it cannot be."""
        asked = self._settings.origin and _try(lambda: ask_reload(self._settings.data, self._digest))
        return asked if isinstance(asked, str) else self.mark()

    def report(self, taken: Taken) -> None:
        """Note what this process made of a reload."""
        if self._settings.origin is not None:
            _try(lambda: write_answer(self._settings.data, self._name, taken))


def changed_sections(before: Settings, after: Settings) -> tuple[str, ...]:
    """Name the sections, beside the sources, that differ."""
    names = [field.name for field in fields(before) if field.name not in _UNCOMPARED]
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def _try(write: Callable[[], object]) -> object:
    try:
        return write()
    except OSError as error:  # a data folder that is full or read-only ends neither a request nor a crawl
        _log.warning("settings.note_failed", error=error.strerror)
        return None
