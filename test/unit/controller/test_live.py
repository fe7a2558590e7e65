"""Live answers as a client sees them: real documents of the synced catalogue, shops that say what they are told."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from main.app import create_app
from main.service.model import Look, LookState
from main.settings.model import Auth, Hide

FIGURES = b'{"price":{"amount":"1.23","currency":"EUR"},"availability":"InStock","stock":4}'
FRESH_S = 5


class FakeLive:
    """Answers each product's look from a list, the last one again and again."""

    fresh_s = FRESH_S

    def __init__(self, *looks: Look) -> None:
        self.looks = looks
        self.asked: list[list[str]] = []
        self.purged: list[str] = []

    def choose_deadline(self, wished_ms):
        return (wished_ms or 800) / 1000

    def confirm(self, listed, seconds, current):
        self.current = current
        self.asked.append([f"{each.source}:{each.wanted.source_id}" for each in listed])
        return [self.looks[min(position, len(self.looks) - 1)] for position in range(len(listed))]

    def open(self):
        self.opened = True

    def ping(self):
        assert self.opened

    def close(self):
        self.opened = False


@pytest.fixture
def ask(settings):
    """A function that gives the answer to a question, where the shops say these looks."""

    def get(path, *looks, **parameters):
        get.live = FakeLive(*looks)
        client = create_app(settings, live=get.live).test_client()
        return client.get(path, query_string={"live": "true", **parameters})

    return get


LIVE = Look(LookState.LIVE, 0.01, FIGURES)
CACHED = Look(LookState.CACHED, 3.2, FIGURES)
STALE = Look(LookState.STALE, 20.0, FIGURES, "The shop did not answer in time.")
TIMEOUT = Look(LookState.TIMEOUT, reason="The shop did not answer in time.")

SHOPLESS = Look(LookState.CACHED, reason="This source has no live looks.")
OUTDATED = Look(LookState.STALE, reason="This source has no live looks.")
GONE = Look(LookState.ERROR, 0.1, reason="The shop no longer has this product.", gone=True)
INVALID = Look(LookState.ERROR, 0.4, reason="The shop's record is no valid product: price: is negative: '-7251934.68'")


def test_exactly_the_products_of_the_page_are_confirmed_and_shown_with_the_shops_figures(ask, fetch):
    stored = fetch("/products", sort="price", per_page=3)["data"]
    answer = ask("/products", LIVE, sort="price", per_page=3)
    assert answer.status_code == 200
    assert ask.live.asked == [[product["id"] for product in stored]]
    for shown, kept in zip(answer.json["data"], stored, strict=True):
        assert (shown["id"], shown["name"]) == (kept["id"], kept["name"])
        assert shown["price"] == {"amount": "1.23", "currency": "EUR"}
        assert (shown["stock"], shown["freshness"]) == (4, {"state": "live", "age_s": 0.01})
        assert "variants" not in shown  # the shop's figures have none


def test_meta_and_headers_tell_how_far_the_answer_goes(ask):
    answer = ask("/products", LIVE, TIMEOUT, per_page=2, source="lumen", deadline_ms=500)
    meta = answer.json["meta"]
    assert meta["complete"] is False
    assert meta["live"] == {
        "products": 2,
        "confirmed": 1,
        "deadline_ms": 500,
        "sources": {"lumen": {"state": "timeout", "products": 2, "confirmed": 1}},
    }
    assert answer.headers["Aisle-Complete"] == "?0"
    assert (answer.headers["Age"], answer.headers["Cache-Status"]) == ("0", "aisle; fwd=miss")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    assert "X-Total-Count" in answer.headers


@pytest.mark.parametrize(
    ("looks", "status", "age", "complete"),
    [
        ((LIVE,), "aisle; fwd=miss", "0", "?1"),
        ((CACHED,), "aisle; hit; ttl=1", "3", "?1"),
        ((STALE,), "aisle; hit; ttl=-15", "20", "?0"),
        ((LIVE, CACHED), "aisle; fwd=partial", "3", "?1"),
        ((Look(LookState.LIVE, 0.1, FIGURES, joined=True),), "aisle; fwd=miss; collapsed", "0", "?1"),
        ((TIMEOUT,), "aisle; fwd=miss", None, "?0"),
        ((SHOPLESS,), 'aisle; detail="nothing to ask a shop for"', None, "?1"),
        ((SHOPLESS, CACHED), "aisle; hit; ttl=1", "3", "?1"),
        ((SHOPLESS, LIVE), "aisle; fwd=miss", "0", "?1"),
        ((OUTDATED,), 'aisle; detail="nothing to ask a shop for"', None, "?0"),
        ((OUTDATED, CACHED), "aisle; hit; ttl=1", "3", "?0"),
        ((GONE,), "aisle; fwd=miss", None, "?0"),
    ],
)
def test_cache_status_and_age_say_where_the_figures_came_from(ask, looks, status, age, complete):
    headers = ask("/products", *looks, per_page=2).headers
    assert (headers["Cache-Status"], headers.get("Age"), headers["Aisle-Complete"]) == (status, age, complete)


def test_what_no_shop_confirmed_shows_the_snapshot_and_its_age(ask, fetch):
    stored = fetch("/products", per_page=1)["data"][0]
    shown = ask("/products", TIMEOUT, per_page=1).json["data"][0]
    assert {name: value for name, value in shown.items() if name != "freshness"} == stored
    assert (shown["freshness"]["state"], shown["freshness"]["reason"]) == ("timeout", "The shop did not answer in time.")
    assert shown["freshness"]["age_s"] >= 0


