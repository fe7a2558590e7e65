from __future__ import annotations

import orjson
import pytest

from main.controller.console.cards import is_shown, is_web_address, make_tile, read_card
from main.controller.console.words import Word
from main.controller.documents import dump_product
from main.service.model import Availability, Money, PriceRange, Rating, Variant
from test.fakes import NOW, make_product

VARIANT = Variant("v", "brass", "S", "04006381333931", Money(1999, "EUR"), Availability.IN_STOCK, 3, {"Colour": "brass"})
NO_ADDRESS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "//evil.example/x",
    "/x",
    "x",
    "",
    "https://",
    "https://user@shop.example/",
    "https://user:word@shop.example/",
    'https://shop.example/"x',
    "https://shop.example/<x>",
    "https://shop.example/ x",
    "\thttps://shop.example/",
    "https://shop.example\\@evil.example/",
    "https://[::1",
    "https://shop.example:x/",
    "ftp://shop.example/x",
    "file:///etc/passwd",
    "https://shop.example/\x00",
]


def test_a_product_is_read_whole():
    product = make_product(
        7,
        brand="Halden",
        description="Brass.",
        category="Lamps",
        price_range=PriceRange(Money(1, "EUR"), Money(2, "EUR")),
        availability=Availability.IN_STOCK,
        stock=4,
        rating=Rating(4.5, None),
        gtin="04006381333931",
        sku="L",
        url="https://a.example/7",
        images=("https://a.example/7.png",),
        tags=("desk",),
        variants=(VARIANT,),
        attributes={"barcode": "1"},
        updated_at=NOW,
    )
    card = read_card(dump_product(product))
    assert (card.id, str(card.price), str(card.price_range.lowest)) == ("acme:7", "19.99 EUR", "0.01 EUR")
    assert (card.variants[0].options, card.attributes, card.updated_at, card.fetched_at) == (
        {"Colour": "brass"},
        {"barcode": "1"},
        NOW,
        NOW,
    )
    assert (card.rating.average, card.rating.count, card.freshness) == (4.5, None, None)
    assert card.link == "https://a.example/7"


def test_what_is_hidden_is_simply_not_there():
    card = read_card(b'{"id": "a:1", "source": "a", "source_id": "1", "name": "x"}')
    assert (card.price, card.images, card.link, card.fetched_at) == (None, (), None, None)


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_no_link_may_lead_to(url: str):
    assert not is_web_address(url)
    assert not is_shown(url, {"shop.example"})
    assert read_card(orjson.dumps({"id": "a:1", "source": "a", "source_id": "1", "name": "x", "url": url})).link is None


def test_pictures_come_over_https_or_from_hosts_that_are_named():
    hosts = {"plain.example", "127.0.0.1:9101"}
    shown = [
        "https://any.example/x.png",
        "http://plain.example/x.png",
        "http://plain.example:80/x.png",
        "http://127.0.0.1:9101/x.png",
    ]
    assert [is_shown(url, hosts) for url in shown] == [True] * 4
    assert [is_shown(url, set()) for url in shown] == [True, False, False, False]
    assert not is_shown("http://127.0.0.1:9102/x.png", hosts)
    assert not is_shown("http://plain.example:8080/x.png", hosts)


def test_an_id_is_one_part_of_an_address_whatever_is_in_it():
    card = read_card(b'{"id": "a:1/2?x#y%z\\"<", "source": "a", "source_id": "1", "name": "x"}')
    assert card.path == "a:1/2%3Fx%23y%25z%22%3C"


def test_a_tile_has_its_words_ready():
    document = dump_product(
        make_product(1, availability=Availability.SOLD_OUT, images=("http://a.example/1.png", "https://a.example/1.png"))
    )
    tile = make_tile(document, {"acme": Word("fresh, 3 s", "good")}, frozenset())
    assert (tile.path, tile.image, tile.price) == ("acme:1", "https://a.example/1.png", "19.99 EUR")
    assert (tile.availability.text, tile.fresh.text) == ("Sold out", "fresh, 3 s")


def test_a_tile_of_little_is_a_tile():
    tile = make_tile(dump_product(make_product(1, price=None)), {}, frozenset())
    assert (tile.image, tile.price, tile.availability, tile.fresh) == (None, None, None, None)


def test_a_live_look_knows_better_how_fresh_it_is():
    document = {**orjson.loads(dump_product(make_product(1))), "freshness": {"state": "timeout", "age_s": 3}}
    assert make_tile(orjson.dumps(document), {"acme": Word("fresh", "good")}, frozenset()).fresh.text == "no answer in time"
