"""Swagger documents out of the marshmallow schemas, so that what is documented is what is checked."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import render_template, url_for
from flask_restx import Api

from main.controller import bodies, fields, identities, schemas, standing, taskschemas
from main.controller.documents import ShownProductSchema, UtcTime
from main.controller.guards import PUBLIC, ROLE
from main.controller.limitdocs import describe_limits
from main.controller.limits import UNLIMITED
from main.controller.problems import MEDIA_TYPE, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import marshmallow
    from flask import Flask, Response
    from flask_restx import Namespace
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
_PROBLEMS = {
    400: ("Problem", "The body is not well-formed JSON, or the Idempotency-Key is malformed."),
    401: ("Problem", "Nobody is known to be asking: no credentials, or wrong ones."),
    403: ("Problem", "Whoever asks may not do this."),
    404: ("Problem", "There is no such thing."),
    406: ("Problem", "The Accept header rules out what this address gives; detail names it."),
    409: ("Problem", "The source is switched off, or a request with the same Idempotency-Key is under way."),
    410: ("Gone", "It was in the catalogue, and has left it within the last 90 days."),
    412: ("Problem", "It has changed since it was read; read it again."),
    413: ("Problem", "The body is larger than 64 KiB."),
    415: ("Problem", "The body is something else than JSON."),
    428: ("Problem", "If-Match is missing: the ETag of what was seen."),
    429: ("Problem", "Asked too often; Retry-After says when to come back."),
    422: ("Invalid", "A parameter or field is unknown or wrong; errors names it."),
    500: ("Problem", "Something went wrong inside; nothing of it is shown."),
    503: ("Unavailable", "Cannot answer now; Retry-After says when to come back."),
}
_CHALLENGE_HEADER = {"WWW-Authenticate": {"description": "How to come in (RFC 6750)", "type": "string"}}
_RETRY_HEADER = {"Retry-After": {"description": "Seconds to wait before asking again", "type": "integer"}}
_ERROR_HEADERS = {401: _CHALLENGE_HEADER, 429: _RETRY_HEADER, 503: _RETRY_HEADER}
# Swagger 2.0 has no scheme for cookies; as a header it is at least told what they are called.
SCHEMES = {
    "bearer": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Bearer `, then the access_token of POST /auth, or a key of `python -m main keys issue`.",
    },
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A key of `python -m main keys issue`.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "header",
        "name": "Cookie",
        "description": "`token` (`__Host-token` over https), set by POST /auth. Browsers send it by themselves: leave this empty.",
    },
}
ETAG_HEADER = {
    "ETag": {
        "description": "Strong; changes when any byte of the answer does. Live answers have none",
        "type": "string",
        "x-optional": True,
    }
}
VERSION_HEADER = {"ETag": {"description": "The version, in double quotes", "type": "string"}}
SWITCH_HEADER = {
    "ETag": {
        "description": "Weak; names the switch alone, breaker and enabled, for If-Match. The rest of the answer changes without it",
        "type": "string",
    }
}
COOKIE_HEADER = {
    "Set-Cookie": {
        "description": "The cookie `token` (`__Host-token` over https), HttpOnly and SameSite=Strict",
        "type": "string",
    }
}
BODY_ERRORS = (400, 413, 415)
LOCATION_HEADER = {"Location": {"description": "Path of what was made", "type": "string"}}
PAGING_HEADERS = {
    "Link": {"description": "first, prev, next, last (RFC 8288)", "type": "string"},
    "X-Total-Count": {"description": "How many the whole result has", "type": "integer"},
}
LIVE_HEADERS = {
    # x-optional: not in every answer, so that tests can tell
    "Aisle-Complete": {
        "description": "On lists and live answers: ?1 when nothing is missing, ?0 otherwise (RFC 9651)",
        "type": "string",
        "x-optional": True,
    },
    "Cache-Status": {
        "description": "With live=true: where the answer came from (RFC 9211)",
        "type": "string",
        "x-optional": True,
    },
    "Age": {
        "description": "With live=true: seconds since the oldest of the shops' answers",
        "type": "integer",
        "x-optional": True,
    },
}
_BODY = "A JSON object"
_OPTIONAL_BODY = "A JSON object; none at all means an empty one"
_SEVERAL = {"collectionFormat": "multi", "maxItems": fields.LIST_LIMIT}
_SOURCES = {"source", "require"}  # the parameters that name sources
_SHAPES: Mapping[type, dict[str, Any]] = {
    fields.Flag: {"type": "boolean"},
    fields.Amount: {"type": "string", "pattern": fields.AMOUNT_PATTERN},
    fields.CurrencyCode: {"type": "string", "pattern": fields.CURRENCY_PATTERN},
    UtcTime: {"example": UtcTime.example},
}
F = TypeVar("F")


def _describe_own_fields(_converter: Any, field: marshmallow.fields.Field[Any], **_: Any) -> dict[str, Any]:
    items: dict[str, Any] = {"type": "string"}
    if isinstance(field, fields.Choices):
        return {"type": "array", "items": {**items, "enum": list(field.choices.values())}, "collectionFormat": "csv"}
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


def answers(namespace: Namespace, code: int, name: str, description: str, **extra: Any) -> Callable[[F], F]:
    """Document one answer of an endpoint by the schema of this name."""
    model = namespace.schema_model(name, DEFINITIONS[name])
    if code in _ERROR_HEADERS:
        extra["headers"] = _ERROR_HEADERS[code]
    return cast("Callable[[F], F]", namespace.response(code, description, model, **extra))


def documented(
    namespace: Namespace, name: str | None, description: str, *, code: int = 200, errors: Sequence[int] = (), **extra: Any
) -> Callable[[F], F]:
    """Document an endpoint's answer by the schema of this name (None: it has no body), and the errors it may give beside 500."""

    def decorate(function: F) -> F:
        if name is None:
            namespace.response(code, description)(function)
        else:
            function = answers(namespace, code, name, description, **extra)(function)
        for error in (*errors, 500):
            function = answers(namespace, error, *_PROBLEMS[error])(function)
        return function

    return decorate


