"""The shops that docs/sources.md describes, served as their owners would: what is written there is all it takes."""

import json
import re
import time
from pathlib import Path

import pytest
import yaml
from werkzeug import Request, Response

from main.resources.upstream.kinds import connect
from main.service.model import Availability, Money, Wanted
from main.settings import load_settings
from main.settings.sources import SourceSchema
from main.util.clock import SystemClock
from sample.server import running
from test.integration.test_payloads import crawl

DOCS = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
SECRETS = {"BESPOKE_KEY": "b-key", "GRAPH_TOKEN": "g-token"}
EXAMPLES = {
    entry["name"]: entry
    for block in re.findall(r"^```yaml\n(.*?)^```", DOCS, re.MULTILINE | re.DOTALL)
    for entry in yaml.safe_load(block)
}
COUNT = 120


@pytest.fixture
def describe(tmp_path):
    """Return a function that loads an example of the documentation, with the address of a shop that is there."""

    def load(name, url):
        (tmp_path / "config.yml").write_text(yaml.safe_dump({"sources": [EXAMPLES[name] | {"url": url}]}, sort_keys=False))
        return load_settings({"AISLE_CONFIG": str(tmp_path / "config.yml"), **SECRETS}).sources[0]

    return load


def bespoke(request):
    if request.headers.get("X-Api-Key") != SECRETS["BESPOKE_KEY"]:
        return {"error": "who are you?"}, 401
    rows = [
        {"code": f"A/{n}", "title": {"en": f"Lamp {n}"}, "pricing": {"net": n + 0.5}, "maker": {"name": "Lumen"}, "media": []}
        for n in range(1, COUNT + 1)
    ]
    rows[0]["forms"] = [{"code": "S", "size": "Small", "colour": {"en": "Red"}, "pricing": {"net": 1.5}, "in_stock": True}]
    start = (int(request.args.get("p", 1)) - 1) * 50
    if request.path == "/v2/items":
        return {"result": {"items": rows[start : start + 50], "count": COUNT}}, 200
    found = [row for row in rows if request.path == f"/v2/items/{row['code']}"]
    return ({"result": found[0]}, 200) if found else ({"error": "no such item"}, 404)


def graph(request):
    sent = request.get_json()
    if request.method != "POST" or request.headers.get("Authorization") != f"Bearer {SECRETS['GRAPH_TOKEN']}":
        return {"data": None, "errors": [{"message": "Not logged in"}]}, 200
    rows = [{"id": f"gid-{n}", "title": f"Lamp {n}", "forms": [{"id": n, "cents": 100 * n + 50}]} for n in range(1, COUNT + 1)]
    variables = sent.get("variables", {})
    if "ids" in variables:
        return {"data": {"nodes": [next((r for r in rows if r["id"] == one), None) for one in variables["ids"]]}}, 200
    start = int(variables.get("after") or 0)
    info = {"hasNextPage": start + 100 < COUNT, "endCursor": str(start + 100)}
    return {"data": {"products": {"pageInfo": info, "nodes": rows[start : start + 100]}}}, 200


def souq(request):
    digits = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    rows = [
        {
            "id": n,
            "name_ar": f"مصباح {n}",
            "price": f"1.{n:03d},50 EGP".translate(digits),
            "in_stock": n % 2 == 0,
            "details": "<p>نحاس</p>",
        }
        for n in range(1, COUNT + 1)
    ]
    if ids := request.args.get("ids"):
        return {"data": [row for row in rows if str(row["id"]) in ids.split(",")], "total": 1}, 200
    start, limit = int(request.args["skip"]), int(request.args["limit"])
    return {"data": rows[start : start + limit], "total": COUNT}, 200


def serving(shop):
    def answer(request):
        body, status = shop(request)
        return Response(json.dumps(body), status)

    return running(Request.application(answer))


