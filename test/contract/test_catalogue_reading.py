"""What every catalogue must do when it is read: filters, orders, pages, facets, words."""

import random
from datetime import timedelta

import orjson
import pytest

from main.resources.catalogue import reader as reader_module
from main.resources.catalogue import statements
from main.service.model import Availability, Bucket, Hits, Money, PriceBucket, Query, Rating
from main.service.words import parse_words
from test.fakes import NOW, MemoryCatalogue, ids_of, make_product, names_of, put_snapshot

UNIT = 10_000
ALL_FACETS = ("brand", "category", "source", "availability", "price")
GTIN = "04006381333931"


def find(reader, **asked):
    return reader.find(Query(**{"per_page": 100, **asked}))[1]


def found(reader, **asked):
    hits = find(reader, **asked)
    assert hits.total == len(hits.documents)
    return sorted(ids_of(hits.documents))


def words(reader, text, **asked):
    return [name.partition(" ")[0] for name in sorted(names_of(find(reader, terms=parse_words(text), **asked).documents))]


# filters

SHELF = [
    make_product(1, brand="Halden", category="Lamps", price=1000, availability=Availability.IN_STOCK, rating=Rating(4.5, 10)),
    make_product(2, brand="HALDEN", category="lamps", price=2000, availability=Availability.OUT_OF_STOCK, gtin=GTIN),
    make_product(3, brand="Orrin", category="Desks", price=Money(3000, "USD"), rating=Rating(4.0, None)),
    make_product(4, price=None, rating=Rating(2.5, 1)),
    make_product(5, brand="Orrin", category="Lamps", price=Money(30, "JPY"), availability=Availability.IN_STOCK),
]


@pytest.fixture
def shelf(reader, writer):
    put_snapshot(writer, "acme", SHELF)
    put_snapshot(writer, "depot", [make_product(1, "depot", brand="Halden", gtin=GTIN, price=500)])
    return reader


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({}, ["acme:1", "acme:2", "acme:3", "acme:4", "acme:5", "depot:1"]),
        ({"source": ("depot",)}, ["depot:1"]),
        ({"source": ("depot", "acme"), "brand": ("orrin",)}, ["acme:3", "acme:5"]),
        ({"brand": ("halden",)}, ["acme:1", "acme:2", "depot:1"]),
        ({"brand": ("Halden", "Orrin"), "category": ("LAMPS",)}, ["acme:1", "acme:2", "acme:5"]),
        ({"category": ("Desks", "Nothing")}, ["acme:3"]),
        ({"gtin": (GTIN,)}, ["acme:2", "depot:1"]),
        ({"gtin": (GTIN, "00000000000000"), "source": ("acme",)}, ["acme:2"]),
        ({"availability": ("InStock",)}, ["acme:1", "acme:5"]),
        ({"availability": ("InStock", "OutOfStock")}, ["acme:1", "acme:2", "acme:5"]),
        ({"min_price": 10 * UNIT}, ["acme:1", "acme:2", "acme:3", "acme:5"]),
        ({"max_price": 10 * UNIT}, ["acme:1", "depot:1"]),
        ({"min_price": 10 * UNIT, "max_price": 20 * UNIT}, ["acme:1", "acme:2"]),
        ({"currency": "USD"}, ["acme:3"]),
        ({"currency": "JPY", "min_price": 30 * UNIT, "max_price": 30 * UNIT}, ["acme:5"]),
        ({"min_rating": 4.0}, ["acme:1", "acme:3"]),
        ({"min_rating": 4.1}, ["acme:1"]),
        ({"min_price": 10**12 * UNIT}, []),
        ({"brand": ("' OR 1=1 --",)}, []),
    ],
)
def test_a_filter_leaves_what_it_names(shelf, asked, ids):
    assert found(shelf, **asked) == ids


