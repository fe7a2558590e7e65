"""What would cost much is refused early, with an answer that names the limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from main.app import create_app
from test.fakes import FakeDoor, as_admin

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from main.settings import Settings

QUERIES = {
    "500 keys": ("&".join(f"x{n}=1" for n in range(500)), "query", "must have at most 100 parameters"),
    "10,000 brands": ("&".join("brand=b" for _ in range(10_000)), "query", "must be at most 8192 bytes long"),
    "1 MB word": ("q=" + "a" * 1_000_000, "query", "must be at most 8192 bytes long"),
    "1 KB word": ("q=" + "a" * 1_000, "q", "must be at most 200 characters"),
    "60 brands": ("&".join(f"brand=b{n}" for n in range(60)), "brand", "50"),
    "a page of 10^9": ("per_page=1000000000", "per_page", "must be a whole number from 1 to 100"),
    "page 10^9": ("page=1000000000", "page", "must be a whole number from 1 to 100000"),
    "a page far down": ("page=5000&per_page=100", "page", "must not go beyond item 100000"),
    "a long number": ("min_rating=" + "1" * 5_000, "min_rating", "must be a number"),
    "a deep sort": ("sort=" + ",".join(["price"] * 500), "sort", "must be one of"),
    "many facets": ("facets=" + "brands," * 1_000, "facets", "must"),
}
BODIES = {
    "64 KiB and one": (b'{"force": "' + b"a" * 65_536 + b'"}', 413, "64 KiB"),
    "a 1 MB string": (b'{"force": "' + b"a" * 1_000_000 + b'"}', 413, "64 KiB"),
    "10,000 items": (b'{"force": [' + b",".join([b"1"] * 10_000) + b"]}", 422, "must have at most 2000 values"),
    "500 levels": (b'{"force":' * 500 + b"1" + b"}" * 500, 422, "must be nested at most 16 levels deep"),
    "60,000 levels": (b"[" * 60_000, 422, "must be nested at most 16 levels deep"),
    "a number of 300 digits": (b'{"force": ' + b"9" * 300 + b"}", 422, "no number of more than 40 characters"),
    "1,000 keys": (b"{" + b",".join(b'"k%d": 1' % n for n in range(1_100)) + b"}", 422, "must have at most 2000 values"),
}


@pytest.fixture
def admin(settings: Settings) -> FlaskClient:
    """Somebody whose bodies are read: whoever may not call is refused before that."""
    return as_admin(create_app(settings, door=FakeDoor()).test_client())


def told(answer: Any) -> str:
    assert answer.mimetype == "application/problem+json"
    return answer.text


@pytest.mark.parametrize("case", QUERIES)
def test_a_costly_query_is_refused_by_the_name_of_the_limit(client: FlaskClient, case: str):
    query, field, allowed = QUERIES[case]
    answer = client.get("/products", query_string=query)
    assert answer.status_code == 422
    assert allowed in str(answer.json["errors"][field])
    assert len(answer.data) < 20_000


@pytest.mark.parametrize("case", BODIES)
def test_a_costly_body_is_refused_by_the_name_of_the_limit(admin: FlaskClient, case: str):
    raw, status, allowed = BODIES[case]
    answer = admin.post("/sources/lumen/sync", data=raw, content_type="application/json")
    assert answer.status_code == status
    assert allowed in told(answer)
    assert len(answer.data) < 20_000


def measure(ask: Callable[[], Any]) -> float:
    """The seconds that it takes; the best of three, as the garbage of the whole process may be collected meanwhile."""
    spent = []
    for _ in range(3):
        begun = time.process_time()
        ask()
        spent.append(time.process_time() - begun)
    return min(spent)


def test_refusing_costs_little(admin: FlaskClient):
    spent = [measure(lambda query=query: admin.get("/products", query_string=query)) for query, _, _ in QUERIES.values()]
    for raw, _, _ in BODIES.values():
        spent.append(measure(lambda raw=raw: admin.post("/sources/lumen/sync", data=raw, content_type="application/json")))
    assert sorted(spent)[len(spent) // 2] <= 0.02
    assert max(spent) < 0.25


def test_every_address_has_the_caps(client: FlaskClient):
    for path in ("/", "/sources", "/swagger.json", "/nowhere"):
        assert client.get(path, query_string="a" * 8_193).status_code == 422


def test_the_last_page_that_may_be_asked_for_is_answered(client: FlaskClient):
    answer = client.get("/products?page=1000&per_page=100")
    assert (answer.status_code, answer.json["data"]) == (200, [])


def test_the_document_says_how_far_down_a_page_may_be(client: FlaskClient):
    paths = client.get("/swagger.json").json["paths"]
    for path in ("/products", "/sources/{name}/quarantine"):
        (page,) = (each for each in paths[path]["get"]["parameters"] if each["name"] == "page")
        assert "must not go beyond item 100000: page times per_page may not be more" in page["description"]


def test_no_link_leads_to_a_page_that_would_be_refused(client: FlaskClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("main.controller.links.DEPTH_LIMIT", 60)
    links = client.get("/products?per_page=30&page=2").headers["Link"]
    assert 'page=2>; rel="last"' in links
    assert "next" not in links
