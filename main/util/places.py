"""``{id}`` and ``{ids}``: the places in a described call where products' ids go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IDS = "{ids}"
_PLACE = re.compile(r"\{ids?\}")


def strip_places(text: str) -> str:
    """Give a text without its places."""
    return _PLACE.sub("", text)


def find_places(value: Any) -> set[str]:
    """Give which places there are anywhere in a text, a list or a mapping's values."""
    if isinstance(value, str):
        return set(_PLACE.findall(value)) if _is_open(value) else set()
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {place for item in below for place in find_places(item)}


def fill(value: Any, ids: Sequence[str]) -> Any:
    """Give the value with ids in its places: the first for ``{id}``, all joined by commas for ``{ids}``.

    A ``{ids}`` that stands alone in a list becomes as many items.
    """
    if isinstance(value, str):
        return _PLACE.sub(lambda place: ",".join(ids) if place[0] == IDS else ids[0], value) if _is_open(value) else value
    if isinstance(value, dict):
        return {key: fill(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [filled for item in value for filled in (ids if item == IDS else [fill(item, ids)])]
    return value


def fill_query(params: Mapping[str, str], ids: Sequence[str]) -> dict[str, str | Sequence[str]]:
    """Give the parameters with ids in their places; one whose name ends in ``[]`` is sent once for each of ``{ids}``."""
    return {name: list(ids) if name.endswith("[]") and value == IDS else fill(value, ids) for name, value in params.items()}


def _is_open(text: str) -> bool:
    # Other braces make it a document of some language: in GraphQL {id} is a selection, and an id in JSON would have to be quoted.
    return "{" not in (left := strip_places(text)) and "}" not in left
