"""What callers may send, as marshmallow schemas: JSON bodies in, plain objects out."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate
from werkzeug.exceptions import UnsupportedMediaType

from main.controller.boundedjson import read_json
from main.controller.documents import shown
from main.service.model import BreakerMode, GuardChange

_LARGEST = 64 * 1024  # no body of this API comes near it
_MODES = tuple(mode.value for mode in BreakerMode)
_ONE_OF_MODES = f"must be one of: {', '.join(_MODES)}"


class Flag(fields.Boolean):
    """A JSON true or false, and nothing that merely looks like one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        if not isinstance(value, bool):
            raise ValidationError(f"must be true or false{', or null' if self.allow_none else ''}")
        return value


class Body(Schema):
    """A JSON object: an unknown field is an error that names those there are."""

    class Meta:
        """Unknown fields are errors."""

        unknown = RAISE

    def __init__(self) -> None:
        super().__init__()
        self.error_messages = {**self.error_messages, "unknown": f"is unknown; there is: {', '.join(self.load_fields)}"}


class SourceChangeSchema(Body):
    """What a person wants of a source's guard; at least one of the fields."""

    breaker = fields.String(
        validate=validate.OneOf(_MODES, error=_ONE_OF_MODES),
        error_messages={"invalid": _ONE_OF_MODES, "null": _ONE_OF_MODES},
        metadata=shown(
            "auto decides by how calls go, forced_open lets none through, closed all of them.", "auto", enum=list(_MODES)
        ),
    )
    enabled = Flag(
        allow_none=True,
        metadata=shown("Whether the source is synced; null gives the switch back to the settings.", True),
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> GuardChange:
        """Give the change."""
        if not data:
            raise ValidationError(f"must have at least one of: {', '.join(self.load_fields)}", "body")
        mode = BreakerMode(data["breaker"]) if "breaker" in data else None
        return GuardChange(mode=mode, sets_enabled="enabled" in data, enabled=data.get("enabled"))


class SyncRequestSchema(Body):
    """How a sync is to be done."""

    force = Flag(
        load_default=False, metadata=shown("Accept a crawl that lost more than half of its products, as --force does.", False)
    )


def _secret(most: int, description: str, example: str) -> fields.String:
    length = validate.Length(min=1, max=most, error=f"must be 1 to {most} characters")
    return fields.String(required=True, validate=length, metadata=shown(description, example, maxLength=most, minLength=1))


class LoginSchema(Body):
    """Who logs in."""

    username = _secret(200, "The account's name.", "ada")
    password = _secret(1000, "Its password.", "correct horse battery staple")


class RefreshSchema(Body):
    """A login that goes on."""

    refresh_token = _secret(8000, "The refresh token of the last answer; it works once.", "eyJhbGciOi...")


def raw_body() -> bytes:
    """Give the body as it came.

    Raises:
        RequestEntityTooLarge: it is larger than any body of this API.
    """
    request.max_content_length = _LARGEST
    return request.get_data()


def load_body(schema: Schema) -> Any:
    """Load the JSON body with a schema; no body at all is an empty object.

    Raises:
        UnsupportedMediaType: it is something else than JSON.
        MalformedBody: it is not well-formed JSON.
        ValidationError: it is no object, out of bounds (:mod:`main.controller.boundedjson`), or a field is unknown or wrong.
    """
    raw = raw_body()
    if not raw:
        return schema.load({})
    if not request.is_json:
        raise UnsupportedMediaType
    given = read_json(raw)
    if not isinstance(given, dict):
        raise ValidationError({"body": [f"must be a JSON object with: {', '.join(schema.load_fields)}"]})
    return schema.load(given)
