"""What a page of the console costs beside the API calls that give the same: `python -m bench.console`, processor time in this process."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import structlog

from bench.stack import shop, write_config
from main.app import create_app
from main.bootstrap import build_sync
from main.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.testing import FlaskClient

    from main.settings import Settings

ROUNDS = 200
LOGGED = 40  # warnings are told, requests are not
SYNCS = 20
FACETS = "facets=source,category,brand,availability,price"
BROWSER = {"Accept": "text/html"}


def measure(client: FlaskClient, calls: Sequence[str], page: str) -> tuple[float, float, int]:
    """Give the median milliseconds of the API calls together and of the page, asked by turns, and the page's bytes."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        begun = time.process_time()
        for call in calls:
            client.get(call)
        between = time.process_time()
        answer = client.get(page, headers=BROWSER)
        spent[0].append(between - begun)
        spent[1].append(time.process_time() - between)
    return median(spent[0]) * 1000, median(spent[1]) * 1000, len(answer.data)


def prepare(folder: Path, url: str) -> Settings:
    """Sync a shop often enough for a history, and give the settings."""
    environ = {"AISLE_CONFIG": str(write_config(folder / "config.yml", {"big": url})), "AISLE_DATA": str(folder / "data")}
    settings = load_settings({**environ, "AISLE_AUTH__ANONYMOUS": "reader", "AISLE_LIMITS__API": "off"})
    built = build_sync(settings)
    built.lifecycle.open()
    for _ in range(SYNCS):
        built.sync.sync_all(settings.sources)
    built.lifecycle.close()
    return settings


def main() -> None:
    """Print a line a page."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(LOGGED))
    with tempfile.TemporaryDirectory() as name, shop(10_000, Path(name)) as url:
        settings = prepare(Path(name), url)
        for cached in (256, 0):
            client = create_app(replace(settings, search=replace(settings.search, cached_pages=cached))).test_client()
            product = client.get("/products?per_page=1").json["data"][0]["id"]
            pages = {
                "/console/products": [f"/products?{FACETS}"],
                "/console/products?q=steel": [f"/products?q=steel&{FACETS}"],
                f"/console/products/{product}": [f"/products/{product}"],
                "/console/sources": ["/sources"],
                "/": ["/sources", "/sources/big/syncs?per_page=20"],
                "/console/sources/big": [
                    "/sources/big",
                    "/sources/big/syncs?per_page=20",
                    "/sources/big/quarantine?per_page=10",
                ],
            }
            for page, calls in pages.items():
                api, html, size = measure(client, calls, page)
                print(f"LRU {cached:3}  {page:32} API {api:7.2f} ms  page {html:7.2f} ms  {html / api:4.2f} x  {size:6} bytes")


if __name__ == "__main__":
    main()
