"""A described variant's options: found by the settings' expressions, read from what shops make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from main.resources.upstream.fields import Line
from main.util.expressions import ExpressionError, compile_expression

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = Line()


def find_options(options: Mapping[str, str] | str | None, variant: Any) -> dict[str, str]:
    """Give a variant's options by name; what is missing, fails or is no text is left out."""
    if isinstance(options, str):
        return read_options(_search(options, variant))
    return read_options({name: _search(path, variant) for name, path in (options or {}).items()})


def read_options(found: Any) -> dict[str, str]:
    """Give the options that stand in an object, or in a list of objects with a name and a value each."""
    listed = found if isinstance(found, list) else []
    rows = [(row.get("name"), row.get("value")) for row in listed if isinstance(row, dict)]
    named = list(found.items()) if isinstance(found, dict) else rows
    pairs = ((_LINE.deserialize(name), _LINE.deserialize(value)) for name, value in named)
    return {name: value for name, value in pairs if name and value}


def _search(path: str, variant: Any) -> Any:
    try:
        return compile_expression(path).search(variant)
    except ExpressionError:
        return None
