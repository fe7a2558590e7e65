"""Exact money arithmetic: decimals in, integer minor units inside, decimal strings out."""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal

from main.util.currencies import CURRENCIES

# ISO 4217, list one: the currencies whose minor unit is not a hundredth.
_EXPONENTS = {
    **dict.fromkeys(
        ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
_DEFAULT_EXPONENT = 2
_RANK_EXPONENT = 4  # the largest exponent there is: one integer scale on which all currencies' amounts compare
_LARGEST = Decimal(10) ** 12
# Moving the point must not round: the usual 28 digits would make 19.99999999999999999999999999999 EUR exactly 20.
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?\Z", re.ASCII)


def is_currency(text: str) -> bool:
    """Tell whether the text is a code of ISO 4217, in capital letters."""
    return text in CURRENCIES


def exponent(currency: str) -> int:
    """Give how many decimal places the currency's minor unit has (ISO 4217): 2 for EUR, 0 for JPY."""
    return _EXPONENTS.get(currency, _DEFAULT_EXPONENT)


def parse_amount(value: object) -> Decimal:
    """Read an amount of money from what a shop or a caller wrote: a string, an integer or a decimal.

    Raises:
        ValueError: with a sentence for a person: not a number, negative, or beyond 10^12.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        kind = "a float" if isinstance(value, float) else type(value).__name__
        raise ValueError(f"is not an amount: expected a decimal number, got {kind}")  # noqa: TRY004 - one error for whoever reads it
    text = value.strip() if isinstance(value, str) else str(value)
    if not text:
        raise ValueError("is empty")
    if not _NUMBER.match(text):
        raise ValueError(f"is not an amount: expected a decimal number such as 19.99, got {_shorten(text)}")
    amount = Decimal(text)
    if amount < 0:
        raise ValueError(f"is negative: {_shorten(text)}")
    if amount > _LARGEST:
        raise ValueError("is beyond 10^12")
    return amount


def shift(amount: Decimal, places: int) -> Decimal:
    """Move the decimal point to the right (to the left for negative ``places``), exactly."""
    return amount.scaleb(places, _EXACT)


def to_minor(amount: Decimal, currency: str) -> int:
    """Turn an amount into the currency's integer minor units.

    Raises:
        ValueError: the amount has more decimal places than the currency has (zeros at the end do not count).
    """
    scaled = shift(amount, exponent(currency))
    minor = int(scaled)
    if minor != scaled:
        raise ValueError(f"has more decimal places than {currency} has ({exponent(currency)}): {str(amount)[:40]}")
    return minor


def format_minor(minor: int, currency: str) -> str:
    """Write integer minor units as a plain decimal string: ``1999`` EUR is ``"19.99"``."""
    places = exponent(currency)
    if places == 0:
        return str(minor)
    whole, part = divmod(abs(minor), 10**places)
    return f"{'-' if minor < 0 else ''}{whole}.{part:0{places}d}"


def rank_minor(minor: int, currency: str) -> int:
    """Put minor units on the one integer scale (1/10,000 of a unit) used to sort and filter nominal amounts."""
    return minor * int(10 ** (_RANK_EXPONENT - exponent(currency)))


def rank_amount(amount: Decimal) -> int:
    """Put an amount on the same scale as :func:`rank_minor`; what is finer than the scale is cut off."""
    return int(shift(amount, _RANK_EXPONENT))


def _shorten(text: str, limit: int = 40) -> str:
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