# orders


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["ändern", "Apfel", "banane", "Zebra"]),
        ("relevance", ["ändern", "Apfel", "banane", "Zebra"]),
        ("price", ["banane", "Apfel", "Zebra", "ändern"]),
        ("-price", ["Zebra", "Apfel", "banane", "ändern"]),
        ("-rating", ["Apfel", "ändern", "banane", "Zebra"]),
        ("-updated", ["Zebra", "banane", "Apfel", "ändern"]),
    ],
)
def test_every_order_puts_what_has_no_value_last(reader, writer, sort, names):
    day = timedelta(days=1)
    fruit = [
        make_product(1, name="Zebra", price=Money(900, "USD"), updated_at=NOW, rating=None),
        make_product(2, name="ändern", price=None, rating=Rating(3.0, 1)),
        make_product(3, name="banane", price=Money(8, "JPY"), updated_at=NOW - day),
        make_product(4, name="Apfel", price=850, updated_at=NOW - 2 * day, rating=Rating(5.0, 1)),
    ]
    put_snapshot(writer, "acme", fruit)
    expected = sorted(names, key=lambda name: name.casefold()) if sort in {"name", "relevance"} else names
    assert names_of(find(reader, sort=sort).documents) == expected


@pytest.mark.parametrize("sort", ["relevance", "price", "-price", "name", "-rating", "-updated"])
@pytest.mark.parametrize("text", ["", "lamp"])
def test_pages_over_ties_are_whole_and_overlap_nowhere(reader, writer, sort, text):
    ties = [
        make_product(n, name="Lamp", price=None if n % 3 else 100, rating=Rating(4.0, 1) if n % 2 else None) for n in range(40)
    ]
    put_snapshot(writer, "acme", ties)
    asked = {"sort": sort, "per_page": 7, "terms": parse_words(text)}
    pages = [find(reader, page=number, **asked) for number in range(1, 8)]
    assert [len(page.documents) for page in pages] == [7, 7, 7, 7, 7, 5, 0]
    assert {page.total for page in pages} == {40}
    listed = [product_id for page in pages for product_id in ids_of(page.documents)]
    assert len(set(listed)) == 40
    assert listed == ids_of(find(reader, sort=sort, terms=parse_words(text)).documents)


def test_a_page_past_the_end_is_empty_and_still_knows_the_total(shelf):
    assert find(shelf, page=99) == Hits((), 6, {})
    assert find(shelf, page=10**12, facets=("source",)).facets == {"source": (Bucket("acme", 5), Bucket("depot", 1))}


# facets


def test_facets_count_the_whole_result_not_the_page(shelf):
    hits = find(shelf, per_page=1, page=3, facets=ALL_FACETS)
    assert hits.facets["brand"] == (Bucket("Halden", 3), Bucket("Orrin", 2))
    assert hits.facets["category"] == (Bucket("Lamps", 3), Bucket("Desks", 1))
    assert hits.facets["source"] == (Bucket("acme", 5), Bucket("depot", 1))
    assert hits.facets["availability"] == (Bucket("InStock", 2), Bucket("OutOfStock", 1))
    assert hits.facets["price"] == (
        PriceBucket("EUR", 0, 10 * UNIT, 1),
        PriceBucket("EUR", 10 * UNIT, 25 * UNIT, 2),
        PriceBucket("JPY", 25 * UNIT, 50 * UNIT, 1),
        PriceBucket("USD", 25 * UNIT, 50 * UNIT, 1),
    )


def test_facets_follow_words_and_filters(shelf):
    hits = find(shelf, terms=parse_words("lamps"), currency="EUR", facets=ALL_FACETS)
    assert hits.facets["brand"] == (Bucket("HALDEN", 2),)  # as often as "Halden", and before it in the alphabet of computers
    assert hits.facets["source"] == (Bucket("acme", 2),)
    assert hits.facets["price"] == (PriceBucket("EUR", 10 * UNIT, 25 * UNIT, 2),)
    only_words = find(shelf, terms=parse_words("lamps"), facets=("source",))
    assert only_words.facets == {"source": (Bucket("acme", 3),)}


def test_only_the_facets_asked_for_are_counted_in_their_order(shelf):
    assert list(find(shelf, facets=("source", "brand")).facets) == ["source", "brand"]
    assert find(shelf).facets == {}


def test_a_result_without_products_has_empty_facets(shelf):
    assert find(shelf, terms=parse_words("nowhere"), facets=ALL_FACETS).facets == dict.fromkeys(ALL_FACETS, ())


