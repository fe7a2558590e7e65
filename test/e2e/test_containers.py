"""Dockerfile and docker-compose.yml: built, brought up, used, and taken down, on stand-ins for the public images."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from sample.plan import ROOT
from sample.ports import LOOPBACK
from sample.processes import answers, find_free_port
from test.e2e.certificates import fetch_securely, make_tls
from test.e2e.stack import Answer, fetch, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sample.plan import Tls

IMAGES = ROOT.parent / "shared" / "tools" / "local-images"
MISSING = [name for name in ("podman", "podman-compose") if shutil.which(name) is None] + (
    [] if IMAGES.exists() else ["../shared/tools/local-images"]
)

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(bool(MISSING), reason=f"not here: {', '.join(MISSING)}"),
]


@dataclass(frozen=True)
class Compose:
    """The services of docker-compose.yml under a project name of their own."""

    project: str
    port: int
    tls: Tls | None = None

    def run(self, *arguments: str) -> str:
        """What podman-compose prints; fails with it when it fails."""
        env = dict(os.environ) | {
            "COMPOSE_PROJECT_NAME": self.project,
            "PORT": str(self.port),
            "AISLE_AUTH__ANONYMOUS": "reader",
        }
        if self.tls is None:
            return run("podman-compose", *arguments, env=env)
        env |= {"TLS_PORT": str(self.tls.port), "AISLE_TLS_FOLDER": str(self.tls.certificate.parent)}
        return run("podman-compose", "-f", "docker-compose.yml", "-f", "docker-compose.tls.yml", *arguments, env=env)

    def name(self, service: str) -> str:
        """The container of a service."""
        return f"{self.project}_{service}_1"

    def execute(self, service: str, script: str) -> str:
        """What a shell script prints inside a service's container."""
        return run("podman", "exec", self.name(service), "sh", "-c", script).strip()

    def inspect(self, service: str, path: str) -> str:
        """One fact about a service's container."""
        return run("podman", "inspect", self.name(service), "--format", f"{{{{{path}}}}}").strip()

    def fetch(self, path: str) -> Answer:
        """The answer of Nginx."""
        return fetch(self.port, path)

    def find_leftovers(self) -> list[str]:
        """Containers and volumes of this project that still exist."""
        label = f"label=io.podman.compose.project={self.project}"
        return (
            run("podman", "ps", "-aq", "--filter", label).split()
            + run("podman", "volume", "ls", "-q", "--filter", label).split()
        )


def run(*command: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def compose() -> Iterator[Compose]:
    run(str(IMAGES), "python:3.11-slim-bookworm", "nginx:1.28")
    services = Compose(f"aisletest{os.getpid()}", find_free_port(LOOPBACK))
    # One service, because they all run the same image; without a layer a line, because each of them may be a full copy on disk.
    services.run("--podman-build-args=--layers=false", "build", "api")
    try:
        services.run("up", "-d")
        wait_for("health through Nginx", lambda: answers(LOOPBACK, services.port, "/health"), 120)
        yield services
    finally:
        services.run("down", "-v")
    assert services.find_leftovers() == []


def test_products_of_all_sample_shops_arrive_through_nginx(compose: Compose) -> None:
    wait_for("the first products", lambda: answers(LOOPBACK, compose.port, "/ready"), 120)
    answer = compose.fetch("/products?facets=source")
    assert answer.status == 200
    assert answer.headers["server"] == "nginx"
    assert answer.json["total"] > 0
    assert all(source["state"] == "fresh" for source in answer.json["meta"]["sources"].values())


@pytest.mark.parametrize("service", ["api", "watcher", "shops"])
def test_a_service_can_do_little_harm(compose: Compose, service: str) -> None:
    assert int(compose.execute(service, "id -u")) >= 10000
    status = compose.execute(service, "cat /proc/self/status")
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert compose.execute(service, "touch /srv/aisle/x 2>/dev/null || echo refused") == "refused"


def test_nginx_runs_as_nobody_in_particular(compose: Compose) -> None:
    assert int(compose.execute("nginx", "id -u")) >= 10000
    assert "CapEff:\t0000000000000000" in compose.execute("nginx", "cat /proc/self/status")


def test_there_is_no_compiler_in_the_image(compose: Compose) -> None:
    assert compose.execute("api", "for c in gcc cc g++ c++ clang tcc make; do command -v $c; done; true") == ""


@pytest.mark.parametrize("service", ["api", "shops"])
def test_the_health_check_passes(compose: Compose, service: str) -> None:
    run("podman", "healthcheck", "run", compose.name(service))


def test_the_api_stops_when_told_and_nginx_says_so_until_it_is_back(compose: Compose) -> None:
    run("podman", "stop", "--time", "40", compose.name("api"))
    assert compose.inspect("api", ".State.ExitCode") == "0"
    answer = compose.fetch("/health")
    assert answer.status == 502
    assert answer.headers["content-type"] == "application/problem+json"
    run("podman", "start", compose.name("api"))
    wait_for("health through Nginx", lambda: answers(LOOPBACK, compose.port, "/health"))


def test_with_a_certificate_all_of_it_speaks_tls(compose: Compose, tmp_path: Path) -> None:
    tls = make_tls(tmp_path)
    tmp_path.chmod(0o755)
    tls.key.chmod(0o644)  # for the user of the nginx service, whose number is no user here
    secure = replace(compose, tls=tls)
    secure.run("up", "-d", "--no-deps", "--force-recreate", "nginx")
    wait_for("health through Nginx", lambda: answers(LOOPBACK, compose.port, "/health"), 120)
    answer = fetch_securely(tls, "/products?per_page=1")
    assert answer.status == 200
    assert answer.json["total"] > 0
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    moved = compose.fetch("/products?per_page=1")
    assert (moved.status, moved.headers["location"]) == (308, f"https://{LOOPBACK}:{tls.port}/products?per_page=1")
    assert compose.fetch("/health").status == 200
