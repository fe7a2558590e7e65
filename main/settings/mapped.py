"""The shape of ``list``, ``item`` and ``fields`` of a source: a JSON API described in config.yml alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from main.service.model import FieldMap, FieldRule, ItemCall, Listing, Paging
from main.settings.basics import Section, integer, one_of, text
from main.util.expressions import ExpressionError, compile_expression
from main.util.places import find_places, strip_places

if TYPE_CHECKING:
    from collections.abc import Mapping

# What each page style needs, and what it may have beside what all of them take.
STYLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "page": (("param",), ("first", "more", "in")),
    "offset": (("param",), ("more", "in")),
    "cursor": (("param",), ("cursor", "cursor_header", "more", "in")),
    "link": ((), ("more",)),
    "next_url": (("next",), ("more",)),
    "none": ((), ("in",)),
}
_OF_ALL = ("style", "size_param", "size", "total")
EXPRESSION = "a JMESPath expression"


class JmesPath(fields.Field[str]):
    """A JMESPath expression, compiled to see whether it is one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if not isinstance(value, str) or not value.strip():
            raise ValidationError(EXPRESSION)
        try:
            return compile_expression(str(value)).text
        except ExpressionError as error:
            raise ValidationError(f"{EXPRESSION} ({error})") from error


class Scalars(fields.Dict):
    """A mapping of names to texts, numbers, true or false: what stands in a query."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str]:  # noqa: ARG002
        if not isinstance(value, dict) or not all(isinstance(item, str | int | float) for item in value.values()):
            raise ValidationError("a mapping of names to texts or numbers")
        return {str(name): str(item).lower() if isinstance(item, bool) else str(item) for name, item in value.items()}


class Body(fields.Field[dict[str, Any]]):
    """A JSON object, as it is sent."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        if not isinstance(value, dict):
            raise ValidationError("a mapping")
        return value


class PageSchema(Section):
    """``list.page``: how the list goes on."""

    into = Paging
    style = text(required=True, validate=one_of(*STYLES))
    param = text()
    size_param = text()
    size = integer(1, 10_000)
    first = integer(0, 1)
    total = JmesPath()
    more = JmesPath()
    cursor = JmesPath()
    cursor_header = text(validate=validate.Regexp(r"[A-Za-z0-9-]+\Z", error="a header's name, such as X-Next-Cursor"))
    next = JmesPath()
    where = text(data_key="in", validate=one_of("query", "body"))

    @validates_schema(pass_original=True)
    def check_style(self, data: dict[str, Any], original: dict[str, Any], **_: Any) -> None:
        """Refuse a style without what it lives on, and with what another one takes."""
        style = data["style"]
        needed, taken = STYLES[style]
        sized = ("size",) if "size_param" in data else ()
        faults = {key: [f"a value, which style {style} needs"] for key in (*needed, *sized) if key not in data}
        if style == "cursor" and ("cursor" in data) == ("cursor_header" in data):
            faults["cursor"] = [f"{EXPRESSION}, or else cursor_header: style cursor needs one of them"]
        for key in original.keys() - {*needed, *taken, *_OF_ALL}:
            owners = [owner for owner, (needs, takes) in STYLES.items() if key in {*needs, *takes}]
            faults[key] = [f"only for style {' or '.join(owners)}"]
        if faults:
            raise ValidationError(faults)


class ListSchema(Section):
    """``list``: the call that gives the records."""

    into = Listing
    path = text()
    items = JmesPath()
    params = Scalars()
    body = Body()
    page = fields.Nested(PageSchema)

    @validates_schema
    def check_body(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what does not go together with a body, or without one."""
        page, body = data.get("page", Paging()), data.get("body")
        if body is not None and page.style in {"link", "next_url"}:
            raise ValidationError({"page": {"style": ["page, offset, cursor or none where the list has a body"]}})
        if body is None and page.where == "body":
            raise ValidationError({"page": {"in": ["query, where the list has no body"]}})
        if not data.get("path", "/").startswith("/"):
            raise ValidationError("a path below the source's url, starting with /", "path")


class ItemSchema(Section):
    """``item``: the call for single products, which live looks make."""

    into = ItemCall
    path = text()
    params = Scalars()
    body = Body()
    record = JmesPath()
    size = integer(1, 1000)

    @validates_schema
    def check_places(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a call that does not say which products it is about, or how many."""
        path = data.get("path", "/")
        if not path.startswith("/"):
            raise ValidationError("a path below the source's url, starting with /", "path")
        if any(brace in strip_places(path) for brace in "{}"):
            raise ValidationError("{id} or {ids}, and no other braces", "path")
        places = find_places([path, data.get("params", {}), data.get("body", {})])
        if len(places) != 1:
            raise ValidationError("{id}, or else {ids}, in path, params or body", "path")
        if (places == {"{ids}"}) != (data.get("size", 1) > 1):
            raise ValidationError("2 or more where {ids} stands in the call, 1 where {id} does", "size")


class RuleSchema(Section):
    """A price that says how it is written."""

    into = FieldRule
    path = JmesPath(required=True)
    unit = text(validate=one_of("major", "minor"))
    decimal = text(validate=one_of(".", ","))


class Rule(fields.Field[FieldRule]):
    """A field: one expression; a price also as ``{path, unit, decimal}``."""

    def __init__(self, *, written: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.schema = RuleSchema() if written else None

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> FieldRule:
        if self.schema and isinstance(value, dict):
            found: FieldRule = self.schema.load(value)
            return found
        return FieldRule(JmesPath().deserialize(value, attr, data, **kwargs))


class Options(fields.Field[Any]):
    """A variant's options: one expression, or a mapping of their names to expressions."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str] | str:
        read = JmesPath().deserialize
        if not isinstance(value, dict):
            return str(read(value, attr, data, **kwargs))
        faults, found = {}, {}
        for name, path in value.items():
            try:
                found[str(name)] = str(read(path))
            except ValidationError as error:
                faults[str(name)] = error.messages
        if faults:
            raise ValidationError(faults)
        return found


class VariantsSchema(Schema):
    """``fields.variants``: where the variants are, and the fields of each."""

    class Meta:
        """Unknown keys are faults."""

        unknown = RAISE

    items = JmesPath(required=True)
    id = Rule(required=True)
    name = Rule()
    sku = Rule()
    gtin = Rule()
    price = Rule(written=True)
    currency = Rule()
    availability = Rule()
    stock = Rule()
    options = Options()


class FieldsSchema(Schema):
    """``fields``: one expression for each of ours."""

    class Meta:
        """Unknown keys are faults."""

        unknown = RAISE

    id = Rule()
    name = Rule()
    brand = Rule()
    description = Rule()
    category = Rule()
    price = Rule(written=True)
    currency = Rule()
    availability = Rule()
    stock = Rule()
    rating = Rule()
    rating_count = Rule()
    gtin = Rule()
    sku = Rule()
    url = Rule()
    images = Rule()
    tags = Rule()
    updated_at = Rule()
    variants = fields.Nested(VariantsSchema)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> FieldMap:
        """Give the frozen map."""
        variants = data.pop("variants", {})
        items, options = variants.pop("items", None), variants.pop("options", None)
        return FieldMap(fields=data, variants=items, variant_fields=variants, options=options)