@pytest.mark.parametrize(
    ("minor", "lowest", "below"),
    [(0, 0, 10), (999, 0, 10), (1000, 10, 25), (999_999, 5000, 10_000), (1_000_000, 10_000, None), (10**14, 10_000, None)],
)
def test_a_price_band_takes_its_lower_end_and_leaves_its_upper(reader, writer, minor, lowest, below):
    put_snapshot(writer, "acme", [make_product(1, price=minor)])
    expected = PriceBucket("EUR", lowest * UNIT, None if below is None else below * UNIT, 1)
    assert find(reader, facets=("price",)).facets["price"] == (expected,)


def test_a_facet_names_its_hundred_most_frequent_values(reader, writer):
    put_snapshot(writer, "acme", [make_product(n, brand=f"Brand {n % 150:03}") for n in range(200)])
    buckets = find(reader, facets=("brand",)).facets["brand"]
    assert len(buckets) == 100
    assert buckets[:2] == (Bucket("Brand 000", 2), Bucket("Brand 001", 2))
    assert buckets[50] == Bucket("Brand 050", 1)


# words

TEXTS = [
    make_product(1, name="one Brass desk lamp", brand="Halden", category="Lamps", sku="LMP-40/BR", gtin=GTIN),
    make_product(2, name="two desk", description="A lamp stands on it.\nMade of café-crème oak."),
    make_product(3, name="three Lämpchen", brand="Müller & Söhne", category="Kinderzimmer"),
    make_product(4, name="four مصباح نحاس", description="مصباح مكتب من النحاس"),
    make_product(5, name="five desk NEAR lamp", tags=("unseen",)),
    make_product(6, name="six naïve 100%"),
]


@pytest.fixture
def library(reader, writer):
    put_snapshot(writer, "acme", TEXTS)
    return reader


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("lamp", ["five", "one", "two"]),
        ("LAMP desk", ["five", "one", "two"]),
        ('"desk lamp"', ["one"]),
        ('"lamp desk"', []),
        ("lam*", ["five", "one", "three", "two"]),
        ("lampch*", ["three"]),
        ("lam", []),
        ("halden", ["one"]),
        ("lamps", ["one"]),
        ("lmp-40/br", ["one"]),
        (GTIN, ["one"]),
        ("cafe", ["two"]),
        ("crème", ["two"]),
        ("CREME", ["two"]),
        ("muller sohne", ["three"]),
        ("müller", ["three"]),
        ("lampchen", ["three"]),
        ("مصباح", ["four"]),
        ('"مصباح نحاس"', ["four"]),
        ("مصب*", ["four"]),
        ("near", ["five"]),
        ("desk NEAR lamp", ["five"]),
        ("unseen", []),
        ("100%", ["six"]),
        ("nai*", ["six"]),
        ("lamp -desk", ["five", "one", "two"]),
        ("lamp OR oak", []),
        ("brass halden lamps 40", ["one"]),
        ("name:desk", []),
        ("deskname desk", []),
    ],
)
def test_words_find_the_products_that_have_all_of_them(library, text, names):
    assert words(library, text) == sorted(names)


def test_words_and_filters_narrow_each_other(library):
    assert words(library, "lamp", brand=("halden",)) == ["one"]
    assert words(library, "lamp", brand=("nobody",)) == []


def test_a_word_in_the_name_weighs_more_than_one_in_the_description(library):
    assert names_of(find(library, terms=parse_words("lamp"), sort="relevance").documents)[-1].startswith("two")


def test_words_can_be_ordered_by_something_else(library):
    assert names_of(find(library, terms=parse_words("desk"), sort="name").documents)[0].startswith("five")


def test_a_changed_or_removed_product_is_not_found_by_its_old_words(reader, writer):
    put_snapshot(writer, "acme", [make_product(1, name="Brass lamp"), make_product(2, name="Oak desk")])
    put_snapshot(writer, "acme", [make_product(1, name="Steel lamp")])
    assert [found(reader, terms=parse_words(text)) for text in ("brass", "oak", "steel")] == [[], [], ["acme:1"]]


# a whole life

VOCABULARY = ["desk", "lamp", "brass", "oak", "steel", "stool", "large", "small", "lämpe", "مصباح"]


