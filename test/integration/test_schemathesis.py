from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from main.app import create_app
from sample.server import running
from test.fakes import FakeDoor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from main.settings import Settings

ROOT = Path(__file__).parents[2]
RUN = "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())"


@pytest.fixture(scope="module")
def served(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # A copy: syncs that are asked for are written down, and other tests read the same catalogue.
    data = tmp_path_factory.mktemp("copied")
    with closing(sqlite3.connect(settings.data / "aisle.db")) as kept, closing(sqlite3.connect(data / "aisle.db")) as copy:
        kept.backup(copy)
    with running(create_app(replace(settings, data=data), door=FakeDoor())) as url:
        yield url


@pytest.fixture(scope="module")
def served_unsynced(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(create_app(replace(settings, data=tmp_path_factory.mktemp("unsynced")), door=FakeDoor())) as url:
        yield url


def run_schemathesis(url: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run all checks in all phases against a served application."""
    environ = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "test.integration.schemathesis_hooks",
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
    }
    command = [sys.executable, "-c", RUN, "run", f"{url}/swagger.json", "--checks", "all", "--warnings", "off", *options]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_no_request_gets_an_answer_that_is_not_documented(served: str, tmp_path: Path, seed: str):
    done = run_schemathesis(served, tmp_path, "--max-examples", "25", "--seed", seed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "28 selected / 28 total" in done.stdout


def test_no_request_gets_an_undocumented_answer_before_the_first_sync_either(served_unsynced: str, tmp_path: Path):
    # 503 is the right answer here, and documented: only "no server error" is not asked for.
    done = run_schemathesis(
        served_unsynced, tmp_path, "--exclude-checks", "not_a_server_error", "--max-examples", "5", "--seed", "3"
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_undocumented_answer_would_be_noticed(settings: Settings, tmp_path: Path):
    app = create_app(settings, door=FakeDoor())
    app.view_functions["service_health"] = lambda: ("not even JSON", 418)
    with running(app) as url:
        done = run_schemathesis(url, tmp_path, "--max-examples", "1", "--seed", "4", "--include-path", "/health")
    assert done.returncode == 1
    assert "/health" in done.stdout
    assert "418" in done.stdout