def conditional(namespace: Namespace) -> Callable[[F], F]:
    """Document that an endpoint answers 304 while the caller's ETag still holds."""

    def decorate(function: F) -> F:
        namespace.response(304, "Nothing changed since the ETag in If-None-Match.", headers=ETAG_HEADER)(function)
        described = {"in": "header", "type": "string", "description": "The ETag of the answer the caller holds"}
        namespace.doc(params={"If-None-Match": {**described, "x-example": '"d41d8cd98f00b204"'}})(function)
        return function

    return decorate


def preconditioned(namespace: Namespace, *, example: str = '"1"') -> Callable[[F], F]:
    """Document that an endpoint needs what the caller has seen."""
    described = {
        "in": "header",
        "type": "string",
        "required": True,
        "description": "The ETag that was seen, or * for whatever it is now",
    }
    return cast("Callable[[F], F]", namespace.doc(params={"If-Match": {**described, "x-example": example}}))


def parameters(namespace: Namespace, schema: Schema) -> Callable[[F], F]:
    """Document the query parameters that a schema loads."""
    found = _CONVERTER.schema2parameters(schema, location="query")
    return cast("Callable[[F], F]", namespace.doc(params={item["name"]: _describe_parameter(item) for item in found}))


def body(namespace: Namespace, name: str, *, required: bool = True) -> Callable[[F], F]:
    """Document the JSON body that the schema of this name loads."""
    model = (namespace.schema_model(name, DEFINITIONS[name]), _BODY if required else _OPTIONAL_BODY)
    return cast("Callable[[F], F]", namespace.expect(model, validate=False))


def _describe_body(item: Mapping[str, Any]) -> dict[str, Any]:
    required = item["description"] != _OPTIONAL_BODY
    return {**item, "name": "body", "required": required}


def _describe_parameter(item: dict[str, Any]) -> dict[str, Any]:
    # Swagger 2.0 knows no null and no example in a parameter; a default that says nothing is left out.
    kept = {key: value for key, value in item.items() if key not in {"name", "x-nullable"} and value not in (None, "", [])}
    if "enum" in kept:
        kept["enum"] = [choice for choice in kept["enum"] if choice is not None]
    return {**{key: value for key, value in kept.items() if key != "example"}, "x-example": kept["example"]}


def _find_example(described: Mapping[str, Any]) -> Any:
    """Give the example of a definition, put together from those of its fields."""
    if "example" in described:
        return described["example"]
    if "allOf" in described:
        return _find_example(described["allOf"][0])
    if "$ref" in described:
        return _find_example(DEFINITIONS[described["$ref"].rpartition("/")[2]])
    if described["type"] == "array":
        return [_find_example(described["items"])]
    return {name: _find_example(field) for name, field in described["properties"].items()}


