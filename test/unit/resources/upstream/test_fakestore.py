"""Kind fakestore: one call, and records with little in them."""

import orjson
import pytest
from werkzeug import Response

from main.service.errors import UpstreamGarbled
from main.service.model import Money, Rating
from sample.dialects import fakestore_app
from sample.records import Records
from test.unit.resources.upstream.shops import canned, crawl, load_all

RECORD = {
    "id": 1,
    "title": "Backpack",
    "price": 109.95,
    "description": "Your <b>perfect</b> pack",
    "category": "men's clothing",
    "image": "https://fakestoreapi.com/img/1.jpg",
    "rating": {"rate": 3.9, "count": 120},
}


def test_everything_comes_in_one_call(dial):
    connector = dial(fakestore_app(Records([RECORD | {"id": number} for number in range(30)])), "fakestore")
    assert connector.fetch(None).total == 30
    records, made = crawl(connector)
    assert (len(load_all(connector, records)[0]), made) == (30, [None])


def test_each_field_finds_its_place(dial):
    connector = dial(fakestore_app(Records([RECORD])), "fakestore")
    ((product,), _) = load_all(connector, crawl(connector)[0])
    assert (product.id, product.name, product.description) == ("acme:1", "Backpack", "Your perfect pack")
    assert (product.price, product.category, product.rating) == (Money(10995, "EUR"), "men's clothing", Rating(3.9, 120))
    assert product.images == ("https://fakestoreapi.com/img/1.jpg",)


@pytest.mark.parametrize("rating", [None, 5, [], {}, {"rate": "x"}, {"rate": 9}, {"rate": 4, "count": 0}])
@pytest.mark.parametrize("image", [None, "", "img/1.jpg", 5, ["https://a/1.jpg"]])
def test_a_rating_or_image_that_is_none_is_left_out(dial, rating, image):
    product = dial(fakestore_app(Records([])), "fakestore").load(orjson.dumps(RECORD | {"rating": rating, "image": image}))
    assert (product.rating, product.images) == (None, ())


def test_an_object_instead_of_the_list_is_garbled(dial):
    with pytest.raises(UpstreamGarbled, match="a bare list"):
        dial(canned(lambda _: Response('{"message": "down"}')), "fakestore").fetch(None)
