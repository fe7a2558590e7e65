"""TLS in Nginx, over real connections with a certificate made for the test."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sample.plan import ROOT, read_tls
from sample.ports import LOOPBACK
from sample.processes import StartFailed, find_free_port
from test.e2e.certificates import fetch_securely, make_tls, trust
from test.e2e.front import Front, run_front
from test.e2e.stack import NGINX, NO_NGINX, Answer, Stack, fetch, run_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sample.plan import Tls

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(NGINX is None, reason=NO_NGINX), pytest.mark.timeout(180)]

YEAR = 31_536_000
OLD = {
    "ssl_protocols TLSv1.2 TLSv1.3;": "ssl_protocols TLSv1.1 TLSv1.2 TLSv1.3;",
    "ssl_ciphers ECDHE": "ssl_ciphers ALL:@SECLEVEL=0:ECDHE",
}
PASSWORD = "a long enough password of its own"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return make_tls(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def front(tls: Tls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with run_front(tmp_path_factory.mktemp("front"), NGINX, tls=tls) as running:
        yield running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    tls = make_tls(tmp_path_factory.mktemp("tls"))
    with run_stack(tmp_path_factory.mktemp("data"), NGINX, tls) as running:
        running.run_command("users", "add", "rita", "--role", "reader", "--password-stdin", given=PASSWORD + "\n")
        yield running


def shake_hands(tls: Tls, version: ssl.TLSVersion) -> str | None:
    """The version that both sides agree on."""
    with (
        socket.create_connection((LOOPBACK, tls.port), timeout=20) as plain,
        trust(tls, version).wrap_socket(plain, server_hostname=LOOPBACK) as connection,
    ):
        return connection.version()


def assert_lasts_a_year(answer: Answer) -> None:
    assert answer.headers["strict-transport-security"] == f"max-age={YEAR}"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.usefixtures("front")
def test_tls_1_2_and_1_3_are_spoken(tls: Tls, version: ssl.TLSVersion) -> None:
    assert shake_hands(tls, version) == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.usefixtures("front")
def test_older_ones_are_refused(tls: Tls, version: ssl.TLSVersion) -> None:
    with pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|protocol version"):
        shake_hands(tls, version)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_client_that_is_refused_would_have_been_able_to(tmp_path_factory: pytest.TempPathFactory) -> None:
    tls = make_tls(tmp_path_factory.mktemp("tls"))
    with run_front(tmp_path_factory.mktemp("front"), NGINX, OLD, tls):
        assert shake_hands(tls, ssl.TLSVersion.TLSv1_1) == "TLSv1.1"


def test_an_error_of_nginx_lasts_a_year_too(front: Front, tls: Tls) -> None:
    with front.with_application():
        big = fetch_securely(tls, "/", "POST", body=b"a" * 140_000)
    away = fetch_securely(tls, "/products")
    page = fetch_securely(tls, "/console", headers={"Accept": "text/html"})
    long = fetch_securely(tls, "/" + "a" * 9_000)
    assert [each.status for each in (big, away, page, long)] == [413, 502, 502, 414]
    for answer in (big, away, page, long):
        assert_lasts_a_year(answer)
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/products?q=lamp&page=2", "/health/", "/sources/a%2Fb//c", "/healthy"])
def test_plain_http_leads_to_tls_whatever_the_method(front: Front, tls: Tls, method: str, path: str) -> None:
    answer = front.fetch(path, method, {"Host": f"{LOOPBACK}:{front.plan.port}"})
    assert (answer.status, answer.headers["location"]) == (308, f"https://{LOOPBACK}:{tls.port}{path}")
    assert "strict-transport-security" not in answer.headers  # over plain HTTP it would mean nothing (RFC 6797, 7.2)
    assert (answer.headers["x-content-type-options"], answer.headers["server"]) == ("nosniff", "nginx")
    assert answer.headers["x-request-id"]


def test_probes_need_no_tls(front: Front, tls: Tls) -> None:
    with front.with_application():
        asked = {path: (front.fetch(path), fetch_securely(tls, path)) for path in ("/health", "/ready", "/heartbeat")}
    for plain, secure in asked.values():
        assert [(each.status, each.body) for each in (plain, secure)] == [(200, b"http"), (200, b"https")]
    assert front.fetch("/health").status == 502


def test_what_no_address_can_be_read_from_is_a_problem_without_tls_too(front: Front) -> None:
    answer = front.send_raw(b"GARBAGE\r\n\r\n")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.usefixtures("front")
def test_plain_http_at_the_port_of_tls_leads_to_tls(tls: Tls) -> None:
    answer = fetch(tls.port, "/products?page=2", "POST")
    assert (answer.status, answer.headers["location"]) == (308, f"https://{LOOPBACK}:{tls.port}/products?page=2")


def test_a_login_over_https_gives_a_cookie_that_only_this_host_gets_over_https(stack: Stack) -> None:
    tls = stack.plan.tls
    assert tls
    given = json.dumps({"username": "rita", "password": PASSWORD}).encode()
    answer = fetch_securely(tls, "/auth", "POST", {"Content-Type": "application/json"}, given)
    assert answer.status == 200
    assert_lasts_a_year(answer)
    cookie, *rules = answer.headers["set-cookie"].split("; ")
    assert cookie.startswith("__Host-token=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(rules)
    assert not [rule for rule in rules if rule.startswith("Domain")]
    me = fetch_securely(tls, "/auth/me", headers={"Cookie": cookie})
    assert (me.status, me.json["username"]) == (200, "rita")
    assert fetch_securely(tls, "/auth/me").json["kind"] == "anonymous"


def test_the_form_of_the_console_sets_cookies_for_https_alone(stack: Stack) -> None:
    tls = stack.plan.tls
    assert tls
    page = fetch_securely(tls, "/console/login", headers={"Accept": "text/html"})
    assert page.status == 200
    assert_lasts_a_year(page)
    assert page.headers["set-cookie"].startswith("__Host-visit=")
    assert "; Secure" in page.headers["set-cookie"]


def test_pages_link_to_https(stack: Stack) -> None:
    tls = stack.plan.tls
    assert tls
    links = fetch_securely(tls, "/products?per_page=1").headers["link"]
    assert f"<https://{LOOPBACK}:{tls.port}/products?" in links
    assert "http:" not in links


def read_service(name: str) -> dict[str, Any]:
    """The service of Nginx, as a compose file has it."""
    return dict(yaml.safe_load((ROOT / name).read_text())["services"]["nginx"])


@pytest.mark.skipif(shutil.which("envsubst") is None, reason="envsubst is not installed")
@pytest.mark.parametrize("on", ["plain", "tls"])
def test_compose_fills_the_templates_in_with_and_without_tls(tmp_path: Path, tls: Tls, on: str) -> None:
    plain, secure = read_service("docker-compose.yml"), read_service("docker-compose.tls.yml")
    environ = {**plain["environment"], **(secure["environment"] if on == "tls" else {})}
    ports = {"AISLE_LISTEN": f"{LOOPBACK}:{find_free_port(LOOPBACK)}", "AISLE_TLS_LISTEN": f"{LOOPBACK}:{tls.port}"}
    ours = {"AISLE_RUN": str(tmp_path), "AISLE_TRUSTED_PROXY": "255.255.255.255", "AISLE_TLS_PORT": ":8443", **ports}
    script = "\n".join(plain["command"]).replace("$$", "$").replace("exec nginx", f"exec {NGINX} -t")
    script = script.replace("/tmp/", f"{tmp_path}/").replace("/etc/aisle", str(ROOT / "nginx"))  # which may itself be in a /tmp
    told = {name: value.replace("/etc/tls/", f"{tls.key.parent}/") for name, value in {**environ, **ours}.items()}
    done = subprocess.run(
        ["/bin/sh", "-ec", script], env={**os.environ, **told}, capture_output=True, text=True, timeout=30, check=False
    )
    assert "test is successful" in done.stderr, done.stderr
    assert (tmp_path / "tls.conf").exists() is (on == "tls")
    assert ("tls.conf" in (tmp_path / "aisle.conf").read_text().partition("listen ")[2]) is (on == "tls")


@pytest.mark.parametrize(
    ("given", "nginx", "named"),
    [
        ({"AISLE_TLS_CERT": "tls.crt"}, "nginx", "AISLE_TLS_KEY must name a PEM file"),
        ({"AISLE_TLS_KEY": "tls.key"}, "nginx", "AISLE_TLS_CERT must name a PEM file"),
        ({"AISLE_TLS_CERT": "no.crt", "AISLE_TLS_KEY": "tls.key"}, "nginx", "AISLE_TLS_CERT must name a PEM file"),
        ({"AISLE_TLS_CERT": "tls.crt", "AISLE_TLS_KEY": "tls.key"}, None, "AISLE_TLS_CERT takes Nginx"),
        ({"AISLE_TLS_CERT": "tls.crt", "AISLE_TLS_KEY": "tls.key", "TLS_PORT": "x"}, "nginx", "TLS_PORT is 'x'"),
    ],
)
def test_what_make_run_cannot_do_with_a_certificate_is_named(
    tmp_path: Path, given: dict[str, str], nginx: str | None, named: str
) -> None:
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).touch()
    environ = {name: str(tmp_path / value) if name != "TLS_PORT" else value for name, value in given.items()}
    with pytest.raises(StartFailed, match=named):
        read_tls(environ, LOOPBACK, nginx)
    assert read_tls({}, LOOPBACK, nginx) is None
