"""What Aisle's list page is compared with: FastAPI, pydantic and sqlite3 as people write them, on the same SQLite file."""

from __future__ import annotations

import os
import sqlite3
import threading
from datetime import datetime  # noqa: TC003 - pydantic needs it at run time
from decimal import Decimal  # noqa: TC003 - the same
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Query
from pydantic import BaseModel

ORDERS = {"name": "name_key, key", "price": "price IS NULL, price, key", "-rating": "rating DESC, key"}
PRICE_UNIT = 10_000  # the stored integer price of one euro

app = FastAPI()
_local = threading.local()


class Money(BaseModel):
    """An exact amount."""

    amount: Decimal
    currency: str


class Rating(BaseModel):
    """What buyers thought."""

    average: float
    count: int | None = None


class Product(BaseModel):
    """One thing as one source sells it."""

    id: str
    source: str
    source_id: str
    name: str
    brand: str | None = None
    description: str | None = None
    category: str | None = None
    price: Money | None = None
    availability: str | None = None
    stock: int | None = None
    rating: Rating | None = None
    gtin: str | None = None
    sku: str | None = None
    url: str | None = None
    images: list[str] = []
    tags: list[str] = []
    variants: list[dict[str, Any]] = []
    attributes: dict[str, str] = {}
    updated_at: datetime | None = None
    fetched_at: datetime


class ProductPage(BaseModel):
    """One page of a result."""

    data: list[Product]
    page: int
    per_page: int
    total: int
    pages: int


class Filters(BaseModel):
    """What may be asked."""

    category: str | None = None
    brand: str | None = None
    min_price: Decimal | None = None
    sort: Literal["name", "price", "-rating"] = "name"
    page: int = 1
    per_page: int = 30


@app.get("/health")
def get_health() -> dict[str, str]:
    """Say that it runs."""
    return {"status": "ok"}


@app.get("/products", response_model_exclude_none=True)
def list_products(asked: Annotated[Filters, Query()]) -> ProductPage:
    """Give one page of the catalogue."""
    connection = _connect()
    where, parameters = _where(asked)
    total = connection.execute(f"SELECT count(*) FROM product{where}", parameters).fetchone()[0]
    rows = connection.execute(
        f"SELECT document FROM product JOIN product_document USING (key){where} ORDER BY {ORDERS[asked.sort]} LIMIT ? OFFSET ?",
        (*parameters, asked.per_page, (asked.page - 1) * asked.per_page),
    )
    data = [Product.model_validate_json(row[0]) for row in rows]
    pages = -(-total // asked.per_page)
    return ProductPage(data=data, page=asked.page, per_page=asked.per_page, total=total, pages=pages)


def _connect() -> sqlite3.Connection:
    """Give the thread's own connection."""
    connection: sqlite3.Connection | None = getattr(_local, "connection", None)
    if connection is None:
        connection = _local.connection = sqlite3.connect(os.environ["BENCH_DATABASE"])
    return connection


def _where(asked: Filters) -> tuple[str, tuple[Any, ...]]:
    conditions, parameters = [], []
    for column in ("category", "brand"):
        if getattr(asked, column) is not None:
            conditions.append(f"{column} = ?")
            parameters.append(getattr(asked, column))
    if asked.min_price is not None:
        conditions.append("price >= ?")
        parameters.append(int(asked.min_price * PRICE_UNIT))
    return f" WHERE {' AND '.join(conditions)}" if conditions else "", tuple(parameters)
