"""What the schemas of config.yml are made of: fields with what they allow in words, and sections that load into dataclasses."""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import RAISE, Schema, fields, post_load, validate

from main.settings.fields import (
    TextMap,
    WholeNumber,
)


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
