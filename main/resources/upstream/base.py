"""What every connector shares: strict JSON, schema -> product, faults in words; a kind's file holds only what differs."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from marshmallow import EXCLUDE, Schema, ValidationError, post_load

from main.resources.upstream.fields import Identifier
from main.service.errors import RecordRejected, UpstreamGarbled
from main.service.model import Fault, Money, PriceRange, Product, Rating, Source, Variant, Wanted
from main.util.money import to_minor
from main.util.text import shorten

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from main.resources.upstream.session import Answer, Session
    from main.service.errors import UpstreamHeld
    from main.service.model import Remark
    from main.service.ports.upstream import CrawlPage
    from main.util.clock import Clock

_MAPPING_VERSION = 2  # raise it when any mapping changes, so that every stored product is mapped again
_BEST_RATING = 5
_NO_PRICE = "is missing or empty, and what has no price cannot be bought"
_NOT_TO_BE_HAD = {"OutOfStock", "SoldOut", "Discontinued"}
_REWORDED = {
    "Missing data for required field.": "is missing",
    "Field may not be null.": "is missing",
    "Invalid input type.": "is not an object",
    "Not a valid list.": "is not a list",
}
_IDENTIFIER = Identifier()
_decode_value = msgspec.json.Decoder(float_hook=Decimal).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_skim = msgspec.json.Decoder(msgspec.Raw).decode
_JSON_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError)


class RecordSchema(Schema):
    """One raw record of a shop, loaded into a :class:`Product`; a subclass names the fields and gives the parts."""

    class Meta:
        """What a shop sends beyond the fields named is none of our business."""

        unknown = EXCLUDE

    def __init__(self, source: Source, clock: Clock) -> None:
        super().__init__()
        self.source = source
        self.clock = clock

    def parts(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give the product's fields out of the loaded record."""
        raise NotImplementedError

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Product:
        """Give the product."""
        found = self.parts(data)
        category = found.get("category")
        found["category"] = self.source.categories.get(category, category) if category else None
        if self.source.priced and found.get("price") is None:
            raise ValidationError(_NO_PRICE, "price")
        return Product(source=self.source.name, fetched_at=self.clock.now(), **found)

    def refuse_unless(self, status: str | None, *allowed: str) -> None:
        """Reject a record whose status says that it is not on sale; one without a status is."""
        if status is not None and status not in allowed:
            raise ValidationError(f"is {status!r}: not on sale", "status")

    def money(self, amount: Decimal | None, currency: str | None = None, *, field: str = "price") -> Money | None:
        """Give an amount in the currency the shop names, or else the one of the source's settings."""
        if amount is None:
            return None
        code = currency or self.source.currency
        if code is None:
            raise ValidationError("is not in the record, and the source's settings name none", "currency")
        try:
            return Money(to_minor(amount, code), code)
        except ValueError as error:
            raise ValidationError(str(error), field) from error


def rating_of(average: Decimal | None, count: Decimal | int | None) -> Rating | None:
    """Give a rating, or None where nobody rated or the average is not within 0..5."""
    if average is None or not 0 <= average <= _BEST_RATING or (count is not None and count <= 0):
        return None
    return Rating(float(round(average, 2)), None if count is None else int(count))


