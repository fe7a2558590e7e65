"""What many tests share: the demo shops on a port, a catalogue synced from them, and the coverage that the whole suite must reach."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import hypothesis
import pytest
import structlog

from main.bootstrap import build_sync
from main.service.model import Outcome
from main.settings import load_settings
from main.util import secret as secret_module
from sample.server import running
from sample.shops import FOLDER, demo_app
from test.meta.coverage_gate import CoverageGate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from main.settings import Settings

PLATFORM = {
    "C8Y_BASEURL": "https://t100.platform.example",
    "C8Y_BASEURL_MQTT": "tcp://t100.platform.example:1883",
    "C8Y_BOOTSTRAP_TENANT": "t100",
    "C8Y_BOOTSTRAP_USER": "servicebootstrap_aisle",
    "C8Y_BOOTSTRAP_PASSWORD": "correct-horse-battery",
    "C8Y_MICROSERVICE_ISOLATION": "MULTI_TENANT",
}


# The machine may be busy: how long an example takes is no property of the code.
hypothesis.settings.register_profile("aisle", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("aisle")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(CoverageGate(config))


def pytest_unconfigure() -> None:
    # What is closed when the process ends would log below pytest's summary line.
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Logging is set up once for a process; a test that sets it up leaves no trace of that."""
    root, before = logging.getLogger(), structlog.get_config()
    known, handlers, level = list(before["processors"]), root.handlers[:], root.level
    yield
    structlog.configure(**{**before, "processors": known})
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def no_secret_is_known() -> None:
    """The log masks what any settings of this process ever held; what one test calls a secret is a plain word to the next."""
    for known in (secret_module._KNOWN, secret_module._PUBLIC, secret_module._MASKED):
        known.clear()


@pytest.fixture(scope="session")
def shops_url() -> Iterator[str]:
    """Where the three demo shops are."""
    with running(demo_app()) as url:
        yield url


def write_config(folder: Path, shops_url: str) -> Path:
    """Write a config.yml for the demo shops and give its path."""
    path = folder / "config.yml"
    path.write_text(f"""
server: {{proxies: 1}}
auth: {{anonymous: reader}}
limits: {{api: off}}
greeting: {{default_name: World}}
sources:
  - {{name: lumen, kind: shopify, url: "{shops_url}/lumen", currency: EUR, every: 1h}}
  - name: depot
    kind: woocommerce
    url: "{shops_url}/depot"
    currency: EUR
    every: 1h
    auth: {{basic: {{username_file: "{FOLDER}/depot.username", password_file: "{FOLDER}/depot.password"}}}}
  - name: parts
    kind: feed
    url: "{shops_url}/parts/parts.csv"
    format: csv
    currency: EUR
    every: 1h
    columns: {{name: title, images: image_link, url: link}}
""")
    return path


def settings_in(folder: Path, shops_url: str, **environ: str) -> Settings:
    """Load settings for the demo shops with everything stored in the folder."""
    return load_settings({"AISLE_CONFIG": str(write_config(folder, shops_url)), "AISLE_DATA": str(folder), **environ})


@pytest.fixture(scope="session")
def settings(shops_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose catalogue holds what one sync of the demo shops over HTTP gave; not to be written to."""
    found = settings_in(tmp_path_factory.mktemp("synced"), shops_url, **PLATFORM)
    built = build_sync(found)
    built.lifecycle.open()
    reports = built.sync.sync_all(found.sources)
    built.lifecycle.close()
    assert [report.outcome for report in reports] == [Outcome.OK] * 3
    return found


@pytest.fixture
def unsynced(shops_url: str, tmp_path: Path) -> Settings:
    """Settings of the same shops with an empty catalogue."""
    return settings_in(tmp_path, shops_url)
