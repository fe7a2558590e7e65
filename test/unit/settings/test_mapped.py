"""A JSON API described in config.yml: what is loaded, and what is refused by name."""

import pytest
import yaml

from main.service.model import FieldMap, FieldRule, ItemCall, Listing, Paging

FIELDS = {"id": "code", "name": "title", "price": "price"}


def source(**more: object) -> str:
    entry = {"name": "a", "kind": "mapped", "url": "https://a.example", "fields": FIELDS, **more}
    return yaml.safe_dump({"sources": [entry]})


def paged(page: dict, **more: object) -> str:
    return source(list={"page": page, **more})


def test_a_description_is_loaded_whole(load):
    page = {
        "style": "offset",
        "param": "variables.skip",
        "size_param": "variables.n",
        "size": 50,
        "total": "data.total",
        "in": "body",
    }
    variants = {"items": "forms", "id": "id", "price": {"path": "p", "unit": "minor"}}
    text = source(
        list={
            "path": "/graphql",
            "items": "data.rows",
            "params": {"n": 5, "all": True, "q": "x"},
            "body": {"query": "{a}"},
            "page": page,
        },
        item={"path": "/items/{id}"},
        fields={**FIELDS, "price": {"path": "price", "decimal": ","}, "variants": variants},
    )
    (found,) = load(text).sources
    assert found.item == ItemCall(path="/items/{id}")
    assert found.listing == Listing(
        path="/graphql",
        items="data.rows",
        params={"n": "5", "all": "true", "q": "x"},
        body={"query": "{a}"},
        page=Paging(
            style="offset", param="variables.skip", size_param="variables.n", size=50, total="data.total", where="body"
        ),
    )
    assert found.mapping == FieldMap(
        fields={"id": FieldRule("code"), "name": FieldRule("title"), "price": FieldRule("price", decimal=",")},
        variants="forms",
        variant_fields={"id": FieldRule("id"), "price": FieldRule("p", unit="minor")},
    )


def test_the_list_may_be_left_to_its_defaults(load):
    assert load(source()).sources[0].listing is None


@pytest.mark.parametrize("more", [{"priced": False}, {"fields": {**FIELDS, "variants": {"items": "v", "id": "id"}}}])
def test_without_prices_or_with_variants_no_price_is_needed(load, more):
    fields = {key: value for key, value in more.get("fields", FIELDS).items() if key != "price"}
    assert load(source(**{**more, "fields": fields}))


