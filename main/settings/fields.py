"""Marshmallow fields for what stands in config.yml; each message says what is allowed."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields

from main.service.model import Rate
from main.util.money import is_currency
from main.util.secret import Secret

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_LONGEST = timedelta(days=365)
_SIZES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_SIZE = re.compile(r"(\d{1,9})\s*(B|KiB|MiB|GiB)\Z", re.ASCII)
_DURATION = re.compile(r"(\d{1,9})\s*(ms|s|m|h|d)\Z", re.ASCII)
_RATE = re.compile(r"([1-9]\d{0,5})\s*/\s*(s|m|h|d)\Z", re.ASCII)
_PERCENT = re.compile(r"(\d{1,9})\s*%\Z", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")


class Provided(str):
    """A string that came from the environment or from a file, so that it may be a secret."""

    __slots__ = ()


class Unset(Provided):
    """Stands for a string whose variable is not set, which is a fault of its own."""

    __slots__ = ()


class WholeNumber(fields.Integer):
    """A whole number, also as the digits that an environment variable holds."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10  # noqa: PLR2004
        return super()._deserialize(int(value) if digits else value, attr, data, **kwargs)


class TextMap(fields.Dict):
    """A mapping of texts, whose faults are told by the key alone."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[Any, Any]:
        try:
            found: dict[Any, Any] = super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]
        except ValidationError as error:
            if not isinstance(error.messages, dict):
                raise
            raise ValidationError({key: _told_by_key(below) for key, below in error.messages.items()}) from error
        return found


def _told_by_key(messages: dict[str, list[str]]) -> list[str]:
    return [f"the keys {message}" for message in messages.get("key", ())] + messages.get("value", [])


class SecretText(fields.Field[Secret]):
    """A credential: only ``${NAME}`` or a file beside it, never written out in config.yml."""

    def __init__(self, *, into: type[Secret] = Secret, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.into = into

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Secret:  # noqa: ARG002
        if not isinstance(value, Provided) or not value:
            raise ValidationError(
                "${NAME} of an environment variable that is not empty, or a path under the same key with _file"
            )
        return self.into(str(value))


class Duration(fields.Field[timedelta]):
    """A whole number with a unit: ``800ms``, ``3s``, ``5m``, ``1h``, ``7d``."""

    def __init__(self, *, at_least: timedelta, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.at_least = at_least

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> timedelta:  # noqa: ARG002
        found = _DURATION.match(value.strip()) if isinstance(value, str) else None
        duration = int(found[1]) * _UNITS[found[2]] if found else None
        if duration is None or not self.at_least <= duration <= _LONGEST:
            bounds = f"at least {write_duration(self.at_least)}, at most {write_duration(_LONGEST)}"
            raise ValidationError(f"a whole number with a unit of ms, s, m, h or d, such as 5m; {bounds}")
        return duration


def write_duration(duration: timedelta) -> str:
    """Write a duration as it may stand in config.yml."""
    return _write(duration, _UNITS)


def _write(amount: Any, units: dict[str, Any]) -> str:
    """Write an amount in the largest of the ``units``, which rise, that leaves no fraction: none would be taken."""
    name = next(name for name, unit in reversed(units.items()) if not amount % unit)
    return f"{amount // units[name]}{name}"


class Size(fields.Field[int]):
    """A whole number with a unit: ``512KiB``, ``8MiB``."""

    def __init__(self, *, at_least: int, at_most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.at_least = at_least
        self.at_most = at_most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:  # noqa: ARG002
        found = _SIZE.match(value.strip()) if isinstance(value, str) else None
        size = int(found[1]) * _SIZES[found[2]] if found else 0
        if not self.at_least <= size <= self.at_most:
            bounds = f"at least {_write(self.at_least, _SIZES)}, at most {_write(self.at_most, _SIZES)}"
            raise ValidationError(f"a whole number with a unit of B, KiB, MiB or GiB, such as 8MiB; {bounds}")
        return size


class CallRate(fields.Field[Rate]):
    """Calls in a period: ``10/s``, ``100/m``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Rate:  # noqa: ARG002
        found = _RATE.match(value.strip()) if isinstance(value, str) else None
        if not found:
            raise ValidationError("a whole number of calls from 1 to 999999 in a period of s, m, h or d, such as 10/s or 100/m")
        return Rate(int(found[1]), _UNITS[found[2]])


class LimitRate(fields.Field[Any]):
    """Requests in a period, such as ``600/m``, or ``off``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Rate | None:  # noqa: ARG002
        if value is False or value == "off":  # YAML takes a bare off for false
            return None
        found = _RATE.match(value.strip()) if isinstance(value, str) else None
        if not found:
            raise ValidationError(
                "a whole number of requests from 1 to 999999 in a period of s, m, h or d, such as 600/m, or off"
            )
        return Rate(int(found[1]), _UNITS[found[2]])


class Percent(fields.Field[Any]):
    """A share such as ``50%``, or ``off``."""

    def __init__(self, at_least: int, at_most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.at_least = at_least
        self.at_most = at_most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int | None:  # noqa: ARG002
        if value is False or value == "off":  # YAML takes a bare off for false
            return None
        found = _PERCENT.match(value.strip()) if isinstance(value, str) else None
        if not found or not self.at_least <= int(found[1]) <= self.at_most:
            raise ValidationError(f"a whole number from {self.at_least}% to {self.at_most}%, or off")
        return int(found[1])


class SourceName(fields.Field[str]):
    """The short name a source goes by in ids, URLs and logs."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if not isinstance(value, str) or not _NAME.match(value):
            raise ValidationError("1 to 40 of a-z, 0-9, _ and -, starting with a letter")
        return value


class CurrencyCode(fields.Field[str]):
    """An ISO 4217 code."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if not isinstance(value, str) or not is_currency(value):
            raise ValidationError("an ISO 4217 code of three capital letters, such as EUR")
        return value


class SourceUrl(fields.Field[str]):
    """Where a source is: http, https, or file for feeds; never with credentials inside."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if isinstance(value, str) and value.startswith(("/", "./")):
            return Path(value).absolute().as_uri()
        if not isinstance(value, str) or not _is_source_url(value):
            raise ValidationError(
                "an http:// or https:// URL without user or fragment (feeds also file:///PATH, /PATH or ./PATH)"
            )
        return str(value).rstrip("/")


class WebUrl(fields.Field[str]):
    """An http or https URL; never with credentials inside."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if not isinstance(value, str) or not _is_source_url(value) or urlsplit(value).scheme == "file":
            raise ValidationError("an http:// or https:// URL without user or fragment")
        return str(value)


def _is_source_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    if any(character.isspace() for character in value) or parts.fragment or parts.username is not None:
        return False
    if parts.scheme == "file":
        return parts.netloc == "" and parts.path.startswith("/")
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
