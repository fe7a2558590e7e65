"""What a shop's records look like, noted from the first ones of a crawl, and how that differs from the last good shape."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from main.service.model import Drift, FieldShape, Shape

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

LOOKED_AT = 200  # records of a crawl: enough to see a field come or go, too few to slow it
_DEPTH = 3
_ITEMS = 20  # of each list in a record
_FIELDS = 2_000  # a shop that uses ids as keys has a field for each product
_KEY = 100
_NAMES = 50  # of each kind of drift
_NEW = 0.25  # of the records have the field now
_GONE = 0.5  # of the good records had it
_TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
_NOTHING = {"null"}
_decode = msgspec.json.Decoder().decode


class Sketch:
    """Collects the shape of the records it is shown."""

    def __init__(self) -> None:
        self._records = 0
        self._fields: dict[str, tuple[int, set[str]]] = {}

    def add(self, raw: bytes) -> None:
        """Look at one record; what cannot be read or is no object has no fields to note."""
        try:
            record = _decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return  # it goes to quarantine, which tells why
        if isinstance(record, dict):
            self._records += 1
            found: dict[str, set[str]] = {}
            for key, value in record.items():
                _note(value, key[:_KEY], 1, found)
            self._merge(found)

    @property
    def shape(self) -> Shape:
        """The shape so far."""
        return Shape(
            self._records, {name: FieldShape(count, frozenset(types)) for name, (count, types) in self._fields.items()}
        )

    def _merge(self, found: dict[str, set[str]]) -> None:
        for path, types in found.items():
            count, known = self._fields.get(path, (0, set()))
            if count or len(self._fields) < _FIELDS:
                self._fields[path] = (count + 1, known | types)


def _note(value: Any, path: str, depth: int, found: dict[str, set[str]]) -> None:
    found.setdefault(path, set()).add(_TYPES[type(value)])
    if isinstance(value, dict) and depth < _DEPTH:
        for key, item in value.items():
            _note(item, f"{path}.{key[:_KEY]}", depth + 1, found)
    elif isinstance(value, list) and not path.endswith("[]"):
        for item in islice(value, _ITEMS):
            _note(item, f"{path}[]", depth, found)


def find_drift(good: Shape, seen: Shape, seen_at: dt.datetime) -> Drift | None:
    """Give how a crawl's records differ from the last good shape; None when they do not, or when either has no records."""
    if not good.records or not seen.records:
        return None
    least, often = seen.records * _NEW, good.records * _GONE
    new = (name for name, field in seen.fields.items() if name not in good.fields and field.records >= least)
    missing = (name for name, field in good.fields.items() if name not in seen.fields and field.records >= often)
    both = (name for name in seen.fields if name in good.fields)
    retyped = (name for name in both if _is_retyped(good.fields[name], seen.fields[name]))
    drift = Drift(seen_at=seen_at, new=_names(new), missing=_names(missing), retyped=_names(retyped))
    return drift if drift.new or drift.missing or drift.retyped else None


def _is_retyped(good: FieldShape, seen: FieldShape) -> bool:
    before, now = good.types - _NOTHING, seen.types - _NOTHING
    return bool(before and now and before.isdisjoint(now))


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names)[:_NAMES])
