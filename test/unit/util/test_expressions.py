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


ANSWER = {"data": {"product": None, "rows": [{"id": 1}], "none": [], "word": "x"}, "ok": True, "zero": 0}


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("data.product", None),
        ("data.product.item", None),
        ("data.none[0].item", None),
        ("data.rows[0].id", None),
        ("data.rows[5].id", None),
        ("@", None),
        ("*.name", None),
        ("dat.product", "dat"),
        ("data.artcle", "artcle"),
        ("data.artcle.item", "artcle"),
        ("data.rows.id", "id"),
        ("data.word.id", "id"),
        ("zero.id", "id"),
        ("data.rows[0].code", "code"),
        ("data.rws[0]", "rws"),
        ("data.rws[].id", "rws"),
        ("data.rws[?id].id", "rws"),
        ("data.rws[*].id", "rws"),
        ("data.rows[].code", None),
        ("data | artcle", "artcle"),
        ("ok && data.artcle", "artcle"),
        ("data.none && data.artcle", None),
        ("data.artcle || data.product", None),
        ("data.artcle || data.item", "item"),
        ("data.artcle || `null`", None),
        ("not_null(data.artcle, data.product)", None),
        ("not_null(data.artcle, data.item)", "item"),
        ("pages > page", "pages"),
        ("!(data.last)", "last"),
        ("!(data.word)", None),
        ("!data.word", "word"),
        ("values(data.artcle)", "artcle"),
        ("[data.artcle]", None),
    ],
)
def test_a_key_that_is_not_there_is_told_from_one_that_holds_nothing(text, absent):
    assert compile_expression(text).find_absent(ANSWER) == absent


@pytest.mark.parametrize("value", [None, {}, [], "", False])
def test_what_is_empty_has_no_keys_to_tell_of(value):
    assert compile_expression("data.product").find_absent(value) is None
