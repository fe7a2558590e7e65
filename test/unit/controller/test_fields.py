from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from main.controller.fields import Amount, Choices, CurrencyCode, Gtins, Number, Values, Whole

WHOLE = Whole(1, 100)
NUMBER = Number(0, 5)
CHOICES = Choices(("InStock", "SoldOut"))


@pytest.mark.parametrize(
    ("field", "given_", "loaded"),
    [
        (WHOLE, "1", 1),
        (WHOLE, "100", 100),
        (WHOLE, "007", 7),
        (NUMBER, "0", 0.0),
        (NUMBER, "4.5", 4.5),
        (NUMBER, "5e-1", 0.5),
        (Amount(), "0", Decimal(0)),
        (Amount(), " 19.99 ", Decimal("19.99")),
        (Amount(), "999999999999.9999", Decimal("999999999999.9999")),
        (CurrencyCode(), "EUR", "EUR"),
        (CHOICES, ["soldout, INSTOCK", "InStock"], ("InStock", "SoldOut")),
        (Values(), ["b ", "a", "b"], ("a", "b")),
        (Values(), ["x" * 200], ("x" * 200,)),
        (Gtins(), ["4006381333931", "04006381333931", "96385074"], ("00000096385074", "04006381333931")),
    ],
)
def test_what_is_right_is_loaded(field: Any, given_: Any, loaded: Any):
    assert field.deserialize(given_) == loaded


@pytest.mark.parametrize(
    ("field", "wrong", "allowed"),
    [
        *((WHOLE, text, "must be a whole number from 1 to 100") for text in ("0", "101", "-1", "1.0", "1_0", "+1", " 1", "", "x", "²", "٣", "9" * 30, "9" * 5000, "1\n")),
        *((NUMBER, text, "must be a number from 0 to 5") for text in ("-0.1", "5.1", "nan", "NaN", "Infinity", "-inf", "1e999", "0_1", "", " 1", "٣", "9" * 5000, "1\n")),
        *((Amount(), text, "must be an amount such as 19.99") for text in ("-1", "+1", "1e3", "1.00001", "1,99", "NaN", "Infinity", "", "1_0", "٣", "9" * 30, "1.", ".5")),
        *((CurrencyCode(), text, "must be an ISO 4217 code") for text in ("eur", "EURO", "€", "", "EUR\n")),
        *((CHOICES, [text], "must be of: InStock, SoldOut") for text in ("InStock,gone", "InStock,", "", ",")),
        *((Values(), [text], "must be 1 to 200 characters") for text in ("", " ", "x" * 201, "a\x00b", "a\nb", "\x85", "\xa0", " a", "a\n")),
        (Values(), ["x"] * 51, "may be given at most 50 times"),
        *((Gtins(), [text], "must be 8, 12, 13 or 14 digits") for text in ("123", "1" * 15, "400638133393x", "٣" * 13)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_what_is_allowed(field: Any, wrong: Any, allowed: str):
    with pytest.raises(ValidationError) as refused:
        field.deserialize(wrong)
    assert refused.value.messages[0].startswith(allowed)


@given(st.sampled_from([WHOLE, NUMBER, Amount(), CurrencyCode(), CHOICES, Values(), Gtins()]), st.text(max_size=60))
def test_any_text_is_loaded_or_refused_and_never_repeated(field: Any, text: str):
    marked = f"\u2603{text}\u2603"
    value = [marked] if isinstance(field, Choices | Values) else marked
    if type(field) is Values and not any(unicodedata.category(character) == "Cc" for character in marked):
        assert field.deserialize(value) == (marked,)
        return
    with pytest.raises(ValidationError) as refused:
        field.deserialize(value)
    assert "\u2603" not in str(refused.value.messages)
