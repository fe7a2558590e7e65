"""The three invented demo shops: lumen, depot and parts."""

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from wsgiref.types import WSGIApplication

import orjson

from sample.dialects import Credentials, file_app, storefront_app, woocommerce_app
from sample.mount import Shop, mount
from sample.records import Records

FOLDER = Path(__file__).parent
FEED = FOLDER / "parts.csv"
FEED_DATE = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
DEMO_CREDENTIALS = Credentials("demo-key", "demo-secret")


def demo_app(shops: Sequence[str] | None = None, credentials: Credentials = DEMO_CREDENTIALS) -> WSGIApplication:
    """Return one application with the named demo shops, all of them by default."""
    return mount(demo_shops(shops, credentials))


def demo_shops(names: Sequence[str] | None = None, credentials: Credentials = DEMO_CREDENTIALS) -> list[Shop]:
    """Return the named demo shops, all of them by default; the credentials are the depot's."""
    return [MAKERS[name](credentials) for name in names or SHOP_NAMES]


def _make_lumen(_credentials: Credentials) -> Shop:
    """Return the lamp and homeware shop."""
    records = Records(orjson.loads((FOLDER / "lumen.json").read_bytes())["products"])
    return Shop("lumen", "shopify", "/products.json", len(records), storefront_app(records))


def _make_depot(credentials: Credentials) -> Shop:
    """Return the trade depot."""
    content = orjson.loads((FOLDER / "depot.json").read_bytes())
    records = Records(content["products"])
    variations = {parent: Records(children) for parent, children in content["variations"].items()}
    app = woocommerce_app(records, variations, credentials)
    return Shop("depot", "woocommerce", "/wp-json/wc/v3/products", len(records), app)


def _make_parts(_credentials: Credentials) -> Shop:
    """Return the supplier's feed."""
    with FEED.open(encoding="utf-8", newline="") as feed:
        rows = sum(1 for _ in csv.DictReader(feed))
    return Shop("parts", "file", f"/{FEED.name}", rows, file_app({FEED.name: FEED}, FEED_DATE))


MAKERS: dict[str, Callable[[Credentials], Shop]] = {"lumen": _make_lumen, "depot": _make_depot, "parts": _make_parts}
SHOP_NAMES = tuple(MAKERS)
