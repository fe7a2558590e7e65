from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson
import pytest

from main.service.model import Availability, Fault, Money, PriceRange, Rating, Rejected, Variant
from main.settings.model import Hide
from test.fakes import NOW, MemoryCatalogue, make_product, make_task, put_snapshot
from test.unit.controller.console.pages import Pages

if TYPE_CHECKING:
    from main.settings import Settings

ATTACK = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'
VARIANT = Variant("v1", ATTACK, ATTACK, "04006381333931", Money(1999, "EUR"), Availability.IN_STOCK, 3, {ATTACK: "brass"})
HOSTILE = make_product(
    "x",
    "lumen",
    name=ATTACK,
    brand=ATTACK,
    description=ATTACK,
    category=ATTACK,
    sku=ATTACK,
    url="javascript:alert(1)",
    images=("javascript:alert(1)", "http://lumen.example/plain.png", "https://lumen.example/x.png"),
    tags=(ATTACK,),
    variants=(VARIANT,),
    attributes={ATTACK: ATTACK},
    availability=Availability.IN_STOCK,
    stock=4,
    rating=Rating(4.5, 12),
    gtin="04006381333931",
    updated_at=NOW,
    price_range=PriceRange(Money(1999, "EUR"), Money(2999, "EUR")),
)
NOTE = Rejected(9, "x", (Fault("price", f"is negative {ATTACK}"),), '{"price": "-5"}')
HIDDEN = Hide(reader=("price", "stock", "brand", "description"))


@pytest.fixture
def shelf(pages: Pages) -> Pages:
    put_snapshot(pages.store, "lumen", [HOSTILE, *(make_product(n, "lumen") for n in range(40))], [NOTE])
    return pages


def test_a_list_has_cards_filters_and_a_way_through(shelf: Pages):
    page = shelf.see("/console/products", "reader")
    assert len(page.all("li", **{"class": "card"})) == 30
    assert "43 products, page 1 of 2" in page.text
    assert {box["value"] for box in page.all("input", type="checkbox", name="source")} == {"lumen", "depot", "parts"}
    assert page.one("a", rel="next")["href"] == "/console/products?page=2"
    assert [option["value"] for option in page.all("option", selected=None) if "selected" in option] == ["name"]


def test_what_was_asked_stays_in_the_form_and_the_addresses(shelf: Pages):
    page = shelf.see("/console/products?q=lamp&source=lumen&min_price=5&max_price=&per_page=10&page=2&sort=-price", "reader")
    assert (page.one("input", id="q")["value"], page.one("input", name="min_price")["value"]) == ("lamp", "5")
    assert "checked" in page.one("input", type="checkbox", value="lumen")
    assert page.one("input", type="hidden", name="per_page")["value"] == "10"
    assert (
        page.one("a", rel="next")["href"] == "/console/products?q=lamp&source=lumen&min_price=5&per_page=10&sort=-price&page=3"
    )
    assert "open" in page.one("details")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("min_price=many", "The lowest price must be an amount"),
        ("page=0", "The page must be a whole number"),
        ("source=nobody", "Shop is not one of: lumen, depot, parts"),
        ("odd=1", "odd is unknown"),
        ("q=%2B%2B", "The search must have a letter or a digit"),
        ("q=l*", "The search must have at least 2 letters or digits before each *, not l*"),
        ("sort=size", "The order must be one of"),
    ],
)
def test_what_is_wrong_is_told_beside_its_box_and_what_was_typed_is_kept(shelf: Pages, query: str, told: str):
    page = shelf.see(
        f"/console/products?q=lamp&{query}" if not query.startswith("q=") else f"/console/products?{query}", "reader", 422
    )
    assert told in page.text
    assert page.all("li", **{"class": "card"}) == []
    assert page.one("input", id="q")["value"] == (unquote(query[2:]) if query.startswith("q=") else "lamp")


def test_nothing_found_says_so(shelf: Pages):
    assert "Nothing was found" in shelf.see("/console/products?q=nothinglikethis", "reader").text


def test_before_the_first_sync_there_is_a_page_that_says_so(shelf: Pages):
    shelf.store.sources.clear()
    shelf.store.rows.clear()
    page = shelf.see("/console/products", "reader", 503)
    assert "No source has been synced yet" in page.text


def test_no_text_of_a_shop_becomes_markup(shelf: Pages):
    for url in (
        "/console/products",
        "/console/products/lumen:x",
        "/console/sources/lumen",
        "/console/products?q=%22%3E%3Cscript%3E",
    ):
        page = shelf.see(url, "reader")
        assert [script for script in page.all("script") if "src" not in script] == []
        assert all(picture["src"].startswith("https://") for picture in page.all("img"))
        assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
        assert not any(
            (value or "").startswith("javascript:")
            for _, found in page.elements
            for name, value in found.items()
            if name in {"href", "src", "action"}
        )
        assert not any("style" in found for _, found in page.elements)
        assert "49" not in page.text.replace("x", "") or "{{7*7}}" in page.text


def test_a_product_is_told_whole(shelf: Pages):
    page = shelf.see("/console/products/lumen:x", "reader")
    for told in (
        ATTACK,
        "19.99 EUR to 29.99 EUR",
        "In stock",
        "4 in stock",
        "4.5 of 5 by 12",
        "04006381333931",
        "javascript:alert(1)",
        "brass",
    ):
        assert told in page.text
    assert page.one("img")["src"] == "https://lumen.example/x.png"
    assert "Open in the shop" not in page.text
    assert {found.get("dir") for found in page.all("h1")} == {"auto"}


