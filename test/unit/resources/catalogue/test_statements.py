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
    for make in (page_statement, count_statement, facet_statement):
        statement = make(query)
        assert "DROP" not in statement.sql
        assert statement.sql.count("?") == len(statement.parameters)


def test_counting_everything_looks_at_no_product():
    assert "product" not in count_statement(Query()).sql.replace("sum(products)", "")


def plan(reader, statement):
    with reader._reading() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters)
        return " ".join(row[3] for row in rows)


@pytest.mark.parametrize(
    ("sort", "index"),
    [
        ("name", "product_name"),
        ("price", "product_price"),
        ("-price", "product_price"),
        ("-rating", "product_rating"),
        ("-updated", "product_updated"),
    ],
)
def test_an_order_comes_from_an_index_not_from_sorting_everything(reader, sort, index):
    keys = page_statement(Query(sort=sort)).sql.partition("IN (")[2].partition(") ORDER BY")[0]
    found = plan(reader, Statement(keys, (30, 0)))
    assert f"USING COVERING INDEX {index}" in found
    assert "TEMP B-TREE" not in found


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
