import random
from collections import Counter

from main.resources.catalogue.facets import FACETS_WIDTH, PRICE_BANDS
from main.service.model import FACETS, Availability, Money
from test.fakes import NOW, make_product, put_snapshot
from test.unit.resources.conftest import fetch


def test_counts_and_numbers_of_values_say_what_the_products_say_over_a_long_life(writer, path):
    rng = random.Random(3)
    for _ in range(30):
        numbers = rng.sample(range(80), rng.randint(0, 80))
        put_snapshot(writer, "acme", [any_values(n, rng) for n in numbers])
        check_values(path)
    writer.retain([], NOW)
    check_values(path)
    assert fetch(path, "SELECT * FROM facet_value") == fetch(path, "SELECT * FROM product_document") == []


def any_values(number, rng):
    return make_product(
        number,
        brand=rng.choice([None, "Halden", "HALDEN", "Orrin", f"Brand {rng.randint(1, 99)}"]),
        category=rng.choice([None, "Lamps", "lamps"]),
        availability=rng.choice([None, *Availability]),
        price=rng.choice([None, 0, 999, 1000, 10**9, Money(30, "JPY")]),
    )


def check_values(path):
    counts, numbers = (
        Counter(),
        {number: (facet, value) for number, facet, value in fetch(path, "SELECT id, facet, value FROM facet_value")},
    )
    columns = "facets, brand, category, source, availability, currency, price"
    for packed, *values, currency, price in fetch(path, f"SELECT {columns} FROM product"):
        band = None if price is None else f"{currency} {max(bound for bound in PRICE_BANDS if bound <= price)}"
        expected = [value if value is None else (facet, value) for facet, value in zip(FACETS, [*values, band], strict=True)]
        assert [numbers.get(int(packed[start : start + 8], 16)) for start in range(0, FACETS_WIDTH, 8)] == expected
        counts.update(filter(None, expected))
    assert {
        (facet, value): number for facet, value, number in fetch(path, "SELECT facet, value, products FROM facet_value")
    } == counts
    assert fetch(path, "SELECT key FROM product ORDER BY key") == fetch(path, "SELECT key FROM product_document ORDER BY key")
