"""What a RawShop can answer in good form that is bad inside: bombs, and bodies that are not what they seem. Added to BEHAVIOURS."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from test.faults.behaviours import BEHAVIOURS, MIB, behaviour
from test.faults.bombs import bomb, chain

if TYPE_CHECKING:
    from collections.abc import Callable

    from test.faults.rawshop import Call

# Compression.


@cache
def _packed(encoding: str, size: int) -> bytes:
    return bomb(encoding, size)


def _bomb(encoding: str) -> Callable[..., bool]:
    def send_bomb(call: Call, size: int = 200 * MIB) -> bool:
        call.answer(_packed(encoding, size), headers={"Content-Encoding": encoding})
        return True

    return send_bomb


def prepare(name: str, **options: Any) -> None:
    """Makes what takes long before anyone waits for it."""
    if name.endswith("_bomb"):
        _packed(name.removesuffix("_bomb"), options.get("size", 200 * MIB))


for _encoding in ("gzip", "deflate", "br", "zstd"):
    BEHAVIOURS[f"{_encoding}_bomb"] = _bomb(_encoding)


@behaviour
def chained_encodings(call: Call, times: int = 6) -> bool:
    """A good body, gzipped so many times and saying so."""
    call.answer(chain(call.page(), times), headers={"Content-Encoding": ", ".join(["gzip"] * times)})
    return True


@behaviour
def not_gzip(call: Call) -> bool:
    """Says gzip and is none."""
    call.answer(call.page(), headers={"Content-Encoding": "gzip"})
    return True


@behaviour
def gzip_cut(call: Call) -> bool:
    """A good body in gzip, without its second half."""
    packed = chain(call.page(), 1)
    call.answer(packed[: len(packed) // 2], headers={"Content-Encoding": "gzip"})
    return True


# Bodies that are not what they seem.


def _literal(name: str, make: Callable[[], dict[str, str]]) -> None:
    def send_literal(call: Call) -> bool:
        call.answer(call.page(**make()))
        return True

    BEHAVIOURS[name] = send_literal


_literal("json_nan", lambda: {"price": "NaN"})
_literal("json_infinity", lambda: {"price": "-Infinity"})
_literal("json_huge_exponent", lambda: {"price": "1e400"})
_literal("json_long_number", lambda: {"price": "9" * 5000})
_literal("json_lone_surrogate", lambda: {"title": r'"\ud800"'})
_literal("json_raw_surrogate", lambda: {"title": '"\ud800"'})
_literal("json_duplicate_keys", lambda: {"price": '1, "price": 2'})
_literal("json_deep", lambda: {"description": "[" * 100_000 + "]" * 100_000})
_literal("json_huge_string", lambda: {"title": '"' + "a" * MIB + '"'})
_literal("json_null_byte", lambda: {"title": r'"a\u0000b"'})


def _body(name: str, change: Callable[[bytes], bytes], content_type: str = "application/json") -> None:
    def send_body(call: Call) -> bool:
        call.answer(change(call.page()), headers={"Content-Type": content_type})
        return True

    BEHAVIOURS[name] = send_body


_body("json_bom", lambda body: b"\xef\xbb\xbf" + body)
_body("json_utf16", lambda body: body.decode().encode("utf-16"))
_body("json_latin1", lambda body: body.replace(b"Raw", "Räw".encode("latin-1")))
_body("json_cut", lambda body: body[: len(body) // 2])
_body("json_empty", lambda _: b"")
_body("json_twice", lambda body: body + body)
_body("json_other_shape", lambda _: b'[1, "two", null]')
_body("html", lambda _: b"<!DOCTYPE html><h1>We will be back soon</h1>", "text/html; charset=utf-8")
