from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from main.controller.views import View, cover_rejected, hide_from, is_open, open_facets, open_sorts, refuse_hidden
from main.service.errors import InvalidQuery
from main.service.model import (
    FACETS,
    SORTS,
    Fault,
    Look,
    LookState,
    Money,
    PriceRange,
    Query,
    Rating,
    Rejected,
    Role,
    Term,
    TermKind,
    Variant,
)
from main.settings.access import HIDEABLE
from main.settings.model import Hide
from test.fakes import make_product, put_snapshot
from test.unit.controller.guarded import Guarded
from test.unit.controller.readers import CountingReader
from test.unit.controller.test_live import FakeLive

if TYPE_CHECKING:
    from main.settings import Settings

PRODUCT = {
    "id": "a:1",
    "name": "Lamp",
    "price": {"amount": "1.00", "currency": "EUR"},
    "price_range": {},
    "stock": 4,
    "variants": [{"id": "v", "price": {"amount": "1.00", "currency": "EUR"}, "stock": 4}],
}
DOCUMENT = orjson.dumps(PRODUCT)
PRICE = frozenset({"price", "price_range"})
STOCK = frozenset({"stock"})
TERM = Term("lamp", TermKind.WORD)


def test_where_nothing_is_cut_the_stored_bytes_are_given_as_they_are():
    assert View().whole
    assert View().render(DOCUMENT) is DOCUMENT
    documents = (DOCUMENT, DOCUMENT)
    assert View().render_all(documents) is documents


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        (View(("id", "price", "brand")), {"id": "a:1", "price": PRODUCT["price"]}),
        (View(hidden=STOCK), {**PRODUCT, "variants": [{"id": "v", "price": PRODUCT["price"]}]}),
        (View(hidden=PRICE), {**PRODUCT, "variants": [{"id": "v", "stock": 4}]}),
        (View(("id", "stock"), STOCK), {"id": "a:1"}),
        (View(("id", "variants"), STOCK | PRICE), {"id": "a:1", "variants": [{"id": "v"}]}),
        (View(hidden=frozenset({"variants"})), {name: PRODUCT[name] for name in PRODUCT if name != "variants"}),
    ],
)
def test_chosen_fields_are_shown_less_the_hidden_ones(view: View, shown: dict[str, Any]):
    assert not view.whole
    assert orjson.loads(view.render(DOCUMENT)) == {name: shown[name] for name in shown if name not in view.hidden}
    assert [*view.render_all([DOCUMENT])] == [view.render(DOCUMENT)]


def test_what_is_hidden_from_a_role_is_hidden_from_those_below_it_with_what_would_tell_the_same():
    hidden = hide_from({Role.READER: ("stock",), Role.EDITOR: ("price",)})
    assert hidden == {Role.READER: frozenset({"stock", "price", "price_range"}), Role.EDITOR: PRICE}
    assert hide_from({Role.READER: (), Role.EDITOR: ()}) == {Role.READER: frozenset(), Role.EDITOR: frozenset()}


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        (Query(min_price=0), {"min_price"}),
        (Query(max_price=1, currency="EUR"), {"max_price", "currency"}),
        (Query(sort="-price", facets=("brand", "price")), {"sort", "facets"}),
        (Query(sort="price"), {"sort"}),
        (Query(brand=("A",), terms=(TERM,)), {"brand", "q"}),
        (Query(gtin=("04006381333931",), availability=("InStock",), category=("C",)), {"gtin", "availability", "category"}),
        (Query(min_rating=0.0, sort="-rating"), {"min_rating", "sort"}),
        (Query(sort="-updated"), {"sort"}),
    ],
)
def test_no_question_about_a_hidden_field_is_answered(query: Query, parameters: set[str]):
    with pytest.raises(InvalidQuery) as refused:
        refuse_hidden(query, frozenset(HIDEABLE))
    assert set(refused.value.errors) == parameters
    assert {message for messages in refused.value.errors.values() for message in messages} == {"is not available to you"}
    refuse_hidden(query, frozenset())


@pytest.mark.parametrize("field", ["brand", "category", "sku", "gtin", "description"])
def test_no_search_for_words_is_answered_where_one_of_the_fields_it_reads_is_hidden(field: str):
    with pytest.raises(InvalidQuery) as refused:
        refuse_hidden(Query(terms=(TERM,)), frozenset({field}))
    assert list(refused.value.errors) == ["q"]


def test_questions_about_other_fields_are_answered():
    refuse_hidden(Query(terms=(TERM,), sort="relevance", brand=("A",), facets=("brand",)), STOCK | PRICE)
    refuse_hidden(Query(source=("a",), fields=("stock",), facets=("source",)), frozenset(HIDEABLE))


def test_a_quarantined_record_keeps_the_shops_own_words_to_itself_where_fields_are_hidden():
    record = Rejected(3, "7", (Fault("price", "is negative: '-5.00'"),), '{"price": "-5.00"}')
    assert cover_rejected(record, frozenset())["raw"] == record.raw
    covered = cover_rejected(record, STOCK)
    assert covered == {
        "position": 3,
        "record_id": "7",
        "faults": [{"field": "price", "reason": "is not available to you"}],
        "raw": None,
    }


# as a client sees it: every way to learn a hidden field, by a reader it is hidden from

# Long enough to stand in no count, no duration and no age by chance, of which some answers are full.
SECRETS = ("7319054.27", "471108265", "6660719.38")


