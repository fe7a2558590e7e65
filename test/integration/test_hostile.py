"""Payloads made to break whoever reads them: the source that sends one fails or loses the record, the others go on, and what is served is strict JSON."""

import gzip
import json
import zlib

import pytest
from werkzeug import Request, Response

from main.service.model import Outcome
from sample.server import running
from test.faults.shops import FaultyShop, raw_server
from test.integration.conftest import shop_source

DEEP = 100_000
PRODUCT = '{"id": 1, "title": "Thing", "price": 19.99}'


def listed(*records, total=None):
    return f'{{"products": [{", ".join(records)}], "total": {len(records) if total is None else total}}}'.encode()


def beside(member):
    return PRODUCT[:-1] + f", {member}}}"


def answer(body, *headers, length=None):
    lines = [
        "HTTP/1.1 200 OK",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
        *headers,
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1") + body


def bomb():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(bytes(2**20)) for _ in range(200)), packer.flush()])


def wrapped(body, times):
    for _ in range(times):
        body = gzip.compress(body)
    return body


# What the whole answer is; each makes the crawl fail.
BROKEN = {
    "nesting of 100,000 lists": answer(b"[" * DEEP),
    "nesting of 100,000 objects": answer(b'{"products":' * DEEP),
    "nesting beside the list": answer(b'{"total": 1, "more": ' + b"[" * DEEP + b"]" * DEEP + b', "products": []}'),
    "total of 5,000 digits": answer(listed(PRODUCT, total="9" * 5000)),
    "total that is NaN": answer(listed(PRODUCT, total="NaN")),
    "total that is Infinity": answer(listed(PRODUCT, total="-Infinity")),
    "total of 1e400": answer(listed(PRODUCT, total="1e400")),
    "lone surrogate beside the list": answer(b'{"products": [], "total": 0, "\\ud800": "\\udfff"}'),
    "not UTF-8": answer(b'{"products": [], "total": 0, "\xff\xfe": 1}'),
    "UTF-16": answer(listed(PRODUCT).decode().encode("utf-16")),
    "negative length": answer(listed(PRODUCT), length=-5),
    "length that is no number": answer(listed(PRODUCT), length="5,000"),
    "two lengths": answer(listed(PRODUCT), "Content-Length: 3"),
    "length beside a coding": answer(b"1\r\n[\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
    "5 MB of headers": answer(listed(PRODUCT), *[f"X-{number}: {'x' * 50_000}" for number in range(100)]),
    "101 headers": answer(listed(PRODUCT), *["X: y"] * 101),
    "100 Continue for ever": b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000,
    "gzip bomb": answer(bomb(), "Content-Encoding: gzip"),
    "brotli": answer(b"\x1b\x00", "Content-Encoding: br"),
    "zstd": answer(b"\x28\xb5\x2f\xfd", "Content-Encoding: zstd"),
    "six encodings": answer(wrapped(listed(PRODUCT), 6), "Content-Encoding: " + ", ".join(["gzip"] * 6)),
    "more than 8 MiB": answer(b" " * (8 * 2**20 + 1)),
    "redirect to no URL": b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
    "redirect to the inside": b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n",
    "HTTP without a head": b"\x00" * 1000,
}
# One record among good ones; it is turned away, or what is wrong about it is left out.
POISONED = {
    "price of NaN": '{"id": 2, "title": "Bad", "price": NaN}',
    "price of Infinity": '{"id": 2, "title": "Bad", "price": Infinity}',
    "price of 1e400": '{"id": 2, "title": "Bad", "price": 1e400}',
    "price of 1e999999999": '{"id": 2, "title": "Bad", "price": 1e999999999}',
    "price of 1e-999999999": '{"id": 2, "title": "Bad", "price": 1e-999999999}',
    "price of 5,000 digits": f'{{"id": 2, "title": "Bad", "price": {"9" * 5000}}}',
    "price of 5,000 digits as text": f'{{"id": 2, "title": "Bad", "price": "{"9" * 5000}"}}',
    "id of 5,000 digits": f'{{"id": {"9" * 5000}, "title": "Bad", "price": 1}}',
    "lone surrogate": '{"id": 2, "title": "\\ud800", "price": 1}',
    "lone surrogate as a key": '{"id": 2, "title": "Bad", "price": 1, "\\udfff": 1}',
    "rating of NaN": '{"id": 2, "title": "Bad", "price": 1, "rating": NaN}',
    "rating of 1e400": '{"id": 2, "title": "Bad", "price": 1, "rating": 1e400}',
    "stock of 1e400": '{"id": 2, "title": "Bad", "price": 1, "stock": 1e400}',
    "stock of 5,000 digits": f'{{"id": 2, "title": "Bad", "price": 1, "stock": {"9" * 5000}}}',
    "nesting of 100,000": '{"id": 2, "title": "Bad", "price": 1, "meta": ' + "[" * DEEP + "]" * DEEP + "}",
    "nesting of 900": '{"id": 2, "title": "Bad", "price": 1, "meta": ' + '{"a":' * 900 + "1" + "}" * 900 + "}",
    "null bytes": '{"id": 2, "title": "a\\u0000b", "price": 1}',
    "a number for a name": '{"id": 2, "title": 1e400, "price": 1}',
    "no object": "7",
}


def strict(text):
    """Read JSON as a parser does that forgives nothing."""

    def refuse(constant):
        raise AssertionError(constant)

    found = json.loads(text, parse_constant=refuse)
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode("utf-8")
    return found


def served(team):
    """Give every page of the API that shows what sources sent; none may fail, all must be strict."""
    pages = {}
    for path in ("/products?per_page=100&facets=brand,price,source", "/sources", "/sources/acme", "/sources/acme/quarantine"):
        found = team.get(path)
        assert found.status_code == 200, found.text
        pages[path] = strict(found.get_data())
    return pages


@pytest.mark.parametrize("payload", BROKEN)
def test_an_answer_made_to_break_its_reader_fails_that_source_alone(aisle, payload, caplog, capsys):
    with running(FaultyShop(5, seed=2)) as good, raw_server(BROKEN[payload]) as bad:
        team = aisle(shop_source("acme", bad), shop_source("depot", good))
        reports = team.sync()
    assert (reports["acme"].outcome, reports["depot"].outcome) == (Outcome.FAILED, Outcome.OK)
    assert reports["acme"].error_type in {"UpstreamGarbled", "UpstreamRefused", "UpstreamUnreachable"}
    assert reports["acme"].error.endswith(".")
    assert served(team)["/sources/acme"]["state"] == "error"
    assert "Traceback" not in capsys.readouterr().err + caplog.text


@pytest.mark.parametrize("payload", POISONED)
def test_a_record_made_to_break_its_reader_leaves_the_others_alone(aisle, payload, caplog, capsys):
    body = listed(PRODUCT, POISONED[payload], '{"id": 3, "title": "Other", "price": 5}')
    bad = Request.application(lambda _: Response(body, mimetype="application/json"))
    with running(FaultyShop(5, seed=2)) as good, running(bad) as url:
        team = aisle(shop_source("acme", url), shop_source("depot", good))
        reports = team.sync()
    report = reports["acme"]
    assert reports["depot"].outcome is Outcome.OK
    pages = served(team)
    if report.outcome is Outcome.OK:
        ids = {product["id"] for product in pages["/products?per_page=100&facets=brand,price,source"]["data"]}
        assert ids >= {"acme:1", "acme:3"}
        assert report.products + report.rejected == 3
    else:
        assert report.error_type == "UpstreamGarbled"
    assert "Traceback" not in capsys.readouterr().err + caplog.text
