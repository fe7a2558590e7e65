import pytest

from main.service.model import Money
from test.fakes import make_product


@pytest.mark.parametrize(
    ("money", "amount"), [(Money(1999, "EUR"), "19.99"), (Money(7, "JPY"), "7"), (Money(5, "KWD"), "0.005")]
)
def test_an_amount_is_a_plain_decimal_string(money, amount):
    assert money.amount == amount


def test_a_products_id_names_its_source():
    assert make_product("7001", "lumen").id == "lumen:7001"
