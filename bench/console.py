"""What a page of the console costs beside the API calls that give the same: `python -m bench.console`, processor time in this process."""

from __future__ import annotations

import gzip
import tempfile
import time
from dataclasses import dataclass, replace
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
ASSETS = ("console.css", "console.js", "aisle.svg")
GZIP_LEVEL = 4  # as in nginx/templates
BROWSER = {"Accept": "text/html"}


def measure(client: FlaskClient, calls: Sequence[str], page: str) -> tuple[float, float]:
    """Give the median milliseconds of the API calls together and of the page, asked by turns."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        begun = time.process_time()
        for call in calls:
            client.get(call)
        between = time.process_time()
        client.get(page, headers=BROWSER)
        spent[0].append(between - begun)
        spent[1].append(time.process_time() - between)
    return median(spent[0]) * 1000, median(spent[1]) * 1000


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


@dataclass(frozen=True)
class Cost:
    """What a page costs: with how many pages in the LRU, the milliseconds of its API calls and its own, its bytes on the wire."""

    page: str
    cached: int
    api: float
    html: float
    size: int

    @property
    def ratio(self) -> float:
        """How many times the API calls it takes."""
        return self.html / self.api


def weigh(client: FlaskClient, page: str) -> int:
    """Give what a browser that comes for the first time gets for a page, pictures apart, as Nginx compresses it."""
    parts = [client.get(page, headers=BROWSER).data, *(client.get(f"/static/{name}").data for name in ASSETS)]
    return sum(len(gzip.compress(part, GZIP_LEVEL)) for part in parts)


def measure_pages(products: int, folder: Path) -> list[Cost]:
    """Give what each page costs, with the LRU and without."""
    found = []
    with shop(products, folder) as url:
        settings = prepare(folder, url)
        for cached in (256, 0):
            client = create_app(replace(settings, search=replace(settings.search, cached_pages=cached))).test_client()
            product = client.get("/products?per_page=1").json["data"][0]["id"]
            pages = {
                "/console/products": [f"/products?{FACETS}"],
                "/console/products?q=steel": [f"/products?q=steel&{FACETS}"],
                f"/console/products/{product}": [f"/products/{product}", f"/tasks?product={product}&sort=-created"],
                "/console/sources": ["/sources"],
                "/": ["/sources", "/sources/big/syncs?per_page=20"],
                "/console/sources/big": [
                    "/sources/big",
                    "/sources/big/syncs?per_page=20",
                    "/sources/big/quarantine?per_page=10",
                ],
            }
            for page, calls in pages.items():
                found.append(Cost(page.replace(product, "<id>"), cached, *measure(client, calls, page), weigh(client, page)))
    return found


def main() -> None:
    """Print a line a page."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(LOGGED))
    with tempfile.TemporaryDirectory() as name:
        print_costs(measure_pages(10_000, Path(name)))


def print_costs(costs: Sequence[Cost]) -> None:
    """Print a line a page."""
    for cost in costs:
        print(
            f"LRU {cost.cached:3}  {cost.page:32} API {cost.api:7.2f} ms  page {cost.html:7.2f} ms  {cost.ratio:4.2f} x  {cost.size:6} bytes"
        )


if __name__ == "__main__":
    main()
