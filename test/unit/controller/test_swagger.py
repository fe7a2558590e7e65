from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from flask_restx.schemas import OAS_20
from jsonschema import Draft4Validator

from main.app import create_app
from main.controller import fields, taskschemas
from main.controller import parameters as asked
from main.controller.limits import UNLIMITED
from test.unit.controller.documented import assert_as_documented, find_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from main.settings import Settings

Document = dict[str, Any]
LOADED_BY = {
    "/products": asked.ProductQuerySchema,
    "/products/{product_id}": asked.ProductItemSchema,
    "/sources/{name}/quarantine": asked.PagingSchema,
    "/sources/{name}/syncs": asked.PagingSchema,
    "/tasks": taskschemas.TaskQuerySchema,
    "/hello_world/greeting": asked.GreetingQuerySchema,
}
PROBES = {"/health", "/ready", "/heartbeat"}
FILLED = {"{product_id}": "depot:4101", "{name}": "parts", "{number}": "3", "{task_id}": "1"}
_BODY = {"400", "401", "406", "413", "415", "429"}
WRITES = {
    ("/sources/{name}", "patch"): {*_BODY, "403", "404", "412", "428"},
    ("/sources/{name}/sync", "post"): {*_BODY, "403", "404", "409"},
    ("/tasks", "post"): {*_BODY, "403", "409"},
    ("/tasks/{task_id}", "patch"): {*_BODY, "403", "404", "412", "428"},
    ("/auth", "post"): _BODY,
    ("/auth/refresh", "post"): _BODY,
}


@pytest.fixture(scope="module")
def document(settings: Settings) -> Document:
    return create_app(settings).test_client().get("/swagger.json").json


def operations(document: Document) -> Iterator[tuple[str, Document, list[Document]]]:
    """Each path that has a GET, with that and all parameters of it."""
    for path, item in document["paths"].items():
        if "get" in item:
            yield path, item["get"], [*item.get("parameters", []), *item["get"].get("parameters", [])]


