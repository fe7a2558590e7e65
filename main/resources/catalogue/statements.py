"""Turns a query into SQL for SQLite with FTS5; the caller's words only ever travel as parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from main.service.model import TermKind

if TYPE_CHECKING:
    from main.service.model import Query, Term

FACET_VALUES = 100
# Past this many hits the words tell nothing apart any more: the first ones are ranked, so that a word in every product
# costs no more than a word in some of them.
RANKED_HITS = 20_000
_UNIT = 10_000
PRICE_BANDS = tuple(step * _UNIT for step in (0, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000))
_ORDERS = {
    # Each reads an index in its own direction, so that the first pages cost nothing.
    "price": "p.price ASC NULLS LAST, p.key",
    "-price": "p.price DESC, p.key DESC",
    "name": "p.name_key, p.key",
    "-rating": "p.rating DESC, p.key DESC",
    "-updated": "p.updated_at DESC, p.key DESC",
}
_LISTS = ("source", "brand", "category", "gtin", "availability")


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and its parameters."""

    sql: str
    parameters: tuple[Any, ...]


def match_expression(terms: tuple[Term, ...]) -> str:
    """Write terms as an FTS5 query in which every one must match; quoted, so none of their characters is an operator."""
    return " ".join('"' + term.text.replace('"', '""') + '"' + "*" * (term.kind is TermKind.PREFIX) for term in terms)


def is_ranked(query: Query) -> bool:
    """Tell whether the page is ordered by how well the words fit."""
    return query.sort == "relevance" and bool(query.terms)


def page_statement(query: Query) -> Statement:
    """Give the statement for the stored documents of one page."""
    window = (query.per_page, (query.page - 1) * query.per_page)
    if is_ranked(query):
        return _ranked_page(query, window)
    tables, where, parameters = _from_where(query)
    order = _ORDERS.get(query.sort, _ORDERS["name"])
    # Keys first: the rows that OFFSET skips are then never read.
    keys = f"SELECT p.key FROM {tables}{where} ORDER BY {order} LIMIT ? OFFSET ?"
    sql = f"SELECT p.document FROM product p WHERE p.key IN ({keys}) ORDER BY {order}"
    return Statement(sql, (*parameters, *window))


def _ranked_page(query: Query, window: tuple[int, int]) -> Statement:
    conditions, parameters = _conditions(query)
    joined = " JOIN product p ON p.key = product_index.rowid" if conditions else ""
    where = "".join(f" AND {condition}" for condition in conditions)
    found = f"FROM product_index{joined} WHERE product_index MATCH ?{where} ORDER BY product_index.rowid"
    # A whole number of pages is ranked; those behind follow in the index's own order, in which the ranked ones were picked.
    ranked = RANKED_HITS - RANKED_HITS % query.per_page
    hits = f"SELECT product_index.rowid AS key, 0 AS score {found} LIMIT ? OFFSET ?"
    if window[1] < ranked:
        best = f"SELECT product_index.rowid AS key, product_index.rank AS score {found} LIMIT {ranked}"
        hits = f"SELECT key, score FROM ({best}) ORDER BY score, key LIMIT ? OFFSET ?"
    sql = f"SELECT p.document FROM ({hits}) AS hit JOIN product p ON p.key = hit.key ORDER BY hit.score, hit.key"
    return Statement(sql, (match_expression(query.terms), *parameters, *window))


def count_statement(query: Query) -> Statement:
    """Give the statement for how many products the whole result has."""
    if not _conditions(query)[0]:
        if query.terms:
            sql = "SELECT count(*) FROM product_index WHERE product_index MATCH ?"
            return Statement(sql, (match_expression(query.terms),))
        return Statement("SELECT coalesce(sum(products), 0) FROM source", ())
    tables, where, parameters = _from_where(query)
    return Statement(f"SELECT count(*) FROM {tables}{where}", parameters)


def facet_statement(query: Query) -> Statement:
    """Give the statement for all facets at once: rows of facet, value, lower bound, count."""
    tables, where, parameters = _from_where(query)
    prefix, hits = "", "product"
    if where:
        columns = "p.brand, p.category, p.source, p.availability, p.currency, p.price"
        prefix, hits = f"WITH hit AS MATERIALIZED (SELECT {columns} FROM {tables}{where}) ", "hit"
    parts = [_price_facet(hits) if facet == "price" else _value_facet(facet, hits) for facet in query.facets]
    return Statement(prefix + " UNION ALL ".join(parts), parameters)


def _value_facet(facet: str, hits: str) -> str:
    return (
        f"SELECT * FROM (SELECT '{facet}' AS facet, {facet} AS value, NULL AS bound, count(*) AS number FROM {hits}"
        f" WHERE {facet} IS NOT NULL GROUP BY {facet} ORDER BY number DESC, value LIMIT {FACET_VALUES})"
    )


def _price_facet(hits: str) -> str:
    bands = " ".join(f"WHEN price >= {bound} THEN {bound}" for bound in reversed(PRICE_BANDS))
    return (
        f"SELECT * FROM (SELECT 'price' AS facet, currency AS value, CASE {bands} END AS bound, count(*) AS number FROM {hits}"
        " WHERE price IS NOT NULL GROUP BY value, bound ORDER BY value, bound)"
    )


def _from_where(query: Query) -> tuple[str, str, tuple[Any, ...]]:
    conditions, parameters = _conditions(query)
    tables = "product p"
    if query.terms:
        tables = "product_index JOIN product p ON p.key = product_index.rowid"
        conditions = ["product_index MATCH ?", *conditions]
        parameters = (match_expression(query.terms), *parameters)
    return tables, f" WHERE {' AND '.join(conditions)}" if conditions else "", parameters


def _conditions(query: Query) -> tuple[list[str], tuple[Any, ...]]:
    conditions: list[str] = []
    parameters: list[Any] = []
    for column in _LISTS:
        values = getattr(query, column)
        if values:
            conditions.append(f"p.{column} IN ({', '.join('?' * len(values))})")
            parameters += values
    bounds = (
        ("p.price >= ?", query.min_price),
        ("p.price <= ?", query.max_price),
        ("p.currency = ?", query.currency),
        ("p.rating >= ?", query.min_rating),
    )
    for condition, value in bounds:
        if value is not None:
            conditions.append(condition)
            parameters.append(value)
    return conditions, tuple(parameters)
