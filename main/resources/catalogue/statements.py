"""Turns a query into SQL for SQLite with FTS5; the caller's words only ever travel as parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from main.service.model import TermKind

if TYPE_CHECKING:
    from main.service.model import Query, Term

# Past this many hits the words tell nothing apart any more: the first ones are ranked, so that a word in every product
# costs no more than a word in some of them. A prefix is many words to weigh.
RANKED_HITS = 20_000
FAR_DOWN = 20_000  # from where on it pays to find out first which of the products walked past belong to the result
# Each order's column, the order, and the same backwards; an index gives both, so that neither the first nor the last pages
# cost anything.
_ORDERS = {
    "price": ("price", "price ASC NULLS LAST, key", "price DESC NULLS FIRST, key DESC"),
    "-price": ("price", "price DESC, key DESC", "price, key"),
    "name": ("name_key", "name_key, key", "name_key DESC, key DESC"),
    "-rating": ("rating", "rating DESC, key DESC", "rating, key"),
    "-updated": ("updated_at", "updated_at DESC, key DESC", "updated_at, key"),
}
_INDEXES = {"price": "product_price", "name_key": "product_name", "rating": "product_rating", "updated_at": "product_updated"}
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


def page_statement(query: Query, total: int, *, wide: bool = False) -> Statement:
    """Give the statement for the stored documents of one page of ``total`` products; ``wide``: they are most of the catalogue."""
    skipped = (query.page - 1) * query.per_page
    if is_ranked(query):
        return _ranked_page(query, (query.per_page, skipped))
    taken = max(0, min(query.per_page, total - skipped))
    column, order, backwards = _ORDERS.get(query.sort, _ORDERS["name"])
    nearer, skipped = (order, skipped) if skipped * 2 <= total else (backwards, max(0, total - skipped - taken))
    tables, where, parameters = _walk(query, _INDEXES[column], skipped) if wide else _from_where(query)
    # Keys first: what OFFSET skips is then never read.
    hits = f"SELECT p.key AS key, p.{column} AS {column} FROM {tables}{where} ORDER BY {nearer} LIMIT ? OFFSET ?"
    sql = f"SELECT d.document FROM ({hits}) AS hit JOIN product_document d USING (key) ORDER BY {order}"
    return Statement(sql, (*parameters, taken, skipped))


def _walk(query: Query, index: str, skipped: int) -> tuple[str, str, tuple[Any, ...]]:
    # Where most of what comes next belongs to the result, walking along the order costs less than finding and sorting it all.
    walked = f"product p INDEXED BY {index}"
    tables, where, parameters = _from_where(query, " NOT INDEXED")
    if not query.terms and (skipped < FAR_DOWN or not where):
        return walked, where, parameters
    # Which keys are right is told at once: step by step, each would be a look at a row, or into the text index.
    hits = f"SELECT p.key FROM {tables}{where}" if _conditions(query)[0] else f"SELECT rowid FROM product_index{where}"
    return walked, f" WHERE p.key IN ({hits})", parameters


def _ranked_page(query: Query, window: tuple[int, int]) -> Statement:
    conditions, parameters = _conditions(query)
    joined = " JOIN product p ON p.key = product_index.rowid" if conditions else ""
    where = "".join(f" AND {condition}" for condition in conditions)
    found = f"FROM product_index{joined} WHERE product_index MATCH ?{where} ORDER BY product_index.rowid"
    # A whole number of pages is ranked; those behind follow in the index's own order, in which the ranked ones were picked.
    ranked = RANKED_HITS // (1 + sum(term.kind is TermKind.PREFIX for term in query.terms))
    ranked -= ranked % query.per_page
    hits = f"SELECT product_index.rowid AS key, 0 AS score {found} LIMIT ? OFFSET ?"
    if window[1] < ranked:
        best = f"SELECT product_index.rowid AS key, product_index.rank AS score {found} LIMIT {ranked}"
        hits = f"SELECT key, score FROM ({best}) ORDER BY score, key LIMIT ? OFFSET ?"
    sql = f"SELECT d.document FROM ({hits}) AS hit JOIN product_document d ON d.key = hit.key ORDER BY hit.score, hit.key"
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


def is_everything(query: Query) -> bool:
    """Tell whether the result is the whole catalogue."""
    return not query.terms and not _conditions(query)[0]


def facet_statement(query: Query, keys: range, *, wide: bool = False) -> Statement:
    """Give the statement for the joined numbers of the facets' values of the products found among ``keys``; ``wide`` as for a page."""
    # Rows in the order they are stored are read much faster than in that of any index.
    tables, where, parameters = _from_where(query, " NOT INDEXED" if wide else "")
    key = "product_index.rowid" if query.terms else "p.key"
    among = f"{where} AND {key} >= ? AND {key} < ?" if where else f" WHERE {key} >= ? AND {key} < ?"
    sql = f"SELECT coalesce(group_concat(p.facets, ''), '') FROM {tables}{among}"
    return Statement(sql, (*parameters, keys.start, keys.stop))


def _from_where(query: Query, hint: str = "") -> tuple[str, str, tuple[Any, ...]]:
    # Where there are words, products are found by their keys, and ``hint`` says nothing.
    conditions, parameters = _conditions(query)
    tables = f"product p{hint}"
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
    if len(conditions) > 1:
        # Nearly every rating is above what people ask for: its index would find most products, one by one, all over the table.
        conditions = [condition.replace("p.rating", "+p.rating") for condition in conditions]
    return conditions, tuple(parameters)
