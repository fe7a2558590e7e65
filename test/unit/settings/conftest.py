"""Loads settings out of a text, as if it were config.yml."""

from collections.abc import Callable
from pathlib import Path

import pytest

from main.settings import Settings, SettingsError, load_settings

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Return a function that loads a config.yml of this text, with these environment variables."""

    def load_text(text: str = "", **environ: str) -> Settings:
        path = tmp_path / "config.yml"
        path.write_text(text, encoding="utf-8")
        return load_settings({"AISLE_CONFIG": str(path), **environ})

    return load_text


@pytest.fixture
def faults(load: Load) -> Callable[..., list[str]]:
    """Return a function that gives the faults of a text, none when it loads."""

    def find(text: str = "", **environ: str) -> list[str]:
        try:
            load(text, **environ)
        except SettingsError as error:
            return error.faults
        return []

    return find
