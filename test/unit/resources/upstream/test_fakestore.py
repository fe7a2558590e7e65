"""Kind fakestore: one call, and records with little in them."""

import orjson
import pytest
from werkzeug import Response

from main.service.errors import UpstreamGarbled, UpstreamRefused, UpstreamTimeout
from main.service.model import Money, Rating
from sample.dialects import fakestore_app
from sample.records import Records
from test.unit.resources.upstream.shops import canned, crawl, load_all, look

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


class TestLook:
    def test_one_product_is_asked_for_by_its_own_address(self, dial):
        connector = dial(fakestore_app(Records([RECORD, RECORD | {"id": 2, "price": 3.5}])), "fakestore")
        found = look(connector, "2")
        assert (connector.look_size, list(found)) == (1, ["2"])
        assert connector.load(found["2"]).price == Money(350, "EUR")
        assert look(connector, "3") == {}

    @pytest.mark.parametrize("body", [b"null", b"", b" "])
    def test_an_answer_of_nothing_is_a_product_that_is_gone(self, dial, body):
        assert look(dial(canned(lambda _: Response(body)), "fakestore"), "1") == {}

    @pytest.mark.parametrize("body", [orjson.dumps(RECORD | {"id": 2}), b"<html>", b"[]", b'{"id": null}', b"{"])
    def test_an_answer_about_anything_else_is_garbled(self, dial, body):
        with pytest.raises(UpstreamGarbled):
            look(dial(canned(lambda _: Response(body)), "fakestore"), "1")

    def test_an_invalid_record_is_given_for_the_mapping_to_judge(self, dial):
        assert look(dial(fakestore_app(Records([RECORD | {"price": "free"}])), "fakestore"), "1")

    def test_any_other_refusal_is_an_error(self, dial):
        with pytest.raises(UpstreamRefused, match="500"):
            look(dial(canned(lambda _: Response(b"", 500)), "fakestore"), "1")

    def test_what_is_past_its_deadline_is_not_asked_for(self, dial):
        with pytest.raises(UpstreamTimeout):
            look(dial(fakestore_app(Records([RECORD])), "fakestore"), "1", seconds=-1)
