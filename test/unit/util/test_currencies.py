from main.util.currencies import CURRENCIES
from main.util.money import _EXPONENTS


def test_the_codes_are_three_capital_letters_and_as_many_as_the_list_has():
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)
    assert len(CURRENCIES) == 187


def test_every_currency_with_an_exponent_of_its_own_is_among_them():
    assert set(_EXPONENTS) <= CURRENCIES
