import re

import pytest

from main.resources.catalogue import statements
from main.resources.catalogue.statements import (
    Statement,
    count_statement,
    facet_statement,
    is_ranked,
    match_expression,
    page_statement,
)
from main.service.model import SORTS, Query, Term, TermKind
from main.service.words import parse_words
from test.fakes import ids_of, make_product, put_snapshot

KEYS = range(100)
LAMP = (Term("lamp", TermKind.WORD),)


def test_terms_are_quoted_so_that_none_of_their_characters_is_an_operator():
    terms = (Term('a"b', TermKind.WORD), Term("desk lamp", TermKind.PHRASE), Term("bra", TermKind.PREFIX))
    assert match_expression(terms) == '"a""b" "desk lamp" "bra"*'


@pytest.mark.parametrize(
    ("query", "ranked"),
    [(Query(terms=LAMP, sort="relevance"), True), (Query(sort="relevance"), False), (Query(terms=LAMP, sort="name"), False)],
)
def test_only_words_can_be_ranked(query, ranked):
    assert is_ranked(query) is ranked


@pytest.mark.parametrize("sort", SORTS)
def test_what_the_caller_says_only_travels_as_parameters(sort):
    evil = "x'; DROP TABLE product; --"
    lists = dict.fromkeys(("source", "brand", "category", "gtin", "availability"), (evil, evil))
    query = Query(terms=(Term(evil, TermKind.WORD),), currency=evil, sort=sort, facets=("brand", "price"), **lists)
    pages = (page_statement(query, 9), page_statement(query, 9, wide=True))
    for statement in (*pages, count_statement(query), facet_statement(query, KEYS), facet_statement(query, KEYS, wide=True)):
        assert "DROP" not in statement.sql
        assert statement.sql.count("?") == len(statement.parameters)


def test_counting_everything_looks_at_no_product():
    assert "product" not in count_statement(Query()).sql.replace("sum(products)", "")


def plan(reader, statement):
    with reader._reading() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters)
        return " ".join(row[3] for row in rows)


ORDERS = [
    ("name", "product_name"),
    ("price", "product_price"),
    ("-price", "product_price"),
    ("-rating", "product_rating"),
    ("-updated", "product_updated"),
]


@pytest.mark.parametrize("page", [1, 5, 30, 34])
@pytest.mark.parametrize(("sort", "index"), ORDERS)
def test_an_order_comes_from_an_index_not_from_sorting_everything(reader, sort, index, page):
    found = plan(reader, keys_of(page_statement(Query(sort=sort, page=page), 1000)))
    assert f"USING COVERING INDEX {index}" in found
    assert "TEMP B-TREE" not in found


def keys_of(statement):
    return Statement(statement.sql.partition("FROM (")[2].rpartition(") AS hit")[0], statement.parameters)


@pytest.mark.parametrize(("page", "skipped"), [(1, 0), (17, 480), (18, 460), (33, 10), (34, 0), (35, 0), (9999, 0)])
def test_no_page_skips_more_than_half_of_the_result(page, skipped):
    statement = page_statement(Query(page=page), 1000)
    taken = {34: 10, 35: 0, 9999: 0}.get(page, 30)
    assert statement.parameters == (taken, skipped)


@pytest.mark.parametrize(("sort", "index"), ORDERS)
@pytest.mark.parametrize(
    "asked", [{"max_price": 1}, {"currency": "EUR"}, {"terms": LAMP}, {"terms": LAMP, "currency": "EUR"}], ids=str
)
def test_a_page_of_most_products_walks_along_its_order(reader, asked, sort, index):
    query = Query(sort=sort, **asked)
    found = plan(reader, keys_of(page_statement(query, 1000, wide=True)))
    assert re.search(f"(SCAN|SEARCH) p USING (COVERING )?INDEX {index}", found)
    assert "USE TEMP B-TREE FOR ORDER BY" not in found
    assert f"INDEX {index}" not in plan(reader, facet_statement(query, KEYS, wide=True))


def test_far_down_a_wide_result_what_belongs_to_it_is_found_first_in_the_order_it_is_stored(reader):
    near, far = Query(currency="EUR", page=200, per_page=100), Query(currency="EUR", page=500, per_page=100)
    found = [plan(reader, keys_of(page_statement(query, 100_000, wide=True))) for query in (near, far)]
    assert "SCAN p USING INDEX product_name" in found[0].replace("COVERING ", "")
    assert "SCAN p USING COVERING INDEX product_name" in found[1]
    assert re.search("LIST SUBQUERY [0-9]+ SCAN p( |$)(?!USING)", found[1])


@pytest.mark.parametrize("more", [{"currency": "EUR"}, {"availability": ("InStock",)}, {"min_rating": 4.0}])
def test_a_price_range_is_counted_without_looking_at_products(reader, more):
    assert "USING COVERING INDEX product_filter" in plan(reader, count_statement(Query(min_price=1, max_price=9, **more)))


def test_the_index_of_ratings_serves_only_who_asks_for_nothing_else(reader):
    assert "product_rating" in plan(reader, count_statement(Query(min_rating=4.0)))
    assert "product_rating" not in plan(reader, count_statement(Query(min_rating=4.0, currency="EUR")))


@pytest.mark.parametrize("column", ["brand", "category", "source", "gtin"])
def test_a_filter_uses_its_index_when_it_counts(reader, column):
    assert f"product_{column}" in plan(reader, count_statement(Query(**{column: ("x",)})))


def test_behind_the_ranked_hits_the_rest_follows_and_nothing_comes_twice(writer, reader, monkeypatch):
    monkeypatch.setattr(statements, "RANKED_HITS", 5)
    put_snapshot(writer, "acme", [make_product(n) for n in range(9)])
    query = Query(terms=parse_words("lamp"), sort="relevance", per_page=4)
    pages = [reader.find(Query(**{**vars_of(query), "page": page}))[1] for page in (1, 2, 3)]
    assert [len(ids_of(page.documents)) for page in pages] == [4, 4, 1]
    assert len({found for page in pages for found in ids_of(page.documents)}) == 9
    assert {page.total for page in pages} == {9}


def vars_of(query):
    return {name: getattr(query, name) for name in query.__slots__}