def _show_answer(code: int, response: Mapping[str, Any]) -> dict[str, Any]:
    if "schema" not in response:
        return {**response}
    example = _find_example(response["schema"])
    if code < HTTPStatus.BAD_REQUEST:
        return {**response, "examples": {"application/json": example}}
    about = {"title": HTTPStatus(code).phrase, "status": code, "detail": response["description"]}
    return {**response, "examples": {MEDIA_TYPE: {**example, **about}}}


def _add_errors(operation: dict[str, Any], *codes: int) -> None:
    """Add to an operation errors that no endpoint documents by itself."""
    for code in codes:
        name, description = _PROBLEMS[code]
        found = {"description": description, "schema": {"$ref": f"#/definitions/{name}"}, "headers": _ERROR_HEADERS.get(code)}
        operation["responses"].setdefault(str(code), {key: value for key, value in found.items() if value})


def _guard_operation(operation: dict[str, Any], *, anonymous: bool) -> None:
    """Add to an operation what its guard asks for, and how that may be refused."""
    role = operation[ROLE]
    if role == PUBLIC:
        return
    _add_errors(operation, 401, 403, 429, 503)
    open_to_all: list[dict[str, list[str]]] = [{}] if anonymous and role == "reader" else []
    operation["security"] = [*open_to_all, *({scheme: []} for scheme in SCHEMES)]


def _name_sources(document: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Give a document whose parameters ``source`` and ``require`` allow these names."""
    allowed = {"items": {"type": "string", "enum": [*names]}, "x-example": [*names[:1]]} if names else {}

    def name(part: Any) -> Any:
        if not isinstance(part, dict) or "responses" not in part:
            return part
        given = part.get("parameters", ())
        return {**part, "parameters": [{**each, **allowed} if each["name"] in _SOURCES else each for each in given]}

    paths = {path: {key: name(part) for key, part in item.items()} for path, item in document["paths"].items()}
    return {**document, "paths": paths}


class AisleApi(Api):  # type: ignore[misc]
    """Flask-RESTX with one error renderer, complete definitions and a page without inline scripts.

    ``sources`` gives the names a caller may choose among now; ``anonymous`` says that readers need no login. Where they do, the
    document, which everybody may read, names none.
    """

    def __init__(self, *args: Any, sources: Callable[[], Sequence[str]], anonymous: bool = False, **kwargs: Any) -> None:
        self._sources = sources
        self._anonymous = anonymous
        self._named: tuple[Sequence[str], dict[str, Any]] | None = None
        super().__init__(*args, authorizations=SCHEMES, **kwargs)

    def handle_error(self, e: Exception) -> Response:
        """Render every error the same way in and outside the API."""
        return render(e)

    def render_doc(self) -> str:
        """Give the page of Swagger UI."""
        return render_template("swagger.html", title=self.title, document=url_for("specs"), caller=url_for("auth_me"))

    def _register_doc(self, app_or_blueprint: Flask) -> None:
        # RESTX would put its own 404 page at the root; the root is an endpoint of ours.
        app_or_blueprint.add_url_rule(self._doc, "doc", self.render_doc)

    @property
    def __schema__(self) -> dict[str, Any]:
        """The Swagger 2.0 document under the prefix it is asked for: RESTX's, with every definition, example and media type."""
        names, made = self._sources() if self._anonymous else (), self._named
        if made is None or made[0] != names:
            made = self._named = (names, _name_sources(self._document, names))
        return {**made[1], "basePath": self.base_path.rstrip("/") or "/"}

    @cached_property
    def _document(self) -> dict[str, Any]:
        made: dict[str, Any] = super().__schema__
        found = ((path, part) for path, item in made["paths"].items() for part in item.values() if "responses" in part)
        for path, operation in found:
            _guard_operation(operation, anonymous=self._anonymous)
            if path not in UNLIMITED:
                _add_errors(operation, 406)
            shown = {code: _show_answer(int(code), response) for code, response in operation["responses"].items()}
            operation["responses"] = dict(sorted(shown.items()))
            given = operation.get("parameters", ())
            operation["parameters"] = [_describe_body(each) if each["in"] == "body" else each for each in given]
        describe_limits(made["paths"])
        kept = {key: value for key, value in made.items() if key != "responses"}
        # RESTX walks a set of methods: unsorted, each worker's document would be other bytes.
        kept["paths"] = {path: dict(sorted(item.items())) for path, item in made["paths"].items()}
        return {**kept, "definitions": DEFINITIONS, "produces": ["application/json", MEDIA_TYPE]}