@pytest.mark.parametrize(
    ("name", "shop", "some", "price", "size"),
    [
        ("bespoke", bespoke, "A/7", Money(750, "EUR"), 1),
        ("graph", graph, "gid-7", Money(750, "EUR"), 50),
        ("souq", souq, "7", Money(100750, "EGP"), 100),
    ],
)
def test_each_described_shop_is_crawled_whole_and_looked_at_live(describe, name, shop, some, price, size):
    with serving(shop) as url:
        source = describe(name, url)
        products, rejected = crawl(source)
        assert (len(products), rejected, products[some].price) == (COUNT, {}, price)
        connector = connect(source, SystemClock())
        assert connector.look_size == size
        found: dict[str, bytes] = {}
        wanted = [*map(Wanted, products), Wanted("none")]
        for start in range(0, len(wanted), size):
            found |= connector.look(wanted[start : start + size], time.monotonic() + 10)
        connector.close()
    assert {key: connector.load(raw).price for key, raw in found.items()} == {key: one.price for key, one in products.items()}


def test_the_bespoke_shops_variants_have_their_options(describe):
    with serving(bespoke) as url:
        (form,) = crawl(describe("bespoke", url))[0]["A/1"].variants
    assert (form.name, form.options) == ("Small / Red", {"Size": "Small", "Colour": "Red"})
    assert form.availability is Availability.IN_STOCK


def test_the_arabic_shops_texts_are_read_as_they_are(describe):
    with serving(souq) as url:
        product = crawl(describe("souq", url))[0]["7"]
    assert (product.name, product.description, product.availability) == ("مصباح 7", "نحاس", Availability.OUT_OF_STOCK)


IMAGES = ("https://shop.example/a.jpg",)


@pytest.mark.parametrize(
    ("field", "recipe", "record", "found"),
    [
        ("images", "gallery[].join('', ['https://shop.example', ref])", {"gallery": [{"ref": "/a.jpg"}]}, IMAGES),
        ("images", "gallery[].join('', ['https://shop.example', @])", {"gallery": ["/a.jpg"]}, IMAGES),
        ("url", "path && join('', ['https://shop.example', path])", {"path": "/a"}, "https://shop.example/a"),
        ("url", "path && join('', ['https://shop.example', path])", {"path": None}, None),
        ("availability", "state == 'lieferbar' && 'in stock' || 'out of stock'", {"state": "lieferbar"}, Availability.IN_STOCK),
        ("availability", "state == 'lieferbar' && 'in stock' || 'out of stock'", {"state": "weg"}, Availability.OUT_OF_STOCK),
        ("availability", "starts_with(state, 'LOW') && 'limited' || state", {"state": "LOW 3"}, Availability.LIMITED),
        ("category", "groups[-1].name", {"groups": [{"name": "Home"}, {"name": "Lamps"}]}, "Lamps"),
        ("category", "join(' > ', groups[].name)", {"groups": [{"name": "Home"}, {"name": "Lamps"}]}, "Home > Lamps"),
    ],
)
def test_each_recipe_gives_what_is_said_of_it(field, recipe, record, found):
    assert f'"{recipe.replace("@", "ref")}"' in DOCS
    fields = {"id": "id", "name": "id", "price": "p", field: recipe}
    shop = {"name": "a", "kind": "mapped", "url": "https://a.example", "currency": "EUR", "fields": fields}
    connector = connect(SourceSchema().load(shop), SystemClock())
    # The Arabic signs of a price are read as the page says, without any setting.
    product = connector.load(
        json.dumps({"id": "1", "p": "\u0661\u066c\u0662\u0663\u0664\u066b\u0665\u0660", **record}).encode()
    )
    connector.close()
    assert (getattr(product, field), product.price) == (found, Money(123450, "EUR"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_of_the_documentation_loads(tmp_path, name):
    (tmp_path / "config.yml").write_text(yaml.safe_dump({"sources": [EXAMPLES[name]]}))
    told = set(re.findall(r"\$\{(\w+)\}", DOCS))
    assert load_settings({"AISLE_CONFIG": str(tmp_path / "config.yml"), **dict.fromkeys(told, "x")}).sources[0].name == name
