"""Feed files cut into records: CSV, TSV, JSON, NDJSON and Google-Merchant-style XML; each record as a JSON object in bytes."""

from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

import orjson
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from main.resources.upstream.base import split_list
from main.resources.upstream.bodies import say_size, unfold
from main.service.errors import UpstreamGarbled, UpstreamTimeout, UpstreamUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from xml.etree.ElementTree import Element

_GZIP = b"\x1f\x8b"
_PIECE = 64 * 1024
_CELL_LIMIT = 2**20
_DELIMITERS = ",;|\t"
_ENDINGS = {".csv": "csv", ".tsv": "tsv", ".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson", ".xml": "xml"}
_TYPES = {"csv": "csv", "tab-separated": "tsv", "ndjson": "ndjson", "jsonl": "ndjson", "json": "json", "xml": "xml"}
_ITEMS = {"item", "entry"}
TOO_LONG = "The feed is too long to be read in time."


def gunzip(body: bytes, limit: int, deadline: float | None = None) -> bytes:
    """Decompress a feed that is gzip (RFC 1952) by its first bytes; anything else comes back as it is.

    Raises:
        UpstreamGarbled: it is broken, cut off, grows beyond reason, or is larger than ``limit`` bytes.
        UpstreamTimeout: it was not whole by the deadline (monotonic seconds).
    """
    if not body.startswith(_GZIP):
        return body
    pieces = (body[start : start + _PIECE] for start in range(0, len(body), _PIECE))
    try:
        with io.BytesIO() as found:  # it gives its content without a copy
            for piece in unfold(pieces):
                if deadline is not None and time.monotonic() > deadline:
                    raise UpstreamTimeout(TOO_LONG)
                if found.tell() + len(piece) > limit:
                    raise UpstreamGarbled(f"The feed is larger than {say_size(limit)} when decompressed.")
                found.write(piece)
            return found.getvalue()
    except UpstreamUnreachable as error:
        raise UpstreamGarbled("The feed's gzip is cut off.") from error


def is_html(body: bytes) -> bool:
    """Tell whether it is a web page, such as a shop's login or error page: as CSV it would pass for a list of bad rows."""
    return body[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith((b"<!doctype html", b"<html"))


def guess_format(path: str, content_type: str) -> str | None:
    """Give the format that a file's ending, or else its content type, stands for."""
    name = path.lower().removesuffix(".gz")
    by_ending = next((known for ending, known in _ENDINGS.items() if name.endswith(ending)), None)
    return by_ending or next((known for part, known in _TYPES.items() if part in content_type.lower()), None)


def cut_records(body: bytes, form: str) -> Iterator[bytes]:
    """Give a feed's records one by one.

    Raises:
        UpstreamGarbled: the feed cannot be read in this format.
    """
    return _READERS[form](body)


def _csv_records(body: bytes, delimiter: str | None = None) -> Iterator[bytes]:
    csv.field_size_limit(_CELL_LIMIT)
    text = io.StringIO(_decode(body), newline="")
    first = text.readline()
    text.seek(0)
    reader = csv.DictReader(
        text, delimiter=delimiter or max(_DELIMITERS, key=first.count), restkey="_beyond_header", strict=True
    )
    try:
        if not reader.fieldnames:
            raise UpstreamGarbled("The feed is empty: it has no header line.")
        reader.fieldnames = [name.strip() for name in reader.fieldnames]
        for row in reader:
            yield orjson.dumps(row)
    except csv.Error as error:
        raise UpstreamGarbled(f"The feed is not readable from line {reader.line_num} on: {error}.") from error


def _tsv_records(body: bytes) -> Iterator[bytes]:
    return _csv_records(body, "\t")


def _json_records(body: bytes) -> Iterator[bytes]:
    records, _ = split_list(body.removeprefix(b"\xef\xbb\xbf"), "products", "items", "data", "results")
    return iter(records)


def _ndjson_records(body: bytes) -> Iterator[bytes]:
    return (line for line in body.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip())


def _xml_records(body: bytes) -> Iterator[bytes]:
    try:
        for _, element in iterparse(io.BytesIO(body), events=("end",), forbid_dtd=True):
            if _local(element) in _ITEMS:
                yield orjson.dumps(_row(element))
                element.clear()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:  # the last two: an encoding expat does not know
        raise UpstreamGarbled("The feed is not well-formed XML, is cut off, or declares entities.") from error


def _row(element: Element) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    for child in element:
        name = _local(child)
        link = child.get("href") if name == "link" else None
        found.setdefault(name, []).append(link or "".join(child.itertext()).strip())
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2].lower()


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UpstreamGarbled("The feed is not UTF-8.") from error


_READERS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "csv": _csv_records,
    "tsv": _tsv_records,
    "json": _json_records,
    "ndjson": _ndjson_records,
    "xml": _xml_records,
}
