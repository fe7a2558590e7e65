"""The part of ``auth`` in config.yml that is about tokens: who issues them, what signs them, whose are taken."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, post_load, pre_load, validate, validates_schema

from main.service.model import Provider, Role
from main.settings import model
from main.settings.basics import Section, integer, one_of, text
from main.settings.fields import SecretText, TextMap, WebUrl
from main.settings.sources import read_files

if TYPE_CHECKING:
    from main.util.secret import Secret

SIGNING = ("HS256", "RS256", "EdDSA")
OUTSIDE = ("RS256", "ES256", "EdDSA")
_LEAST_SECRET = 32
_LEAST_DIFFERENT = 8


class SigningSecret(SecretText):
    """A secret to sign with: long enough that nobody finds it by trying (RFC 7518, 3.2)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Secret:
        secret = super()._deserialize(value, attr, data, **kwargs)
        found = secret.reveal().encode()
        if len(found) < _LEAST_SECRET or len(set(found)) < _LEAST_DIFFERENT:
            raise ValidationError(f"at least {_LEAST_SECRET} bytes, {_LEAST_DIFFERENT} of them different")
        return secret


class KeySetUrl(WebUrl):
    """Where a provider's keys are: nobody on the way may replace them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        url = super()._deserialize(value, attr, data, **kwargs)
        parts = urlsplit(url)
        if parts.scheme != "https" and not _is_loopback(str(parts.hostname)):
            raise ValidationError("an https:// URL, or http:// to this machine's own loopback")
        return url


class SigningSchema(Section):
    """``auth.signing``."""

    into = model.Signing
    algorithm = text(validate=one_of(*SIGNING))


class ProviderSchema(Section):
    """One of ``auth.providers``."""

    into = Provider
    issuer = text(required=True)
    audience = text(required=True)
    jwks_url = KeySetUrl(required=True)
    algorithms = fields.List(
        text(validate=one_of(*OUTSIDE)),
        validate=validate.Length(min=1, error="at least one algorithm"),
        error_messages={"invalid": "a list of algorithms"},
    )
    role_claim = text()
    roles = TextMap(
        required=True,
        keys=text(),
        values=text(validate=one_of(*Role)),
        validate=validate.Length(min=1, error="a mapping of the provider's values to roles"),
        error_messages={"invalid": "a mapping of the provider's values to roles"},
    )

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Provider:
        """Give the frozen object."""
        if "algorithms" in data:
            data["algorithms"] = tuple(data["algorithms"])
        return Provider(**{**data, "roles": {said: Role(role) for said, role in data["roles"].items()}})


class TokensSchema(Section):
    """What ``auth`` says of tokens."""

    issuer = text()
    audience = text()
    access_minutes = integer(1, 15)
    session_hours = integer(1, 24)
    refresh_days = integer(1, 365)
    signing = fields.Nested(SigningSchema)
    secret = SigningSecret()
    providers = fields.List(fields.Nested(ProviderSchema), error_messages={"invalid": "a list of providers"})

    @pre_load
    def replace_secret_file(self, data: Any, **_: Any) -> Any:
        """Replace ``secret_file`` by ``secret`` with the file's content."""
        return read_files(data, ("secret_file",)) if isinstance(data, dict) else data

    @validates_schema
    def check_secret(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a secret where keys of another kind sign."""
        if "secret" in data and data.get("signing", model.Signing()).algorithm != "HS256":
            raise ValidationError("only for auth.signing.algorithm HS256", "secret")

    @validates_schema
    def check_issuers(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse two providers of one name, for a token only says the name."""
        issuers = [provider.issuer for provider in data.get("providers", ())]
        twice = [index for index, issuer in enumerate(issuers) if issuer in issuers[:index]]
        if twice:
            fault = ["an issuer that no other provider has"]
            raise ValidationError({"providers": {index: {"issuer": fault} for index in twice}})

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Any:
        """Give the frozen object."""
        return self.into(**{**data, "providers": tuple(data.get("providers", ()))})


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
