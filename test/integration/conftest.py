"""An Aisle of its own for each test: settings, syncs and an API on one store in a temporary folder."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from main.app import create_app
from main.bootstrap import build_sync
from main.service.model import Credentials, Source
from main.settings import Settings
from main.settings.model import Auth
from main.util.secret import Secret
from sample.server import running
from sample.shops import DEMO_CREDENTIALS
from test.faults.shops import FaultyShop

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from main.service.model import SyncReport


class Aisle:
    """Settings for some sources, and what a team does with them."""

    def __init__(self, data: Path, *sources: Source, **parts: Any) -> None:
        self.settings = Settings(data=data, sources=sources, auth=Auth("reader"))
        self._parts = parts
        self._client: FlaskClient | None = None

    def sync(self, *names: str, force: bool = False) -> dict[str, SyncReport]:
        services = build_sync(self.settings, **self._parts)
        services.lifecycle.open()
        try:
            chosen = [source for source in self.settings.sources if not names or source.name in names]
            return {report.source: report for report in services.sync.sync_all(chosen, force=force)}
        finally:
            services.lifecycle.close()

    def get(self, path: str) -> Any:
        if self._client is None:
            self._client = create_app(self.settings).test_client()
        return self._client.get(path)

    def ids(self, query: str = "") -> list[str]:
        answer = self.get(f"/products?per_page=100&{query}")
        assert answer.status_code == 200, answer.text
        return sorted(product["id"] for product in answer.json["data"])

    def total(self) -> int:
        return self.get("/products").json["total"]

    def source(self, name: str) -> dict[str, Any]:
        return self.get(f"/sources/{name}").json


def shop_source(name: str, url: str, **given: Any) -> Source:
    return Source(
        **{"name": name, "kind": "dummyjson", "url": url, "currency": "EUR", "timeout": timedelta(seconds=5), **given}
    )


def demo_sources(url: str) -> tuple[Source, ...]:
    basic = (Secret(DEMO_CREDENTIALS.key), Secret(DEMO_CREDENTIALS.secret))
    columns = {"name": "title", "images": "image_link", "url": "link"}
    return (
        shop_source("lumen", f"{url}/lumen", kind="shopify"),
        shop_source("depot", f"{url}/depot", kind="woocommerce", credentials=Credentials(basic=basic)),
        shop_source("parts", f"{url}/parts/parts.csv", kind="feed", format="csv", columns=columns),
    )


@pytest.fixture
def aisle(tmp_path):
    return lambda *sources, **parts: Aisle(tmp_path / "data", *sources, **parts)


@pytest.fixture
def shop():
    shop = FaultyShop()
    with running(shop) as shop.url:
        yield shop
        shop.released.set()