@pytest.fixture
def guarded(settings: Settings) -> Guarded:
    found = Guarded(settings, hide=Hide(reader=("price", "stock"), editor=("rating",)), anonymous="reader")
    price, low = Money(731905427, "EUR"), Money(666071938, "EUR")
    variant = Variant("v", "red", None, None, price, None, 471108265, {})
    given = {"price_range": PriceRange(low, price), "stock": 471108265, "rating": Rating(4.5, 9), "variants": (variant,)}
    put_snapshot(
        found.store,
        "lumen",
        [make_product(1, "lumen", price=price, **given)],
        [Rejected(1, "9", (Fault("price", "is negative: '-7319054.27'"),), '{"stock": 471108265}')],
    )
    return found


def test_a_hidden_field_is_in_no_answer(guarded: Guarded):
    urls = ["/products", "/products/lumen:1", "/products?fields=price,stock,variants", "/products/lumen:1?fields=stock"]
    urls += ["/products?source=lumen&facets=brand", "/sources/lumen/quarantine", "/sources", "/status", "/products?q=lamp"]
    for url in urls:
        for token in ("reader-token", None):
            answer = guarded.ask("GET", url, token)
            assert answer.status_code == 200, url
            assert not any(secret in answer.text for secret in SECRETS), url
    shown = guarded.ask("GET", "/products/lumen:1", "reader-token").json
    assert not {"price", "price_range", "stock", "rating"} & set(shown)
    assert shown["variants"] == [{"id": "v", "name": "red", "options": {}}]


def test_each_role_sees_what_is_not_hidden_from_it(guarded: Guarded):
    editor, admin = (guarded.ask("GET", "/products/lumen:1", f"{who}-token").json for who in ("editor", "admin"))
    assert admin["rating"] == {"average": 4.5, "count": 9}
    assert editor == {name: admin[name] for name in admin if name != "rating"}
    assert (editor["stock"], editor["price"]["amount"], editor["variants"][0]["stock"]) == (471108265, "7319054.27", 471108265)
    assert guarded.ask("GET", "/products/lumen:1", headers={"X-API-Key": "reader-key"}).json.get("stock") is None


@pytest.mark.parametrize(
    "question", ["sort=price", "sort=-price", "min_price=73", "max_price=74", "currency=EUR", "facets=price"]
)
def test_no_question_gives_a_hidden_price_away(guarded: Guarded, question: str):
    name = question.partition("=")[0]
    for more in ("", "&live=true", "&per_page=1&page=9"):
        answer = guarded.ask("GET", f"/products?{question}{more}", "reader-token")
        assert (answer.status_code, answer.json["errors"]) == (422, {name: ["is not available to you"]})
    assert guarded.ask("GET", f"/products?{question}", "editor-token").status_code == 200


def test_an_etag_of_one_role_is_none_of_another(guarded: Guarded):
    for url in ("/products", "/products/lumen:1"):
        tags = {who: guarded.ask("GET", url, f"{who}-token").headers["ETag"] for who in ("reader", "editor", "admin")}
        assert len({*tags.values()}) == 3
        for who, tag in tags.items():
            for asks in tags:
                answer = guarded.ask("GET", url, f"{asks}-token", headers={"If-None-Match": tag})
                assert answer.status_code == (304 if asks == who else 200)


def test_roles_share_what_was_searched_and_the_whole_view_gives_stored_bytes(settings: Settings):
    guarded = Guarded(settings, hide=Hide(reader=("stock",)))
    put_snapshot(guarded.store, "lumen", [make_product(1, "lumen", stock=471108265)])
    reader = CountingReader(guarded.store)
    guarded.app.extensions["aisle"].search._reader = reader  # counts what the pages' cache could not answer
    answers = {who: guarded.ask("GET", "/products", f"{who}-token") for who in ("reader", "admin", "editor")}
    assert reader.calls["find"] == 1
    assert guarded.store.get("lumen:1") in answers["admin"].data
    assert answers["admin"].data == answers["editor"].data != answers["reader"].data
    assert "471108265" not in answers["reader"].text


def test_a_live_answer_hides_the_same_and_keeps_how_fresh_it_is(guarded: Guarded, monkeypatch: pytest.MonkeyPatch):
    figures = b'{"price":{"amount":"7319054.27","currency":"EUR"},"stock":471108265,"variants":[{"id":"v","stock":471108265}]}'
    live = FakeLive(Look(LookState.LIVE, 0.1, figures))
    guarded.app.extensions["aisle"] = replace(guarded.app.extensions["aisle"], live=live)
    for url in ("/products?source=lumen&live=true", "/products/lumen:1?live=true"):
        answer = guarded.ask("GET", url, "reader-token")
        assert not any(secret in answer.text for secret in SECRETS)
        product = answer.json["data"][0] if "data" in answer.json else answer.json
        assert product["freshness"]["state"] == "live"
        assert product["variants"] == [{"id": "v"}]
        assert "471108265" in guarded.ask("GET", url, "admin-token").text


def test_what_is_refused_is_not_offered():
    assert open_sorts(frozenset()) == SORTS
    assert open_facets(frozenset()) == FACETS
    assert open_sorts(PRICE) == ("relevance", "name", "-rating", "-updated")
    assert open_facets(PRICE | {"brand"}) == ("category", "source", "availability")
    assert [is_open(name, PRICE) for name in ("min_price", "currency", "brand", "source", "q")] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert not is_open("q", frozenset({"description"}))
