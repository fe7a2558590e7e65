"""Every real payload, served as its live API pages, crawled and mapped: what is sold is counted exactly, and the rest says why not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from main.resources.upstream.kinds import connect
from main.resources.upstream.woocommerce import VariationsCall
from main.service.errors import RecordRejected
from main.service.model import Availability, Money, PriceRange, Product, Rating, Source
from main.util.clock import SystemClock
from sample.payloads import payload_app
from sample.server import running

DATA = Path(__file__).parents[2].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the folder shared/data is not beside the repository")

NO_PRICE = ("price", "is missing or empty, and what has no price cannot be bought")
ADMIN = "/admin/api/2024-01"


@dataclass(frozen=True)
class Shop:
    """A served payload: its path, the source's settings, and what a crawl has to come to."""

    path: str
    settings: dict[str, str]
    accepted: int
    rejected: dict[str, tuple[str, str]] = field(default_factory=dict)


SHOPS = {
    "dummyjson": Shop("/dummyjson", {"kind": "dummyjson", "currency": "USD"}, 194),
    "fakestore": Shop("/fakestore", {"kind": "fakestore", "currency": "USD"}, 20),
    "popupoutlet": Shop("/shopify/popupoutlet", {"kind": "shopify", "currency": "USD"}, 44),
    "hades_culture": Shop("/shopify/hades_culture", {"kind": "shopify", "currency": "INR"}, 9),
    "elsewedy_ar": Shop("/shopify/elsewedy_ar", {"kind": "shopify", "currency": "EGP"}, 9),
    "elsewedy_en": Shop("/shopify/elsewedy_en", {"kind": "shopify", "currency": "EGP"}, 4),
    "admin_a": Shop(f"/shopify_admin/a{ADMIN}", {"kind": "shopify", "currency": "USD"}, 1),
    "admin_b": Shop(f"/shopify_admin/b{ADMIN}", {"kind": "shopify", "currency": "EUR"}, 1),
    "woo_v3": Shop("/woocommerce/v3", {"kind": "woocommerce", "api": "v3", "currency": "USD"}, 9, {"81": NO_PRICE}),
    "woo_mixed": Shop(
        "/woocommerce/mixed",
        {"kind": "woocommerce", "api": "v3", "currency": "USD"},
        3,
        {"33": ("status", "is 'private': not on sale"), "32": NO_PRICE},
    ),
    "woo_docs": Shop("/woocommerce/docs", {"kind": "woocommerce", "api": "v3", "currency": "USD"}, 1, {"799": NO_PRICE}),
    "woo_store": Shop("/woocommerce/store", {"kind": "woocommerce"}, 18),
}

Crawled = tuple[dict[str, Product], dict[str, list[tuple[str, str]]]]


def crawl(source: Source) -> Crawled:
    """Make every call of a crawl and map every record; give the products and the faults, by the shop's ids."""
    connector = connect(source, SystemClock())
    products: dict[str, Product] = {}
    rejected: dict[str, list[tuple[str, str]]] = {}
    waiting, made = [None], set()
    while waiting:
        call = waiting.pop(0)
        if call in made:
            continue
        made.add(call)
        page = connector.fetch(call)
        waiting += page.upcoming
        for raw in page.records:
            try:
                product = connector.load(raw)
            except RecordRejected as rejection:
                rejected[str(rejection.record_id)] = [(fault.field, fault.reason) for fault in rejection.faults]
            else:
                assert product.source_id not in products
                products[product.source_id] = product
    connector.close()
    return products, rejected


@pytest.fixture(scope="module")
def shops() -> Iterator[str]:
    """Return the address of all shops."""
    with running(payload_app(DATA)) as url:
        yield url


@pytest.fixture(scope="module")
def crawled(shops: str) -> Callable[[str], Crawled]:
    """Return a function that gives what a shop's crawl came to; each shop is crawled once."""
    done: dict[str, Crawled] = {}

    def get(name: str) -> Crawled:
        if name not in done:
            done[name] = crawl(Source(name=name, url=shops + SHOPS[name].path, **SHOPS[name].settings))
        return done[name]

    return get


@pytest.mark.parametrize("name", SHOPS)
def test_each_shop_gives_exactly_its_sellable_products_and_a_reason_for_every_other_record(crawled, name):
    products, rejected = crawled(name)
    assert len(products) == SHOPS[name].accepted
    assert rejected == {key: [fault] for key, fault in SHOPS[name].rejected.items()}


@pytest.mark.parametrize("name", SHOPS)
def test_every_product_of_every_shop_is_whole(crawled, name):
    for product in crawled(name)[0].values():
        assert product.name == product.name.strip() != ""
        assert type(product.price.minor) is int
        assert not any(sign in (product.description or "") for sign in ("</", "<p", "<br", "&nbsp;", "&amp;"))
        assert all(image.startswith(("http://", "https://")) for image in product.images)
        assert product.gtin is None or (len(product.gtin) == 14 and product.gtin.isdigit())
        assert (
            product.price_range is None
            or product.price_range.lowest.minor <= product.price.minor <= product.price_range.highest.minor
        )


@pytest.mark.parametrize(("file", "accepted", "rejected"), [("abt.csv", 416, 660), ("buy.csv", 586, 490)])
def test_a_feed_of_the_matching_catalogues_rejects_only_what_has_no_price(file, accepted, rejected):
    products, faults = crawl(Source(name="feed", kind="feed", url=(DATA / "matching" / file).as_uri(), currency="USD"))
    assert (len(products), len(faults)) == (accepted, rejected)
    assert {tuple(found) for found in faults.values()} == {(NO_PRICE,)}