NO_PLACE = "{id}, or else {ids}, in path, params or body"
ANOTHER_SIZE = "2 or more where {ids} stands in the call, 1 where {id} does"
NO_CURSOR = "a JMESPath expression, or else cursor_header: style cursor needs one of them"
ONLY = "allowed: only for style"
EXPRESSION = "allowed: a JMESPath expression"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            source(fields={**FIELDS, "price": "foo["}),
            f"sources[0].fields.price (source a): 'foo['; {EXPRESSION} (it ends too early)",
        ),
        (
            source(fields={**FIELDS, "brand": "nope(a)"}),
            f"sources[0].fields.brand (source a): 'nope(a)'; {EXPRESSION} (there is no function nope())",
        ),
        (source(fields={**FIELDS, "brand": 5}), f"sources[0].fields.brand (source a): 5; {EXPRESSION}"),
        (source(fields={**FIELDS, "brand": {"path": "a"}}), f"sources[0].fields.brand (source a): a mapping; {EXPRESSION}"),
        (source(fields={**FIELDS, "price": {"path": ""}}), f"sources[0].fields.price.path (source a): ''; {EXPRESSION}"),
        (
            source(fields={**FIELDS, "price": {"path": "a", "unit": "cents"}}),
            "sources[0].fields.price.unit (source a): 'cents'; allowed: major | minor",
        ),
        (
            source(fields={**FIELDS, "price": {"path": "a", "x": 1}}),
            "sources[0].fields.price.x (source a): unknown key; allowed: path, unit, decimal",
        ),
        (source(fields={"id": "a", "name": "b"}), f"sources[0].fields.price (source a): nothing; {EXPRESSION}"),
        (source(list={"nope": 1}), "sources[0].list.nope (source a): unknown key; allowed: path, items, params, body, page"),
        (source(list={"items": "a["}), f"sources[0].list.items (source a): 'a['; {EXPRESSION} (it ends too early)"),
        (
            source(list={"path": "v2"}),
            "sources[0].list.path (source a): 'v2'; allowed: a path below the source's url, starting with /",
        ),
        (
            source(list={"params": ["a"]}),
            "sources[0].list.params (source a): a list; allowed: a mapping of names to texts or numbers",
        ),
        (
            source(list={"params": {"a": []}}),
            "sources[0].list.params (source a): a mapping; allowed: a mapping of names to texts or numbers",
        ),
        (source(list={"body": "x"}), "sources[0].list.body (source a): 'x'; allowed: a mapping"),
        (paged({"style": "page"}), "sources[0].list.page.param (source a): nothing; allowed: a value, which style page needs"),
        (
            paged({"style": "cursor", "param": "a"}),
            f"sources[0].list.page.cursor (source a): nothing; allowed: {NO_CURSOR}",
        ),
        (
            paged({"style": "cursor", "param": "a", "cursor": "a", "cursor_header": "X-Next"}),
            f"sources[0].list.page.cursor (source a): 'a'; allowed: {NO_CURSOR}",
        ),
        (
            paged({"style": "cursor", "param": "a", "cursor_header": "X Next"}),
            "sources[0].list.page.cursor_header (source a): 'X Next'; allowed: a header's name, such as X-Next-Cursor",
        ),
        (
            paged({"style": "none", "more": "a"}),
            f"sources[0].list.page.more (source a): 'a'; {ONLY} page or offset or cursor or link or next_url",
        ),
        (
            paged({"style": "page", "param": "a", "more": "a["}),
            f"sources[0].list.page.more (source a): 'a['; {EXPRESSION} (it ends too early)",
        ),
        (
            source(item={"path": "items"}),
            "sources[0].item.path (source a): 'items'; allowed: a path below the source's url, starting with /",
        ),
        (source(item={"path": "/items"}), f"sources[0].item.path (source a): '/items'; allowed: {NO_PLACE}"),
        (source(item={"body": {"query": "{items {id}}"}}), f"sources[0].item.path (source a): nothing; allowed: {NO_PLACE}"),
        (
            source(item={"path": "/{id}/{ids}", "size": 2}),
            f"sources[0].item.path (source a): '/{{id}}/{{ids}}'; allowed: {NO_PLACE}",
        ),
        (
            source(item={"path": "/{sku}/{id}"}),
            "sources[0].item.path (source a): '/{sku}/{id}'; allowed: {id} or {ids}, and no other braces",
        ),
        (source(item={"path": "/{ids}"}), f"sources[0].item.size (source a): nothing; allowed: {ANOTHER_SIZE}"),
        (source(item={"path": "/{id}", "size": 5}), f"sources[0].item.size (source a): 5; allowed: {ANOTHER_SIZE}"),
        (
            source(item={"path": "/{ids}", "size": 9999}),
            "sources[0].item.size (source a): 9999; allowed: a whole number from 1 to 1000",
        ),
        (
            source(item={"path": "/{id}", "record": "a["}),
            f"sources[0].item.record (source a): 'a['; {EXPRESSION} (it ends too early)",
        ),
        (
            source(fields={**FIELDS, "variants": {"items": "v", "id": "id", "options": {"Size": "s[", "Colour": "c"}}}),
            f"sources[0].fields.variants.options.Size (source a): 's['; {EXPRESSION} (it ends too early)",
        ),
        (
            source(fields={**FIELDS, "variants": {"items": "v", "id": "id", "options": "s["}}),
            f"sources[0].fields.variants.options (source a): 's['; {EXPRESSION} (it ends too early)",
        ),
        (
            paged({"style": "none", "size_param": "a"}),
            "sources[0].list.page.size (source a): nothing; allowed: a value, which style none needs",
        ),
        (
            paged({"style": "link"}, body={}),
            "sources[0].list.page.style (source a): 'link'; allowed: page, offset, cursor or none where the list has a body",
        ),
        (
            paged({"style": "page", "param": "a", "in": "body"}),
            "sources[0].list.page.in (source a): 'body'; allowed: query, where the list has no body",
        ),
        (
            source(kind="ebay", list={"path": "/x"}),
            "sources[0].list (source a): a mapping; allowed: params alone; the kind knows the rest",
        ),
        (source(kind="medusa", api="v3"), "sources[0].api (source a): 'v3'; allowed: v1 | v2"),
    ],
)
def test_a_mistake_is_told_with_its_source_and_key(faults, text, fault):
    assert faults(text) == [fault]


