"""The shape of config.yml as marshmallow schemas that load into frozen settings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, cast

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, pre_load, validate, validates_schema

from main.service.model import Credentials, Source
from main.settings import model
from main.settings.fields import (
    CallRate,
    CurrencyCode,
    Duration,
    Provided,
    SecretText,
    SourceName,
    SourceUrl,
    TextMap,
    WholeNumber,
)
from main.util.logs import LEVELS

KINDS = ("dummyjson", "fakestore", "feed", "shopify", "woocommerce")
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
WOOCOMMERCE_APIS = ("v3", "store")


def one_of(*choices: str) -> validate.OneOf:
    """Allow these words only."""
    return validate.OneOf(choices, error=" | ".join(choices))


def between(least: int, most: int) -> validate.Range:
    """Allow whole numbers from ``least`` to ``most``."""
    return validate.Range(min=least, max=most, error=f"a whole number from {least} to {most}")


def text(**kwargs: Any) -> fields.String:
    """Give a field of text that is not empty."""
    kwargs.setdefault("validate", validate.Length(min=1, max=500, error="1 to 500 characters"))
    return fields.String(error_messages={"invalid": "text"}, **kwargs)


def integer(least: int, most: int) -> fields.Integer:
    """Give a field of a whole number within bounds."""
    allowed = f"a whole number from {least} to {most}"
    return WholeNumber(strict=True, validate=between(least, most), error_messages={"invalid": allowed})


def boolean() -> fields.Boolean:
    """Give a field that is true or false."""
    return fields.Boolean(
        truthy={True, "true", "True", "yes", "on"},
        falsy={False, "false", "False", "no", "off"},
        error_messages={"invalid": "true | false"},
    )


def texts(keys: Any = None) -> TextMap:
    """Give a field that maps texts to texts."""
    return TextMap(keys=keys or text(), values=text(), error_messages={"invalid": "a mapping of texts"})


class Section(Schema):
    """A part of config.yml that loads into the dataclass it names."""

    into: ClassVar[type[Any]]

    class Meta:
        """Unknown keys are faults."""

        unknown = RAISE

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Any:
        """Give the frozen object."""
        return self.into(**data)


class ServiceSchema(Section):
    """``service``."""

    into = model.Service
    name = text()
    description = text()
    id = text()


class GreetingSchema(Section):
    """``greeting``."""

    into = model.Greeting
    default_name = text()


class StoreSchema(Section):
    """``store``."""

    into = model.Store
    url = text(
        validate=validate.Regexp(r"sqlite:///.+", error="sqlite:///FILE, relative to the data folder, or sqlite:////PATH")
    )


class TasksSchema(Section):
    """``tasks``."""

    into = model.Tasks
    url = text(
        validate=validate.Regexp(
            r"(sqlite:///|postgresql://|mongodb://).+", error="sqlite:///FILE, postgresql://... or mongodb://..."
        )
    )


class CacheSchema(Section):
    """``cache``."""

    into = model.Cache
    kind = text(validate=one_of("memory", "file", "memcached", "redis"))
    url = text()
    path = text()


class AuthSchema(Section):
    """``auth``."""

    into = model.Auth
    anonymous = text(validate=one_of("none", "reader"))


class CurrencySchema(Section):
    """``currency``."""

    into = model.Currency
    base = CurrencyCode()


class LoggerSchema(Section):
    """``logger``."""

    into = model.Logger
    kind = text(validate=one_of("auto", "console", "json"))
    level = text(validate=one_of(*LEVELS))


class ServerSchema(Section):
    """``server``."""

    into = model.Server
    proxies = integer(0, 10)


class SearchSchema(Section):
    """``search``."""

    into = model.Search
    cached_pages = integer(0, 100_000)


class SecretSection(Schema):
    """A mapping of secrets, each given as ``${NAME}`` or, under the key with ``_file``, as a path."""

    class Meta:
        """Unknown keys are faults."""

        unknown = RAISE

    @pre_load
    def replace_files(self, data: Any, **_: Any) -> Any:
        """Replace each ``KEY_file`` by ``KEY`` with the file's content."""
        return read_files(data) if isinstance(data, dict) else data


