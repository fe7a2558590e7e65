"""The described call for single products, against a shop that writes down what it was asked."""

import json
import time
from contextlib import contextmanager, suppress
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug import Response

from main.resources.upstream.itemcall import ask_items
from main.resources.upstream.session import UpstreamSession
from main.resources.upstream.watchdog import Watchdog
from main.service.errors import UpstreamGarbled, UpstreamRefused, UpstreamTimeout
from main.service.model import FieldMap, FieldRule, ItemCall, Source
from sample.server import running
from test.unit.resources.upstream.shops import canned, look

FIELDS = FieldMap(fields={"id": FieldRule("id"), "name": FieldRule("id"), "price": FieldRule("`1`")})


@contextmanager
def session_of(app):
    with running(app) as url:
        session = UpstreamSession(Source(name="a", kind="mapped", url=f"{url}/api"), Watchdog())
        try:
            yield session
        finally:
            session.close()


def ask(answer, ids=("1",), seconds=5, **item):
    with session_of(canned(answer)) as session:
        return ask_items(session, ItemCall(**{"path": "/items/{id}", **item}), ids, time.monotonic() + seconds)


def test_the_id_goes_into_path_and_query():
    def answer(request):
        assert (request.path, request.args.to_dict()) == ("/api/items/a b", {"again": "a b", "lang": "en"})
        return Response('{"id": "a b"}')

    assert ask(answer, ["a b"], params={"again": "{id}", "lang": "en"}) == [{"id": "a b"}]


def test_many_ids_go_into_one_call():
    def answer(request):
        assert (request.args["ids"], request.args.getlist("id[]")) == ("1,2", ["1", "2"])
        return Response('{"rows": [{"id": 1}, null, {"id": 2}]}')

    params = {"ids": "{ids}", "id[]": "{ids}"}
    assert ask(answer, ["1", "2"], path="/items", params=params, record="rows", size=50) == [{"id": 1}, {"id": 2}]


def test_ids_in_a_path_are_quoted_one_by_one():
    def answer(request):
        assert request.environ["REQUEST_URI"] == "/api/items/a%2Fb,c%20d"
        return Response("[]")

    assert ask(answer, ["a/b", "c d"], path="/items/{ids}", size=2) == []


def test_a_graphql_shop_is_asked_by_its_variables_and_keeps_its_selections():
    query = "query($ids: [ID!]!) { nodes(ids: $ids) {id} }"

    def answer(request):
        assert request.get_json() == {"query": query, "variables": {"ids": ["1", "2"], "first": 5}}
        return Response('{"data": {"nodes": [{"id": "1"}, null]}}')

    body = {"query": query, "variables": {"ids": ["{ids}"], "first": 5}}
    assert ask(answer, ["1", "2"], path="/graphql", body=body, record="data.nodes", size=50) == [{"id": "1"}]


@pytest.mark.parametrize("body", ["", "null", '{"product": null}', '{"product": false}', '{"product": []}', "{}", "[]"])
def test_one_product_that_is_not_there_is_left_out(body):
    assert ask(lambda _: Response(body), record="product") == []


@pytest.mark.parametrize(
    "body", ['{"data": {"article": {"id": 1}}}', '{"data": {"error": "none"}}', '{"product": {"id": 1}}', "[5]"]
)
def test_an_answer_without_the_place_of_the_record_is_garbled(body):
    with pytest.raises(UpstreamGarbled, match=r"no product \(looked for data\.artcle, and there is no (data|artcle)\)"):
        ask(lambda _: Response(body), record="data.artcle")


@pytest.mark.parametrize("record", ["data.article", "data.article.item", "data.articles[0]", "data.artcle || `null`"])
def test_a_place_that_is_there_and_empty_means_gone(record):
    assert ask(lambda _: Response('{"data": {"article": null, "articles": []}}'), record=record) == []


def test_a_status_in_the_answer_may_say_that_it_is_not_there():
    record = "status == `1` && product"
    assert ask(lambda _: Response('{"status": 0, "product": {"id": 1}}'), record=record) == []
    assert ask(lambda _: Response('{"status": 1, "product": {"id": 1}}'), record=record) == [{"id": 1}]


@pytest.mark.parametrize("status", [404, 410])
def test_gone_is_gone_for_one_product_alone(status):
    assert ask(lambda _: Response(b"", status)) == []
    with pytest.raises(UpstreamRefused):
        ask(lambda _: Response(b"", status), ["1", "2"], path="/items/{ids}", size=2)


@pytest.mark.parametrize("body", ["{}", '{"rows": null}', '{"rows": {}}', "", "<html>"])
def test_many_products_without_their_list_are_garbled(body):
    with pytest.raises(UpstreamGarbled):
        ask(lambda _: Response(body), ["1", "2"], path="/items/{ids}", record="rows", size=2)


def test_what_a_graphql_shop_complains_of_is_no_product_that_is_gone():
    with pytest.raises(UpstreamGarbled, match="The shop says: Token expired"):
        ask(lambda _: Response('{"data": null, "errors": [{"message": "Token expired"}]}'), record="data.product")


def test_an_expression_that_fails_on_the_answer_is_named():
    with pytest.raises(UpstreamGarbled, match="length"):
        ask(lambda _: Response('{"a": 1}'), record="length(a)")


def test_what_is_past_its_deadline_is_not_asked_for():
    with pytest.raises(UpstreamTimeout):
        ask(lambda _: Response("{}"), seconds=-1)
    with pytest.raises(UpstreamTimeout):
        ask(lambda _: Response("{}"), seconds=-1, path="/graphql", body={"id": "{id}"})


IDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["..", "a/../../b", "?x=1", "#", "%2e%2e%2f", "a,b", "{id}", "{ids}", "//evil.example/", "\\", "http://evil.example"]
)


def test_no_id_leads_out_of_the_items_own_path(dial):
    paths = []

    def answer(request):
        paths.append(request.environ["REQUEST_URI"])
        asked = unquote(paths[-1].partition("?")[0].rpartition("/")[2])
        return Response(json.dumps({"id": asked, "name": "Lamp"}))

    connector = dial(canned(answer), "mapped", path="/api", item=ItemCall(path="/items/{id}"), mapping=FIELDS)

    @settings(max_examples=150, deadline=None)
    @given(source_id=IDS)
    def look_at(source_id):
        with suppress(UpstreamGarbled):  # what no path can hold, or what the catalogue would never keep as an id
            assert list(look(connector, source_id)) == [source_id]

    look_at()
    assert len(paths) > 50
    assert all(path.startswith("/api/items/") and path.count("/") == 3 and "?" not in path for path in paths)
