"""What each field of config.yml takes."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from main.service.model import Rate
from main.settings.fields import (
    CallRate,
    CurrencyCode,
    Duration,
    LimitRate,
    Percent,
    Provided,
    SecretText,
    Size,
    SourceName,
    SourceUrl,
    TextMap,
    WholeNumber,
)
from main.util.secret import Secret

UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@given(st.integers(1, 300), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " "]))
def test_a_duration_is_a_number_with_a_unit(number, unit, blank):
    field = Duration(at_least=timedelta(milliseconds=1))
    assert field.deserialize(f"{number}{blank}{unit}") == timedelta(**{UNITS[unit]: number})


@pytest.mark.parametrize(
    "value", ["5", 5, 5.0, True, [], "m", "-5m", "1.5h", "5 min", "5M", "\u0665m", "0s", "366d", "9999999999s"]
)
def test_any_other_duration_is_refused_with_the_bounds(value):
    with pytest.raises(ValidationError, match="such as 5m; at least 1s, at most 365d"):
        Duration(at_least=timedelta(seconds=1)).deserialize(value)


@pytest.mark.parametrize(
    ("least", "bounds"),
    [
        ({"milliseconds": 50}, "at least 50ms, at most 365d"),
        ({"milliseconds": 1500}, "at least 1500ms, at most 365d"),
        ({"seconds": 90}, "at least 90s, at most 365d"),
        ({"hours": 1}, "at least 1h, at most 365d"),
    ],
)
def test_what_a_duration_may_be_is_told_as_it_may_be_written(least, bounds):
    field = Duration(at_least=timedelta(**least))
    with pytest.raises(ValidationError) as caught:
        field.deserialize("0.5s")
    told = caught.value.messages[0]
    assert told == f"a whole number with a unit of ms, s, m, h or d, such as 5m; {bounds}"
    assert field.deserialize(bounds.split()[2].rstrip(",")) == field.at_least


@pytest.mark.parametrize(
    ("least", "most", "bounds"),
    [
        (1024, 256 * 1024**2, "at least 1KiB, at most 256MiB"),
        (19 * 1024**2, 1024**3, "at least 19MiB, at most 1GiB"),
        (1500, 1536 * 1024, "at least 1500B, at most 1536KiB"),
    ],
)
def test_what_a_size_may_be_is_told_as_it_may_be_written(least, most, bounds):
    field = Size(at_least=least, at_most=most)
    with pytest.raises(ValidationError) as caught:
        field.deserialize("8.5MiB")
    assert caught.value.messages == [f"a whole number with a unit of B, KiB, MiB or GiB, such as 8MiB; {bounds}"]
    assert field.deserialize(bounds.split()[2].rstrip(",")) == least
    assert field.deserialize(bounds.split()[-1]) == most


@pytest.mark.parametrize(("field", "value"), [(CallRate(), "0.5/s"), (LimitRate(), "0.5/s"), (Percent(1, 1000), "12.5%")])
def test_what_is_refused_for_its_fraction_is_said_to_take_whole_numbers(field, value):
    with pytest.raises(ValidationError, match=r"^a whole number "):
        field.deserialize(value)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/s", Rate(10, timedelta(seconds=1))),
        ("100 / m", Rate(100, timedelta(minutes=1))),
        ("1/h", Rate(1, timedelta(hours=1))),
        ("2/d", Rate(2, timedelta(days=1))),
    ],
)
def test_a_rate_is_calls_in_a_period(text, rate):
    assert CallRate().deserialize(text) == rate


@pytest.mark.parametrize("value", ["0/s", "10", 10, "10/ms", "1.5/s", "-1/s", "1000000/s", "", None])
def test_any_other_rate_is_refused(value):
    with pytest.raises(ValidationError):
        CallRate().deserialize(value)


@pytest.mark.parametrize("name", ["a", "acme", "acme-shop_2", "a" * 40])
def test_a_source_name_is_short_and_safe_in_a_url(name):
    assert SourceName().deserialize(name) == name


@pytest.mark.parametrize("name", ["", "A", "1a", "-a", "a b", "a:b", "a" * 41, "a\n", "ä", 5])
def test_any_other_source_name_is_refused(name):
    with pytest.raises(ValidationError):
        SourceName().deserialize(name)


def test_a_currency_is_a_code_of_three_letters():
    assert CurrencyCode().deserialize("EUR") == "EUR"
    for wrong in ("eur", "€", 978, "SAA"):
        with pytest.raises(ValidationError, match="such as EUR"):
            CurrencyCode().deserialize(wrong)


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://acme.example", "https://acme.example"),
        ("https://acme.example/", "https://acme.example"),
        ("http://127.0.0.1:9100/lumen//", "http://127.0.0.1:9100/lumen"),
        ("http://[::1]:80/a?b=c", "http://[::1]:80/a?b=c"),
        ("file:///srv/a.csv", "file:///srv/a.csv"),
        ("/srv/a b.csv", "file:///srv/a%20b.csv"),
        ("./feeds/a.csv", Path("feeds/a.csv").absolute().as_uri()),
    ],
)
def test_a_url_or_a_path_is_where_a_source_is(written, url):
    assert SourceUrl().deserialize(written) == url


@pytest.mark.parametrize(
    "written",
    [
        *[
            "",
            "acme.example",
            "ftp://a",
            "https://",
            "https://a b",
            "https://a/#x",
            "https://u:p@a",
            "https://@a",
            "https://a:99999",
        ],
        *["https://[::1", "file://host/a", "file:a.csv", "javascript:x", 5, None, "https://a\n", "a.csv"],
    ],
)
def test_any_other_url_is_refused(written):
    with pytest.raises(ValidationError):
        SourceUrl().deserialize(written)


def test_a_secret_is_only_what_was_provided_from_outside():
    assert SecretText().deserialize(Provided("hunter2")) == Secret("hunter2")
    for wrong in ("hunter2", Provided(""), 5):
        with pytest.raises(ValidationError, match="environment variable that is not empty"):
            SecretText().deserialize(wrong)


@pytest.mark.parametrize(("value", "number"), [(7, 7), ("7", 7), ("007", 7)])
def test_a_whole_number_may_be_written_in_digits(value, number):
    assert WholeNumber(strict=True).deserialize(value) == number


@pytest.mark.parametrize("value", ["7.0", 7.0, "-7", "\u0667", "1e3", "", True, "9" * 10, None, []])
def test_any_other_whole_number_is_refused(value):
    with pytest.raises(ValidationError):
        WholeNumber(strict=True).deserialize(value)


def test_the_faults_of_a_mapping_are_told_by_its_keys():
    field = TextMap(keys=SourceName(), values=CurrencyCode())
    with pytest.raises(ValidationError) as caught:
        field.deserialize({"a": "EUR", "B": "EUR", "c": 5})
    assert caught.value.messages == {
        "B": ["the keys 1 to 40 of a-z, 0-9, _ and -, starting with a letter"],
        "c": ["an ISO 4217 code of three capital letters, such as EUR"],
    }


def test_what_is_no_mapping_is_told_as_such():
    with pytest.raises(ValidationError, match="mapping"):
        TextMap(error_messages={"invalid": "a mapping"}).deserialize([])
