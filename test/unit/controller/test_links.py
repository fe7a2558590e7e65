from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from flask import Flask

from main.controller.links import paging_headers

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

PREFIXED = {"X-Forwarded-Prefix": "/service/aisle", "X-Forwarded-Host": "shop.example", "X-Forwarded-Proto": "https"}


def links_of(header: str) -> dict[str, str]:
    return {link["rel"]: link["url"] for link in requests.utils.parse_header_links(header)}


@pytest.mark.parametrize(
    ("page", "pages", "wanted"),
    [
        (1, 0, {"first": 1, "last": 1}),
        (1, 1, {"first": 1, "last": 1}),
        (1, 3, {"first": 1, "next": 2, "last": 3}),
        (2, 3, {"first": 1, "prev": 1, "next": 3, "last": 3}),
        (3, 3, {"first": 1, "prev": 2, "last": 3}),
        (9, 3, {"first": 1, "prev": 3, "last": 3}),
        (9, 0, {"first": 1, "prev": 1, "last": 1}),
    ],
)
def test_links_lead_to_pages_that_exist(page: int, pages: int, wanted: dict[str, int]):
    with Flask("x").test_request_context("/products"):
        headers = paging_headers(page, pages, 7)
    assert links_of(headers["Link"]) == {rel: f"http://localhost/products?page={number}" for rel, number in wanted.items()}
    assert headers["X-Total-Count"] == "7"


def test_every_other_parameter_is_kept_as_it_was_meant():
    given = [("q", 'desk "lamp" & 50% ü'), ("brand", "A, B"), ("brand", "C;D>")]
    with Flask("x").test_request_context("/products", query_string=[*given, ("page", "2")]):
        link = links_of(paging_headers(2, 3, 7)["Link"])["next"]
    assert parse_qsl(urlsplit(link).query) == [*given, ("page", "3")]


@pytest.mark.parametrize("path", ["/products", "/sources/parts/quarantine"])
def test_following_next_walks_through_everything_once(client: FlaskClient, path: str):
    seen, url = [], f"{path}?per_page=2"
    while url:
        answer = client.get(url)
        seen += [str(item) for item in answer.json["data"]]
        url = links_of(answer.headers["Link"]).get("next")
    assert len(seen) == len(set(seen)) == int(answer.headers["X-Total-Count"]) == answer.json["total"]
    assert answer.json["page"] == answer.json["pages"]


def test_links_that_no_proxy_would_let_pass_are_left_out(client: FlaskClient):
    long = client.get("/products", query_string=[("brand", f'{number}{"x" * 190}"') for number in range(40)])
    assert (long.status_code, long.json["page"]) == (200, 1)
    assert "Link" not in long.headers
    assert sum(len(name) + len(value) for name, value in long.headers.items()) < 16_000
    assert "Link" in client.get("/products", query_string=[("brand", f"{number}{'x' * 190}") for number in range(5)]).headers


def test_links_are_right_behind_a_prefix(client: FlaskClient):
    answer = client.get("/products?per_page=50", headers=PREFIXED)
    assert links_of(answer.headers["Link"])["next"] == "https://shop.example/service/aisle/products?per_page=50&page=2"


def test_docs_and_swagger_are_right_behind_a_prefix_and_without_one(client: FlaskClient, fetch: Callable[..., dict]):
    assert fetch("/swagger.json")["basePath"] == "/"
    assert client.get("/swagger.json", headers=PREFIXED).json["basePath"] == "/service/aisle"
    assert fetch("/swagger.json")["basePath"] == "/"
    page = client.get("/docs", headers=PREFIXED).text
    assert 'data-document="/service/aisle/swagger.json" data-caller="/service/aisle/auth/me"' in page
    assert 'src="/service/aisle/swaggerui/' in page
