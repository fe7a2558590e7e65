"""No secret in what is shown or logged, and no line of the log that somebody else has written."""

from __future__ import annotations

import io
import json
import urllib.parse
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from werkzeug.test import EnvironBuilder, run_wsgi_app

from main.app import create_app
from main.service.model import Credentials, Platform, Source
from main.settings import load_settings, model
from main.util.logs import configure_logs
from main.util.secret import Secret
from test.fakes import FakeDoor
from test.unit.controller.readers import BrokenReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask

    from main.settings import Settings

CANARIES = {
    "basic": "cAnArY-basic-1",
    "bearer": "cAnArY-bearer-2",
    "header": "cAnArY-header-3",
    "query": "cAnArY/query+4",
    "cache": "cAnArY-cache-5",
    "platform": "cAnArY-platform-6",
    "password": "cAnArY-password-7",
    "token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjQW5BclkifQ.cAnArYtoken8",
    "refresh": "cAnArY-refresh-9",
    "key": "aisle_cAnArYkey10-0123456789abcdef",
}
SENT = {
    "Authorization": f"Bearer {CANARIES['token']}",
    "Cookie": f"token={CANARIES['token']}; __Host-token={CANARIES['token']}; refresh_token={CANARIES['refresh']}",
    "X-API-Key": CANARIES["key"],
    "Proxy-Authorization": "Basic " + b64encode(CANARIES["password"].encode()).decode(),
}
LOGIN = {"username": "ada", "password": CANARIES["password"], "refresh_token": CANARIES["refresh"]}
PATHS = (
    "/",
    "/status",
    "/hello",
    "/sources",
    "/sources/shop",
    "/sources/nowhere",
    "/products",
    "/products/a:1",
    "/ready",
    "/swagger.json",
    "/auth",
    "/x%00y",
)


