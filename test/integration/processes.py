"""Aisle's command line as a real process, with a config.yml of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from main.bootstrap import build_services
from main.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from main.service.model import Head

ROOT = Path(__file__).parents[2]
PATIENCE = 30


class Installation:
    """A folder with config.yml and data."""

    def __init__(self, folder: Path, *sources: Mapping[str, Any], **config: Any) -> None:
        self.folder = folder
        self.environ = {"AISLE_CONFIG": str(folder / "config.yml"), "AISLE_DATA": str(folder / "data")}
        self.write(*sources, **config)

    def write(self, *sources: Mapping[str, Any], **config: Any) -> None:
        """Put another config.yml in place, open to readers and without a limit unless told otherwise."""
        open_to_all = {"auth": {"anonymous": "reader"}, "limits": {"api": "off"}}
        (self.folder / "config.yml").write_text(yaml.safe_dump({**open_to_all, "sources": list(sources), **config}))

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "main"]

    @property
    def full_environ(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AISLE_", "COV_"))}
        return {**inherited, **self.environ}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *arguments],
            cwd=ROOT,
            env=self.full_environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
            check=False,
        )

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """The command, going on in the background; its log is in ``log``."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen([*self.command, *arguments], cwd=ROOT, env=self.full_environ, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "log").read_text().splitlines() if line.startswith("{")]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.log() if line["event"] == name]

    def head(self) -> Head:
        services = build_services(load_settings(self.environ))
        services.lifecycle.open()
        try:
            return services.sources._reader.head()  # the store as it is, without any service's reading of it
        finally:
            services.lifecycle.close()


def wait_for(condition: Callable[[], Any]) -> Any:
    """The condition's first true value; fails when there is none for a generous while."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")
