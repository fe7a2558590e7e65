"""What ``/auth`` answers, as marshmallow schemas."""

from __future__ import annotations

from marshmallow import Schema, fields

from main.controller.documents import shown
from main.service.model import CallerKind, Role

_CSRF = "To be sent as X-CSRF-Token with calls that change something, where only the cookie says who asks."
_TOKEN = "eyJhbGciOi..."  # noqa: S105 - what one begins with


class TokensSchema(Schema):
    """What a login gives."""

    message = fields.String(required=True, metadata=shown("What happened.", "Logged in"))
    access_token = fields.String(required=True, metadata=shown("To be sent as `Authorization: Bearer`.", _TOKEN))
    token_type = fields.String(required=True, metadata=shown("Always Bearer.", "Bearer"))
    expires_in = fields.Integer(required=True, metadata=shown("For how many seconds the access token is good.", 900))
    refresh_token = fields.String(required=True, metadata=shown("For POST /auth/refresh; it works once.", _TOKEN))
    csrf_token = fields.String(required=True, metadata=shown(_CSRF, "dGhpcw.aXMgb25l"))


class CallerSchema(Schema):
    """Who is asking."""

    username = fields.String(required=True, metadata=shown("The account's name, or the key's.", "ada"))
    kind = fields.String(
        required=True, metadata=shown("How the caller is known.", "account", enum=[kind.value for kind in CallerKind])
    )
    role = fields.String(
        required=True, metadata=shown("Each may do what those before it may.", "reader", enum=[role.value for role in Role])
    )
    csrf_token = fields.String(metadata=shown(_CSRF, "dGhpcw.aXMgb25l"))


class FarewellSchema(Schema):
    """What a logout says."""

    message = fields.String(required=True, metadata=shown("What happened.", "Logged out"))


class KeySetSchema(Schema):
    """A JWK set (RFC 7517)."""

    keys = fields.List(
        fields.Dict(keys=fields.String()),
        required=True,
        metadata=shown(
            "The public keys in use; none where tokens are signed with a secret.",
            [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "use": "sig",
                    "alg": "EdDSA",
                    "kid": "2026-11",
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                }
            ],
        ),
    )
