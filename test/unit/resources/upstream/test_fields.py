"""What shops send: strict on what makes a product, lenient on what decorates it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from stdnum import ean

from main.resources.upstream.fields import (
    Amount,
    Html,
    Identifier,
    Line,
    Lines,
    Moment,
    Name,
    Number,
    Url,
    UrlList,
    normalise_gtin,
    split_barcode,
    web_url,
)

LENIENT = [Line(), Html(), Number(), Url(), UrlList(key="src", separator=","), Lines(key="name"), Moment()]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["src", "name", "x"]), inner, max_size=3),
)


@given(st.sampled_from(LENIENT), json_values)
def test_what_decorates_a_product_never_fails(field, value):
    field.deserialize(value)


@pytest.mark.parametrize(
    ("value", "found"), [("a-1", "a-1"), (7, "7"), (" a \n b ", "a b"), (2**63, str(2**63)), ("x" * 200, "x" * 200)]
)
def test_an_identifier_is_text_or_a_whole_number(value, found):
    assert Identifier().deserialize(value) == found


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "is missing"),
        ("", "is empty"),
        (" \x00", "is empty"),
        (True, "is neither text nor a whole number"),
        (Decimal("1.5"), "is neither text nor a whole number"),
        ([], "is neither text nor a whole number"),
        ("x" * 201, "is longer than 200 characters"),
    ],
)
def test_any_other_identifier_is_refused(value, reason):
    with pytest.raises(ValidationError, match=reason):
        Identifier().deserialize(value)


def test_a_name_is_one_clean_line():
    assert Name().deserialize(" Fish &amp;\n Chips ") == "Fish & Chips"


@pytest.mark.parametrize(
    ("value", "reason"),
    [(None, "is missing"), ("", "is empty"), ("&nbsp;", "is empty"), (5, "is not text"), ([], "is not text")],
)
def test_any_other_name_is_refused(value, reason):
    with pytest.raises(ValidationError, match=reason):
        Name().deserialize(value)


@pytest.mark.parametrize(
    ("value", "line"), [("a", "a"), (5, "5"), (Decimal("1.50"), "1.50"), ("", None), (None, None), (True, None), ([], None)]
)
def test_a_line_is_text_or_nothing(value, line):
    assert Line().deserialize(value) == line


@pytest.mark.parametrize(("value", "text"), [("<p>a</p>", "a"), ("<p></p>", None), (5, None), (None, None)])
def test_html_becomes_text_or_nothing(value, text):
    assert Html().deserialize(value) == text


@pytest.mark.parametrize(("value", "amount"), [("19.99", "19.99"), (5, "5"), (Decimal("0.10"), "0.10")])
def test_an_amount_is_exact(value, amount):
    assert Amount().deserialize(value) == Decimal(amount)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_empty_amount_is_none(value):
    assert Amount().deserialize(value) is None


@pytest.mark.parametrize("value", ["free", "1,99", True, [], {}, -1])
def test_any_other_amount_is_refused(value):
    with pytest.raises(ValidationError):
        Amount().deserialize(value)


@pytest.mark.parametrize(
    ("value", "number"), [("4.5", "4.5"), (" 7 ", "7"), (3, "3"), (Decimal("16.5"), "16.5"), ("1e3", "1000"), ("-2", "-2")]
)
def test_a_number_may_be_written_as_text(value, number):
    assert Number().deserialize(value) == Decimal(number)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "many",
        "NaN",
        "Infinity",
        "1e12",
        "-1e12",
        10**12,
        "1e999999",
        "1e1000000",
        "1e999999999999999999",
        Decimal("1e1000000"),
        True,
        None,
        [],
    ],
)
def test_a_number_that_is_none_or_beyond_reason_is_nothing(value):
    assert Number().deserialize(value) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "https://a.example/x%20y?b=c#d",
        "https://a:8080",
        "http://[::1]:80/a",
        "https://a.example/صورة.jpg",
        "http://127.0.0.1/?a=b",
    ],
)
def test_an_absolute_web_address_is_kept(url):
    assert web_url(f" {url}\n") == url
    assert Url().deserialize(url) == url


@pytest.mark.parametrize(
    "url",
    [
        *["", "a.example", "//a.example/x", "/x.jpg", "ftp://a", "javascript:alert(1)", "data:image/png;base64,x", "https://"],
        *[
            "http://a b",
            "http://a/b c",
            "https://u:p@a.example",
            "http://a:port/",
            "http://a:999999/",
            "http://a/\x00",
            "http://[x]/",
        ],
        *[None, 5, [], {}],
    ],
)
def test_anything_else_is_no_web_address(url):
    assert web_url(url) is None


@pytest.mark.parametrize(
    ("field", "value", "urls"),
    [
        (UrlList(), ["http://a/1", "http://a/2", "http://a/1"], ("http://a/1", "http://a/2")),
        (UrlList(), ["x", None, 5, "http://a/1"], ("http://a/1",)),
        (UrlList(key="src"), [{"src": "http://a/1"}, {"alt": "x"}, "http://a/2"], ("http://a/1", "http://a/2")),
        (UrlList(separator=","), "http://a/1, http://a/2", ("http://a/1", "http://a/2")),
        (UrlList(), "http://a/1", ()),
        (UrlList(), {"src": "http://a/1"}, ()),
        (UrlList(), None, None),
    ],
)
def test_a_list_of_images_keeps_what_is_usable_once(field, value, urls):
    assert field.deserialize(value) == urls


@pytest.mark.parametrize(
    ("field", "value", "lines"),
    [
        (Lines(), "a, b,,a ,c", ("a", "b", "c")),
        (Lines(), ["a", " b ", 5, None, "a"], ("a", "b")),
        (Lines(key="name"), [{"name": "a &amp; b"}, {"id": 1}, "c"], ("a & b", "c")),
        (Lines(separator="|"), "a|b", ("a", "b")),
        (Lines(), 5, ()),
        (Lines(), None, None),
    ],
)
def test_a_list_of_texts_keeps_each_once(field, value, lines):
    assert field.deserialize(value) == lines


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-21T09:30:00", datetime(2026, 11, 21, 9, 30, tzinfo=UTC)),
        ("2024-05-05T10:00:00-04:00", datetime(2024, 5, 5, 14, 0, tzinfo=UTC)),
        ("", None),
        ("soon", None),
        ("0001-01-01T00:00:00+14:00", None),
        (1763700000, None),
        (None, None),
    ],
)
def test_a_time_is_in_utc_or_nothing(value, moment):
    assert Moment().deserialize(value) == moment


@given(st.sampled_from([7, 11, 12, 13]), st.data())
def test_a_proven_barcode_becomes_fourteen_digits(length, data):
    digits = data.draw(st.text("0123456789", min_size=length, max_size=length).filter(lambda text: text.strip("0")))
    barcode = digits + ean.calc_check_digit(digits)
    assert normalise_gtin(barcode) == barcode.zfill(14)
    wrong = digits + str((int(barcode[-1]) + data.draw(st.integers(1, 9))) % 10)
    assert normalise_gtin(wrong) is None
    assert split_barcode(wrong) == (None, {"barcode": wrong})


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0000000000000",
        "ISBN 978",
        "123",
        "4260488132700",
        "\u0664\u0662\u0666\u0660\u0664\u0668\u0668\u0661\u0663\u0662\u0667\u0660\u0669",
        "426048813270",
        "1" * 30,
        True,
        None,
        4260488132709.0,
        [],
    ],
)
def test_anything_else_is_no_gtin(value):
    assert normalise_gtin(value) is None


@pytest.mark.parametrize("value", ["4260488132709", 4260488132709, " 4 260488-132709 "])
def test_a_barcode_may_be_a_number_or_written_in_groups(value):
    assert split_barcode(value) == ("04260488132709", {})


@pytest.mark.parametrize(("value", "attributes"), [("123 abc", {"barcode": "123 abc"}), ("", {}), (None, {}), ([], {})])
def test_a_barcode_that_proves_nothing_is_kept_as_what_it_is(value, attributes):
    assert split_barcode(value) == (None, attributes)
