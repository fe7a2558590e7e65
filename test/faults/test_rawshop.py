"""Each behaviour does on the wire what its name says; seen through plain sockets."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from test.faults.behaviours import AT_ACCEPT, BEHAVIOURS
from test.faults.rawshop import LOOPBACK, RawShop

if TYPE_CHECKING:
    from collections.abc import Iterator

ENOUGH = 3 << 20
SILENCE = 0.4
PATIENCE = 20.0


@dataclass
class Heard:
    """What came, and how it ended: closed, reset, open (nothing more within the time) or flooding."""

    data: bytes
    end: str

    @property
    def head(self) -> str:
        return self.data.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]

    @property
    def status(self) -> int:
        return int(self.head.split(" ")[1])

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def headers(self, name: str) -> list[str]:
        pairs = [line.partition(": ") for line in self.head.split("\r\n")[1:]]
        return [value for found, _, value in pairs if found.lower() == name.lower()]

    @property
    def etag(self) -> str:
        return self.headers("etag")[0]


@pytest.fixture
def shop() -> Iterator[RawShop]:
    with RawShop(count=5) as shop:
        yield shop


def make_request(target: str, **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"GET {target} HTTP/1.1\r\nHost: raw\r\n{lines}\r\n".encode()


def ask(shop: RawShop, target: str = "/products", seconds: float | None = None, **headers: str) -> Heard:
    with socket.create_connection((LOOPBACK, shop.port), timeout=5) as sock:
        return talk(sock, make_request(target, **headers), seconds)


def talk(sock: socket.socket, data: bytes, seconds: float | None = None) -> Heard:
    """What is heard until so many seconds of silence; where none are given, the first byte may take its time."""
    heard = bytearray()
    sock.settimeout(seconds or PATIENCE)
    try:
        sock.sendall(data)
        while len(heard) < ENOUGH:
            piece = sock.recv(65536)
            if not piece:
                return Heard(bytes(heard), "closed")
            heard += piece
            sock.settimeout(seconds or SILENCE)
    except TimeoutError:
        return Heard(bytes(heard), "open")
    except ConnectionResetError:
        return Heard(bytes(heard), "reset")
    return Heard(bytes(heard), "flooding")


def connect_and_read(port: int) -> None:
    with socket.create_connection((LOOPBACK, port), timeout=5) as sock:
        sock.recv(1)


def wait_for(what: str, is_true: Any) -> None:
    until = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < until, what
        time.sleep(0.01)


class TestAGoodShop:
    def test_it_pages_its_list(self, shop: RawShop) -> None:
        page = ask(shop, "/products?limit=2&skip=3").json
        assert [product["id"] for product in page["products"]] == [4, 5]
        assert (page["total"], page["skip"], page["limit"]) == (5, 3, 2)
        assert len(ask(shop, "/products?limit=0").json["products"]) == 5

    def test_it_has_items_and_no_others(self, shop: RawShop) -> None:
        shop.products[3]["price"] = 7.5
        assert ask(shop, "/products/3").json["price"] == 7.5
        assert [ask(shop, target).status for target in ("/products/9", "/products/x", "/", "/other")] == [404] * 4

    def test_it_confirms_what_a_client_has(self, shop: RawShop) -> None:
        etag = ask(shop).etag
        again = ask(shop, If_None_Match=etag)
        assert (again.status, again.body) == (304, b"")
        shop.products[1]["price"] = 1
        assert ask(shop, If_None_Match=etag).status == 200

    def test_it_keeps_a_connection_and_counts_its_requests(self, shop: RawShop) -> None:
        with socket.create_connection((LOOPBACK, shop.port)) as sock:
            for number in (1, 2, 3):
                assert talk(sock, make_request(f"/products/{number}")).json["id"] == number
        assert (shop.connections, shop.calls(), shop.calls("/products/2")) == (1, 3, 1)
        assert {request.connection for request in shop.requests} == {1}
        wait_for("the end of it", lambda: shop.open == 0)

    def test_it_closes_when_asked_to(self, shop: RawShop) -> None:
        assert ask(shop, seconds=PATIENCE, Connection="close").end == "closed"

    def test_it_answers_pipelined_requests_in_order(self, shop: RawShop) -> None:
        with socket.create_connection((LOOPBACK, shop.port)) as sock:
            heard = talk(sock, make_request("/products/1") + make_request("/products/2"))
        assert heard.data.count(b"HTTP/1.1 200") == 2
        assert heard.data.index(b'"id": 1') < heard.data.index(b'"id": 2')

    def test_it_reads_bodies(self, shop: RawShop) -> None:
        with socket.create_connection((LOOPBACK, shop.port)) as sock:
            talk(sock, b"POST /products HTTP/1.1\r\nHost: raw\r\nContent-Length: 5\r\n\r\nhe", SILENCE)
            assert shop.calls() == 0
            talk(sock, b"llo")
        assert (shop.requests[0].method, shop.requests[0].body, shop.requests[0].headers["host"]) == ("POST", b"hello", "raw")

    def test_it_takes_its_time(self, shop: RawShop) -> None:
        shop.latency = 0.3
        started = time.monotonic()
        assert ask(shop, seconds=PATIENCE, Connection="close").status == 200
        assert time.monotonic() - started >= 0.3

    def test_it_counts_exactly_under_a_crowd_and_knows_the_busiest_moment(self, shop: RawShop) -> None:
        shop.latency = 0.3
        with ThreadPoolExecutor(40) as clients:
            heard = list(clients.map(lambda _: ask(shop, seconds=5, Connection="close"), range(40)))
        assert {one.status for one in heard} == {200}
        assert (shop.calls(), shop.connections) == (40, 40)
        assert 2 <= shop.busiest <= 40
        shop.forget()
        assert (shop.calls(), shop.connections, shop.busiest) == (0, 0, 0)


class TestSwitching:
    def test_it_can_misbehave_for_a_part_of_its_targets(self, shop: RawShop) -> None:
        shop.behave("status", code=500, only="/products/")
        assert [ask(shop, target).status for target in ("/products", "/products/1")] == [200, 500]
        shop.behave("good")
        assert ask(shop, "/products/1").status == 200

    def test_a_script_is_played_once(self, shop: RawShop) -> None:
        shop.script("status", "html", "good")
        shop.behave("throttle")
        assert [ask(shop).status for _ in range(4)] == [503, 200, 200, 429]

    def test_what_is_under_way_can_be_released(self, shop: RawShop) -> None:
        shop.behave("silent")
        with ThreadPoolExecutor(1) as client:
            heard = client.submit(ask, shop, seconds=20)
            wait_for("the call", shop.calls)
            shop.behave("good", release=True)
            assert heard.result(5).end == "closed"
        assert ask(shop).status == 200

    def test_a_client_that_gives_up_leaves_nothing_open(self, shop: RawShop) -> None:
        for name in ("silent", "body_drip", "endless_body", "silent_at_accept", "slow_close"):
            shop.behave(name)
            ask(shop, seconds=0.1)
            wait_for(name, lambda: shop.open == 0)

    def test_an_unknown_name_is_refused_with_the_known_ones(self, shop: RawShop) -> None:
        with pytest.raises(ValueError, match=r"melt: no such behaviour; allowed: .*body_drip"):
            shop.behave("melt")
        with pytest.raises(ValueError, match="melt"):
            shop.script("good", "melt")
        with pytest.raises(ValueError, match="cannot be part of a script"):
            shop.script("black_hole")
        with pytest.raises(ValueError, match="before a request is read"):
            shop.behave("tls_garbage", only="/products/")

    def test_closing_it_leaves_no_thread(self) -> None:
        before = set(threading.enumerate())  # some of other tests may end meanwhile
        with RawShop() as shop:
            shop.behave("silent")
            with ThreadPoolExecutor(5) as clients:
                list(clients.map(lambda _: ask(shop, seconds=0.1), range(5)))
        assert set(threading.enumerate()) <= before


class TestBeforeARequest:
    def test_a_black_hole_lets_no_connection_be_made_and_can_be_closed_again(self, shop: RawShop) -> None:
        for _ in range(2):
            shop.behave("black_hole")
            with pytest.raises(TimeoutError):
                socket.create_connection((LOOPBACK, shop.port), timeout=0.5)
            shop.behave("good")
            assert ask(shop, seconds=5, Connection="close").status == 200
            assert shop.calls() >= 1
        assert shop.calls() == 2

    def test_silence_reads_nothing(self, shop: RawShop) -> None:
        shop.behave("silent_at_accept")
        heard = ask(shop, seconds=SILENCE)
        assert (heard.data, heard.end, shop.connections, shop.calls()) == (b"", "open", 1, 0)

    def test_a_reset_is_one(self, shop: RawShop) -> None:
        shop.behave("reset_at_accept")
        with pytest.raises(ConnectionResetError):
            connect_and_read(shop.port)

    @pytest.mark.parametrize(("name", "start"), [("tls_garbage", b"\x15\x03"), ("ssh_banner", b"SSH-2.0-")])
    def test_another_protocol(self, shop: RawShop, name: str, start: bytes) -> None:
        shop.behave(name)
        with socket.create_connection((LOOPBACK, shop.port), timeout=5) as sock:
            assert sock.recv(100).startswith(start)


# name -> (options, how it ends within the time, a check of what was heard)
WIRE: dict[str, tuple[dict[str, Any], str, Any]] = {
    "good": ({}, "open", lambda heard: heard.json["total"] == 5),
    "kept_alive_then_closed": ({}, "closed", lambda heard: heard.status == 200 and not heard.headers("connection")),
    "silent": ({}, "open", lambda heard: heard.data == b""),
    "reset_after_request": ({}, "reset", lambda heard: heard.data == b""),
    "hang_up": ({}, "closed", lambda heard: heard.data == b""),
    "hang_up_in_body": ({}, "closed", lambda heard: 0 < len(heard.body) < int(heard.headers("content-length")[0])),
    "slow_close": ({}, "open", lambda heard: heard.json and not heard.headers("content-length")),
    "header_drip": ({"every": 0.1}, "open", None),
    "body_drip": ({"every": 0.1}, "open", None),
    "chunked_drip": ({"every": 0.1}, "open", None),
    "endless_header": ({}, "flooding", lambda heard: heard.data.count(b"\r\n") == 2),
    "endless_headers": ({}, "flooding", lambda heard: heard.data.count(b"\r\nX-Many-") > 1000 and not heard.body),
    "many_headers": ({"count": 150}, "open", lambda heard: heard.head.count("X-Many-") == 150 and heard.json["total"] == 5),
    "endless_body": ({}, "flooding", lambda heard: heard.body.strip() == b""),
    "endless_chunks": ({}, "flooding", lambda heard: heard.body.count(b"10000\r\n") > 10),
    "endless_chunk_line": ({}, "flooding", lambda heard: b"\r\n" not in heard.body),
    "informational_flood": (
        {},
        "flooding",
        lambda heard: heard.data.count(b"HTTP/1.1 103 ") > 1000 and b" 200 " not in heard.data,
    ),
    "large_body": ({"size": 1 << 20}, "open", lambda heard: len(heard.body) > 1 << 20 and heard.json["total"] == 5),
    "length_negative": ({}, "closed", lambda heard: heard.headers("content-length") == ["-5"]),
    "length_garbled": ({}, "closed", lambda heard: heard.headers("content-length") == ["many"]),
    "length_twice": ({}, "closed", lambda heard: len(set(heard.headers("content-length"))) == 2),
    "length_and_chunks": ({}, "closed", lambda heard: heard.headers("content-length") and heard.headers("transfer-encoding")),
    "length_too_long": ({}, "open", lambda heard: len(heard.body) == int(heard.headers("content-length")[0]) - 100),
    "length_too_short": ({}, "open", lambda heard: len(heard.body) > int(heard.headers("content-length")[0])),
    "length_huge": ({}, "open", lambda heard: int(heard.headers("content-length")[0]) == 1 << 40),
    "chunks_garbled": ({}, "closed", lambda heard: heard.body.startswith(b"zz\r\n")),
    "gzip_bomb": ({"size": 1 << 20}, "open", lambda heard: len(gzip.decompress(heard.body)) == 1 << 20),
    "deflate_bomb": ({"size": 1 << 20}, "open", lambda heard: heard.headers("content-encoding") == ["deflate"] and heard.body),
    "br_bomb": ({"size": 1 << 20}, "open", lambda heard: heard.headers("content-encoding") == ["br"] and heard.body),
    "zstd_bomb": ({"size": 1 << 20}, "open", lambda heard: heard.body.startswith(b"\x28\xb5\x2f\xfd")),
    "chained_encodings": ({}, "open", lambda heard: heard.headers("content-encoding") == [", ".join(["gzip"] * 6)]),
    "not_gzip": ({}, "open", lambda heard: heard.headers("content-encoding") == ["gzip"] and heard.json),
    "gzip_cut": (
        {},
        "open",
        lambda heard: heard.body.startswith(b"\x1f\x8b") and raises(EOFError, gzip.decompress, heard.body),
    ),
    "status": (
        {"code": 502, "headers": {"X-A": "b"}},
        "open",
        lambda heard: heard.status == 502 and heard.headers("x-a") == ["b"],
    ),
    "throttle": ({"retry_after": "abc"}, "open", lambda heard: heard.status == 429 and heard.headers("retry-after") == ["abc"]),
    "redirect": (
        {"to": "http://else/"},
        "open",
        lambda heard: heard.status == 302 and heard.headers("location") == ["http://else/"],
    ),
    "redirect_to_bad_url": ({}, "open", lambda heard: raises(ValueError, split_port, heard.headers("location")[0])),
    "http09": ({}, "closed", lambda heard: heard.data.startswith(b'{"products"')),
    "garbage": ({}, "closed", lambda heard: heard.data[:3] == b"\0\1\2"),
    "json_nan": ({}, "open", lambda heard: b'"price": NaN' in heard.body),
    "json_infinity": ({}, "open", lambda heard: b'"price": -Infinity' in heard.body),
    "json_huge_exponent": ({}, "open", lambda heard: b'"price": 1e400,' in heard.body),
    "json_long_number": ({}, "open", lambda heard: b"9" * 5000 in heard.body and raises(ValueError, json.loads, heard.body)),
    "json_lone_surrogate": ({}, "open", lambda heard: heard.json["products"][0]["title"] == "\ud800"),
    "json_raw_surrogate": ({}, "open", lambda heard: raises(UnicodeDecodeError, heard.body.decode)),
    "json_duplicate_keys": ({}, "open", lambda heard: b'"price": 1, "price": 2' in heard.body),
    "json_deep": ({}, "open", lambda heard: b"[" * 100_000 in heard.body and raises(RecursionError, json.loads, heard.body)),
    "json_huge_string": ({}, "open", lambda heard: len(heard.json["products"][0]["title"]) == 1 << 20),
    "json_null_byte": ({}, "open", lambda heard: heard.json["products"][0]["title"] == "a\0b"),
    "json_bom": ({}, "open", lambda heard: heard.body.startswith(b"\xef\xbb\xbf{")),
    "json_utf16": ({}, "open", lambda heard: json.loads(heard.body.decode("utf-16"))["total"] == 5),
    "json_latin1": ({}, "open", lambda heard: raises(UnicodeDecodeError, heard.body.decode)),
    "json_cut": ({}, "open", lambda heard: raises(ValueError, json.loads, heard.body)),
    "json_empty": ({}, "open", lambda heard: heard.status == 200 and heard.headers("content-length") == ["0"]),
    "json_twice": ({}, "open", lambda heard: raises(ValueError, json.loads, heard.body)),
    "json_other_shape": ({}, "open", lambda heard: isinstance(heard.json, list)),
    "html": ({}, "open", lambda heard: heard.body.startswith(b"<!DOCTYPE") and "text/html" in heard.head),
}


def raises(error: type[Exception], function: Any, *arguments: Any) -> bool:
    try:
        function(*arguments)
    except error:
        return True
    return False


def split_port(url: str) -> Any:
    from urllib.parse import urlsplit  # noqa: PLC0415 - beside the one line that needs it

    return urlsplit(url).hostname


def test_every_behaviour_is_tried() -> None:
    assert set(WIRE) == set(BEHAVIOURS) - AT_ACCEPT


@pytest.mark.parametrize("name", [name for name, (_, _, check) in WIRE.items() if check])
def test_a_behaviour_is_on_the_wire_what_its_name_says(shop: RawShop, name: str) -> None:
    options, end, check = WIRE[name]
    shop.behave(name, **options)
    heard = ask(shop, seconds=PATIENCE if end != "open" else SILENCE if name == "silent" else None)
    assert heard.end == end, heard.data[:300]
    assert check(heard), heard.data[:300]
    assert (shop.calls(), shop.connections) == (1, 1)


@pytest.mark.parametrize("name", ["header_drip", "body_drip", "chunked_drip"])
def test_a_drip_comes_bit_by_bit_and_whole_in_the_end(shop: RawShop, name: str) -> None:
    whole = ask(shop, "/products/1").body
    shop.behave(name, every=0.1)
    with socket.create_connection((LOOPBACK, shop.port), timeout=5) as sock:
        sock.sendall(make_request("/products/1"))
        pieces = [sock.recv(65536) for _ in range(4)]
    small = pieces if name == "header_drip" else pieces[2:]
    assert {len(piece) for piece in small} <= ({6} if name == "chunked_drip" else {1})
    shop.behave(name, every=0.001)
    heard = ask(shop, "/products/1", seconds=1)
    body = heard.body if name != "chunked_drip" else b"".join(heard.body.split(b"\r\n")[1::2])
    assert body == whole


def test_a_hang_up_in_the_body_can_be_a_reset(shop: RawShop) -> None:
    shop.behave("hang_up_in_body", reset_it=True)
    assert ask(shop, seconds=PATIENCE).end == "reset"


def test_a_redirect_can_lead_to_itself(shop: RawShop) -> None:
    shop.behave("redirect")
    assert ask(shop, "/products/3").headers("location") == ["/products/3"]


def test_a_bad_record_stands_among_good_ones(shop: RawShop) -> None:
    shop.behave("json_null_byte")
    assert [product["title"] for product in ask(shop).json["products"]][1:] == [f"Raw thing {number}" for number in range(2, 6)]
    assert ask(shop, "/products/4").json["title"] == "a\0b"


def test_the_layers_of_a_chain_can_be_taken_off(shop: RawShop) -> None:
    shop.behave("chained_encodings", times=3)
    body = ask(shop).body
    for _ in range(3):
        body = gzip.decompress(body)
    assert json.loads(body)["total"] == 5
