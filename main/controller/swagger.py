"""Swagger documents out of the marshmallow schemas, so that what is documented is what is checked."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask_restx import Api

from main.controller import schemas
from main.controller.documents import ProductSchema
from main.controller.problems import MEDIA_TYPE, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask, Response
    from flask_restx import Namespace
    from marshmallow import Schema, fields

_SHOWN: Mapping[str, type[Schema]] = {
    "Product": ProductSchema,
    "ProductPage": schemas.ProductPageSchema,
    "Source": schemas.SourceSchema,
    "SourceList": schemas.SourceListSchema,
    "RejectedPage": schemas.RejectedPageSchema,
    "Status": schemas.StatusSchema,
    "Readiness": schemas.ReadinessSchema,
    "Health": schemas.HealthSchema,
    "Heartbeat": schemas.HeartbeatSchema,
    "Platform": schemas.PlatformSchema,
    "Root": schemas.RootSchema,
    "Problem": schemas.ProblemSchema,
}
_PROBLEMS = {
    404: "There is no such thing.",
    405: "The address does not take this method.",
    422: "A parameter is unknown or wrong; errors names it.",
    500: "Something went wrong inside; nothing of it is shown.",
    503: "Cannot answer now; Retry-After says when to come back.",
}
_EVERYWHERE = (422, 500, 503)
F = TypeVar("F")


def _plugin_for_own_fields(converter: Any) -> None:
    def describe(_converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
        if isinstance(field, schemas.Choices):
            items = {"type": "string", "enum": list(field.choices.values())}
            return {"type": "array", "items": items, "collectionFormat": "csv"}
        if isinstance(field, schemas.Values):
            return {"type": "array", "items": {"type": "string"}, "collectionFormat": "multi"}
        if isinstance(field, schemas.Price):
            return {"type": "string", "pattern": r"^\d+(\.\d+)?$", "x-example": "19.99"}
        return {}

    converter.add_attribute_function(describe)


def _build() -> tuple[dict[str, Any], Any]:
    plugin = MarshmallowPlugin(schema_name_resolver=_name_of)
    spec = APISpec(title="", version="", openapi_version="2.0", plugins=[plugin])
    converter: Any = plugin.converter
    _plugin_for_own_fields(converter)
    for name, schema in _SHOWN.items():
        if name not in spec.components.schemas:
            spec.components.schema(name, schema=schema)
    return _nullable(spec.to_dict()["definitions"]), converter


def _name_of(schema: Any) -> str:
    cls = schema if isinstance(schema, type) else type(schema)
    return str(cls.__name__).removesuffix("Schema")


def _nullable(definitions: dict[str, Any]) -> dict[str, Any]:
    # Swagger 2.0 has no nullable; validators read x-nullable.
    for definition in definitions.values():
        for described in definition.get("properties", {}).values():
            if isinstance(described.get("type"), list):
                described["type"] = next(kind for kind in described["type"] if kind != "null")
                described["x-nullable"] = True
    return definitions


DEFINITIONS, _CONVERTER = _build()


def documented(namespace: Namespace, name: str, description: str, **extra: Any) -> Callable[[F], F]:
    """Document an endpoint's answer by the schema of this name, and the errors that any endpoint may give."""
    codes = sorted({*_EVERYWHERE, *extra.pop("errors", ())})

    def decorate(function: F) -> F:
        model = namespace.schema_model(name, DEFINITIONS[name])
        failure = namespace.schema_model("Problem", DEFINITIONS["Problem"])
        function = namespace.response(200, description, model, **extra)(function)
        for code in codes:
            function = namespace.response(code, _PROBLEMS[code], failure)(function)
        return function

    return decorate


def parameters(namespace: Namespace, schema: Schema) -> Callable[[F], F]:
    """Document the query parameters that a schema loads."""
    found = _CONVERTER.schema2parameters(schema, location="query")
    documented_by_name = {item["name"]: {k: v for k, v in item.items() if k != "name"} for item in found}
    return cast("Callable[[F], F]", namespace.doc(params=documented_by_name))


class AisleApi(Api):  # type: ignore[misc]
    """Flask-RESTX with one error renderer and complete definitions."""

    def handle_error(self, e: Exception) -> Response:
        """Render every error the same way in and outside the API."""
        return render(e)

    def _register_doc(self, app_or_blueprint: Flask) -> None:
        # RESTX would put its own 404 page at the root; the root is an endpoint of ours.
        app_or_blueprint.add_url_rule(self._doc, "doc", self.render_doc)

    @cached_property
    def __schema__(self) -> dict[str, Any]:
        """The Swagger 2.0 document: RESTX's, with every definition and both media types."""
        document: dict[str, Any] = super().__schema__
        document["definitions"] = DEFINITIONS
        document["produces"] = ["application/json", MEDIA_TYPE]
        return document