def test_figures_of_the_snapshot_are_as_old_as_the_snapshot_however_new_the_shops_refusal(ask):
    shown = ask("/products", INVALID, TIMEOUT, per_page=2, source="lumen").json["data"]
    assert shown[0]["freshness"]["reason"] == INVALID.reason
    assert shown[0]["freshness"]["age_s"] == shown[1]["freshness"]["age_s"]


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (INVALID, "The shop gave no answer that can be used."),
        (
            Look(LookState.STALE, 20.0, FIGURES, "The answer is not the JSON expected: 7251934.68"),
            "The shop gave no newer answer that can be used.",
        ),
        (TIMEOUT, TIMEOUT.reason),
        (LIVE, None),
    ],
)
def test_a_reason_quotes_no_shop_to_whom_fields_are_hidden_from(settings, look, reason):
    auth = Auth(hide=Hide(reader=("price",)), anonymous="reader")
    client = create_app(replace(settings, auth=auth), live=FakeLive(look)).test_client()
    answer = client.get("/products?live=true&per_page=1")
    assert answer.json["data"][0]["freshness"].get("reason") == reason
    assert "7251934.68" not in answer.text  # no age has as many digits, which could be the same by chance
    refused = client.get("/products?live=true&source=lumen&require=lumen")
    assert refused.status_code == (200 if look.answered else 503)
    assert "7251934.68" not in refused.text


def test_a_page_of_nothing_has_nothing_to_ask_for(ask):
    answer = ask("/products", LIVE, brand="nobody")
    assert (answer.json["data"], answer.headers["Cache-Status"]) == ([], 'aisle; detail="nothing to ask a shop for"')


def test_chosen_fields_come_with_the_freshness(ask):
    product = ask("/products", LIVE, per_page=1, fields="price").json["data"][0]
    assert set(product) == {"id", "price", "freshness"}
    product = ask("/products/depot:4101", LIVE, fields="name").json
    assert set(product) == {"id", "name", "freshness"}


def test_one_product_can_be_confirmed(ask):
    answer = ask("/products/depot:4101", CACHED)
    assert (answer.json["price"]["amount"], answer.json["freshness"]["state"]) == ("1.23", "cached")
    assert (answer.headers["Aisle-Complete"], answer.headers["Cache-Status"]) == ("?1", "aisle; hit; ttl=1")
    assert ask.live.asked == [["depot:4101"]]


def test_an_unknown_product_asks_no_shop(ask):
    assert ask("/products/lumen:nobody", LIVE).status_code == 404
    assert ask.live.asked == []


def test_a_required_source_that_gave_no_answer_is_a_503_that_names_it(ask):
    answer = ask("/products", TIMEOUT, source="lumen", per_page=2, require="lumen")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.json["missing"] == {"lumen": "The shop did not answer in time."}
    assert "lumen" in answer.json["detail"]
    assert int(answer.headers["Retry-After"]) >= 1
    assert ask("/products", STALE, source="lumen", require="lumen").status_code == 200
    assert ask("/products", GONE, LIVE, source="lumen", require="lumen").status_code == 200, "the shop has answered"
    assert ask("/products/depot:4101", TIMEOUT, require="depot").status_code == 503
    assert ask("/products/depot:4101", TIMEOUT, require="parts").status_code == 200


def test_what_sources_say_whose_last_sync_is_good_and_young_is_told_to_whoever_looks(ask, fetch):
    current = {name for name, source in fetch("/products")["meta"]["sources"].items() if source["state"] == "fresh"}
    assert current
    for path in ("/products", "/products/depot:4101"):
        ask(path, LIVE)
        assert set(ask.live.current) == current


def test_lists_that_are_not_live_tell_at_a_glance_too_and_ask_no_shop(ask):
    answer = ask("/products", LIVE, live="false", require="lumen")
    assert (answer.status_code, answer.headers["Aisle-Complete"], ask.live.asked) == (200, "?1", [])
    assert "freshness" not in answer.json["data"][0]
    assert "live" not in answer.json["meta"]


@pytest.mark.parametrize(
    ("parameters", "errors"),
    [
        ({"live": "yes"}, {"live": ["must be true or false"]}),
        ({"deadline_ms": "10"}, {"deadline_ms": ["must be a whole number from 50 to 60000"]}),
        ({"deadline_ms": "soon"}, {"deadline_ms": ["must be a whole number from 50 to 60000"]}),
        ({"require": "nobody"}, {"require": ["is not one of: lumen, depot, parts"]}),
    ],
)
@pytest.mark.parametrize("path", ["/products", "/products/depot:4101"])
def test_bad_wishes_are_named(ask, path, parameters, errors):
    answer = ask(path, LIVE, **parameters)
    assert (answer.status_code, answer.json["errors"]) == (422, errors)
    assert ask.live.asked == []


def test_every_parameter_that_names_no_source_is_named(ask):
    errors = ask("/products", LIVE, require="nobody", source="noone").json["errors"]
    assert errors == {name: ["is not one of: lumen, depot, parts"] for name in ("source", "require")}


def test_an_empty_page_is_complete(ask):
    answer = ask("/products", LIVE, q="nothinghasthisname")
    assert (answer.json["data"], answer.json["meta"]["complete"]) == ([], True)
    assert answer.json["meta"]["live"]["products"] == 0


def test_the_answer_is_what_the_document_says(ask):
    product = orjson.loads(ask("/products/depot:4101", STALE).data)
    assert product["freshness"] == {"state": "stale", "age_s": 20.0, "reason": "The shop did not answer in time."}
