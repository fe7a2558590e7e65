import pytest

from main.resources.catalogue.facetcounts import FACET_VALUES, Tally, make_buckets
from main.resources.catalogue.facets import PRICE_BANDS
from main.service.model import FACETS, Bucket, PriceBucket

UNIT = 10_000


def joined(*rows):
    return "".join(f"{number:08x}" for row in rows for number in row)


THREE = joined((1, 2, 3, 0, 4), (1, 0, 3, 5, 2**32 - 1), (6, 2, 3, 0, 0))


def tallied(facets, *texts):
    tally = Tally(facets)
    for text in texts:
        tally.add(text)
    return tally.products, tally.values


def test_the_numbers_of_all_facets_or_some_are_counted():
    assert tallied(FACETS, THREE) == (3, {1: 2, 6: 1, 2: 2, 3: 3, 5: 1, 4: 1, 2**32 - 1: 1})
    assert tallied(("brand",), THREE) == (3, {1: 2, 6: 1})
    assert tallied(("price", "category"), THREE) == (3, {2: 2, 4: 1, 2**32 - 1: 1})


def test_what_is_counted_piece_by_piece_is_added_up():
    assert tallied(("brand",), THREE[:80], "", THREE[80:], THREE) == (6, {1: 4, 6: 2})


def test_nothing_found_is_nothing_counted():
    assert tallied(FACETS) == tallied(FACETS, "") == (0, {})


def test_spellings_that_a_filter_does_not_tell_apart_are_one_value_named_as_most_have_it():
    rows = [
        ("brand", "HALDEN", 2),
        ("brand", "Halden", 3),
        ("brand", "halden", 1),
        ("brand", "\u00d6l", 1),
        ("brand", "\u00f6l", 1),
    ]
    expected = (Bucket("Halden", 6), Bucket("\u00d6l", 1), Bucket("\u00f6l", 1))  # in ASCII only, as filters do
    for order in (rows, rows[::-1]):
        assert make_buckets(order, ("brand",)) == {"brand": expected}


def test_the_most_frequent_values_come_first_and_equals_by_the_alphabet():
    rows = [("brand", name, number) for name, number in (("b", 1), ("C", 1), ("a", 1), ("z", 9))]
    assert make_buckets(rows, ("brand",))["brand"] == (Bucket("z", 9), Bucket("a", 1), Bucket("b", 1), Bucket("C", 1))
    many = [("brand", f"{number:03}", 1) for number in range(FACET_VALUES + 1)]
    assert make_buckets(many, ("brand",))["brand"] == tuple(Bucket(f"{number:03}", 1) for number in range(FACET_VALUES))


def test_price_bands_are_by_currency_and_amount():
    rows = [("price", "USD 0", 1), ("price", f"EUR {PRICE_BANDS[-1]}", 2), ("price", f"EUR {PRICE_BANDS[2]}", 3)]
    assert make_buckets(rows, ("price",))["price"] == (
        PriceBucket("EUR", 25 * UNIT, 50 * UNIT, 3),
        PriceBucket("EUR", 10_000 * UNIT, None, 2),
        PriceBucket("USD", 0, 10 * UNIT, 1),
    )


@pytest.mark.parametrize("facets", [("source", "brand"), ()])
def test_every_facet_asked_for_is_there_in_its_order_if_empty(facets):
    assert make_buckets([], facets) == dict.fromkeys(facets, ())
    assert list(make_buckets([], facets)) == list(facets)
