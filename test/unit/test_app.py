from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from flask import request

from main import app as app_module
from main.app import create_app
from main.service.errors import AisleError, StoreDown
from main.settings import ask_reload
from main.settings.model import Server
from test.conftest import settings_in
from test.fakes import FakeClock, MemoryCatalogue
from test.integration.processes import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from main.settings import Settings


@pytest.fixture
def at_exit(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], Any]]:
    """What would run when the process ends; kept here instead."""
    kept: list[Callable[[], Any]] = []
    monkeypatch.setattr(app_module.atexit, "register", kept.append)
    return kept


def test_two_apps_share_nothing(settings: Settings, unsynced: Settings):
    first, second = create_app(settings), create_app(unsynced)
    assert first.test_client().get("/products").status_code == 200
    assert second.test_client().get("/products").status_code == 503
    assert first.test_client().get("/products").status_code == 200


def test_an_app_made_after_another_has_served_has_every_route(settings: Settings):
    first = create_app(settings)
    first.test_client().get("/swagger.json")
    second = create_app(settings)
    assert {str(rule) for rule in second.url_map.iter_rules()} == {str(rule) for rule in first.url_map.iter_rules()}
    assert second.test_client().get("/swagger.json").json["paths"] == first.test_client().get("/swagger.json").json["paths"]


def test_components_are_open_when_it_serves_and_closed_when_the_process_ends(
    settings: Settings, at_exit: list[Callable[[], Any]]
):
    store = MemoryCatalogue()
    create_app(settings, reader=store)
    assert store.opened == 1
    for close in at_exit:
        close()
        close()
    assert (len(at_exit), store.opened) == (1, 0)


def test_it_does_not_start_without_its_store(settings: Settings, at_exit: list[Callable[[], Any]]):
    with pytest.raises(StoreDown):
        create_app(settings, reader=MemoryCatalogue(down=True))
    assert at_exit == []


def test_it_does_not_start_where_its_store_cannot_be(settings: Settings):
    file = settings.data / "config.yml"
    with pytest.raises(AisleError):
        create_app(replace(settings, data=file))


@pytest.mark.parametrize(
    ("proxies", "address", "url"),
    [
        (0, "127.0.0.1", "http://localhost/seen"),
        (1, "2.2.2.2", "https://localhost/seen"),
        (2, "1.1.1.1", "http://localhost/seen"),
    ],
)
def test_it_believes_as_many_proxies_as_it_was_told(settings: Settings, proxies: int, address: str, url: str):
    app = create_app(replace(settings, server=Server(proxies)), reader=MemoryCatalogue())
    seen = {}
    app.add_url_rule("/seen", view_func=lambda: seen.update(address=request.remote_addr, url=request.url) or "")
    app.test_client().get("/seen", headers={"X-Forwarded-For": "1.1.1.1, 2.2.2.2", "X-Forwarded-Proto": "https"})
    assert seen == {"address": address, "url": url}


def test_an_app_that_serves_takes_over_changed_sources(shops_url: str, tmp_path: Path):
    settings = settings_in(tmp_path, shops_url)
    client = create_app(settings, clock=(clock := FakeClock())).test_client()

    def chosen() -> list[str]:
        asked = client.get("/swagger.json").json["paths"]["/products"]["get"]["parameters"]
        return next(each for each in asked if each["name"] == "source")["items"]["enum"]

    assert chosen() == ["lumen", "depot", "parts"]
    (tmp_path / "config.yml").write_text("sources: [{name: other, kind: shopify, url: 'https://other.example'}]")
    ask_reload(settings.data, "checked")
    clock.advance(2)
    wait_for(lambda: chosen() == ["other"])
    assert [source["name"] for source in client.get("/sources").json["data"]] == ["other"]
    assert client.get("/products?source=lumen").status_code in {422, 503}