def read_files(data: dict[Any, Any]) -> dict[Any, Any]:
    """Replace each ``KEY_file`` by ``KEY`` with the file's content.

    Raises:
        ValidationError: files cannot be read; names each.
    """
    found, faults = {}, {}
    for key, value in data.items():
        if not (isinstance(key, str) and key.endswith("_file")):
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

    username = SecretText(required=True)
    password = SecretText(required=True)


class HeaderSchema(SecretSection):
    """``auth.header`` of a source: a header of its own that carries the secret."""

    name = text(required=True, validate=validate.Regexp(r"[A-Za-z0-9-]+\Z", error="a header's name, such as X-Api-Key"))
    value = SecretText(required=True)


class SourceAuthSchema(SecretSection):
    """``auth`` of a source: one of basic, bearer, header, query."""

    basic = fields.Nested(BasicSchema)
    bearer = SecretText()
    header = fields.Nested(HeaderSchema)
    query = SecretMap(keys=text(), values=SecretText(), error_messages={"invalid": "a mapping of names to secrets"})

    @validates_schema
    def check_one(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse two ways at once."""
        if len(data) != 1:
            raise ValidationError("exactly one of basic, bearer, header, query")

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Credentials:
        """Give the frozen credentials."""
        basic, header = data.get("basic"), data.get("header")
        return Credentials(
            basic=(basic["username"], basic["password"]) if basic else None,
            bearer=data.get("bearer"),
            header=(header["name"], header["value"]) if header else None,
            query=tuple(sorted(data.get("query", {}).items())),
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
    auth = fields.Nested(SourceAuthSchema, attribute="credentials")
    headers = texts()
    max_products = integer(1, 10_000_000)
    required = boolean()
    priced = boolean()
    enabled = boolean()
    categories = texts()
    api = text(validate=one_of(*WOOCOMMERCE_APIS))
    format = text(validate=one_of(*FEED_FORMATS))
    columns = texts(keys=text(validate=one_of(*FEED_COLUMNS)))

    @validates_schema(skip_on_field_errors=False)
    def check_kind(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what another kind takes."""
        kind = data.get("kind")
        if kind is None:
            return  # a fault already
        misplaced = {key: [f"only for kind {owner}"] for key, owner in _OWNED_KEYS.items() if key in data and kind != owner}
        if kind != "feed" and str(data.get("url", "")).startswith("file:"):
            misplaced["url"] = ["an http:// or https:// URL (file:// is for kind feed)"]
        if kind != "feed" and "?" in str(data.get("url", "")):
            misplaced["url"] = ["a URL without a query: the kind adds its own"]
        if misplaced:
            raise ValidationError(cast("dict[str, Any]", misplaced))


_OWNED_KEYS = {"api": "woocommerce", "format": "feed", "columns": "feed"}


class ConfigSchema(Schema):
    """config.yml, whole."""

    class Meta:
        """Unknown keys are faults."""

        unknown = RAISE

    service = fields.Nested(ServiceSchema)
    greeting = fields.Nested(GreetingSchema)
    store = fields.Nested(StoreSchema)
    tasks = fields.Nested(TasksSchema)
    cache = fields.Nested(CacheSchema)
    auth = fields.Nested(AuthSchema)
    currency = fields.Nested(CurrencySchema)
    logger = fields.Nested(LoggerSchema)
    search = fields.Nested(SearchSchema)
    server = fields.Nested(ServerSchema)
    sources = fields.List(fields.Nested(SourceSchema), error_messages={"invalid": "a list of sources"})

    @validates_schema(skip_on_field_errors=False)
    def check_names(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse two sources of one name."""
        sources = data.get("sources") or ()
        names = [source.name if isinstance(source, Source) else source.get("name") for source in sources]
        twice = [index for index, name in enumerate(names) if name is not None and name in names[:index]]
        if twice:
            raise ValidationError({"sources": {index: {"name": ["a name that no other source has"]} for index in twice}})