def stock_of(quantity: Decimal | None) -> int | None:
    """Give whole pieces in stock: a shop's 16.5 is 16 that can be sold."""
    return None if quantity is None else int(quantity // 1)


def price_of(variants: Iterable[Variant]) -> tuple[Money | None, PriceRange | None]:
    """Give the lowest price that can be bought (or the lowest of all when nothing can), and the range of all prices."""
    priced = [(v.price, v.availability) for v in variants if v.price is not None]
    if not priced:
        return None, None
    prices = sorted((price for price, _ in priced), key=lambda price: price.minor)
    buyable = [price for price, availability in priced if availability not in _NOT_TO_BE_HAD]
    lowest = min(buyable or prices, key=lambda price: price.minor)
    return lowest, PriceRange(prices[0], prices[-1]) if prices[0] != prices[-1] else None


class BaseConnector(ABC):
    """One source in its own dialect: a subclass says how it pages (:meth:`fetch`) and which schema maps its records."""

    schema: ClassVar[type[RecordSchema]]
    id_key: ClassVar[str] = "id"

    def __init__(self, source: Source, session: Session, clock: Clock) -> None:
        self.source = source
        self.session = session
        self._schema = self.schema(source, clock)

    @property
    def fingerprint(self) -> bytes:
        """Changes when the same record would be mapped to another product."""
        source = self.source
        said = (_MAPPING_VERSION, source.kind, source.url, source.currency, source.priced, sorted(source.categories.items()))
        extra = (source.api, source.format, sorted(source.columns.items()))
        return hashlib.blake2b(repr((said, extra)).encode(), digest_size=16).digest()

    @abstractmethod
    def fetch(self, call: Hashable | None) -> CrawlPage:
        """Make one call of a crawl; ``None`` is the first."""

    @property
    def look_size(self) -> int:
        """Give how many products one live look can ask for; 0 where the shop cannot be asked for single products."""
        return 0

    def find_hold(self) -> UpstreamHeld | None:
        """Give why no call to the shop may begin, as it was a moment ago, or None."""
        return self.session.find_hold()

    def look(self, wanted: Sequence[Wanted], deadline: float) -> Mapping[str, bytes]:
        """Ask the shop for these products and give their raw records by source id, without those it no longer has."""
        raise NotImplementedError

    def load(self, raw: bytes) -> Product:
        """Map one raw record to a product.

        Raises:
            RecordRejected: the record is not a valid product; carries each field and reason.
        """
        row = self.find_row(self.decode(raw))
        try:
            loaded: Product = self._schema.load(row)
        except ValidationError as error:
            raise RecordRejected(list(_faults(error.messages)), self.record_id(row)) from error
        return loaded

    def find_left_out(self, raw: bytes, product: Product) -> Sequence[Remark]:
        """Give what the settings describe and the product lacks: nothing, where the kind knows its fields itself."""
        del raw, product
        return ()

    def decode(self, raw: bytes) -> dict[str, Any]:
        """Read one raw record.

        Raises:
            RecordRejected: it is not an object of strict JSON.
        """
        try:
            record = _decode_value(raw)
        except _JSON_ERRORS as error:
            raise RecordRejected([Fault("record", f"is not valid JSON: {shorten(str(error), 120)}")]) from error
        if not isinstance(record, dict):
            raise RecordRejected([Fault("record", f"is {_kind_of(record)}, not an object")])
        return record

    def find_row(self, record: dict[str, Any]) -> dict[str, Any]:
        """Give what the schema loads: the record itself, where the schema knows the shop's own keys.

        Raises:
            RecordRejected: a field it cannot do without cannot be found.
        """
        return record

    def record_id(self, row: Mapping[str, Any]) -> str | None:
        """Give the id a rejected row has, if any, so that people can find it in the shop."""
        found = row.get(self.id_key)
        return shorten(str(found), 200) if isinstance(found, str | int) and str(found) else None

    def identify(self, raw: bytes) -> str | None:
        """Give the id under which the catalogue keeps a raw record's product, None where it cannot be told."""
        try:
            found: str = _IDENTIFIER.deserialize(self.find_id(raw))
        except (RecordRejected, ValidationError):
            return None
        return found

    def find_id(self, raw: bytes) -> Any:
        """Give what stands in the place of a raw record's id.

        Raises:
            RecordRejected: it is no record.
        """
        return self.decode(raw).get(self.id_key)

    def close(self) -> None:
        """Give connections back."""
        self.session.close()


def split_list(body: bytes, *envelopes: str) -> tuple[tuple[bytes, ...], dict[str, Any]]:
    """Cut a JSON answer into its raw records, whether it is a bare list or holds it under one of ``envelopes``.

    Gives the records and what stands beside them in the envelope.

    Raises:
        UpstreamGarbled: it is neither.
    """
    text = body.lstrip(b" \t\r\n")
    try:
        if text.startswith(b"["):
            return tuple(map(bytes, _decode_list(text))), {}
        outer = _decode_object(text)
        key = next((name for name in envelopes if name in outer), None)
        if key is None:
            raise UpstreamGarbled(f"The answer has no list of products (looked for {', '.join(envelopes) or 'a bare list'}).")
        records = tuple(map(bytes, _decode_list(outer.pop(key))))
        return records, {name: _decode_value(value) for name, value in outer.items()}
    except _JSON_ERRORS as error:
        raise UpstreamGarbled(f"The answer is not the JSON expected: {_start_of(text)}") from error


def refuse_unreadable(body: bytes) -> None:
    """Return when an answer is JSON or nothing at all; much cheaper than reading it.

    Raises:
        UpstreamGarbled: it is something else.
    """
    try:
        if body and not body.isspace():
            _skim(body)
    except _JSON_ERRORS as error:
        raise UpstreamGarbled(f"The answer is not the JSON expected: {_start_of(body)}") from error


def read_json(answer: Answer) -> Any:
    """Read a whole JSON answer, numbers with a fraction as decimals.

    Raises:
        UpstreamGarbled: it is not strict JSON.
    """
    try:
        return _decode_value(answer.body)
    except _JSON_ERRORS as error:
        raise UpstreamGarbled(f"The answer is not the JSON expected: {_start_of(answer.body)}") from error


def _start_of(text: bytes) -> str:
    if not text:
        return "it is empty."
    if text[:200].lstrip().startswith(b"<"):
        return "it is an HTML or XML page."
    return "it is cut off or malformed."


def _kind_of(value: object) -> str:
    names: dict[type, str] = {list: "a list", str: "text", type(None): "null", bool: "a boolean"}
    return names.get(type(value), "a number")


def _faults(messages: Any, path: str = "") -> Iterable[Fault]:
    if isinstance(messages, dict):
        for key, below in messages.items():
            step = f"[{key}]" if isinstance(key, int) else f".{key}"
            yield from _faults(below, path if key == "_schema" else path + step)
        return
    for message in messages:
        yield Fault(path.lstrip(".") or "record", _REWORDED.get(message, message))
