from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml
from marshmallow import fields

from main.cli import main
from main.resources.upstream.kinds import KINDS as CONNECTORS
from main.settings import load_settings
from main.settings.schema import ConfigSchema
from main.settings.sources import KINDS
from test.meta.layers import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marshmallow import Schema


def setting_paths(schema: Schema, above: str = "") -> Iterator[str]:
    """Give the path of every setting: ``service.name``, ``sources[].auth.basic.username``."""
    for key, field in schema.fields.items():
        path = f"{above}{field.data_key or key}"
        inner: Any = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            yield from setting_paths(inner.schema, f"{path}{'[]' if inner is not field else ''}.")
        else:
            yield path


def commands(group: click.Group = main) -> Iterator[tuple[str, click.Parameter | None]]:
    """Give every command, alone and with each of its options."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {below}", parameter) for below, parameter in commands(command))
            continue
        yield name, None
        yield from ((name, parameter) for parameter in command.params)


def read(*names: str) -> str:
    return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names)


PATHS = sorted(setting_paths(ConfigSchema()))


def test_the_paths_of_the_settings_are_found():
    assert {"service.name", "sources[].every", "sources[].auth.basic.username", "search.cached_pages"} <= set(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_every_setting_is_documented(path: str):
    assert f"`{path}`" in read("docs/settings.md")


def test_no_setting_is_documented_that_is_not_there():
    roots = "|".join(ConfigSchema().fields)
    told = set(re.findall(rf"`((?:{roots})(?:\[\])?\.[a-z_.\[\]]+)`", read("docs/settings.md")))
    secrets = {path + "_file" for path in PATHS if ".auth." in path}
    sections = {path.rpartition(".")[0] for path in PATHS}
    assert told <= {*PATHS, *secrets, *sections, *(section.rpartition(".")[0] for section in sections)}


@pytest.mark.parametrize("name", ["AISLE_CONFIG", "AISLE_DATA", "PORT"])
def test_every_variable_of_the_environment_is_documented(name: str):
    assert f"`{name}`" in read("docs/settings.md")


def test_settings_and_connectors_know_the_same_kinds():
    assert set(KINDS) == set(CONNECTORS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_section(kind: str):
    assert re.search(rf"^#+ .*\b{kind}\b", read("docs/sources.md"), re.MULTILINE | re.IGNORECASE)


def examples() -> list[Any]:
    """Give every source that a page shows in YAML, whole or as a list's entry."""
    text = read("README.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")))
    blocks = map(yaml.safe_load, re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    return [entry for block in blocks for entry in (block["sources"] if isinstance(block, dict) else block)]


def test_the_examples_are_found():
    assert {"acme", "depot", "parts", "bespoke", "graph", "souq", "wholesale", "ebay"} <= {
        entry["name"] for entry in examples()
    }


@pytest.mark.parametrize("entry", examples(), ids=lambda entry: entry["name"])
def test_every_example_of_a_source_can_be_loaded(entry: dict[str, Any]):
    text = yaml.safe_dump({"sources": [entry]})
    (source,) = load_settings(dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "secret"), text).sources
    assert source.name == entry["name"]


@pytest.mark.parametrize(("name", "option"), list(commands()), ids=lambda part: getattr(part, "name", part))
def test_every_command_and_option_is_documented(name: str, option: click.Parameter | None):
    told = read("README.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")))
    assert re.search(rf"python -m main {name}\b", told)
    if isinstance(option, click.Option):
        assert option.opts[0] in told


def test_every_make_target_is_in_its_help():
    text = read("Makefile")
    targets = set(re.findall(r"^([a-z]+):", text, re.MULTILINE))
    assert {"help", "run", "test", "check", "fmt", "bench"} <= targets
    assert targets == set(re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE))
