from decimal import Decimal

import pytest

from main.util.prices import read_price


@pytest.mark.parametrize(
    ("text", "decimal", "amount", "code"),
    [
        ("19.99", None, "19.99", None),
        ("19.99 EUR", None, "19.99", "EUR"),
        ("EUR 19", None, "19", "EUR"),
        ("€ 19.99", None, "19.99", None),
        ("12345.5", None, "12345.5", None),
        ("1.234,50 EGP", ",", "1234.50", "EGP"),
        ("1.234.567,5", ",", "1234567.5", None),
        ("1 234,50 zl", ",", "1234.50", None),
        ("1\u00a0234,50\u00a0€", ",", "1234.50", None),
        ("19,99", ",", "19.99", None),
        ("19", ",", "19", None),
        ("1,234.50", ".", "1234.50", None),
        ("12,34,567.00 Rs", ".", "1234567.00", None),
        ("1'234.50 CHF", ".", "1234.50", "CHF"),
        ("\u0661\u066c\u0662\u0663\u0664\u066b\u0665\u0660 \u062c.\u0645.", None, "1234.50", None),
        ("\u200f150 EGP\u200f", None, "150", "EGP"),
    ],
)
def test_a_price_is_read_as_it_is_written(text, decimal, amount, code):
    assert read_price(text, decimal) == (Decimal(amount), code)


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("19.99", ","),
        ("19,99", None),
        ("1,234", None),
        ("1.23,4,5", ","),
        ("19,", ","),
        ("1,2,3", "."),
        ("10 - 20 EUR", None),
        ("-5 EUR", None),
        ("from 10", None),
        ("10 / kg", None),
        ("call us", None),
        ("", None),
        ("19.9x9", None),
    ],
)
def test_a_doubtful_price_is_never_guessed(text, decimal):
    with pytest.raises(ValueError, match="is"):
        print(read_price(text, decimal))
