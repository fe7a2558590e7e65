"""The rules of config.yml that concern more than one key."""

import json

import pytest
import structlog
import yaml

from main.resources.upstream.feed import FeedSchema
from main.resources.upstream.kinds import KINDS as CONNECTORS
from main.service.model import OAuth2, Source
from main.settings.sources import FEED_COLUMNS, KINDS, SourceSchema
from main.util.logs import configure_logs
from main.util.secret import Secret


def sources(*more: dict) -> str:
    return yaml.safe_dump({"sources": [{"name": "a", "kind": "shopify", "url": "https://a.example", **each} for each in more]})


def test_the_kinds_are_those_there_is_a_connector_for():
    assert set(KINDS) == set(CONNECTORS)


def test_the_columns_a_feed_can_name_are_those_its_schema_reads():
    read = {field.data_key or name for name, field in FeedSchema(Source(name="a", kind="feed", url="x"), None).fields.items()}
    assert set(FEED_COLUMNS) == read


def test_every_key_of_a_source_has_a_place_in_the_model():
    assert {field.attribute or name for name, field in SourceSchema().fields.items()} <= set(Source.__slots__)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"api": "v3"}, "sources[0].api (source a): 'v3'; allowed: only for kind woocommerce or medusa"),
        (
            {"url": "https://a.example/x?token=1"},
            "sources[0].url (source a): 'https://a.example/x?token=1'; allowed: a URL without a query: the kind adds its own",
        ),
        ({"format": "csv"}, "sources[0].format (source a): 'csv'; allowed: only for kind feed"),
        ({"columns": {"id": "x"}}, "sources[0].columns (source a): a mapping; allowed: only for kind feed"),
        (
            {"url": "/srv/a.csv"},
            "sources[0].url (source a): '/srv/a.csv'; allowed: an http:// or https:// URL (file:// is for kind feed)",
        ),
    ],
)
def test_what_only_another_kind_takes_is_refused(faults, more, fault):
    assert faults(sources(more)) == [fault]


def test_a_misplaced_key_is_told_together_with_a_wrong_one(faults):
    found = faults(sources({"format": "csv", "every": "soon"}))
    assert [line.partition(":")[0] for line in found] == ["sources[0].every (source a)", "sources[0].format (source a)"]


def test_under_an_unknown_kind_nothing_else_is_called_misplaced(faults):
    found = faults(sources({"kind": "amazon", "format": "csv"}))
    assert [line.partition(":")[0] for line in found] == ["sources[0].kind (source a)"]


@pytest.mark.parametrize(
    ("kind", "more"), [("feed", {"format": "xml", "columns": {"id": "x"}}), ("woocommerce", {"api": "store"})]
)
def test_a_kind_takes_its_own_keys(load, kind, more):
    (source,) = load(sources({"kind": kind, **more})).sources
    assert (source.api, source.format, source.columns) == (more.get("api"), more.get("format"), more.get("columns", {}))


def test_every_second_source_of_one_name_is_told(faults):
    allowed = "allowed: a name that no other source has"
    assert faults(sources({}, {}, {"name": "b"}, {"every": "soon"}))[:3] == [
        f"sources[1].name: 'a'; {allowed}",
        "sources[3].every (source a): 'soon'; allowed: a whole number with a unit of ms, s, m, h or d, such as 5m; at least 1s, at most 365d",
        f"sources[3].name: 'a'; {allowed}",
    ]


@pytest.mark.parametrize("name", ["", "a\nb: c", 5, None, {"a": 1}])
def test_a_fault_names_its_source_where_that_has_a_name(faults, name):
    assert [line.partition(":")[0] for line in faults(sources({"name": name, "every": "${N}"}))] == [
        "sources[0].every",
        "sources[0].name",
    ]
    fault, _ = faults(sources({"name": "a" * 99, "every": "${N}"}))
    assert fault.startswith(f"sources[0].every (source {'a' * 39}…): ${{N}} is not set")


def test_sources_without_a_name_are_not_called_alike(faults):
    assert faults("sources: [{kind: shopify, url: 'https://a'}, {kind: shopify, url: 'https://a'}]") == [
        "sources[0].name: missing; allowed: a value",
        "sources[1].name: missing; allowed: a value",
    ]


@pytest.mark.parametrize("auth", [{}, {"bearer": "${T}", "query": {"k": "${T}"}}])
def test_a_source_authenticates_in_exactly_one_way(faults, auth):
    assert faults(sources({"auth": auth}), T="x") == [
        "sources[0].auth (source a): ***; allowed: exactly one of basic, bearer, header, oauth2, query"
    ]


OAUTH2 = {"token_url": "https://a.example/token", "client_id": "${T}", "client_secret": "${T}"}


