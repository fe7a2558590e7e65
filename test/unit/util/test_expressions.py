from decimal import Decimal

import pytest

from main.util.expressions import ExpressionError, compile_expression

RECORD = {"price": Decimal("19.99"), "cents": 5, "text": " 7.50 ", "many": [Decimal("0.1"), Decimal("0.2"), 1], "none": None}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("price", Decimal("19.99")),
        ("'EUR'", "EUR"),
        ("`0.1`", Decimal("0.1")),
        ("`[0.5, 1]`", [Decimal("0.5"), 1]),
        ("sum(many)", Decimal("1.3")),
        ("max(many)", 1),
        ("to_number(text)", Decimal("7.50")),
        ("to_number(price)", Decimal("19.99")),
        ("to_number('x')", None),
        ("to_number('NaN')", None),
        ("to_number(none)", None),
        ("to_number(`true`)", None),
        ("to_string(price)", "19.99"),
        ("to_string(cents)", "5"),
        ("type(price)", "number"),
        ("type(text)", "string"),
        ("price > `19.98` && 'dear'", "dear"),
        ("join('-', ['a', to_string(price)])", "a-19.99"),
        ("floor(price)", 19),
        ("nothing.here", None),
        ("many[0:1]", [Decimal("0.1")]),
    ],
)
def test_a_value_is_found_and_money_stays_decimal(text, found):
    value = compile_expression(text).search(RECORD)
    assert value == found
    assert not isinstance(value, float)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("foo[", "ends too early"),
        ("", "it is empty"),
        ("a b", "column 3: 'b' cannot stand there"),
        ("a #", "column 3"),
        ("اسم", "column 1: Unknown token .; keys of other letters stand in double quotes"),
        ("nope(a)", "there is no function nope"),
        ("items[?length(@, a)]", "length\\(\\) takes 1 argument, not 2"),
        ("(" * 1200 + "a" + ")" * 1200, "it is nested too deeply"),
        ("!" * 5000 + "a", "it is nested too deeply"),
        ("`" + "[" * 100_000 + "`", "it is nested too deeply"),
        ("a[" + "1" * 5000 + "]", "it has a number that is too long"),
        ("join('x')", "join\\(\\) takes 2 arguments, not 1"),
    ],
)
def test_a_wrong_expression_says_why(text, reason):
    with pytest.raises(ExpressionError, match=reason):
        compile_expression(text)


def test_a_function_that_cannot_work_with_what_it_gets_says_so():
    with pytest.raises(ExpressionError, match="length"):
        compile_expression("length(price)").search(RECORD)
