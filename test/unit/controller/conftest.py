"""The application as a client sees it, over the real catalogue and over some that fail."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from main.app import create_app
from main.util.logs import configure_logs
from test.fakes import MemoryCatalogue
from test.unit.controller.readers import BrokenReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from main.settings import Settings

Lines = list[dict[str, Any]]


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    """The application over the synced catalogue."""
    return create_app(settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def fetch(client: FlaskClient) -> Callable[..., Any]:
    """A function that gives the JSON of a successful GET."""

    def get(path: str, **parameters: Any) -> Any:
        answer = client.get(path, query_string=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json

    return get


@pytest.fixture
def unsynced_client(unsynced: Settings) -> FlaskClient:
    """Before the first sync of anything."""
    return create_app(unsynced).test_client()


@pytest.fixture
def down_client(settings: Settings) -> FlaskClient:
    """The store worked at the start and then went away."""
    reader = MemoryCatalogue()
    app = create_app(settings, reader=reader)
    reader.down = True
    return app.test_client()


@pytest.fixture
def broken_app(settings: Settings, log_lines: Callable[[], Lines]) -> Flask:
    """A defect: the store raises what nobody expects; its traces go where ``log_lines`` finds them."""
    return create_app(settings, reader=BrokenReader())


@pytest.fixture
def log_lines() -> Callable[[], Lines]:
    """A function that gives what was logged so far, one object a line."""
    stream = io.StringIO()
    configure_logs("info", terminal=False)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
