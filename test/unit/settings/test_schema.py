"""The rules of config.yml that concern more than one key."""

import pytest

from main.settings.schema import ConfigSchema


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("store: {url: 'sqlite:////abs/a.db'}", True),
        ("store: {url: 'sqlite://'}", False),
        ("store: {url: 'mysql://a'}", False),
        ("tasks: {url: 'mongodb://h/db'}", True),
        ("auth: {anonymous: reader}", True),
        ("auth: {anonymous: everyone}", False),
        ("currency: {base: USD}", True),
        ("currency: {base: usd}", False),
        ("search: {cached_pages: 0}", True),
        ("search: {cached_pages: 1.5}", False),
        ("logger: {level: debug, kind: json}", True),
    ],
)
def test_each_section_takes_its_own_values_only(faults, text, accepted):
    assert (faults(text) == []) is accepted


def test_every_section_is_optional():
    assert not any(field.required for field in ConfigSchema().fields.values())
