from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from main.app import create_app
from main.controller.conditional import answer_json, etag_of, not_modified
from main.resources.catalogue.reader import SqliteReader
from test.fakes import FakeClock, MemoryCatalogue, make_product, put_snapshot
from test.unit.controller.readers import CountingReader

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from main.settings import Settings


@pytest.fixture
def reader(settings: Settings) -> CountingReader:
    return CountingReader(SqliteReader(settings.data / "aisle.db"))


@pytest.fixture
def counted(settings: Settings, reader: CountingReader) -> FlaskClient:
    return create_app(settings, reader=reader).test_client()


def tag_of(client: FlaskClient, path: str) -> str:
    return client.get(path).headers["ETag"]


def test_the_same_parts_give_the_same_tag_and_other_parts_another():
    assert etag_of(1, b"a", "b") == etag_of(1, b"a", "b")
    assert len({etag_of(1, b"a"), etag_of(2, b"a"), etag_of(1, b"b"), etag_of(1), etag_of(b"1a"), etag_of("\ud800")}) == 6


@pytest.mark.parametrize(
    ("header", "held"), [(None, False), ('"abc"', True), ('W/"abc"', True), ("*", True), ('"x", "abc"', True), ('"ab"', False)]
)
def test_a_tag_counts_as_held_however_the_client_writes_it(header: str | None, *, held: bool):
    with Flask("x").test_request_context(headers={} if header is None else {"If-None-Match": header}):
        assert not_modified("abc") is held


def test_an_answer_with_a_tag_may_be_kept_and_one_without_may_not():
    assert answer_json(b"{}", "abc").headers["Cache-Control"] == "private, no-cache"
    assert answer_json(b"{}", "abc").headers["ETag"] == '"abc"'
    plain = answer_json(b"{}", status=503, headers={"Retry-After": "5"})
    assert (plain.status_code, plain.headers["Cache-Control"], plain.headers["Retry-After"]) == (503, "no-store", "5")
    assert "ETag" not in plain.headers


@pytest.mark.parametrize(
    "path", ["/products", "/products?q=lamp&facets=brand", "/products/depot:4101", "/products/depot:4101?fields=name"]
)
def test_a_tag_is_strong_and_brings_304_with_no_body(client: FlaskClient, path: str):
    first = client.get(path)
    assert first.headers["ETag"].startswith('"')
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    for header in ("ETag", "Cache-Control"):
        assert again.headers[header] == first.headers[header]
    assert client.get(path, headers={"If-None-Match": '"other"'}).data == first.data


def test_a_304_does_not_touch_the_search(counted: FlaskClient, reader: CountingReader):
    tag = tag_of(counted, "/products?q=lamp")
    assert reader.calls["find"] == 1
    app_again = counted.get("/products?q=lamp", headers={"If-None-Match": tag})
    other = counted.get("/products?q=desk", headers={"If-None-Match": tag})
    assert (app_again.status_code, other.status_code) == (304, 200)
    assert reader.calls["find"] == 2


def test_a_304_needs_no_search_in_another_process_either(settings: Settings, client: FlaskClient):
    tag = tag_of(client, "/products?sort=price")
    reader = CountingReader(SqliteReader(settings.data / "aisle.db"))
    other = create_app(settings, reader=reader).test_client()
    assert other.get("/products?sort=price", headers={"If-None-Match": tag}).status_code == 304
    assert reader.calls["find"] == 0


def test_a_normalised_query_is_searched_once_for_each_version(counted: FlaskClient, reader: CountingReader):
    same = ["/products?q=lamp&brand=B&brand=A", "/products?brand=A&brand=B&q=+lamp+", "/products?q=lamp&page=1&brand=A&brand=B"]
    answers = {counted.get(path).data for path in same}
    assert len(answers) == 1
    assert reader.calls["find"] == 1
    counted.get("/products?q=lamp&brand=A&brand=B&page=2")
    assert reader.calls["find"] == 2


def test_without_room_for_pages_every_request_is_searched(settings: Settings, reader: CountingReader):
    bare = create_app(replace(settings, search=replace(settings.search, cached_pages=0)), reader=reader).test_client()
    assert bare.get("/products").data == bare.get("/products").data
    assert reader.calls["find"] == 2


def test_the_tag_changes_when_a_source_grows_stale(settings: Settings):
    clock = FakeClock(dt.datetime.now(dt.UTC))
    client = create_app(settings, clock=clock).test_client()
    fresh = client.get("/products")
    assert fresh.json["meta"]["complete"] is True
    clock.advance(3 * 3600 + 60)
    stale = client.get("/products", headers={"If-None-Match": fresh.headers["ETag"]})
    assert stale.status_code == 200
    assert stale.headers["ETag"] != fresh.headers["ETag"]
    assert stale.json["meta"]["complete"] is False
    assert {source["state"] for source in stale.json["meta"]["sources"].values()} == {"stale"}


def test_the_tag_changes_with_the_catalogue_and_old_pages_are_not_given_again(settings: Settings):
    store = MemoryCatalogue()
    put_snapshot(store, "lumen", [make_product(1, "lumen")])
    reader = CountingReader(store)
    client = create_app(settings, reader=reader, clock=FakeClock()).test_client()
    before = client.get("/products")
    put_snapshot(store, "lumen", [make_product(1, "lumen"), make_product(2, "lumen")])
    after = client.get("/products", headers={"If-None-Match": before.headers["ETag"]})
    assert (before.json["total"], after.json["total"]) == (1, 2)
    assert after.headers["ETag"] != before.headers["ETag"]
    assert reader.calls["find"] == 2


def test_a_snapshot_that_lands_between_two_looks_gives_a_page_of_one_version(settings: Settings):
    store = MemoryCatalogue()
    put_snapshot(store, "lumen", [make_product(1, "lumen")])
    reader = CountingReader(store)
    client = create_app(settings, reader=reader, clock=FakeClock()).test_client()
    reader.before_find = lambda: put_snapshot(store, "lumen", [make_product(n, "lumen") for n in (1, 2, 3)])
    page = client.get("/products")
    reader.before_find = lambda: None
    assert page.json["meta"]["version"] == store.version
    assert page.json["meta"]["sources"]["lumen"]["products"] == page.json["total"] == 3
    assert client.get("/products", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304


def test_the_tag_of_a_product_changes_with_its_fields(client: FlaskClient):
    assert tag_of(client, "/products/depot:4101") != tag_of(client, "/products/depot:4101?fields=name")
    assert tag_of(client, "/products/depot:4101?fields=name,price") == tag_of(
        client, "/products/depot:4101?fields=PRICE&fields=name"
    )
