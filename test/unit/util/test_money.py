"""Exact money: what is read, what is refused, and that nothing is ever rounded."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from main.util.money import exponent, format_minor, is_currency, parse_amount, rank_amount, rank_minor, shift, to_minor

PLACES = {"JPY": 0, "EUR": 2, "KWD": 3, "CLF": 4}
currencies = st.sampled_from(sorted(PLACES))
minors = st.integers(min_value=0, max_value=10**12)


@pytest.mark.parametrize(("currency", "places"), [*PLACES.items(), ("XOF", 0), ("TND", 3), ("UYW", 4), ("USD", 2), ("ZZZ", 2)])
def test_each_currency_has_the_exponent_of_iso_4217(currency, places):
    assert exponent(currency) == places


@pytest.mark.parametrize("text", ["EUR", "SAR", "XCG", "HRK", *PLACES])
def test_a_code_of_iso_4217_is_a_currency(text):
    assert is_currency(text)


@pytest.mark.parametrize("text", ["", "eur", "EU", "EURO", "EUR\n", "ÄÖÜ", "E1R", "SAA", "STK", "XXX"])
def test_anything_else_is_no_currency(text):
    assert not is_currency(text)


@given(minors, currencies)
def test_an_amount_survives_writing_and_reading_in_every_exponent(minor, currency):
    written = format_minor(minor, currency)
    assert to_minor(parse_amount(written), currency) == minor
    assert len(written.partition(".")[2]) == PLACES[currency]


@given(minors.filter(bool), currencies)
def test_a_negative_amount_is_its_positive_twin_with_a_sign(minor, currency):
    assert format_minor(-minor, currency) == f"-{format_minor(minor, currency)}"


@pytest.mark.parametrize(
    ("minor", "currency", "text"), [(1999, "EUR", "19.99"), (5, "EUR", "0.05"), (0, "KWD", "0.000"), (1999, "JPY", "1999")]
)
def test_minor_units_are_written_as_a_plain_decimal(minor, currency, text):
    assert format_minor(minor, currency) == text


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("19.99", "19.99"),
        (" 19.99\n", "19.99"),
        ("+5", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("1.5E-1", "0.15"),
        ("-0", "0"),
        (7, "7"),
        (Decimal("7.25"), "7.25"),
        ("1000000000000", "1000000000000"),
    ],
)
def test_strings_integers_and_decimals_are_amounts(value, amount):
    assert parse_amount(value) == Decimal(amount)


@given(st.floats())
def test_a_float_is_refused_whatever_its_value(value):
    with pytest.raises(ValueError, match="got a float"):
        parse_amount(value)


@pytest.mark.parametrize("value", [True, None, [], {}, b"1"])
def test_what_is_neither_text_nor_number_is_refused_by_its_type(value):
    with pytest.raises(ValueError, match=f"got {type(value).__name__}"):
        parse_amount(value)


@pytest.mark.parametrize("value", ["", "  ", "\t"])
def test_an_empty_text_is_called_empty(value):
    with pytest.raises(ValueError, match="is empty"):
        parse_amount(value)


@pytest.mark.parametrize(
    "value",
    [
        *[
            "NaN",
            "sNaN",
            "Infinity",
            "-inf",
            Decimal("NaN"),
            Decimal("Infinity"),
            "١٩",
            "\uff11\uff19",
            "1_000",
            "1,99",
            "1 000",
        ],
        *[
            "0x10",
            "--1",
            ".",
            "e5",
            "1e",
            "19.99 EUR",
            "1e1000",
            "1e999999999",
            "1e-999999999",
            Decimal("1e999999"),
            "1" + "x" * 999,
        ],
    ],
)
def test_what_is_not_a_plain_decimal_number_is_refused_with_a_short_reason(value):
    with pytest.raises(ValueError, match="is not an amount") as caught:
        parse_amount(value)
    assert len(str(caught.value)) < 130


@pytest.mark.parametrize("value", ["-1", -1, "-0.01", Decimal("-1e-9")])
def test_a_negative_amount_is_refused(value):
    with pytest.raises(ValueError, match="is negative"):
        parse_amount(value)


@pytest.mark.parametrize("value", ["1000000000000.01", 10**12 + 1, "1e13", "1e999", "9" * 1_000_000])
def test_an_amount_beyond_all_reason_is_refused(value):
    with pytest.raises(ValueError, match=r"beyond 10\^12"):
        parse_amount(value)


@given(st.one_of(st.text(max_size=40), st.integers(), st.decimals(), st.from_regex(r"[-+]?\d{0,5}\.?\d{0,5}(e-?\d{1,4})?")))
def test_an_amount_read_is_finite_and_never_negative_and_nothing_else_is_raised(value):
    try:
        amount = parse_amount(value)
    except ValueError:
        return
    assert type(amount) is Decimal
    assert 0 <= amount <= 10**12


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("19.999", "EUR"),
        ("0.5", "JPY"),
        ("1.0005", "KWD"),
        ("1e-999", "EUR"),
        ("19.99999999999999999999999999999999999", "EUR"),
        ("1.00000000000000000000000000000000000000001", "CLF"),
        ("0." + "0" * 1_000_000 + "1", "EUR"),
    ],
)
def test_more_decimal_places_than_the_currency_has_are_refused_never_rounded(amount, currency):
    with pytest.raises(ValueError, match=f"more decimal places than {currency} has") as caught:
        to_minor(parse_amount(amount), currency)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(("amount", "minor"), [("19.9900000000", 1999), ("2e1", 2000), ("0e999", 0), ("0e-999", 0), ("-0", 0)])
def test_zeros_at_the_end_and_exponents_change_nothing(amount, minor):
    assert to_minor(parse_amount(amount), "EUR") == minor


@given(minors, currencies)
def test_minor_units_and_amounts_rank_on_one_scale(minor, currency):
    assert rank_minor(minor, currency) == rank_amount(parse_amount(format_minor(minor, currency)))


def test_one_euro_ranks_with_one_hundred_yen_by_their_nominal_amounts():
    assert rank_minor(100, "EUR") == rank_minor(1, "JPY") == 10_000


@pytest.mark.parametrize(
    ("amount", "rank"), [("1.99999", 19999), ("1.99999999999999999999999999999999999", 19999), ("1e-9", 0)]
)
def test_what_is_finer_than_the_scale_is_cut_off_never_rounded_up(amount, rank):
    assert rank_amount(Decimal(amount)) == rank


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**12), st.integers(-6, 6))
def test_moving_the_point_there_and_back_loses_nothing(amount, places):
    assert shift(shift(amount, places), -places) == amount
