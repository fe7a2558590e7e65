"""The definitions of the Swagger document, out of the marshmallow schemas, so that what is documented is what is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from main.controller import bodies, fields, identities, schemas, standing, taskschemas
from main.controller.documents import ShownProductSchema, UtcTime
from main.util.currencies import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import marshmallow
    from marshmallow import Schema

_SHOWN: Mapping[str, type[Schema]] = {
    "Product": ShownProductSchema,
    "ProductPage": schemas.ProductPageSchema,
    "Source": schemas.SourceSchema,
    "SourceList": schemas.SourceListSchema,
    "RejectedPage": schemas.RejectedPageSchema,
    "Sync": standing.SyncSchema,
    "SyncPage": standing.SyncPageSchema,
    "SourceChange": bodies.SourceChangeSchema,
    "SyncRequest": bodies.SyncRequestSchema,
    "Task": taskschemas.TaskSchema,
    "TaskPage": taskschemas.TaskPageSchema,
    "TaskDraft": taskschemas.TaskDraftSchema,
    "TaskChange": taskschemas.TaskChangeSchema,
    "Dropped": taskschemas.DroppedSchema,
    "Login": bodies.LoginSchema,
    "Refresh": bodies.RefreshSchema,
    "Tokens": identities.TokensSchema,
    "Caller": identities.CallerSchema,
    "Farewell": identities.FarewellSchema,
    "KeySet": identities.KeySetSchema,
    "Status": schemas.StatusSchema,
    "Readiness": schemas.ReadinessSchema,
    "Health": schemas.HealthSchema,
    "Heartbeat": schemas.HeartbeatSchema,
    "Platform": schemas.PlatformSchema,
    "Root": schemas.RootSchema,
    "Problem": schemas.ProblemSchema,
    "Invalid": schemas.InvalidSchema,
    "Gone": schemas.GoneSchema,
    "Unavailable": schemas.UnavailableSchema,
    "NotReady": schemas.NotReadySchema,
}
_GREETING = {"type": "string", "description": "A greeting.", "example": "Hello, John!"}
_SEVERAL = {"collectionFormat": "multi", "maxItems": fields.LIST_LIMIT}
_IN_ONE = {"collectionFormat": "csv", "minItems": 1}
_SHAPES: Mapping[type, dict[str, Any]] = {
    fields.Flag: {"type": "boolean"},
    fields.Amount: {"type": "string", "pattern": fields.AMOUNT_PATTERN},
    fields.CurrencyCode: {"type": "string", "enum": sorted(CURRENCIES)},
    UtcTime: {"example": UtcTime.example},
}


def _describe_own_fields(_converter: Any, field: marshmallow.fields.Field[Any], **_: Any) -> dict[str, Any]:
    items: dict[str, Any] = {"type": "string"}
    if isinstance(field, fields.Choices):
        return {"type": "array", "items": {**items, "enum": list(field.choices.values())}, **_IN_ONE}
    if isinstance(field, fields.Gtins):
        return {"type": "array", "items": {**items, "pattern": fields.GTIN_PATTERN}, **_SEVERAL}
    if isinstance(field, fields.Values):
        bounds = {"maxLength": fields.TEXT_LIMIT, "pattern": fields.VALUE_PATTERN}
        return {"type": "array", "items": {**items, **bounds}, **_SEVERAL}
    return next((shape for kind, shape in _SHAPES.items() if isinstance(field, kind)), {})


def _build() -> tuple[dict[str, Any], Any]:
    plugin = MarshmallowPlugin(schema_name_resolver=_name_of)
    spec = APISpec(title="", version="", openapi_version="2.0", plugins=[plugin])
    converter: Any = plugin.converter
    converter.add_attribute_function(_describe_own_fields)
    for name, schema in _SHOWN.items():
        spec.components.schema(name, schema=schema)
    made = {**spec.to_dict()["definitions"], "Greeting": _GREETING}
    for name in ("SourceChange", "TaskChange"):
        made[name]["minProperties"] = 1
    return made, converter


def _name_of(schema: Any) -> str:
    cls = schema if isinstance(schema, type) else type(schema)
    return str(cls.__name__).removesuffix("Schema").removeprefix("Shown")


DEFINITIONS, _CONVERTER = _build()


def describe_parameters(schema: Schema) -> dict[str, dict[str, Any]]:
    """Give the query parameters that a schema loads, each by its name as Swagger 2.0 describes one."""
    return {item["name"]: _describe_parameter(item) for item in _CONVERTER.schema2parameters(schema, location="query")}


def _describe_parameter(item: dict[str, Any]) -> dict[str, Any]:
    # Swagger 2.0 knows no null and no example in a parameter; a default that says nothing is left out.
    kept = {key: value for key, value in item.items() if key not in {"name", "x-nullable"} and value not in (None, "", [])}
    if "enum" in kept:
        kept["enum"] = [choice for choice in kept["enum"] if choice is not None]
    return {**{key: value for key, value in kept.items() if key != "example"}, "x-example": kept["example"]}