def test_a_product_of_little_is_told_too(shelf: Pages):
    put_snapshot(shelf.store, "lumen", [make_product("y", "lumen", price=None, url="https://lumen.example/y")])
    page = shelf.see("/console/products/lumen:y", "reader")
    assert page.one("a", **{"class": "button quiet"})["href"] == "https://lumen.example/y"
    assert page.all("table") == []


def test_records_in_quarantine_with_its_id_are_told_on_its_page(shelf: Pages):
    assert "is negative" in shelf.see("/console/products/lumen:x", "reader").text


def test_a_record_that_is_only_in_quarantine_has_a_page_that_says_so(shelf: Pages):
    put_snapshot(shelf.store, "depot", [], [Rejected(1, "gone/1", (Fault("price", "is missing"),), "{}")])
    page = shelf.see("/console/products/depot:gone/1", "reader", 404)
    assert "what its shop sent is no valid product" in page.text
    assert "is missing" in page.text


def test_what_there_is_not_is_a_page(shelf: Pages):
    for url in ("/console/products/lumen:nothing", "/console/products/nobody:1", "/console/products/odd"):
        assert "There is no such page" in shelf.see(url, "reader", 404).text


def test_what_left_the_catalogue_has_a_page_that_says_when(shelf: Pages):
    put_snapshot(shelf.store, "former", [make_product(1, "former")])
    put_snapshot(shelf.store, "former", [])
    page = shelf.see("/console/products/former:1", "reader", 410)
    assert "This product has left the catalogue" in page.text
    assert "left the catalogue at 2026-" in page.text


def test_a_product_whose_source_is_not_configured_any_more_is_shown(shelf: Pages):
    put_snapshot(shelf.store, "former", [make_product(1, "former")])
    assert "As of the last sync" not in shelf.see("/console/products/former:1", "reader").text


def test_look_now_asks_the_shop_and_tells_how_it_went(shelf: Pages):
    page = shelf.see("/console/products/lumen:x?live=true", "reader")
    assert "no answer" in page.text or "no longer" in page.text or "confirmed" in page.text
    page = shelf.see("/console/products?q=lamp&per_page=2&live=true", "reader")
    assert "of 2 confirmed by their shops" in page.text
    assert shelf.see("/console/products/lumen:x?live=perhaps", "reader", 422)


# hidden fields


@pytest.fixture
def covered(settings: Settings) -> Pages:
    found = Pages(settings, hide=HIDDEN)
    put_snapshot(found.store, "lumen", [HOSTILE, make_product(1, "lumen", brand="Halden", price=4711)], [NOTE])
    return found


@pytest.mark.parametrize(
    "url",
    ["/console/products", "/console/products/lumen:x", "/console/products/lumen:1", "/console/products/lumen:x?live=true"],
)
def test_what_is_hidden_from_a_role_is_on_none_of_its_pages(covered: Pages, url: str):
    page = covered.see(url, "reader")
    assert not any(word in page.text for word in ("47.11", "19.99", "29.99", "Halden", "4 in stock", "-5"))
    assert covered.see(url, "admin").text != page.text


def test_what_may_not_be_asked_is_not_offered_and_refused_when_tried(covered: Pages):
    page = covered.see("/console/products", "reader")
    assert page.all("input", name="q") == page.all("input", name="min_price") == page.all("input", name="brand") == []
    assert "-price" not in {option["value"] for option in page.all("option")}
    for query in ("q=lamp", "sort=price", "brand=Halden", "max_price=3"):
        assert "not available to you" in covered.see(f"/console/products?{query}", "reader", 422).text


def test_a_raw_record_is_covered_where_fields_are_hidden(covered: Pages):
    for url in ("/console/sources/lumen", "/console/products/lumen:x"):
        assert '"price"' not in covered.see(url, "reader").text
        assert "not shown to your role" in covered.see(url, "reader").text
        assert '"price"' in covered.see(url, "admin").text


def test_the_same_products_as_in_the_api(shelf: Pages):
    wanted: Any = orjson.loads(shelf.ask("GET", "/products?q=lamp&sort=-price", "reader-token").data)
    page = shelf.see("/console/products?q=lamp&sort=-price", "reader")
    links = [link["href"] for link in page.all("a") if (link["href"] or "").startswith("/console/products/")]
    assert links == [f"/console/products/{product['id']}" for product in wanted["data"]]
    assert isinstance(shelf.store, MemoryCatalogue)


def test_a_product_has_its_tasks_beside_it(pages: Pages):
    product, url = "lumen:1", "/console/products/lumen:1"
    assert "There is no task about this product." in pages.see(url, "reader").text
    pages.tasks.add(make_task("Ask for a picture", product=product))
    page = pages.see(url, "editor")
    assert page.one("a", href="/console/tasks/2")
    assert page.one("a", href=f"/console/tasks?product={product}#new")
    assert pages.see(url, "reader").all("a", href=f"/console/tasks?product={product}#new") == []
    pages.tasks.down = True
    assert "The task board does not answer now." in pages.see(url, "reader").text