class TestDummyJson:
    def test_no_barcode_is_taken_for_a_gtin_and_none_is_lost(self, crawled):
        products = crawled("dummyjson")[0].values()
        assert {product.gtin for product in products} == {None}
        assert all(product.attributes["barcode"] for product in products)

    def test_brands_may_be_missing(self, crawled):
        products = crawled("dummyjson")[0].values()
        assert 0 < sum(product.brand is None for product in products) < 194

    def test_the_first_product_is_as_the_shop_has_it(self, crawled):
        first = crawled("dummyjson")[0]["1"]
        assert (first.name, first.brand, first.category) == ("Essence Mascara Lash Princess", "Essence", "beauty")
        assert (first.price, first.stock, first.rating) == (Money(999, "USD"), 99, Rating(2.56, 3))
        assert first.attributes == {"barcode": "5784719087687"}


class TestFakeStore:
    def test_prices_that_are_whole_or_fractions_are_exact(self, crawled):
        products = crawled("fakestore")[0]
        assert (products["1"].price, products["3"].price) == (Money(10995, "USD"), Money(5599, "USD"))
        assert products["1"].rating == Rating(3.9, 120)


class TestShopify:
    def test_all_86_variants_of_popupoutlet_are_there(self, crawled):
        counts = sorted(max(len(product.variants), 1) for product in crawled("popupoutlet")[0].values())
        assert (sum(counts), counts[-2:]) == (86, [14, 28])

    def test_the_28_variants_have_their_own_prices_options_and_skus(self, crawled):
        (largest,) = (product for product in crawled("popupoutlet")[0].values() if len(product.variants) == 28)
        assert len({variant.sku for variant in largest.variants}) == 28
        assert all(len(variant.options) >= 1 and variant.price for variant in largest.variants)
        buyable = [v.price.minor for v in largest.variants if v.availability is Availability.IN_STOCK]
        assert largest.price.minor == min(buyable)

    def test_the_price_of_every_product_with_variants_is_its_lowest_purchasable(self, crawled):
        for name in ("popupoutlet", "hades_culture", "elsewedy_ar", "elsewedy_en"):
            for product in crawled(name)[0].values():
                buyable = [v.price.minor for v in product.variants if v.availability is Availability.IN_STOCK]
                assert not buyable or product.price.minor == min(buyable)

    def test_skus_that_are_null_stay_unknown(self, crawled):
        variants = [variant for product in crawled("hades_culture")[0].values() for variant in product.variants]
        assert (len(variants), {variant.sku for variant in variants}) == (38, {None})
        assert {variant.price.currency for variant in variants} == {"INR"}

    def test_arabic_names_stay_as_they_are_and_have_english_twins(self, crawled):
        arabic, english = crawled("elsewedy_ar")[0], crawled("elsewedy_en")[0]
        assert arabic["10157311557932"].name == "كشاف واجهات400وات اضاءة ابيض IP 65"  # noqa: RUF001 - it is Arabic
        assert english["10157311557932"].name == "Luma floodlight 400W IP65 6500K"
        assert set(english) <= set(arabic)
        assert [arabic[key].price.minor for key in english] == [713640, 92500, 11000, 2854528]
        assert [english[key].price.minor for key in english] == [713640, 92500, 11000, 2915263]  # taken three days later

    def test_the_barcode_of_an_admin_shop_is_proven_and_the_missing_one_is_none(self, crawled):
        (first,) = crawled("admin_a")[0].values()
        (second,) = crawled("admin_b")[0].values()
        assert (first.gtin, first.price) == (None, Money(4417, "USD"))
        assert (second.gtin, second.name, second.price) == ("04260488132709", "Actazin Bio Kiwi Kapseln", Money(1999, "EUR"))
        assert len(second.tags) > 1


class TestWooCommerce:
    @pytest.mark.parametrize(
        ("name", "prices", "stocks"),
        [("woo_v3", [1200, *[None] * 7], [16, *[None] * 7]), ("woo_mixed", [1620, None], [6, 1])],
    )
    def test_the_recorded_variations_join_the_product_they_belong_to(self, shops, name, prices, stocks):
        connector = connect(Source(name=name, url=shops + SHOPS[name].path, **SHOPS[name].settings), SystemClock())
        record = b'{"id": 846, "name": "Parent", "price": "", "status": "publish", "variations": [1]}'
        (completed,) = connector.fetch(VariationsCall(846, record)).records
        product = connector.load(completed)
        connector.close()
        assert [variant.price and variant.price.minor for variant in product.variants] == prices
        assert [variant.stock for variant in product.variants] == stocks
        assert {tuple(variant.options) for variant in product.variants} == {("Darkness", "Flavor", "Shape")}
        assert product.price == Money(prices[0], "USD")

    def test_the_documentations_product_is_as_it_stands_there(self, crawled):
        product = crawled("woo_docs")[0]["794"]
        assert (product.name, product.price, product.category) == ("Premium Quality", Money(2199, "USD"), "Clothing")

    def test_the_store_apis_minor_units_and_currency_are_the_shops_own(self, crawled):
        product = crawled("woo_store")[0]["10150"]
        assert (product.name, product.price, product.price.amount) == ("سلك نحاس مجدول 3 مم", Money(277666, "EGP"), "2776.66")
        assert len(product.variants) == 6

    def test_a_price_range_is_only_told_where_prices_differ(self, crawled):
        for name in SHOPS:
            for product in crawled(name)[0].values():
                assert product.price_range is None or isinstance(product.price_range, PriceRange)
                assert product.price_range is None or product.price_range.lowest != product.price_range.highest