class LeakyReader(BrokenReader):
    """A store whose driver puts all it knows into its error."""

    def head(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError(
            f"{SENT} {LOGIN} redis://:{CANARIES['cache']}@cache GET /x?consumer_secret={urllib.parse.quote_plus(CANARIES['query'])}"
        )

    find = get = quarantine = syncs = sync = head


@pytest.fixture
def guarded(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a secret of each kind that is configured."""
    configured = ("basic", "bearer", "header", "query", "cache", "platform")  # the others are masked by their shapes
    secret = {name: Secret(CANARIES[name]) for name in configured}
    ways = [
        Credentials(basic=(Secret("ck_cAnArY"), secret["basic"])),
        Credentials(bearer=secret["bearer"]),
        Credentials(header=("X-Shop-Token", secret["header"])),
        Credentials(query={"consumer_secret": secret["query"]}),
    ]
    sources = tuple(
        Source(name=f"shop{number or ''}", kind="dummyjson", url="http://127.0.0.1:9", currency="EUR", credentials=way)
        for number, way in enumerate(ways)
    )
    return replace(
        settings,
        data=tmp_path,
        sources=sources,
        cache=model.Cache("redis", Secret(f"redis://:{CANARIES['cache']}@127.0.0.1:9/0")),
        platform=Platform(tenant="t1", user="u1", password=secret["platform"]),
    )


@pytest.fixture(params=["json", "console"])
def logged(request: pytest.FixtureRequest) -> Callable[[], str]:
    """A function that gives the log so far, in both forms."""
    stream = io.StringIO()
    configure_logs("debug", terminal=request.param == "console")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))
    return stream.getvalue


def ask_everything(app: Flask, sent: Mapping[str, str]) -> list[Any]:
    client = app.test_client()
    answers = [
        client.open(path, method=method, headers=sent) for path in PATHS for method in ("GET", "POST", "PATCH", "DELETE")
    ]
    for body in (json.dumps(LOGIN), json.dumps(LOGIN)[:-1], f"password={CANARIES['password']}", json.dumps({"force": LOGIN})):
        for path in ("/auth", "/sources/shop/sync", "/sources/shop"):
            answers += [
                client.open(path, method=method, data=body, content_type="application/json", headers=sent)
                for method in ("POST", "PATCH")
            ]
    query = urllib.parse.urlencode({"token": CANARIES["token"], "q": CANARIES["password"]})
    return [*answers, client.get(f"/products?{query}", headers=sent)]


def hits(text: str) -> list[str]:
    forms = {
        name: {value, urllib.parse.quote(value), urllib.parse.quote_plus(value), b64encode(value.encode()).decode()}
        for name, value in CANARIES.items()
    }
    return [name for name, found in forms.items() if any(form in text for form in found)]


@pytest.mark.parametrize("leaky", [False, True])
def test_no_secret_is_in_an_answer_a_header_or_the_log(guarded: Settings, logged: Callable[[], str], leaky: bool):  # noqa: FBT001
    door = FakeDoor()
    door.callers[CANARIES["key"]] = door.callers["admin-key"]
    app = create_app(guarded, door=door, **({"reader": LeakyReader()} if leaky else {}))
    answers = [
        *ask_everything(app, SENT),
        *ask_everything(app, {"X-API-Key": CANARIES["key"]}),
    ]  # who is refused, who is let in
    assert len([answer for answer in answers if answer.status_code >= 400]) >= 30
    assert hits("".join(f"{answer.headers}{answer.text}" for answer in answers)) == []
    assert hits(logged()) == []
    if leaky:
        assert "RuntimeError" in logged()
    assert hits(Path("/proc/self/cmdline").read_text()) == []


def test_no_secret_is_in_what_a_faulty_configuration_is_told_with(tmp_path: Path):
    (tmp_path / "config.yml").write_text("cache: {kind: redis, url: '${CACHE}'}\nnonsense: 1\n")
    environ = {"AISLE_CONFIG": str(tmp_path / "config.yml"), "CACHE": f"http://:{CANARIES['cache']}@x"}
    with pytest.raises(Exception, match="nonsense") as raised:
        load_settings(environ)
    assert hits(str(raised.value)) == []


def test_a_secret_that_was_loaded_is_known_to_the_log(tmp_path: Path, logged: Callable[[], str]):
    (tmp_path / "config.yml").write_text("cache: {kind: redis, url: '${CACHE}'}\n")
    load_settings({"AISLE_CONFIG": str(tmp_path / "config.yml"), "CACHE": "redis://:s3cr%2Ft-of-cache@x"})
    structlog.get_logger().info("event", text="it was s3cr/t-of-cache and s3cr%2Ft-of-cache")
    assert "of-cache" not in logged()


INJECTED = [
    "a\nb",
    "a\r\nb",
    'a\n{"event":"request.served","status":200}',
    "\x1b[2J\x1b[31mred",
    "\x9b31m",
    "a\x00b",
    "\u2028line",
    "\u2029paragraph",
    "\x85next",
    "\x0b\x0c",
    '","event":"forged',
    "\\n\\r",
    "%0a%0d",
    "\x08\x08\x08",
    "\u202eesrever",
    "\x7f",
    "\x1b]0;title\x07",
    "${jndi:ldap://x}",
    "\ud800",
    "é" * 3 + "\n[info] forged",
]


def send(app: Flask, text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass").decode("latin-1")
    environ = EnvironBuilder("/").get_environ()
    environ.update(
        PATH_INFO=f"/products/{raw}", HTTP_X_REQUEST_ID=raw, HTTP_USER_AGENT=raw, HTTP_COOKIE=raw, HTTP_AUTHORIZATION=raw
    )
    environ["QUERY_STRING"] = urllib.parse.quote(text, errors="surrogatepass")
    run_wsgi_app(app.wsgi_app, environ, buffered=True)


@pytest.mark.parametrize("text", INJECTED)
def test_each_request_is_one_line_whatever_stands_in_it(app: Flask, text: str):
    for terminal in (False, True):
        stream = io.StringIO()
        configure_logs("info", terminal=terminal)
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))
        send(app, text)
        structlog.get_logger("login").warning("login.refused", username=text)
        written = stream.getvalue()
        assert written.count("\n") == len(written.splitlines()) == 2
        if terminal:
            plain = written.replace("\n", "")
            for part in ("\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[35m", "\x1b[36m"):
                plain = plain.replace(part, "")
            assert plain.isprintable()
        else:
            served, refused = (json.loads(line) for line in written.splitlines())
            assert (served["event"], refused["event"]) == ("request.served", "login.refused")
            assert written.replace("\n", "").isprintable()
            assert written.isascii()