def writes(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Each path and method that changes something, with its operation."""
    for path, item in document["paths"].items():
        for method in item.keys() - {"get", "parameters"}:
            yield path, method, item[method]


def filled(path: str) -> str:
    for part, value in FILLED.items():
        path = path.replace(part, value)
    return path


def test_the_document_is_valid_swagger_2(document: Document):
    faults = [f"{list(fault.absolute_path)}: {fault.message}" for fault in OAS_20.validator.iter_errors(document)]
    assert faults == []
    assert document["swagger"] == "2.0"


def test_the_document_is_the_same_bytes_in_every_process(document: Document):
    assert [path for path, item in document["paths"].items() if [*item] != sorted(item)] == []
    assert max(len(item) for item in document["paths"].values()) > 1


def test_every_reference_leads_somewhere_and_no_definition_is_idle(document: Document):
    referred = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            referred.update({node["$ref"]} if isinstance(node.get("$ref"), str) else ())
            node = list(node.values())
        for item in node if isinstance(node, list) else ():
            walk(item)

    walk(document)
    assert referred == {f"#/definitions/{name}" for name in document["definitions"]}


def test_each_documented_parameter_is_one_its_schema_loads_and_the_other_way_round(document: Document):
    for path, _, parameters in operations(document):
        documented = {item["name"] for item in parameters if item["in"] == "query"}
        schema = LOADED_BY.get(path, asked.NoParametersSchema)()
        assert documented == {field.data_key or key for key, field in schema.fields.items()}, path


def test_the_endpoints_take_just_the_parameters_they_document(document: Document, client: FlaskClient):
    every = {item["name"] for _, _, parameters in operations(document) for item in parameters if item["in"] == "query"}
    for path, operation, parameters in operations(document):
        if path in PROBES:
            assert "422" not in operation["responses"]
            continue
        documented = {item["name"] for item in parameters if item["in"] == "query"}
        answer = client.get(filled(path), query_string=dict.fromkeys(every, "\x00"))
        refused = {name for name, messages in answer.json["errors"].items() if messages[0].startswith("is unknown")}
        assert refused == every - documented, path


def test_documented_bounds_are_those_that_hold(document: Document, client: FlaskClient):
    checked = set()
    for path, _, parameters in operations(document):
        for item in parameters:
            inside, outside = bounds(item.get("items", item)), bounds(item.get("items", item), beyond=True)
            # A page may be as far down as its bound only when it is small: the description says so.
            small = {"per_page": 1} if item["name"] == "page" else {}
            for value in inside:
                assert client.get(filled(path), query_string={item["name"]: value, **small}).status_code == 200, (item, value)
            for value in outside:
                assert client.get(filled(path), query_string={item["name"]: value}).status_code == 422, (item, value)
                checked.add((path, item["name"]))
    assert len(checked) >= 15


def bounds(described: Document, *, beyond: bool = False) -> list[Any]:
    """Values just within what is documented, or just beyond it."""
    found: list[Any] = []
    if "minimum" in described:
        found += [described["minimum"] - beyond, described["maximum"] + beyond]
    if "maxLength" in described:
        found.append("x" * (described["maxLength"] + beyond))
    if "enum" in described:
        found += ["no-such-word"] if beyond else described["enum"]
    if "pattern" in described:
        wrong = ["12345", "x", "", "EURO", " x"]
        found += [text for text in wrong if not fits(described["pattern"], text)] if beyond else ["12345678"]
    return found


def fits(pattern: str, text: str) -> bool:
    return Draft4Validator({"pattern": pattern}).is_valid(text)


def test_lists_are_documented_the_way_they_are_written(document: Document):
    parameters = {item["name"]: item for item in document["paths"]["/products"]["get"]["parameters"]}
    ways = {name: item.get("collectionFormat") for name, item in parameters.items()}
    loaded = asked.ProductQuerySchema().fields
    for name, field in loaded.items():
        way = "csv" if isinstance(field, fields.Choices) else "multi" if isinstance(field, fields.Values) else None
        assert ways[field.data_key or name] == way
        assert parameters[field.data_key or name].get("minItems") == (1 if way == "csv" else None)


def test_every_operation_documents_its_answers_its_errors_and_says_what_it_does(document: Document):
    for path, operation, parameters in operations(document):
        codes = set(operation["responses"])
        wanted = (
            {"200", "500"}
            | (set() if path in PROBES else {"422"})
            | (set() if path in UNLIMITED else {"406", "429"})
            | ({"404"} if "{" in path else set())
        )
        guarded = operation["x-role"] != "public"
        tagged = {"304"} if path.startswith(("/products", "/tasks/")) else set()
        stored = {"503"} if guarded or path in {"/ready", "/.well-known/jwks.json"} else set()
        left = {"410"} if path == "/products/{product_id}" else set()
        assert codes == wanted | stored | ({"401", "403", "429"} if guarded else set()) | tagged | left, path
        assert bool(operation.get("security")) is guarded
        assert operation["summary"]
        assert all(response["description"] for response in operation["responses"].values())
        assert all(item["description"] for item in parameters)


def test_every_operation_that_writes_documents_its_body_its_answers_and_its_errors(document: Document):
    every = {(path, method): operation for path, method, operation in writes(document)}
    emptied, left = every.pop(("/sources/{name}/cache", "delete")), every.pop(("/auth", "delete"))
    assert set(emptied["responses"]) == {"204", "401", "403", "404", "406", "422", "429", "500", "503"}
    dropped, one = every.pop(("/tasks", "delete")), every.pop(("/tasks/{task_id}", "delete"))
    assert set(dropped["responses"]) == {"200", "401", "403", "404", "406", "422", "429", "500", "503"}
    assert set(one["responses"]) == {"204", "401", "403", "404", "406", "412", "422", "428", "429", "500", "503"}
    assert set(left["responses"]) == {"200", "401", "403", "406", "422", "429", "500", "503"}
    found = every
    assert set(found) == set(WRITES)
    for place, operation in found.items():
        codes = set(operation["responses"])
        assert codes - {"200", "201", "202"} == {"422", "429", "500", "503"} | WRITES[place]
        [parameter] = [each for each in operation["parameters"] if each["in"] != "header"]
        assert (parameter["in"], parameter["name"]) == ("body", "body")
        # Swagger UI makes one of the fields' examples, and would show this one as the code of an object.
        assert "x-example" not in parameter
        assert parameter["description"]
        assert all(response["description"] for response in operation["responses"].values())


def test_a_post_that_makes_something_documents_the_key_that_makes_it_safe_to_repeat(document: Document):
    for path in ("/sources/{name}/sync", "/tasks"):
        [header] = [each for each in document["paths"][path]["post"]["parameters"] if each["in"] == "header"]
        assert (header["name"], header.get("required", False)) == ("Idempotency-Key", False)


def test_what_may_be_changed_only_as_it_was_seen_documents_how_that_is_said(document: Document):
    for path, method in (("/tasks/{task_id}", "patch"), ("/tasks/{task_id}", "delete"), ("/sources/{name}", "patch")):
        given = document["paths"][path][method]["parameters"]
        [header] = [each for each in given if each["in"] == "header"]
        assert (header["name"], header["required"]) == ("If-Match", True)


def test_every_answer_of_a_limited_route_documents_how_much_is_left(document: Document):
    for path, operation, _ in operations(document):
        fields_of = [
            set(answer.get("headers", {})) >= {"RateLimit", "RateLimit-Policy"} for answer in operation["responses"].values()
        ]
        assert all(fields_of) if path not in UNLIMITED else not any(fields_of)


def test_every_answer_has_an_example_that_its_schema_allows(document: Document):
    for path, operation, _ in operations(document):
        for code, response in operation["responses"].items():
            if code == "304":
                continue
            [(media, example)] = response["examples"].items()
            assert media == ("application/json" if code == "200" else "application/problem+json")
            assert find_faults(response["schema"], example) == [], path
            if code != "200":
                assert (example["status"], example["title"]) == (int(code), HTTPStatus(int(code)).phrase)


def test_every_parameter_has_an_example_that_is_a_right_request(document: Document, client: FlaskClient):
    for path, _, parameters in operations(document):
        for item in parameters:
            example = item["x-example"]
            assert Draft4Validator({key: item[key] for key in item if key not in {"name", "in", "required"}}).is_valid(example)
            if item["in"] == "query":
                given = {item["name"]: ",".join(example) if item.get("collectionFormat") == "csv" else example}
                assert client.get(filled(path), query_string=given).status_code == 200, (path, given)


ANSWERS = [
    "/products?facets=brand,category,source,availability,price&per_page=100",
    "/products?fields=name",
    "/products?q=nothinglikeit",
    "/products?page=0&nothing=1",
    "/products/depot:4101",
    "/products/depot:4101?live=true&deadline_ms=50",
    "/products?live=true&deadline_ms=50&per_page=5",
    "/products?require=lumen",
    "/products?require=nobody",
    "/products/lumen:7800100000002?fields=variants,price_range",
    "/products/nobody",
    "/sources",
    "/sources/parts",
    "/sources/nobody",
    "/sources/parts/quarantine",
    "/sources/nobody/quarantine",
    "/sources/parts/syncs",
    "/sources/nobody/syncs",
    "/sources/parts/syncs?page=0",
    "/sources/parts/syncs/99",
    "/tasks",
    "/tasks?sort=due",
    "/tasks/1",
    "/tasks/2",
    "/",
    "/health",
    "/ready",
    "/heartbeat",
    "/status",
    "/hello",
    "/hello_world/greeting?name=John",
    "/hello_world/greeting?nome=John",
]


def template_of(document: Document, url: str) -> str:
    steps = url.partition("?")[0].split("/")
    for path in document["paths"]:
        parts = path.split("/")
        if len(parts) == len(steps) and all(part == step or "{" in part for part, step in zip(parts, steps, strict=True)):
            return str(path)
    raise AssertionError(url)


@pytest.mark.parametrize("url", ANSWERS)
def test_real_answers_are_as_documented(document: Document, client: FlaskClient, url: str):
    assert_as_documented(document, template_of(document, url), client.get(url))


@pytest.mark.parametrize(
    "url",
    [
        "/products",
        "/products/x",
        "/sources",
        "/sources/parts",
        "/sources/parts/quarantine",
        "/sources/parts/syncs",
        "/sources/parts/syncs/1",
        "/tasks",
        "/tasks/1",
        "/ready",
        "/status",
        "/hello",
    ],
)
def test_answers_without_a_catalogue_are_as_documented(
    document: Document, unsynced_client: FlaskClient, down_client: FlaskClient, url: str
):
    for client in (unsynced_client, down_client):
        assert_as_documented(document, template_of(document, url), client.get(url))


def test_a_304_is_as_documented(document: Document, client: FlaskClient):
    for path, url in (("/products", "/products"), ("/products/{product_id}", "/products/depot:4101")):
        answer = client.get(url, headers={"If-None-Match": client.get(url).headers["ETag"]})
        assert answer.status_code == 304
        assert_as_documented(document, path, answer)


def test_a_broken_answer_would_be_noticed(document: Document):
    assert find_faults({"$ref": "#/definitions/Money"}, {"amount": 19.99, "currency": "EUR"})
    assert find_faults({"$ref": "#/definitions/Source"}, {"synced_at": 5})
    assert find_faults({"$ref": "#/definitions/Source"}, {"synced_at": None, "name": None})
    assert find_faults({"$ref": "#/definitions/Source"}, {"synced_at": None}) == []