BARE = {
    "page": {"param": "p"},
    "offset": {"param": "p"},
    "cursor": {"param": "p", "cursor": "c"},
    "link": {},
    "next_url": {"next": "n"},
    "none": {},
}
# What of list.page does anything, by style: as main/resources/upstream/pager.py goes by it.
HEEDED = {
    "param": {"page", "offset", "cursor"},
    "first": {"page"},
    "size": set(BARE),
    "size_param": set(BARE),
    "total": set(BARE),
    "more": set(BARE) - {"none"},
    "cursor": {"cursor"},
    "cursor_header": {"cursor"},
    "next": {"next_url"},
    "in": {"page", "offset", "cursor", "none"},
}
VALUES = {"first": 0, "size": 10, "in": "query", "size_param": "s"}


@pytest.mark.parametrize("key", HEEDED)
@pytest.mark.parametrize("style", BARE)
def test_a_page_style_takes_its_own_keys_only(faults, style, key):
    beside = {"cursor_header": {"cursor": None}, "size_param": {"size": 10}}.get(key, {})
    page = {"style": style, **BARE[style], key: VALUES.get(key, "x"), **beside}
    found = faults(paged({name: value for name, value in page.items() if value is not None}))
    told = f"sources[0].list.page.{key} (source a): {VALUES.get(key, 'x')!r}; {ONLY} "
    owners = " or ".join(owner for owner in BARE if owner in HEEDED[key])
    assert found == ([] if style in HEEDED[key] else [told + owners])


def test_every_misplaced_key_of_a_page_style_is_told(faults):
    text = paged({"style": "link", "param": "p", "first": 0, "in": "query"})
    assert faults(text) == [
        f"sources[0].list.page.first (source a): 0; {ONLY} page",
        f"sources[0].list.page.in (source a): 'query'; {ONLY} page or offset or cursor or none",
        f"sources[0].list.page.param (source a): 'p'; {ONLY} page or offset or cursor",
    ]


def test_another_kind_takes_no_description(faults):
    found = faults(source(kind="shopify", list={}, item={"path": "/{id}"}))
    assert [line.partition(";")[0] for line in found] == [
        f"sources[0].{key} (source a): a mapping" for key in ("fields", "item", "list")
    ]


def test_a_built_in_kind_takes_parameters_and_single_fields(load):
    (found,) = load(source(kind="ebay", list={"params": {"q": "x"}}, fields={"brand": "'Acme'"})).sources
    assert (found.listing.params, found.mapping.fields) == ({"q": "x"}, {"brand": FieldRule("'Acme'")})


def test_a_call_for_single_products_is_loaded_whole(load):
    item = {"path": "/graphql", "params": {"lang": "en"}, "body": {"v": {"ids": ["{ids}"]}}, "record": "data.nodes", "size": 50}
    assert load(source(item=item)).sources[0].item == ItemCall(
        path="/graphql", params={"lang": "en"}, body={"v": {"ids": ["{ids}"]}}, record="data.nodes", size=50
    )


@pytest.mark.parametrize("options", ["attributes", {"Size": "size", "Colour": "colour.name"}])
def test_options_are_one_expression_or_one_each(load, options):
    fields = {**FIELDS, "variants": {"items": "v", "id": "id", "options": options}}
    assert load(source(fields=fields)).sources[0].mapping.options == options


def test_a_cursor_may_stand_in_a_header_and_the_end_in_the_answer(load):
    page = (
        load(paged({"style": "cursor", "param": "after", "cursor_header": "X-Next-Cursor", "more": "more"}))
        .sources[0]
        .listing.page
    )
    assert page == Paging(style="cursor", param="after", cursor_header="X-Next-Cursor", more="more")
