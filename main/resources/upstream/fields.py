"""Marshmallow fields for what shops send: strict on what makes a product, lenient on what decorates it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, fields
from stdnum import ean

from main.service.model import Availability
from main.util.clock import parse_iso
from main.util.money import parse_amount
from main.util.text import clean_line, html_to_text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

_ID_LIMIT = 200
_NUMBER_LIMIT = 10**12
# Scheme, host (a name or an address in brackets), perhaps a port, then anything without blanks and control characters.
_WEB_URL = re.compile(r"https?://(?:[^\s/?#@\[\]:\x00-\x1f]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:[/?#][^\s\x00-\x1f]*)?\Z")
_WORDS = {word.value.lower(): word for word in Availability} | {
    "soldout": Availability.SOLD_OUT,
    "available": Availability.IN_STOCK,
    "unavailable": Availability.OUT_OF_STOCK,
    "limited": Availability.LIMITED,
    "lowstock": Availability.LIMITED,
    "limitedstock": Availability.LIMITED,
}
_ERRORS: dict[str, str | list[Any] | dict[Any, Any]] = {"required": "is missing", "null": "is missing"}


class Identifier(fields.Field[str]):
    """A shop's own id: text or a whole number, never empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=True, error_messages=_ERRORS, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValidationError("is neither text nor a whole number")
        found = clean_line(str(value))
        if not found:
            raise ValidationError("is empty")
        if len(found) > _ID_LIMIT:
            raise ValidationError(f"is longer than {_ID_LIMIT} characters")
        return found


class Name(fields.Field[str]):
    """A product's name: one line of text, never empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=True, error_messages=_ERRORS, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if not isinstance(value, str):
            raise ValidationError("is not text")
        found = clean_line(value)
        if not found:
            raise ValidationError("is empty")
        return found


class Optional(fields.Field[Any]):
    """A field that may be missing, null, empty or unusable: all of these load as None."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_none=True, load_default=None, **kwargs)


class Line(Optional):
    """One line of text, or None."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:  # noqa: ARG002
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            return None
        return clean_line(str(value)) or None


class Html(Optional):
    """Plain text made of shop HTML, or None."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:  # noqa: ARG002
        return html_to_text(value) or None if isinstance(value, str) else None


class Amount(Optional):
    """An amount of money without its currency; missing, null and empty load as None, anything else must be one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal | None:  # noqa: ARG002
        if isinstance(value, str) and not value.strip():
            return None
        try:
            return parse_amount(value)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class Number(Optional):
    """A decimal number, or None."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal | None:  # noqa: ARG002
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            return None
        try:
            found = Decimal(str(value).strip())
        except ArithmeticError:
            return None
        return found if found.is_finite() and -_NUMBER_LIMIT < found < _NUMBER_LIMIT else None


class Url(Optional):
    """An absolute http or https URL, or None."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:  # noqa: ARG002
        return web_url(value)


class UrlList(Optional):
    """The usable URLs of a list of strings, of objects with a URL under ``key``, or of one separated string."""

    def __init__(self, key: str | None = None, separator: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.key = key
        self.separator = separator

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002
        if isinstance(value, str) and self.separator:
            value = value.split(self.separator)
        if not isinstance(value, list):
            return ()
        found = (web_url(item.get(self.key) if isinstance(item, dict) else item) for item in value)
        return tuple(dict.fromkeys(url for url in found if url))


class Lines(Optional):
    """The texts of a list, of objects with a text under ``key``, or of one comma-joined string."""

    def __init__(self, key: str | None = None, separator: str = ",", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.key = key
        self.separator = separator

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002
        if isinstance(value, str):
            value = value.split(self.separator)
        if not isinstance(value, list):
            return ()
        items = (item.get(self.key) if isinstance(item, dict) else item for item in value)
        lines = (clean_line(item) for item in items if isinstance(item, str))
        return tuple(dict.fromkeys(line for line in lines if line))


class Moment(Optional):
    """A time in UTC, or None."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.datetime | None:  # noqa: ARG002
        try:
            return parse_iso(value) if isinstance(value, str) else None
        except (ValueError, OverflowError):
            return None


def web_url(value: object) -> str | None:
    """Give an absolute http or https URL without blanks, or None."""
    url = value.strip() if isinstance(value, str) else ""
    return url if _WEB_URL.match(url) else None


def normalise_gtin(value: object) -> str | None:
    """Give a barcode as GTIN-14 when it has 8, 12, 13 or 14 digits and its check digit is right (GS1), else None."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    digits = str(value).strip().replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdigit()) or not digits.strip("0"):
        return None
    return digits.zfill(14) if ean.is_valid(digits) else None


def split_barcode(value: object) -> tuple[str | None, Mapping[str, str]]:
    """Give a proven GTIN, or else the barcode as an attribute, so that it is neither trusted nor lost."""
    gtin = normalise_gtin(value)
    text = clean_line(str(value)) if isinstance(value, str | int) else ""
    return gtin, {} if gtin or not text else {"barcode": text}


def read_availability(value: object) -> Availability | None:
    """Give what a shop's word, schema.org URL, or yes and no, say about availability, or None."""
    if isinstance(value, bool):
        return Availability.IN_STOCK if value else Availability.OUT_OF_STOCK
    last = value.rpartition("/")[2] if isinstance(value, str) else ""
    return _WORDS.get(last.strip().lower().replace(" ", "").replace("_", "").replace("-", ""))
