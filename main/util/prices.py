"""Prices as shops write them for people: ``1.234,50 EGP``, ``€ 19.99``, in Latin or Arabic digits and signs."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from main.util.money import is_currency, parse_amount

if TYPE_CHECKING:
    from decimal import Decimal

_PRICE = re.compile(r"(?P<before>[^\d+-]*)(?P<number>[+-]?\d(?:.*\d)?)(?P<after>\D*)\Z", re.DOTALL)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:(?P<mark>[ .,'])(?:\d{2,3}(?P=mark))*\d{3})?\Z", re.ASCII)
_FOLDED = str.maketrans(
    dict(zip("\u066b\u066c\u2019\u00a0\u202f", "\u22c5''  ", strict=True))
)  # Arabic signs, blanks that do not break
_ARABIC_POINT = "\u22c5"
_ABBREVIATIONS = {"Rs", "kr", "LE", "R", "zl", "Ft", "lei", "Lei", "SR", "Dhs", "AED"}


def read_price(text: str, decimal: str | None = None) -> tuple[Decimal, str | None]:
    """Read a price with, perhaps, a currency beside it; give the amount and the ISO code, if one is written.

    ``decimal`` is the sign between units and fractions. Only where it is told may thousands be grouped: without, ``1,234`` could
    mean either.

    Raises:
        ValueError: with a sentence for a person; a doubtful price is never guessed.
    """
    found = _PRICE.match(text.strip().translate(_FOLDED))
    if not found:
        raise ValueError(f"is not a price: {text[:40]!r}")
    code = None
    for beside in (found["before"], found["after"]):
        code = _read_currency(beside, text) or code
    number = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in found["number"])
    return parse_amount(_plain(number, decimal, text)), code


def _plain(number: str, decimal: str | None, text: str) -> str:
    mark = _ARABIC_POINT if _ARABIC_POINT in number else decimal or "."  # the Arabic sign can mean nothing else
    whole, comma, fraction = number.partition(mark)
    grouped = _GROUPED.match(whole)
    # A whole part without groups may be of any length; grouped ones need their rhythm, so that 19.99 is never 1999.
    if not whole.lstrip("+-").isdigit() and not (grouped and grouped["mark"] != mark and (decimal or mark == _ARABIC_POINT)):
        raise ValueError(f"is not a price with {decimal or '.'!r} before its fraction: {text[:40]!r}")
    if comma and not fraction.isdigit():
        raise ValueError(f"is not a price with {decimal or '.'!r} before its fraction: {text[:40]!r}")
    return re.sub(r"[ .,']", "", whole) + (f".{fraction}" if comma else "")


def _read_currency(beside: str, text: str) -> str | None:
    word = "".join(sign for sign in beside if unicodedata.category(sign) != "Cf").strip(" .\t\n")
    if is_currency(word):
        return word
    known = not word or word in _ABBREVIATIONS
    if not known and not all(_is_foreign(sign) or sign in " ." for sign in word):
        raise ValueError(f"is not a price alone: {text[:40]!r}")
    return None


def _is_foreign(sign: str) -> bool:
    return unicodedata.category(sign) == "Sc" or (not sign.isascii() and unicodedata.category(sign)[0] in "LM")
