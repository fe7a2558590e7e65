"""Marshmallow fields for what stands in a query string; each message says what is allowed and repeats nothing."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate

from main.util.money import is_currency

TEXT_LIMIT = 200
LIST_LIMIT = 50
VALUE_PATTERN = r"^[^\x00-\x20\x7f-\xa0][^\x00-\x1f\x7f-\x9f]*$"
AMOUNT_PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,4})?$"
GTIN_PATTERN = "^([0-9]{8}|[0-9]{12}|[0-9]{13}|[0-9]{14})$"
_WHOLE = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")


class Whole(fields.Integer):
    """A whole number within bounds, in plain digits."""

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        allowed = f"must be a whole number from {least} to {most}"
        bounds = validate.Range(least, most, error=allowed)
        super().__init__(validate=bounds, error_messages={"invalid": allowed}, **kwargs)

    def _validated(self, value: Any) -> Any:
        if not _WHOLE.fullmatch(value):
            raise self.make_error("invalid")
        return super()._validated(value)


class Number(fields.Float):
    """A number within bounds."""

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        allowed = f"must be a number from {least} to {most}"
        bounds = validate.Range(least, most, error=allowed)
        super().__init__(validate=bounds, error_messages={"invalid": allowed, "special": allowed}, **kwargs)

    def _validated(self, value: Any) -> Any:
        if not _NUMBER.fullmatch(value):
            raise self.make_error("invalid")
        return super()._validated(value)


class Flag(fields.Field[bool]):
    """Yes or no."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        if value.lower() not in {"true", "false"}:
            raise ValidationError("must be true or false")
        return bool(value.lower() == "true")


class Amount(fields.Field[Decimal]):
    """An amount of money, in no particular currency."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:  # noqa: ARG002
        if not re.fullmatch(AMOUNT_PATTERN, value.strip()):
            raise ValidationError("must be an amount such as 19.99: at most 12 digits before the point and 4 after it")
        return Decimal(value.strip())


class CurrencyCode(fields.Field[str]):
    """An ISO 4217 code."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if not is_currency(value):
            raise ValidationError("must be an ISO 4217 code of three capital letters, such as EUR")
        return str(value)


class Choices(fields.Field[tuple[str, ...]]):
    """Words from a fixed list, separated by commas or given several times; upper and lower case are the same."""

    def __init__(self, choices: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = {choice.lower(): choice for choice in choices}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002
        words = [word.strip().lower() for item in value for word in item.split(",")]
        if any(word not in self.choices for word in words):
            raise ValidationError(f"must be of: {', '.join(self.choices.values())}")
        return tuple(sorted({self.choices[word] for word in words}))


class Values(fields.Field[tuple[str, ...]]):
    """Values to choose among, given several times: any of them will do."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:  # noqa: ARG002
        if len(value) > LIST_LIMIT:
            raise ValidationError(f"may be given at most {LIST_LIMIT} times")
        if any(len(item) > TEXT_LIMIT or not re.fullmatch(VALUE_PATTERN, item) for item in value):
            raise ValidationError(f"must be 1 to {TEXT_LIMIT} characters, the first no blank, none a control character")
        return tuple(sorted({item.strip() for item in value}))


class Gtins(Values):
    """Article numbers, given several times."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        found = super()._deserialize(value, attr, data, **kwargs)
        if any(not re.fullmatch(GTIN_PATTERN, item) for item in found):
            raise ValidationError("must be 8, 12, 13 or 14 digits")
        return tuple(sorted({item.zfill(14) for item in found}))
