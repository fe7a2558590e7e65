from __future__ import annotations

import datetime as dt

import pytest

from main.service.model import Fault, Flaw, Rejected, Rival, SourceRecord, TaskKind
from main.service.rules import find_mismatches, find_missing, find_quarantined, find_spread, find_stale
from test.fakes import NOW, make_source


def rejected(record_id="7", raw="{}", *faults):
    return Rejected(1, record_id, faults or (Fault("price", "is missing"), Fault("name", "is missing")), raw)


def rival(product, gtin="1", brand=None, price=None, currency="EUR"):
    source = product.partition(":")[0]
    return Rival(product=product, source=source, gtin=gtin, brand=brand, currency=currency, price=price)


def test_a_rejected_record_is_told_with_its_faults():
    [found] = find_quarantined("acme", [rejected()])
    assert (found.cause, found.product) == ("quarantine:acme:7", "acme:7")
    assert found.title == "acme: record 7 is no valid product: price, name"
    assert found.short_description == "price: is missing\nname: is missing"


def test_a_record_without_an_id_is_known_by_what_it_says():
    first, same, other = find_quarantined("acme", [rejected(None, "{a"), rejected(None, "{a"), rejected(None, "{b")])
    assert first.cause == same.cause != other.cause
    assert first.product is None


def test_what_a_shop_writes_stays_one_line_within_bounds():
    [found] = find_quarantined("acme", [rejected("x\n\0" + "y" * 500, "{}", Fault("f", "a\nb\x1b" + "z" * 3000))])
    assert len(found.title) == 200
    assert found.title.isprintable()
    assert len(found.short_description) == 2000
    assert "\x1b" not in found.short_description


@pytest.mark.parametrize(("age", "stale"), [(60, False), (901, True)])
def test_a_source_is_stale_when_its_snapshot_is_older_than_its_limit(age, stale):
    source = make_source(every=dt.timedelta(minutes=5))
    record = SourceRecord(name="acme", synced_at=NOW - dt.timedelta(seconds=age), error="too slow")
    found = list(find_stale(source, record, NOW))
    assert len(found) == stale
    if stale:
        assert (found[0].cause, found[0].priority) == ("stale_source:acme:", 1)
        assert found[0].short_description.endswith("UTC.\ntoo slow")


def test_a_source_that_never_had_a_snapshot_is_not_stale():
    assert list(find_stale(make_source(), None, NOW)) == list(find_stale(make_source(), SourceRecord(name="acme"), NOW)) == []


def test_a_product_lacks_what_the_kind_says():
    flaws = [Flaw("acme:1", "Lamp", image=False, description=True), Flaw("acme:2", "Desk", image=True, description=False)]
    [image] = find_missing(TaskKind.MISSING_IMAGE, flaws)
    [text] = find_missing(TaskKind.MISSING_DESCRIPTION, flaws)
    assert (image.cause, image.title) == ("missing_image:acme:1", "acme:1 has no image: Lamp")
    assert (text.cause, text.product) == ("missing_description:acme:2", "acme:2")


def test_one_gtin_with_two_brands_is_one_finding_at_the_rarest():
    shops = [rival("a:1", brand="Halden"), rival("b:1", brand="Holden"), rival("c:1", brand="HALDEN"), rival("d:1")]
    [found] = find_mismatches(shops)
    assert (found.cause, found.product) == ("mismatch:1", "b:1")
    assert found.title == "GTIN 1 is of different brands: Halden, Holden"
    assert found.short_description == "a:1: Halden\nb:1: Holden\nc:1: HALDEN"
    assert list(find_mismatches([rival("a:1", brand="x"), rival("b:1", "2", brand="y"), rival("c:1")])) == []


def test_a_price_far_from_the_median_of_the_other_shops_is_found():
    shops = [rival("a:1", price=100_000), rival("b:1", price=110_000), rival("c:1", price=161_000), rival("d:1", price=None)]
    [found] = find_spread(shops, 50)
    assert (found.cause, found.product) == ("price_spread:c:1", "c:1")
    assert found.title == "c:1 costs 16.10 EUR, elsewhere 10.00"
    assert found.short_description == "a:1: 10.00 EUR\nb:1: 11.00 EUR\nc:1: 16.10 EUR"
    assert list(find_spread(shops, 61)) == []


def test_a_price_in_another_currency_or_of_the_same_shop_is_no_comparison():
    assert list(find_spread([rival("a:1", price=1), rival("b:1", price=99, currency="USD")], 50)) == []
    assert list(find_spread([rival("a:1", price=1), rival("a:2", price=99)], 50)) == []


def test_of_several_offers_of_a_shop_its_lowest_counts():
    shops = [rival("a:1", price=100), rival("b:1", price=100), rival("b:2", price=140)]
    assert [found.product for found in find_spread(shops, 30)] == ["b:2"]


def test_a_gtin_that_a_shop_gives_to_everything_is_told_by_some_of_its_products():
    shops = [rival(f"a:{number:05}", brand="x", price=500) for number in range(3000)] + [rival("b:1", brand="y", price=100)]
    [mismatch] = find_mismatches(shops)
    assert mismatch.short_description.count("\n") == 49
    found = list(find_spread(shops, 50))
    assert len(found) == 3001
    assert all(each.short_description.count("\n") == 49 for each in found)
