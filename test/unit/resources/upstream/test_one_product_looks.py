"""Looks at the kinds that give each product an address of its own."""

import orjson
import pytest
from werkzeug import Response

from main.service.errors import UpstreamGarbled, UpstreamRefused, UpstreamTimeout
from main.service.model import Money
from sample.dialects import dummyjson_app, fakestore_app
from sample.records import Records
from test.unit.resources.upstream.shops import canned, look

RECORD = {"id": 1, "title": "Lamp", "price": 9.99}


@pytest.fixture(params=[("dummyjson", dummyjson_app), ("fakestore", fakestore_app)], ids=lambda found: found[0])
def selling(request, dial):
    """A connector of the kind to a shop with these records."""
    kind, app = request.param
    return lambda *records: dial(app(Records([*records])), kind)


@pytest.fixture(params=["dummyjson", "fakestore"])
def answering(request, dial):
    """A connector of the kind to a shop that always says the same."""
    return lambda *answer: dial(canned(lambda _: Response(*answer)), request.param)


def test_one_product_is_asked_for_by_its_own_address(selling):
    connector = selling(RECORD, RECORD | {"id": 2, "price": 3.5})
    found = look(connector, "2")
    assert (connector.look_size, list(found)) == (1, ["2"])
    assert connector.load(found["2"]).price == Money(350, "EUR")
    assert look(connector, "3") == {}


@pytest.mark.parametrize("body", [b"null", b"", b" "])
def test_an_answer_of_nothing_is_a_product_that_is_gone(answering, body):
    assert look(answering(body), "1") == {}


@pytest.mark.parametrize("body", [orjson.dumps(RECORD | {"id": 2}), b"<html>", b"[]", b'{"id": null}', b"{"])
def test_an_answer_about_anything_else_is_garbled(answering, body):
    with pytest.raises(UpstreamGarbled):
        look(answering(body), "1")


def test_an_invalid_record_is_given_for_the_mapping_to_judge(selling):
    assert list(look(selling(RECORD | {"price": "free"}), "1")) == ["1"]


def test_any_other_refusal_is_an_error(answering):
    with pytest.raises(UpstreamRefused, match="500"):
        look(answering(b"", 500), "1")


def test_what_is_past_its_deadline_is_not_asked_for(selling):
    with pytest.raises(UpstreamTimeout):
        look(selling(RECORD), "1", seconds=-1)
