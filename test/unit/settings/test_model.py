"""Settings once loaded: their defaults, and that nobody changes them."""

import dataclasses
from datetime import timedelta

import pytest

from main.service.model import HashRules
from main.settings import model


def test_every_section_has_the_defaults_the_documentation_promises(load):
    settings = load("")
    assert settings.service == model.Service("aisle", "One product API over all our shops", "aisle")
    assert settings.greeting == model.Greeting("World")
    assert settings.store == model.Store("sqlite:///aisle.db")
    assert settings.tasks == model.Tasks("sqlite:///tasks.db")
    assert settings.cache == model.Cache("memory", None, "cache")
    assert settings.auth == model.Auth("none", HashRules(19 * 1024**2, 2, 1), 15, 1)
    assert settings.currency == model.Currency("EUR")
    assert settings.logger == model.Logger("auto", "info")
    assert settings.search == model.Search(256)
    assert settings.sources == ()


def test_every_section_can_be_written_empty(load):
    unwritten = {"data", "origin", "platform", "sources"}
    sections = [field.name for field in dataclasses.fields(model.Settings) if field.name not in unwritten]
    assert load("".join(f"{name}: {{}}\n" for name in sections)) == load("")


def test_a_source_has_its_defaults(load):
    (source,) = load("sources: [{name: a, kind: shopify, url: 'https://a.example'}]").sources
    assert dataclasses.asdict(source) == {
        "name": "a",
        "kind": "shopify",
        "url": "https://a.example",
        "currency": None,
        "every": timedelta(minutes=5),
        "stale_after": None,
        "timeout": timedelta(seconds=10),
        "concurrency": 4,
        "rate": None,
        "max_body": 8 * 2**20,
        "proxy": None,
        "credentials": {"basic": None, "bearer": None, "header": None, "query": (), "oauth2": None},
        "headers": {},
        "max_products": 250_000,
        "required": False,
        "priced": True,
        "enabled": True,
        "categories": {},
        "api": None,
        "format": None,
        "columns": {},
        "listing": None,
        "item": None,
        "mapping": {"fields": {}, "variants": None, "variant_fields": {}, "options": None},
    }


@pytest.mark.parametrize("section", ["service", "greeting", "store", "tasks", "cache", "auth", "currency", "logger", "search"])
def test_a_section_is_frozen(load, section):
    found = getattr(load(""), section)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(found, dataclasses.fields(found)[0].name, "other")


def test_the_settings_themselves_are_frozen(load):
    with pytest.raises(dataclasses.FrozenInstanceError):
        load("").sources = ()


@pytest.mark.parametrize(
    ("environ", "file"), [({}, "config.yml"), ({"AISLE_CONFIG": ""}, "config.yml"), ({"AISLE_CONFIG": "/a.yml"}, "/a.yml")]
)
def test_settings_know_the_file_they_came_from(environ, file):
    assert model.Origin(environ, "", "").file == file
