"""Fields for who sees what: fields of products that a role may not see, pages that may read answers, hosts that pages may load images of."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from marshmallow import ValidationError, fields

from main.service.model import Product
from main.settings import model
from main.settings.basics import Section

# A product is nothing without these: what it is called, and where it comes from.
_SHOWN_TO_ALL = {"source", "source_id", "name"}
HIDEABLE = tuple(field.name for field in dataclasses.fields(Product) if field.name not in _SHOWN_TO_ALL)
_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,39}\])(?::[1-9][0-9]{0,4})?")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[1-9][0-9]{0,4})?")
_HOST_ALLOWED = "a host, with its port where it is not 80, such as images.shop.example or 127.0.0.1:9101; no *, no path"
_USUAL_PORTS = re.compile(r"http:.*:80|https:.*:443")
_ORIGIN_ALLOWED = "an origin as browsers write it, such as https://shop.example or http://localhost:3000; no *, no path"


class ProductFields(fields.Field[tuple[str, ...]]):
    """Names of a product's fields."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002
        if not isinstance(value, list) or any(name not in HIDEABLE for name in value):
            raise ValidationError(f"a list of: {', '.join(HIDEABLE)}")
        return tuple(sorted({str(name) for name in value}))


class Origins(fields.Field[tuple[str, ...]]):
    """Origins (RFC 6454), each as a browser writes it in its Origin header."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002
        if not isinstance(value, list):
            raise ValidationError("a list of origins")
        wrong = {place: [_ORIGIN_ALLOWED] for place, origin in enumerate(value) if not _is_origin(origin)}
        if wrong:
            raise ValidationError(wrong)
        return tuple(str(origin) for origin in value)


class Hosts(fields.Field[tuple[str, ...]]):
    """Hosts, each with its port where that is not the usual one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002
        if not isinstance(value, list):
            raise ValidationError("a list of hosts")
        wrong = {n: [_HOST_ALLOWED] for n, host in enumerate(value) if not isinstance(host, str) or not _HOST.fullmatch(host)}
        if wrong:
            raise ValidationError(wrong)
        return tuple(str(host) for host in value)


def _is_origin(value: Any) -> bool:
    return isinstance(value, str) and bool(_ORIGIN.fullmatch(value)) and not _USUAL_PORTS.fullmatch(value)


class HideSchema(Section):
    """``auth.hide``."""

    into = model.Hide
    reader = ProductFields()
    editor = ProductFields()
