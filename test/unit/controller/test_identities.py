from __future__ import annotations

from typing import Any

import pytest

from main.controller.identities import CallerSchema, FarewellSchema, KeySetSchema, TokensSchema
from main.service.model import CallerKind, Role

KEY = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "2026-11"}
EXAMPLES: dict[Any, dict[str, Any]] = {
    TokensSchema: {
        "message": "Logged in",
        "access_token": "eyJhbGciOi...",
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": "eyJhbGciOi...",
        "csrf_token": "dGhpcw.aXMgb25l",
    },
    CallerSchema: {"username": "ada", "kind": "account", "role": "reader", "csrf_token": "dGhpcw.aXMgb25l"},
    FarewellSchema: {"message": "Logged out"},
}


@pytest.mark.parametrize("schema", EXAMPLES)
def test_every_field_has_a_sentence_and_an_example(schema: Any):
    fields = schema().fields
    assert {name: field.metadata["example"] for name, field in fields.items()} == EXAMPLES[schema]
    assert all(field.metadata["description"].endswith(".") for field in fields.values())


@pytest.mark.parametrize("schema", [*EXAMPLES, KeySetSchema])
def test_every_field_is_promised_but_the_proof_that_only_browsers_need(schema: Any):
    left_out = {name for name, field in schema().fields.items() if not field.required}
    assert left_out == ({"csrf_token"} if schema is CallerSchema else set())


def test_what_a_caller_can_be_is_listed():
    fields = CallerSchema().fields
    assert fields["kind"].metadata["enum"] == [kind.value for kind in CallerKind]
    assert fields["role"].metadata["enum"] == [role.value for role in Role]


def test_the_example_of_a_key_set_is_a_public_key():
    shown = KeySetSchema().fields["keys"].metadata
    [key] = shown["example"]
    assert {**key, **KEY} == key
    assert set(key) == {*KEY, "x"}
    assert len(key["x"]) == 43
    assert shown["description"].startswith("The public keys in use")
