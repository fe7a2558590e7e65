"""The Swagger document and its page: what the decorators have told, with every definition, example, error and media type."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import render_template, url_for
from flask_restx import Api

from main.controller.definitions import DEFINITIONS
from main.controller.guards import PUBLIC, ROLE
from main.controller.limitdocs import describe_limits
from main.controller.limits import UNLIMITED
from main.controller.problems import MEDIA_TYPE, render
from main.controller.swagger import ERROR_HEADERS, OPTIONAL_BODY, PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flask import Flask, Response

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
_SOURCES = {"source", "require"}  # the parameters that name sources


def _describe_body(item: Mapping[str, Any]) -> dict[str, Any]:
    required = item["description"] != OPTIONAL_BODY
    return {**item, "name": "body", "required": required}


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
        name, description = PROBLEMS[code]
        found = {"description": description, "schema": {"$ref": f"#/definitions/{name}"}, "headers": ERROR_HEADERS.get(code)}
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