def test_tokens_are_asked_for_with_secrets_of_the_environment(load):
    (source,) = load(sources({"auth": {"oauth2": {**OAUTH2, "scope": "read", "audience": "shop"}}}), T="x").sources
    assert source.credentials.oauth2 == OAuth2("https://a.example/token", Secret("x"), Secret("x"), "read", "shop")


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("token_url", "ftp://a.example", "an http:// or https:// URL without user or fragment"),
        ("token_url", "https://me:pw@a.example", "an http:// or https:// URL without user or fragment"),
        ("token_url", "file:///etc/passwd", "an http:// or https:// URL without user or fragment"),
        (
            "client_secret",
            "written out",
            "${NAME} of an environment variable that is not empty, or a path under the same key with _file",
        ),
        ("scope", "", "1 to 500 characters"),
    ],
)
def test_what_is_wrong_about_tokens_is_told_without_the_value(faults, key, value, allowed):
    (fault,) = faults(sources({"auth": {"oauth2": {**OAUTH2, key: value}}}), T="x")
    assert fault == f"sources[0].auth.oauth2.{key} (source a): ***; allowed: {allowed}"


@pytest.mark.parametrize(
    "proxy", ["socks5://proxy.example", "http://me:pw@proxy.example", "proxy.example:3128", "file:///x", "http://[::1", 7]
)
def test_a_proxy_is_a_url_without_a_user(faults, proxy):
    (fault,) = faults(sources({"proxy": proxy}))
    assert fault.endswith("; allowed: an http:// or https:// URL without user or fragment")
    assert "pw" not in fault


def test_a_proxy_and_a_size_are_taken(load):
    (source,) = load(sources({"proxy": "http://proxy.example:3128", "max_body": "512KiB"})).sources
    assert (source.proxy, source.max_body) == ("http://proxy.example:3128", 512 * 1024)


@pytest.mark.parametrize("size", ["8", 8, "8MB", "0MiB", "1B", "1GiB", "-1MiB", "1.5MiB", "\u0665MiB", None])
def test_a_size_has_a_unit_and_bounds(faults, size):
    (fault,) = faults(sources({"max_body": size}))
    assert fault.startswith("sources[0].max_body (source a): ")
    assert size is None or "such as 8MiB; at least 1KiB, at most 256MiB" in fault


@pytest.mark.parametrize("name", ["X Key", "X-Key:", "", "Ä", "a\nb"])
def test_a_header_has_a_name_that_http_allows(faults, name):
    (fault,) = faults(sources({"auth": {"header": {"name": name, "value": "${T}"}}}), T="x")
    assert fault == "sources[0].auth.header.name (source a): ***; allowed: a header's name, such as X-Api-Key"


@pytest.mark.parametrize("auth", [{"query": "x"}, {"query": ["x"]}, {"basic": "x"}, {"basic": []}])
def test_a_way_of_authenticating_has_its_shape(faults, auth):
    (fault,) = faults(sources({"auth": auth}))
    assert fault.partition(";")[0] == f"sources[0].auth.{next(iter(auth))} (source a): ***"


def test_a_source_keeps_what_it_was_given(load):
    given = {
        "currency": "EGP",
        "every": "1h",
        "stale_after": "1d",
        "timeout": "800ms",
        "concurrency": 2,
        "rate": "5/s",
        "auth": {"header": {"name": "X-Key", "value": "${T}"}},
        "headers": {"Accept-Language": "ar"},
        "max_products": 10,
        "required": True,
        "priced": False,
        "enabled": False,
        "categories": {"Lamp": "Lighting"},
    }
    (source,) = load(sources(given), T="hunter2").sources
    assert (source.currency, source.every.seconds, source.stale_after.days, source.timeout.total_seconds()) == (
        "EGP",
        3600,
        1,
        0.8,
    )
    assert (source.concurrency, source.rate.calls, source.max_products) == (2, 5, 10)
    assert source.credentials.header == ("X-Key", Secret("hunter2"))
    assert (source.headers, source.categories) == ({"Accept-Language": "ar"}, {"Lamp": "Lighting"})
    assert (source.required, source.priced, source.enabled) == (True, False, False)


@pytest.mark.parametrize(
    "auth",
    [
        {"basic": {"username": "${NAME}", "password": "${WORD}"}},
        {"oauth2": {"token_url": "https://a.example/token", "client_id": "${NAME}", "client_secret": "${WORD}"}},
    ],
    ids=["basic", "oauth2"],
)
def test_the_log_tells_a_source_by_its_name_even_when_its_user_is_called_so(load, capsys, auth):
    load(sources({"name": "nakhla", "auth": auth}, {"name": "nakhla-eu", "auth": auth}), NAME="nakhla", WORD="hunter-22")
    configure_logs(terminal=False)
    structlog.get_logger().info("asked", source="nakhla", path="/sources/nakhla-eu/cache", error="nakhla:hunter-22 is refused")
    line = json.loads(capsys.readouterr().err)
    assert (line["source"], line["path"]) == ("nakhla", "/sources/nakhla-eu/cache")
    assert line["error"] == "nakhla:*** is refused"


def test_the_log_masks_a_user_that_no_source_is_called_like_and_a_password_in_any_case(load, capsys):
    auth = {"basic": {"username": "${NAME}", "password": "${WORD}"}}
    load(sources({"name": "nakhla", "auth": auth}), NAME="ck_5f2e9a", WORD="nakhla")
    configure_logs(terminal=False)
    structlog.get_logger().info("asked", error="ck_5f2e9a:nakhla is refused")
    assert json.loads(capsys.readouterr().err)["error"] == "***:*** is refused"