def random_product(rng, source_id):
    def text(most):
        return " ".join(rng.choices(VOCABULARY, k=rng.randint(1, most)))

    return make_product(
        source_id,
        name=text(4),
        brand=rng.choice([None, "Halden", "HALDEN", "halden", "Orrin", "Ö", "ö"]),
        category=rng.choice([None, "Lamps", "lamps", "Desks"]),
        description=rng.choice([None, text(8)]),
        sku=rng.choice([None, f"SKU-{rng.randint(1, 20)}"]),
        price=rng.choice([None, rng.randint(0, 200_000)]),
        rating=rng.choice([None, Rating(rng.randint(0, 50) / 10, 1)]),
        availability=rng.choice([None, *Availability]),
        updated_at=rng.choice([None, NOW - timedelta(days=rng.randint(0, 9))]),
    )


def random_query(rng):
    pieces = [rng.choice(VOCABULARY), f'"{rng.choice(VOCABULARY)} {rng.choice(VOCABULARY)}"', f"{rng.choice(VOCABULARY)[:2]}*"]
    return Query(
        terms=parse_words(" ".join(rng.sample(pieces, rng.randint(0, 2)))),
        brand=rng.choice([(), (), ("halden",)]),
        category=rng.choice([(), (), ("lamps", "desks")]),
        min_price=rng.choice([None, None, rng.randint(0, 1000) * UNIT]),
        min_rating=rng.choice([None, None, 2.5]),
        sort=rng.choice(["price", "-price", "name", "-rating", "-updated"]),
        page=rng.randint(1, 3),
        per_page=rng.choice([5, 100]),
        facets=ALL_FACETS,
    )


@pytest.mark.parametrize("tallied", [reader_module.TALLIED, 7])
@pytest.mark.parametrize("seed", range(5))
def test_after_many_changes_every_answer_is_what_looking_at_every_product_gives(reader, writer, seed, tallied, monkeypatch):
    monkeypatch.setattr(reader_module, "TALLIED", tallied)
    rng, oracle, shop = random.Random(seed), MemoryCatalogue(), {}
    for _ in range(12):
        for source_id in rng.sample(range(60), 25):
            if rng.random() < 0.3:
                shop.pop(source_id, None)
            else:
                shop[source_id] = random_product(rng, source_id)
        done, expected = put_snapshot(writer, "acme", shop.values()), put_snapshot(oracle, "acme", shop.values())
        assert done == expected
        for query in [random_query(rng) for _ in range(12)]:
            got, wanted = reader.find(query)[1], oracle.find(query)[1]
            assert (got.total, sort_keys(got, query), got.facets) == (wanted.total, sort_keys(wanted, query), wanted.facets)


@pytest.mark.parametrize("sort", ["relevance", "price", "-price", "name", "-rating", "-updated"])
@pytest.mark.parametrize(
    "asked", [{}, {"min_rating": 0.1}, {"min_rating": 4.5}, {"max_price": 15 * UNIT, "currency": "EUR"}], ids=str
)
@pytest.mark.parametrize("text", ["", "brass", "lamp", "brass lamp", "br*"])
@pytest.mark.parametrize("far_down", [statements.FAR_DOWN, 0])
def test_the_pages_of_a_result_hold_every_product_once_in_its_order(reader, writer, text, asked, sort, far_down, monkeypatch):
    monkeypatch.setattr(statements, "FAR_DOWN", far_down)
    rng, oracle = random.Random(text), MemoryCatalogue()
    products = [random_product(rng, source_id) for source_id in range(60)]
    for catalogue in (writer, oracle):
        put_snapshot(catalogue, "acme", products)
    query = {"terms": parse_words(text), "sort": sort, **asked}
    whole = [orjson.loads(document)["id"] for document in find(reader, **query).documents]
    for per_page in (1, 7, 60):
        pages = [find(reader, **query, page=page, per_page=per_page) for page in range(1, 60 // per_page + 3)]
        assert [orjson.loads(document)["id"] for page in pages for document in page.documents] == whole
        assert {page.total for page in pages} == {len(whole)}
    assert sorted(whole) == sorted(ids_of(find(oracle, **query).documents))


def sort_keys(hits, query):
    """What a page is ordered by: products that tie may stand in any order, as long as it is always the same."""
    keys = {"price": "price", "-price": "price", "name": "name", "-rating": "rating", "-updated": "updated_at"}
    return [document.get(keys[query.sort]) for document in map(orjson.loads, hits.documents)]
