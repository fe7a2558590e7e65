from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from test.meta import layers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Rule = Callable[[layers.Module], Iterator[layers.Fault]]

MODULES = layers.read_modules()
MOST_BROAD_HANDLERS = 3


def report(rule: Rule) -> list[str]:
    return [str(fault) for module in MODULES for fault in rule(module)]


def show(faults: list[str]) -> str:
    return "\n" + "\n".join(faults)


def test_every_module_is_read_and_stands_in_a_layer():
    names = {module.name for module in MODULES}
    assert {"main.app", "main.service.search", "main.resources.catalogue.reader", "main.util.money"} <= names
    homeless = {name for name in names if not layers.inside(name, tuple(layers.MAY_IMPORT))}
    assert homeless == {"main", "main.resources"}


def test_imports_point_inward():
    faults = report(layers.find_upward_imports)
    assert not faults, show(faults)


def test_each_library_stays_behind_its_fence():
    faults = report(layers.find_broken_fences)
    assert not faults, show(faults)


def test_an_import_inside_a_function_says_why():
    faults = report(layers.find_late_imports)
    assert not faults, show(faults)


def test_no_error_is_caught_without_a_name_or_passed_over_in_silence():
    faults = report(layers.find_careless_handlers)
    assert not faults, show(faults)


def test_few_handlers_catch_everything():
    faults = report(layers.find_broad_handlers)
    assert len(faults) <= MOST_BROAD_HANDLERS, show(faults)


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (layers.find_upward_imports, "main.service.search", "from main.controller import schemas"),
        (layers.find_upward_imports, "main.service.search", "from main.resources.catalogue.reader import SqliteReader"),
        (layers.find_upward_imports, "main.service.search", "from main.settings import Settings"),
        (layers.find_upward_imports, "main.service.search", "def f():\n    import main.bootstrap"),
        (layers.find_upward_imports, "main.service.search", "from main import controller"),
        (
            layers.find_upward_imports,
            "main.service.search",
            "if TYPE_CHECKING:\n    from main.controller.schemas import PagingSchema",
        ),
        (layers.find_upward_imports, "main.service.search", "from ..controller import schemas"),
        (layers.find_upward_imports, "main.controller.products", "from main.settings import Settings"),
        (layers.find_upward_imports, "main.controller.products", "from main.resources.catalogue.reader import SqliteReader"),
        (layers.find_upward_imports, "main.resources.catalogue.reader", "from main.service.search import SearchService"),
        (
            layers.find_upward_imports,
            "main.resources.catalogue.reader",
            "from main.resources.upstream.base import BaseConnector",
        ),
        (layers.find_upward_imports, "main.resources.accounts.store", "from main.resources.catalogue.rows import product_row"),
        (
            layers.find_upward_imports,
            "main.resources.database.engine",
            "from main.resources.accounts.store import SqliteAccounts",
        ),
        (layers.find_upward_imports, "main.resources.upstream.base", "from main.service import fanout"),
        (layers.find_upward_imports, "main.util.money", "from main.service.model import Money"),
        (layers.find_upward_imports, "main.bootstrap", "from main.controller.products import products"),
        (layers.find_upward_imports, "main.bootstrap", "from main.app import create_app"),
        (layers.find_upward_imports, "main.app", "from main.service.search import SearchService"),
        (layers.find_upward_imports, "main.app", "from main.resources.catalogue.reader import SqliteReader"),
        (layers.find_upward_imports, "main.cli", "from main.controller.products import products"),
        (layers.find_upward_imports, "main.brandnew", "from main.util.money import parse_amount"),
        (layers.find_broken_fences, "main.service.search", "from flask import request"),
        (layers.find_broken_fences, "main.service.search", "import concurrent.futures"),
        (layers.find_broken_fences, "main.service.sync", "from concurrent.futures import wait"),
        (layers.find_broken_fences, "main.service.sync", "from concurrent import futures"),
        (layers.find_broken_fences, "main.controller.products", "import sqlite3"),
        (layers.find_broken_fences, "main.resources.catalogue.reader", "import sqlite3"),
        (layers.find_broken_fences, "main.resources.accounts.store", "import argon2"),
        (layers.find_broken_fences, "main.service.accounts", "import jwt"),
        (layers.find_broken_fences, "main.controller.products", "import requests.adapters"),
        (layers.find_broken_fences, "main.resources.upstream.base", "from sqlalchemy.pool import NullPool"),
        (layers.find_broken_fences, "main.resources.catalogue.reader", "import urllib3"),
        (layers.find_broken_fences, "main.resources.upstream.base", "from redis import Redis"),
        (layers.find_broken_fences, "main.service.search", "import pymemcache.client"),
        (layers.find_broken_fences, "main.util.timed", "from cachelib import FileSystemCache"),
        (layers.find_upward_imports, "main.resources.cache.tiered", "from main.resources.upstream.watchdog import Watchdog"),
        (layers.find_broken_fences, "main.service.model", "from marshmallow import Schema"),
        (layers.find_broken_fences, "main.settings.schema", "import os\nx = os.environ['A']"),
        (layers.find_broken_fences, "main.cli", "import os\nx = os.getenv('A')"),
        (layers.find_broken_fences, "main.cli", "from os import environ"),
        (layers.find_late_imports, "main.cli", "def f():\n    import json"),
        (layers.find_late_imports, "main.cli", "def f():\n    x = 1\n    from json import loads  # noqa: PLC0415"),
        (layers.find_careless_handlers, "main.cli", "try:\n    f()\nexcept:\n    g()"),
        (layers.find_careless_handlers, "main.cli", "try:\n    f()\nexcept ValueError:\n    pass"),
        (layers.find_careless_handlers, "main.cli", "try:\n    f()\nexcept ValueError:\n    ..."),
        (layers.find_broad_handlers, "main.cli", "try:\n    f()\nexcept Exception:\n    g()"),
        (layers.find_broad_handlers, "main.cli", "try:\n    f()\nexcept (ValueError, BaseException) as e:\n    raise X from e"),
    ],
)
def test_the_rules_notice_and_show_the_offending_line(rule: Rule, name: str, text: str):
    faults = [str(fault) for fault in rule(layers.Module(name, text))]
    assert len(faults) == 1
    assert any(line.strip() in faults[0] for line in text.splitlines())


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (
            layers.find_upward_imports,
            "main.service.search",
            "from main.service.model import Page\nfrom main.util.timed import timed",
        ),
        (layers.find_upward_imports, "main.app", "if TYPE_CHECKING:\n    from main.service.search import SearchService"),
        (layers.find_upward_imports, "main.bootstrap", "from main.controller.documents import dump_product"),
        (layers.find_upward_imports, "main.cli", "from main import __version__"),
        (layers.find_upward_imports, "main.util.money", "import mainframe"),
        (layers.find_broken_fences, "main.service.fanout", "from concurrent.futures import wait"),
        (layers.find_broken_fences, "main.settings.loader", "import os\nx = os.environ"),
        (layers.find_broken_fences, "main.cli", "import flaskette\nenviron = 1"),
        (layers.find_late_imports, "main.cli", "def f():\n    # slow to load\n    import json\n    import yaml"),
        (layers.find_careless_handlers, "main.cli", "try:\n    f()\nexcept ValueError:\n    return None"),
        (layers.find_broad_handlers, "main.cli", "try:\n    f()\nexcept BaseException:\n    g()\n    raise"),
    ],
)
def test_the_rules_let_pass_what_is_right(rule: Rule, name: str, text: str):
    assert list(rule(layers.Module(name, text))) == []
