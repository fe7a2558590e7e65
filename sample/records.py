"""Raw shop records, kept as JSON text so that a page is one join of bytes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import orjson

Record = dict[str, Any]


class Records:
    """The records of one shop in their order; the texts are made once, never on a request."""

    def __init__(self, records: Iterable[Record]) -> None:
        """Keep every record's JSON text, found again by the record's id."""
        self.texts: list[bytes] = []
        self._places: dict[str, int] = {}
        for record in records:
            self._places.setdefault(str(record.get("id")), len(self.texts))
            self.texts.append(orjson.dumps(record))

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.texts)

    def __iter__(self) -> Iterator[Record]:
        """Return each record, parsed anew."""
        return map(orjson.loads, self.texts)

    def place(self, key: str) -> int | None:
        """Return where the record with this id stands, None when there is none."""
        return self._places.get(key)

    def text(self, key: str) -> bytes | None:
        """Return the JSON text of the record with this id, None when there is none."""
        place = self._places.get(key)
        return None if place is None else self.texts[place]

    def update(self, place: int, changes: Record) -> None:
        """Change some fields of the record at this place."""
        self.texts[place] = orjson.dumps(orjson.loads(self.texts[place]) | changes)

    def where(self, test: Callable[[Record], bool]) -> list[bytes]:
        """Return the texts of the records that pass the test."""
        return [text for text in self.texts if test(orjson.loads(text))]


def join(texts: Sequence[bytes]) -> bytes:
    """Return the texts as one JSON array."""
    return b"[" + b",".join(texts) + b"]"


def keep_fields(texts: Sequence[bytes], fields: Iterable[str]) -> list[bytes]:
    """Return the texts with only these fields left, in the record's own order."""
    wanted = set(fields)
    return [orjson.dumps({name: value for name, value in orjson.loads(text).items() if name in wanted}) for text in texts]
