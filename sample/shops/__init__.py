"""The three invented demo shops: lumen, depot and parts."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from wsgiref.types import WSGIApplication

import orjson

from sample.dialects import Credentials, file_app, storefront_app, woocommerce_app
from sample.faults import MoodyShop
from sample.mount import Shop, mount
from sample.records import Record, Records

FOLDER = Path(__file__).parent
FEED = FOLDER / "parts.csv"
FEED_DATE = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
DEMO_CREDENTIALS = Credentials("demo-key", "demo-secret")

Change = Callable[[Record], Record]


def demo_app(shops: Sequence[str] | None = None, credentials: Credentials = DEMO_CREDENTIALS) -> WSGIApplication:
    """Return one application with the named demo shops, all of them by default."""
    return mount(demo_shops(shops, credentials))


def demo_shops(names: Sequence[str] | None = None, credentials: Credentials = DEMO_CREDENTIALS) -> list[Shop]:
    """Return the named demo shops, all of them by default; the credentials are the depot's."""
    return [MAKERS[name](credentials, None) for name in names or SHOP_NAMES]


def moody_shops(names: Sequence[str] | None = None, credentials: Credentials = DEMO_CREDENTIALS) -> list[Shop]:
    """Return the same shops, each with a `/_behave` that makes it misbehave."""
    return [_make_moody(shop, credentials) for shop in demo_shops(names, credentials)]


def _make_moody(shop: Shop, credentials: Credentials) -> Shop:
    changed = {fault: MAKERS[shop.name](credentials, change).app for fault, change in CHANGES[shop.name].items()}
    return replace(shop, app=MoodyShop(shop.name, shop.app, changed))


def _make_lumen(_credentials: Credentials, change: Change | None) -> Shop:
    """Return the lamp and homeware shop."""
    products = orjson.loads((FOLDER / "lumen.json").read_bytes())["products"]
    records = Records(map(change, products) if change else products)
    return Shop("lumen", "shopify", "/products.json", len(records), storefront_app(records))


def _make_depot(credentials: Credentials, change: Change | None) -> Shop:
    """Return the trade depot."""
    content = orjson.loads((FOLDER / "depot.json").read_bytes())
    records = Records(map(change, content["products"]) if change else content["products"])
    variations = {parent: Records(children) for parent, children in content["variations"].items()}
    app = woocommerce_app(records, variations, credentials)
    return Shop("depot", "woocommerce", "/wp-json/wc/v3/products", len(records), app)


def _make_parts(_credentials: Credentials, change: Change | None) -> Shop:
    """Return the supplier's feed; a changed one is a day younger."""
    with FEED.open(encoding="utf-8", newline="") as feed:
        rows = list(csv.DictReader(feed))
    if change is None:
        app = file_app({FEED.name: FEED}, FEED_DATE)
    else:
        app = file_app({FEED.name: _write_feed(map(change, rows), rows[0])}, FEED_DATE + timedelta(days=1))
    return Shop("parts", "file", f"/{FEED.name}", len(rows), app)


def _write_feed(rows: Iterable[Record], columns: Iterable[str]) -> bytes:
    """Return the rows as a CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _set(key: str, **values: object) -> Change:
    """Return a change of these fields of one record."""
    return lambda record: record | values if str(record["id"]) == key else record


def _set_variants(key: str, **values: object) -> Change:
    """Return a change of these fields of every variant of one record."""

    def change(record: Record) -> Record:
        if str(record["id"]) != key:
            return record
        return record | {"variants": [variant | values for variant in record["variants"]]}

    return change


CHANGES: Mapping[str, Mapping[str, Change]] = {
    "lumen": {
        "price": _set_variants("7800100000001", price="97.00", available=False),
        "invalid": _set("7800100000002", title=""),
    },
    "depot": {
        "price": _set("4101", price="59.90", regular_price="59.90", stock_quantity=3),
        "invalid": _set("4102", price="-1.00", regular_price="-1.00"),
    },
    "parts": {
        "price": _set("PX-1001", price="54.95", stock="2"),
        "invalid": _set("PX-1002", price="call us"),
    },
}
MAKERS: dict[str, Callable[[Credentials, Change | None], Shop]] = {
    "lumen": _make_lumen,
    "depot": _make_depot,
    "parts": _make_parts,
}
SHOP_NAMES = tuple(MAKERS)
