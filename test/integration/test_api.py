"""The whole way, over real HTTP on both sides: shops, sync, catalogue, API."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from main.app import create_app
from main.bootstrap import build_sync
from sample.server import running
from sample.shops import demo_app
from test.conftest import settings_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from wsgiref.types import WSGIApplication

    from main.service.model import SyncReport
    from main.settings import Settings


class Shops:
    """The demo shops behind a door that can do something else with requests for one of them."""

    def __init__(self) -> None:
        self.instead: dict[str, WSGIApplication] = {}
        self._shops = demo_app()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        name = environ["PATH_INFO"].split("/")[1]
        return self.instead.get(name, self._shops)(environ, start_response)


def answering(status: str, content_type: str, body: bytes) -> WSGIApplication:
    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    return app


class Aisle:
    """A served application, its shops, and the sync that runs beside it."""

    def __init__(self, settings: Settings, url: str, shops: Shops) -> None:
        self.settings = settings
        self.url = url
        self.shops = shops

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=10, **options)

    def sync(self, **options: Any) -> dict[str, SyncReport]:
        built = build_sync(self.settings)
        built.lifecycle.open()
        try:
            return {report.source: report for report in built.sync.sync_all(self.settings.sources, **options)}
        finally:
            built.lifecycle.close()


@contextmanager
def serve(folder: Path) -> Iterator[Aisle]:
    with ExitStack() as stack:
        shops = Shops()
        settings = settings_in(folder, stack.enter_context(running(shops)))
        yield Aisle(settings, stack.enter_context(running(create_app(settings))), shops)


@pytest.fixture
def aisle(tmp_path: Path) -> Iterator[Aisle]:
    with serve(tmp_path) as served:
        yield served


def state_of(aisle: Aisle, name: str) -> str:
    return str(aisle.get(f"/sources/{name}").json()["state"])


def test_from_nothing_to_all_products(aisle: Aisle):
    assert aisle.get("/health").status_code == 200
    assert aisle.get("/ready").status_code == aisle.get("/products").status_code == 503
    reports = aisle.sync()
    assert {name: (report.products, report.rejected) for name, report in reports.items()} == {
        "lumen": (21, 1),
        "depot": (18, 2),
        "parts": (17, 3),
    }
    assert aisle.get("/ready").status_code == 200
    page = aisle.get("/products", params={"facets": "source", "per_page": 1}).json()
    assert {bucket["value"]: bucket["count"] for bucket in page["facets"]["source"]} == {"lumen": 21, "depot": 18, "parts": 17}


def test_links_walk_the_catalogue_over_real_http(aisle: Aisle):
    aisle.sync()
    answer, seen = aisle.get("/products?per_page=9&sort=-price"), []
    while True:
        seen += [product["id"] for product in answer.json()["data"]]
        if "next" not in answer.links:
            break
        answer = requests.get(answer.links["next"]["url"], timeout=10)
    assert len(seen) == len(set(seen)) == 56
    for product_id in seen[:5]:
        assert aisle.get(f"/products/{requests.utils.quote(product_id, safe='')}").json()["id"] == product_id


def test_one_article_of_two_shops_is_found_by_its_gtin(aisle: Aisle):
    aisle.sync()
    found = aisle.get("/products", params={"gtin": aisle.get("/products/depot:4101").json()["gtin"]}).json()["data"]
    assert {product["id"] for product in found} == {"depot:4101", "parts:PX-1001"}


def test_a_sync_that_changes_nothing_leaves_version_and_products_alone(aisle: Aisle):
    aisle.sync()
    before = aisle.get("/products").json()
    again = aisle.sync()
    after = aisle.get("/products").json()
    assert {(report.created, report.updated, report.deleted) for report in again.values()} == {(0, 0, 0)}
    assert after["meta"]["version"] == before["meta"]["version"]
    assert after["data"] == before["data"]


@pytest.mark.parametrize(
    "instead",
    [
        answering("500 Internal Server Error", "text/plain", b"no"),
        answering("200 OK", "text/html", b"<html>Down for maintenance</html>"),
        answering("200 OK", "application/json", b'{"products": [{"id": 1, "tit'),
        answering("200 OK", "application/json", b'{"products": []}'),
    ],
    ids=["500", "html", "truncated", "suddenly-empty"],
)
def test_a_shop_that_misbehaves_takes_nothing_from_the_lists(aisle: Aisle, instead: WSGIApplication):
    aisle.sync()
    before = aisle.get("/products")
    aisle.shops.instead["lumen"] = instead
    reports = aisle.sync()
    assert [name for name, report in reports.items() if report.outcome != "ok"] == ["lumen"]
    after = aisle.get("/products", headers={"If-None-Match": before.headers["ETag"]})
    assert (after.status_code, after.json()["data"]) == (200, before.json()["data"])
    assert (after.json()["meta"]["complete"], state_of(aisle, "lumen"), state_of(aisle, "depot")) == (False, "error", "fresh")
    told = aisle.get("/sources/lumen").json()
    assert (told["products"], told["failures"]) == (21, 1)
    assert told["error"]
    del aisle.shops.instead["lumen"]
    aisle.sync()
    assert (aisle.get("/products").json()["meta"]["complete"], state_of(aisle, "lumen")) == (True, "fresh")


def test_a_shop_that_is_down_from_the_start_is_reported_and_the_others_serve(aisle: Aisle):
    aisle.shops.instead["depot"] = answering("503 Service Unavailable", "text/plain", b"")
    aisle.sync()
    page = aisle.get("/products").json()
    assert (page["total"], page["meta"]["complete"]) == (38, False)
    assert page["meta"]["sources"]["depot"]["synced_at"] is None
    assert aisle.get("/ready").status_code == 200


def test_no_secret_of_a_shop_is_ever_told(aisle: Aisle):
    aisle.shops.instead["depot"] = answering("401 Unauthorized", "text/plain", b"demo-secret is wrong")
    aisle.sync()
    told = "".join(aisle.get(path).text for path in ("/sources", "/sources/depot", "/status", "/products", "/swagger.json"))
    assert not re.search("demo-(key|secret)", told)


def test_readers_see_one_version_while_snapshots_change(aisle: Aisle):
    aisle.sync()
    stop, torn = threading.Event(), []

    def read() -> None:
        with requests.Session() as session:
            while not stop.is_set():
                answer = session.get(f"{aisle.url}/products?per_page=1&facets=source", timeout=60)
                assert answer.status_code == 200, answer.text
                page = answer.json()
                counts = {bucket["value"]: bucket["count"] for bucket in page["facets"]["source"]}
                told = {name: source["products"] for name, source in page["meta"]["sources"].items()}
                if counts != {name: count for name, count in told.items() if count} or sum(counts.values()) != page["total"]:
                    torn.append((counts, told, page["total"]))

    readers = ThreadPoolExecutor(4)
    reading = [readers.submit(read) for _ in range(4)]
    few = b'{"products": [{"id": 1, "title": "Lamp", "variants": [{"id": 2, "title": "Default", "price": "5.00"}]}]}'
    for _ in range(4):
        aisle.shops.instead["lumen"] = answering("200 OK", "application/json", few)
        aisle.sync(force=True)
        del aisle.shops.instead["lumen"]
        aisle.sync(force=True)
    stop.set()
    for reader in reading:
        reader.result(timeout=60)
    assert torn == []


def test_a_source_that_was_taken_out_of_the_configuration_leaves_with_its_products(aisle: Aisle):
    aisle.sync()
    kept = replace(aisle.settings, sources=aisle.settings.sources[:1])
    built = build_sync(kept)
    built.lifecycle.open()
    assert built.sync.store.retain((source.name for source in kept.sources), built.sync.clock.now()) == 35
    built.lifecycle.close()
    client = create_app(kept).test_client()
    assert client.get("/products").json["total"] == 21
    assert [source["name"] for source in client.get("/sources").json["data"]] == ["lumen"]
