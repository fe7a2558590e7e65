from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from main.app import create_app
from main.controller import auth, platform, products, sources, syncs, tasks
from main.service.model import Role

if TYPE_CHECKING:
    from flask import Flask

    from main.settings import Settings

UNDOCUMENTED = {"/docs", "/swagger.json", "/swaggerui/<path:filename>", "/static/<path:filename>"}  # and open to everybody


@pytest.fixture(scope="module")
def app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture(scope="module")
def documented(app: Flask) -> dict[str, Any]:
    return app.test_client().get("/swagger.json").json["paths"]


def spelled(rule: str) -> str:
    return re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule)


def test_every_route_is_in_the_swagger_document_and_nothing_else_is(app: Flask, documented: dict[str, Any]):
    routes = {spelled(str(rule)) for rule in app.url_map.iter_rules() if str(rule) not in UNDOCUMENTED}
    assert routes == set(documented)


def test_every_method_of_a_route_is_documented(app: Flask, documented: dict[str, Any]):
    for rule in app.url_map.iter_rules():
        if str(rule) not in UNDOCUMENTED:
            methods = {method.lower() for method in rule.methods - {"HEAD", "OPTIONS"}}
            assert methods == set(documented[spelled(str(rule))]) - {"parameters"}


def test_every_method_of_every_route_carries_exactly_one_guard(app: Flask):
    wrong = []
    for rule in app.url_map.iter_rules():
        if str(rule) in UNDOCUMENTED:
            continue
        resource = app.view_functions[rule.endpoint].view_class
        for method in resource.methods:
            marks = getattr(getattr(resource, method.lower()), "__guards__", ())
            if len(marks) != 1 or marks[0] not in {"public", *Role}:
                wrong.append(f"{method} {rule}: {marks}")
    assert wrong == []


def test_nothing_is_around_a_guard_but_the_route(app: Flask, documented: dict[str, Any]):
    """What a decorator outside a guard does would be done for callers who may not."""
    for rule in app.url_map.iter_rules():
        if str(rule) not in UNDOCUMENTED:
            for method in app.view_functions[rule.endpoint].view_class.methods:
                code = getattr(app.view_functions[rule.endpoint].view_class, method.lower()).__code__
                told = documented[spelled(str(rule))][method.lower()]["x-role"]
                assert (code.co_name == "guarded") is (told != "public")


def test_what_the_documentation_needs_is_there(app: Flask):
    assert {str(rule) for rule in app.url_map.iter_rules()} >= UNDOCUMENTED


def test_every_operation_has_a_name_of_its_own_and_a_tag(documented: dict[str, Any]):
    operations = [operation for path in documented.values() for key, operation in path.items() if key != "parameters"]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(operation["tags"] for operation in operations)


@pytest.mark.parametrize("module", [auth, platform, products, sources, syncs, tasks])
def test_no_endpoint_is_on_two_addresses(module: Any, app: Flask):
    rules = [rule for rule in app.url_map.iter_rules() if app.view_functions[rule.endpoint].__module__ == module.__name__]
    assert rules
    assert len({rule.endpoint for rule in rules}) == len(rules)
