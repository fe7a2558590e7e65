"""Every real payload, looked at product by product: a live look gives the price and the stock the crawl gave."""

import time
from collections.abc import Iterator

import pytest

from main.resources.upstream.base import BaseConnector
from main.resources.upstream.kinds import connect
from main.service.errors import RecordRejected
from main.service.model import Product, Source, Wanted
from main.util.clock import SystemClock
from sample.payloads import payload_app
from sample.server import running
from test.integration.test_payloads import DATA, SHOPS, crawl

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder shared/data is not beside the repository")


def look_at(connector: BaseConnector, wanted: list[Wanted]) -> dict[str, bytes]:
    """Look at all, as many at once as the kind allows."""
    found: dict[str, bytes] = {}
    for start in range(0, len(wanted), connector.look_size):
        found |= connector.look(wanted[start : start + connector.look_size], time.monotonic() + 10)
    return found


def figures(product: Product) -> tuple[object, ...]:
    forms = [(form.id, form.price, form.availability) for form in product.variants]
    return product.price, product.price_range, product.stock, product.availability, forms


@pytest.fixture(scope="module")
def shops() -> Iterator[str]:
    """Return the address of all shops."""
    with running(payload_app(DATA)) as url:
        yield url


@pytest.mark.parametrize("name", SHOPS)
def test_each_product_looked_at_is_as_the_crawl_found_it(shops, name):
    source = Source(name=name, url=shops + SHOPS[name].path, **SHOPS[name].settings)
    products, rejected = crawl(source)
    connector = connect(source, SystemClock())
    found = look_at(connector, [Wanted(product.source_id, product.url) for product in products.values()])
    assert {key: figures(connector.load(raw)) for key, raw in found.items()} == {
        key: figures(product) for key, product in products.items()
    }
    for key in rejected:
        if source.kind == "woocommerce":  # asked by id alone
            with pytest.raises(RecordRejected):
                connector.load(look_at(connector, [Wanted(key)])[key])
    connector.close()


@pytest.mark.parametrize("name", SHOPS)
def test_a_product_the_shop_does_not_have_is_left_out(shops, name):
    source = Source(name=name, url=shops + SHOPS[name].path, **SHOPS[name].settings)
    connector = connect(source, SystemClock())
    assert look_at(connector, [Wanted("987654321", f"{source.url}/products/nothing-of-this-name")]) == {}
    connector.close()


@pytest.mark.parametrize("file", ["abt.csv", "buy.csv"])
def test_a_feed_gives_the_rows_looked_at(file):
    source = Source(name="feed", kind="feed", url=(DATA / "matching" / file).as_uri(), currency="USD")
    products, _ = crawl(source)
    connector = connect(source, SystemClock())
    found = look_at(connector, [*map(Wanted, products), Wanted("none")])
    assert {key: connector.load(raw).price for key, raw in found.items()} == {
        key: product.price for key, product in products.items()
    }
    connector.close()
