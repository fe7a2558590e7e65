"""The document as a whole, and its page; what it says of each endpoint is in test_swagger."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from flask_restx.schemas import OAS_20

from main.app import create_app
from main.settings.model import Auth
from test.fakes import FakeClock

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from main.settings import Settings

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document(settings: Settings) -> Document:
    return create_app(settings).test_client().get("/swagger.json").json


def test_the_document_is_made_once_and_names_the_service(settings: Settings):
    client = create_app(settings, clock=FakeClock()).test_client()
    first, second = client.get("/swagger.json").json, client.get("/swagger.json").json
    assert first == second
    assert first["info"]["description"] == settings.service.description


def test_the_document_names_the_configured_sources(document: Document, settings: Settings):
    def sources_in(found: Document) -> Document:
        [parameter] = [item for item in found["paths"]["/products"]["get"]["parameters"] if item["name"] == "source"]
        return parameter

    assert sources_in(document)["items"]["enum"] == ["lumen", "depot", "parts"]
    without = create_app(replace(settings, sources=())).test_client().get("/swagger.json").json
    assert OAS_20.validator.is_valid(without)
    assert "enum" not in sources_in(without)["items"]


def test_docs_need_nothing_from_another_host(client: FlaskClient):
    page = client.get("/docs")
    assert page.mimetype == "text/html"
    sources = [part.partition('"')[0] for attribute in ('src="', 'href="') for part in page.text.split(attribute)[1:]]
    assert len(sources) == 7
    assert all(source.startswith(("/swaggerui/", "/static/")) and client.get(source).status_code == 200 for source in sources)


def test_the_docs_page_has_nothing_inline(client: FlaskClient):
    page = client.get("/docs")
    assert "<style" not in page.text
    assert " style=" not in page.text
    assert re.findall(r"<script(?! src=)", page.text) == []
    assert re.findall(r" on[a-z]+=", page.text) == []
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_every_scheme_that_an_operation_names_is_described(document: Document):
    named = {
        scheme
        for item in document["paths"].values()
        for operation in item.values()
        if "responses" in operation
        for choice in operation.get("security", [])
        for scheme in choice
    }
    assert named == set(document["securityDefinitions"]) == {"bearer", "key", "cookie"}


def test_without_anonymous_readers_every_guarded_operation_asks_for_credentials(document: Document, settings: Settings):
    closed = create_app(replace(settings, auth=Auth())).test_client().get("/swagger.json").json
    guarded = {
        path: item["get"] for path, item in closed["paths"].items() if item.get("get", {}).get("x-role", "public") != "public"
    }
    assert "/products" in guarded
    for path, operation in guarded.items():
        assert {} not in operation["security"]
        assert {} in document["paths"][path]["get"]["security"]
