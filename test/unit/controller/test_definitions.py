from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from main.controller import bodies, documents, identities, schemas, standing, taskschemas
from main.controller.definitions import DEFINITIONS
from test.unit.controller.documented import find_faults


def schema_classes() -> dict[str, type[marshmallow.Schema]]:
    found = {**vars(documents), **vars(schemas), **vars(standing), **vars(bodies), **vars(identities), **vars(taskschemas)}
    named = {name.removesuffix("Schema"): value for name, value in found.items() if name.endswith("Schema")}
    return {**named, "Product": documents.ShownProductSchema}


@pytest.mark.parametrize("name", sorted(set(DEFINITIONS) - {"Greeting"}))
def test_each_documented_field_is_its_schemas_field(name: str):
    described, schema = DEFINITIONS[name], schema_classes()[name]
    made = schema()
    assert set(described["properties"]) == {field.data_key or key for key, field in made.fields.items()}
    assert set(described.get("required", ())) == {key for key, field in made.fields.items() if field.required}
    kinds = {marshmallow.fields.Integer: "integer", marshmallow.fields.Float: "number", marshmallow.fields.Boolean: "boolean"}
    for key, field in made.fields.items():
        property_ = described["properties"][key]
        assert property_.get("x-nullable", False) is field.allow_none
        assert property_.get("description") == field.metadata.get("description")
        if type(field) in kinds:
            assert property_["type"] == kinds[type(field)]
        if isinstance(field, marshmallow.fields.String):
            assert property_["type"] == "string"
            assert property_.get("enum") == field.metadata.get("enum")
        if isinstance(field, marshmallow.fields.DateTime):
            assert property_["format"] == "date-time"
        if isinstance(field, marshmallow.fields.List):
            assert property_["type"] == "array"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("SourceChange", {}), ("SourceChange", {"x": 1}), ("SyncRequest", {"x": 1}), ("TaskChange", {}), ("TaskDraft", {})],
)
def test_the_document_says_what_a_body_may_not_be(name: str, wrong: dict[str, Any]):
    assert find_faults(DEFINITIONS[name], wrong)


def test_every_field_has_an_example_and_a_description():
    for name, definition in DEFINITIONS.items():
        for key, field in definition.get("properties", {}).items():
            composed = "$ref" in field or "allOf" in field or "items" in field
            assert composed or "example" in field, f"{name}.{key}"
