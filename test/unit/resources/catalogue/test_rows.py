import pytest

from main.resources.catalogue.rows import STAGED_COLUMNS, product_row
from main.service.model import Availability, Money, Rating
from test.fakes import NOW, make_product


def test_a_products_columns_are_what_is_filtered_and_sorted_by():
    product = make_product(
        7,
        name="ÄPFEL ﬁn",
        brand="Halden",
        category="Fruit",
        gtin="04006381333931",
        availability=Availability.IN_STOCK,
        rating=Rating(4.5, 3),
        updated_at=NOW,
    )
    row = dict(zip(STAGED_COLUMNS, product_row(product, b"{}", b"digest"), strict=True))
    assert row == {
        "id": "acme:7",
        "source": "acme",
        "source_id": "7",
        "name_key": "äpfel fin",
        "brand": "Halden",
        "category": "Fruit",
        "gtin": "04006381333931",
        "currency": "EUR",
        "price": 199_900,
        "availability": "InStock",
        "rating": 4.5,
        "updated_at": 1_772_366_400_000,
        "digest": b"digest",
        "document": "{}",
    }


@pytest.mark.parametrize(("money", "rank"), [(Money(1, "EUR"), 100), (Money(1, "JPY"), 10_000), (Money(1, "KWD"), 10)])
def test_prices_of_all_currencies_are_on_one_scale(money, rank):
    assert product_row(make_product(1, price=money), b"{}", b"")[STAGED_COLUMNS.index("price")] == rank


def test_what_is_not_known_is_null():
    row = dict(zip(STAGED_COLUMNS, product_row(make_product(1, price=None), b"{}", b""), strict=True))
    assert {name for name, value in row.items() if value is None} == {
        "brand",
        "category",
        "gtin",
        "currency",
        "price",
        "availability",
        "rating",
        "updated_at",
    }
