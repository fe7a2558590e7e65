from __future__ import annotations

import gc
import importlib
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from main.bootstrap_doors import build_accounts
from main.service.errors import StoreDown
from main.settings import load_settings
from test.conftest import write_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shops_url: str) -> Iterator[Callable[..., Any]]:
    """A function that imports what a WSGI server imports, afresh, with its data below the test's own folder."""

    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)  # so that it is as it was afterwards

    def start(data: Path = tmp_path, *, text: str | None = None, **environ: str) -> Any:
        monkeypatch.delitem(sys.modules, "main.wsgi", raising=False)
        known = {"AISLE_CONFIG": str(write_config(tmp_path, shops_url)), "AISLE_DATA": str(data)}
        if text is not None:
            (tmp_path / "config.yml").write_text(text)
        for name, value in {**known, **environ}.items():
            monkeypatch.setenv(name, value)
        return importlib.import_module("main.wsgi").app

    yield start
    sys.modules.pop("main.wsgi", None)
    gc.unfreeze()


def test_what_lasts_is_no_work_for_the_garbage_collector(load: Callable[..., Any]):
    app = load()
    assert not any(one is app for one in gc.get_objects())
    assert gc.get_freeze_count() > 10_000


def test_a_server_finds_an_application_that_serves(load: Callable[..., Any], tmp_path: Path):
    app = load()
    assert app.test_client().get("/health").json == {"status": "UP"}
    assert (tmp_path / "aisle.db").exists()


def test_the_first_start_makes_an_admin_and_the_next_ones_do_not(
    load: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    load()
    password = (tmp_path / "first-admin-password").read_text().strip()
    accounts = build_accounts(load_settings()).accounts
    assert accounts.verify("admin", password) is not None
    (tmp_path / "first-admin-password").unlink()
    load()
    assert not (tmp_path / "first-admin-password").exists()
    assert [account.username for account in accounts.find_all()] == ["admin"]
    assert password not in "".join(capsys.readouterr())


@pytest.mark.parametrize(("kind", "level", "lines"), [("json", "info", "{"), ("console", "info", "20"), ("json", "error", "")])
def test_it_logs_as_configured(load: Callable[..., Any], capsys: pytest.CaptureFixture[str], kind: str, level: str, lines: str):
    load(AISLE_LOGGER__KIND=kind, AISLE_LOGGER__LEVEL=level)
    assert capsys.readouterr().err.replace("\x1b[2m", "")[:1] == lines[:1]


def test_a_wrong_configuration_ends_the_start_with_one_line_a_fault(load: Callable[..., Any]):
    with pytest.raises(RuntimeError) as ended:
        load(AISLE_STORE__URL="oracle://x", AISLE_SEARCH__CACHED_PAGES="many")
    text = str(ended.value)
    assert text.startswith("Aisle cannot start:\n")
    assert [line.partition(":")[0] for line in text.splitlines()[1:]] == ["search.cached_pages", "store.url"]


def test_a_store_that_cannot_be_opened_ends_the_start(load: Callable[..., Any], tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeError) as ended:
        load(tmp_path / "file")
    assert str(ended.value) == f"Aisle cannot start:\n{StoreDown()}"


def test_a_worker_that_is_replaced_while_the_file_is_faulty_runs_on_what_was_taken(
    load: Callable[..., Any], capsys: pytest.CaptureFixture[str]
):
    load()
    capsys.readouterr()
    app = load(text="more: true", AISLE_LOGGER__KIND="json")
    said = json.loads(capsys.readouterr().err.splitlines()[0])
    assert (said["level"], said["event"]) == ("error", "settings.faulty")
    assert said["fault"].startswith("more: unknown key")
    assert [source["name"] for source in app.test_client().get("/sources").json["data"]] == ["lumen", "depot", "parts"]


def test_a_worker_that_is_replaced_while_the_store_is_down_is_tried_again_by_its_server(
    load: Callable[..., Any], tmp_path: Path
):
    load()
    for path in tmp_path.glob("aisle.db*"):
        path.unlink()
    (tmp_path / "aisle.db").mkdir()
    with pytest.raises(SystemExit) as ended:
        load()
    assert str(ended.value.code) == f"Aisle cannot start:\n{StoreDown()}"
