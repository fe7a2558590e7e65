"""The shape of one source in config.yml, its credentials included."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, pre_load, validate, validates_schema

from main.service.model import Credentials, FieldMap, Listing, OAuth2, Source
from main.settings.basics import Section, boolean, integer, one_of, text, texts
from main.settings.fields import (
    CallRate,
    CurrencyCode,
    Duration,
    Provided,
    SecretText,
    Size,
    SourceName,
    SourceUrl,
    TextMap,
    WebUrl,
)
from main.settings.mapped import FieldsSchema, ItemSchema, ListSchema
from main.util.secret import SecretName

if TYPE_CHECKING:
    from collections.abc import Collection

PRESETS = ("ebay", "magento2", "medusa", "openfoodfacts")
KINDS = ("dummyjson", "ebay", "fakestore", "feed", "magento2", "mapped", "medusa", "openfoodfacts", "shopify", "woocommerce")
FEED_FORMATS = ("csv", "tsv", "json", "ndjson", "xml")
FEED_COLUMNS = [
    "id",
    "name",
    "brand",
    "description",
    "category",
    "price",
    "currency",
    "availability",
    "stock",
    "rating",
    "rating_count",
    "gtin",
    "sku",
    "url",
    "images",
    "tags",
    "updated_at",
]
APIS = {"woocommerce": ("v3", "store"), "medusa": ("v1", "v2")}


class SecretSection(Schema):
    """A mapping of secrets, each given as ``${NAME}`` or, under the key with ``_file``, as a path."""

    class Meta:
        """Unknown keys are faults."""

        unknown = RAISE

    @pre_load
    def replace_files(self, data: Any, **_: Any) -> Any:
        """Replace each ``KEY_file`` by ``KEY`` with the file's content."""
        return read_files(data) if isinstance(data, dict) else data


def read_files(data: dict[Any, Any], only: Collection[str] | None = None) -> dict[Any, Any]:
    """Replace each ``KEY_file``, or ``only`` these, by ``KEY`` with the file's content.

    Raises:
        ValidationError: files cannot be read; names each.
    """
    found, faults = {}, {}
    for key, value in data.items():
        if not (isinstance(key, str) and key.endswith("_file")) or (only is not None and key not in only):
            found[key] = value
            continue
        try:
            found[key.removesuffix("_file")] = Provided(Path(str(value)).read_text(encoding="utf-8").strip())
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8, or no path"
            faults[key] = [f"a readable file ({reason})"]
    if faults:
        raise ValidationError(faults)
    return found


class SecretMap(TextMap):
    """A mapping of names to secrets."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[Any, Any]:
        return super()._deserialize(read_files(value) if isinstance(value, dict) else value, attr, data, **kwargs)


class BasicSchema(SecretSection):
    """``auth.basic`` of a source (RFC 7617)."""

    username = SecretText(into=SecretName, required=True)
    password = SecretText(required=True)


class HeaderSchema(SecretSection):
    """``auth.header`` of a source: a header of its own that carries the secret."""

    name = text(required=True, validate=validate.Regexp(r"[A-Za-z0-9-]+\Z", error="a header's name, such as X-Api-Key"))
    value = SecretText(required=True)


class OAuth2Schema(SecretSection):
    """``auth.oauth2`` of a source: where its access tokens come from (RFC 6749, 4.4)."""

    token_url = WebUrl(required=True)
    client_id = SecretText(into=SecretName, required=True)
    client_secret = SecretText(required=True)
    scope = text()
    audience = text()


AUTH_KINDS = ("basic", "bearer", "header", "oauth2", "query")


class SourceAuthSchema(SecretSection):
    """``auth`` of a source: one of the ways there are."""

    basic = fields.Nested(BasicSchema)
    bearer = SecretText()
    header = fields.Nested(HeaderSchema)
    oauth2 = fields.Nested(OAuth2Schema)
    query = SecretMap(keys=text(), values=SecretText(), error_messages={"invalid": "a mapping of names to secrets"})

    @validates_schema
    def check_one(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse two ways at once."""
        if len(data) != 1:
            raise ValidationError(f"exactly one of {', '.join(AUTH_KINDS)}")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Credentials:
        """Give the frozen credentials."""
        basic, header = data.get("basic"), data.get("header")
        return Credentials(
            basic=(basic["username"], basic["password"]) if basic else None,
            bearer=data.get("bearer"),
            header=(header["name"], header["value"]) if header else None,
            query=tuple(sorted(data.get("query", {}).items())),
            oauth2=OAuth2(**data["oauth2"]) if "oauth2" in data else None,
        )


class SourceSchema(Section):
    """One entry of ``sources``."""

    into = Source
    name = SourceName(required=True)
    kind = text(required=True, validate=one_of(*KINDS))
    url = SourceUrl(required=True)
    currency = CurrencyCode()
    every = Duration(at_least=timedelta(seconds=1))
    stale_after = Duration(at_least=timedelta(seconds=1))
    timeout = Duration(at_least=timedelta(milliseconds=50))
    concurrency = integer(1, 64)
    rate = CallRate()
    max_body = Size(at_least=1024, at_most=256 * 1024 * 1024)
    proxy = WebUrl()
    auth = fields.Nested(SourceAuthSchema, attribute="credentials")
    headers = texts()
    max_products = integer(1, 10_000_000)
    required = boolean()
    priced = boolean()
    enabled = boolean()
    categories = texts()
    api = text(validate=one_of(*(api for apis in APIS.values() for api in apis)))
    format = text(validate=one_of(*FEED_FORMATS))
    columns = texts(keys=text(validate=one_of(*FEED_COLUMNS)))
    listing = fields.Nested(ListSchema, data_key="list")
    item = fields.Nested(ItemSchema)
    mapping = fields.Nested(FieldsSchema, data_key="fields")

    @validates_schema(skip_on_field_errors=False)
    def check_kind(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what another kind takes."""
        kind = data.get("kind")
        if kind is None:
            return  # a fault already
        misplaced: dict[str, Any] = {
            key: [f"only for kind {' or '.join(owners)}"]
            for key, owners in _OWNED_KEYS.items()
            if _ATTRIBUTES.get(key, key) in data and kind not in owners
        }
        if data.get("api") is not None and data["api"] not in APIS.get(kind, (data["api"],)):
            misplaced["api"] = [" | ".join(APIS[kind])]
        if kind != "feed" and str(data.get("url", "")).startswith("file:"):
            misplaced["url"] = ["an http:// or https:// URL (file:// is for kind feed)"]
        if kind != "feed" and "?" in str(data.get("url", "")):
            misplaced["url"] = ["a URL without a query: the kind adds its own"]
        if misplaced:
            raise ValidationError(misplaced)

    @validates_schema
    def check_mapping(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a mapping without what every product needs, and a built-in kind's list turned into another."""
        listing, mapping = data.get("listing", Listing()), data.get("mapping", FieldMap())
        needed = ("id", "name", *(() if data.get("priced") is False or mapping.variants else ("price",)))
        missing = {key: ["a JMESPath expression"] for key in needed if key not in mapping.fields}
        if data["kind"] == "mapped" and missing:
            raise ValidationError({"fields": missing})
        if data["kind"] in PRESETS and listing != Listing(params=listing.params):
            raise ValidationError("params alone; the kind knows the rest", "list")


_OWNED_KEYS = {
    "api": tuple(APIS),
    "format": ("feed",),
    "columns": ("feed",),
    "list": ("mapped", *PRESETS),
    "item": ("mapped",),
    "fields": ("mapped", *PRESETS),
}
_ATTRIBUTES = {"list": "listing", "fields": "mapping"}
