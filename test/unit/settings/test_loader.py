"""How config.yml and the environment become settings, and how every mistake is told at once."""

import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from main.settings import SettingsError, load_settings
from main.settings.schema import ConfigSchema
from main.settings.sources import FEED_COLUMNS, SourceSchema
from main.util.secret import Secret

SHOP = "sources: [{name: acme-shop, kind: shopify, url: 'https://acme.example', every: 5m}, {name: b, kind: feed, url: /b.csv}]"
ROOT = Path(__file__).parents[3]
SOURCE_KEYS = ", ".join(field.data_key or name for name, field in SourceSchema().fields.items())
COLUMNS = " | ".join(FEED_COLUMNS)
URLS = "an http:// or https:// URL without user or fragment (feeds also file:///PATH, /PATH or ./PATH)"
SECTIONS = "service, greeting, store, tasks, cache, auth, currency, logger, search, server, live, limits, console, sources"

keys = st.sampled_from(
    ["service", "sources", "name", "kind", "url", "auth", "basic", "query", "columns", "headers", "every", "x"]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("${A}")
configs = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5))


def shop(**more: object) -> str:
    return yaml.safe_dump({"sources": [{"name": "acme", "kind": "shopify", "url": "https://acme.example", **more}]})


def faults_of(path: Path) -> list[str]:
    try:
        load_settings({"AISLE_CONFIG": str(path)})
    except SettingsError as error:
        return error.faults
    return []


class TestTheFile:
    def test_an_empty_file_loads_with_every_default(self, load):
        assert load("").sources == ()

    def test_without_aisle_config_it_is_config_yml_of_this_folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "config.yml").write_text("greeting: {default_name: Ada}")
        assert load_settings({}).greeting.default_name == "Ada"

    def test_the_real_environment_is_read_when_none_is_given(self, tmp_path, monkeypatch):
        (tmp_path / "own.yml").write_text("greeting: {default_name: Ada}")
        monkeypatch.setenv("AISLE_CONFIG", str(tmp_path / "own.yml"))
        assert load_settings().greeting.default_name == "Ada"

    def test_the_data_folder_is_absolute_and_comes_from_the_environment(self, load, tmp_path):
        assert load("").data == Path("var").absolute()
        assert load("", AISLE_DATA=str(tmp_path)).data == tmp_path
        assert load("", AISLE_DATA="").data == Path("var").absolute()

    def test_a_missing_file_says_which_and_how_to_name_another(self, tmp_path):
        path = tmp_path / "none.yml"
        with pytest.raises(SettingsError) as caught:
            load_settings({"AISLE_CONFIG": str(path)})
        assert str(caught.value) == f"{path}: No such file or directory; allowed: a readable file (AISLE_CONFIG names another)"

    def test_a_folder_is_no_file(self, tmp_path):
        with pytest.raises(SettingsError, match="Is a directory; allowed: a readable file"):
            load_settings({"AISLE_CONFIG": str(tmp_path)})

    def test_bytes_that_are_not_utf_8_are_refused(self, tmp_path):
        path = tmp_path / "config.yml"
        path.write_bytes("greeting: {default_name: J\xf6rg}".encode("latin-1"))
        with pytest.raises(SettingsError, match="not UTF-8; allowed: YAML in UTF-8"):
            load_settings({"AISLE_CONFIG": str(path)})

    @pytest.mark.parametrize(
        ("text", "where"),
        [
            ("service: {name: a", "line 1, column 18"),
            ("service:\n\t- a", "line 2, column 1"),
            ("a: b: c", "line 1, column 5"),
            ("service: &a {name: *a}", "line 1, column 10"),
            ("service: !!python/object/apply:os.getcwd []", "line 1, column 10"),
            ("? [a]\n: b", "line 1, column 3"),
        ],
    )
    def test_what_is_not_yaml_is_told_with_its_place(self, faults, text, where):
        (fault,) = faults(text)
        assert f"config.yml, {where}: " in fault
        assert fault.endswith("; allowed: YAML")

    def test_a_character_yaml_forbids_is_told_too(self, faults):
        (fault,) = faults("a: \x01")
        assert fault.endswith("; allowed: YAML")

    @pytest.mark.parametrize("text", ["x: 2026-13-45", "x: !!int foo", "x: " + "1" * 5000, "x: " + "[" * 5000])
    def test_a_value_that_cannot_be_read_is_one_fault_like_any_other(self, faults, text):
        (fault,) = faults(text)
        assert "config.yml" in fault
        assert fault.endswith("; allowed: YAML")

    @pytest.mark.parametrize("key", ["headers", "categories"])
    def test_half_of_a_surrogate_pair_is_refused_wherever_it_stands(self, faults, key):
        (fault,) = faults(SHOP.replace("every: 5m", key + ': {a: "\\ud800"}'))
        assert "half of a surrogate pair is no character; allowed: YAML" in fault

    @pytest.mark.parametrize("text", ["greeting: {default_name: '${NAME}'}", "{}"])
    def test_a_variable_that_is_not_utf_8_is_refused_without_being_shown(self, faults, text):
        values = {"NAME": "hunter2\udcff"} if "NAME" in text else {"AISLE_GREETING__DEFAULT_NAME": "hunter2\udcff"}
        assert faults(text, **values) == ["greeting.default_name: not UTF-8; allowed: text in UTF-8"]

    @pytest.mark.parametrize("value", ["2026-13-45", "[" * 5000, "&a [*a]"])
    def test_a_variable_that_is_no_yaml_is_text(self, load, value):
        assert load("{}", AISLE_GREETING__DEFAULT_NAME=value[:400]).greeting.default_name == value[:400]

    @pytest.mark.parametrize(("text", "kind"), [("[a]", "list"), ("a", "str"), ("5", "int")])
    def test_a_file_that_is_no_mapping_is_refused(self, faults, text, kind):
        (fault,) = faults(text)
        assert fault.endswith(f"config.yml: {kind}; allowed: a mapping of {SECTIONS}")

    @pytest.mark.parametrize("text", ["service: {name: a, name: b}", "service: {name: a}\nservice: {id: b}"])
    def test_a_key_that_stands_twice_is_a_mistake_not_an_overwrite(self, faults, text):
        (fault,) = faults(text)
        assert "stands twice; allowed: YAML" in fault

    def test_a_section_can_be_merged_from_another_with_its_own_keys_on_top(self, load):
        text = (
            "sources:\n"
            "  - &first {name: a, kind: shopify, url: 'https://a.example', every: 7m}\n"
            "  - {<<: *first, name: b, currency: EUR}\n"
        )
        first, second = load(text).sources
        assert (first.name, second.name, second.url, second.every, second.currency) == (
            "a",
            "b",
            "https://a.example",
            first.every,
            "EUR",
        )


class TestEveryMistakeAtOnce:
    def test_each_has_one_line_with_path_what_is_there_and_what_is_allowed(self, faults):
        text = """
service: {name: ""}
logger: {kind: loud}
cache: {kind: disk, url: 5}
search: {cached_pages: -1}
greting: {}
sources:
  - {name: Acme, kind: amazon, url: "ftp://x", every: 5, rate: fast, timeout: 1ms, concurrency: 0, retries: 3}
  - {name: b, kind: feed, url: "https://b.example/b.csv", columns: {nme: x, name: 5}, enabled: maybe}
  - {kind: shopify}
"""
        assert faults(text) == [
            "cache.kind: 'disk'; allowed: memory | file | memcached | redis",
            "cache.url: 5; allowed: text",
            f"greting: unknown key; allowed: {SECTIONS}",
            "logger.kind: 'loud'; allowed: auto | console | json",
            "search.cached_pages: -1; allowed: a whole number from 0 to 100000",
            "service.name: ''; allowed: 1 to 500 characters",
            "sources[0].concurrency (source Acme): 0; allowed: a whole number from 1 to 64",
            "sources[0].every (source Acme): 5; allowed: a whole number with a unit of ms, s, m, h or d, such as 5m; at least 1s, at most 365d",
            "sources[0].kind (source Acme): 'amazon'; allowed: dummyjson | ebay | fakestore | feed | magento2 | mapped | medusa | openfoodfacts | shopify | woocommerce",
            "sources[0].name: 'Acme'; allowed: 1 to 40 of a-z, 0-9, _ and -, starting with a letter",
            "sources[0].rate (source Acme): 'fast'; allowed: a whole number of calls from 1 to 999999 in a period of s, m, h or d, such as 10/s or 100/m",
            f"sources[0].retries (source Acme): unknown key; allowed: {SOURCE_KEYS}",
            "sources[0].timeout (source Acme): '1ms'; allowed: a whole number with a unit of ms, s, m, h or d, such as 5m; at least 50ms, at most 365d",
            f"sources[0].url (source Acme): 'ftp://x'; allowed: {URLS}",
            "sources[1].columns.name (source b): 5; allowed: text",
            f"sources[1].columns.nme (source b): 'x'; allowed: the keys {COLUMNS}",
            "sources[1].enabled (source b): 'maybe'; allowed: true | false",
            "sources[2].name: missing; allowed: a value",
            "sources[2].url: missing; allowed: a value",
        ]

    def test_the_error_reads_as_its_lines(self, load):
        with pytest.raises(SettingsError) as caught:
            load("a: 1\nb: 2")
        assert str(caught.value).splitlines() == caught.value.faults
        assert len(caught.value.faults) == 2

    @pytest.mark.parametrize(
        ("text", "fault"),
        [
            ("service:", "service: nothing; allowed: a value"),
            ("service: {name: }", "service.name: nothing; allowed: a value"),
            ("service: []", "service: a list; allowed: a mapping"),
            ("service: x", "service: 'x'; allowed: a mapping"),
            ("sources: x", "sources: 'x'; allowed: a list of sources"),
            ("sources: {a: {}}", "sources: a mapping; allowed: a list of sources"),
            ("sources: [5]", "sources[0]: 5; allowed: a mapping"),
            ("1: x", f"[1]: unknown key; allowed: {SECTIONS}"),
            ("service: {url: x}", "service.url: unknown key; allowed: name, description, id"),
        ],
    )
    def test_a_wrong_shape_is_told_without_its_content(self, faults, text, fault):
        assert faults(text) == [fault]

    def test_an_unknown_key_deep_inside_lists_the_keys_of_its_own_place(self, faults):
        found = faults(shop(auth={"basic": {"username": "${U}", "pasword": "${U}", "password": "${U}"}}), U="u")
        assert found == ["sources[0].auth.basic.pasword (source acme): unknown key; allowed: username, password"]

    @given(st.dictionaries(st.sampled_from(list(ConfigSchema().fields)), configs, max_size=5))
    def test_whatever_stands_in_the_file_it_loads_or_is_told_in_lines(self, config):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "config.yml")
            path.write_text(yaml.safe_dump(config), encoding="utf-8")
            found = faults_of(path)
        assert all("; allowed: " in fault and "\n" not in fault for fault in found)


class TestTheEnvironment:
    def test_a_section_and_key_override_the_file(self, load):
        settings = load("greeting: {default_name: Bob}", AISLE_GREETING__DEFAULT_NAME="Ada", AISLE_CACHE__KIND="file")
        assert (settings.greeting.default_name, settings.cache.kind) == ("Ada", "file")

    @pytest.mark.parametrize("text", ["Yes", "42", "null", "1.5", "2026-01-01", "a: b: c", "{"])
    def test_a_text_stays_the_text_it_is(self, load, text):
        assert load("", AISLE_GREETING__DEFAULT_NAME=text).greeting.default_name == text

    @pytest.mark.parametrize("step", ["ACME_SHOP", "0"])
    def test_a_source_is_found_by_its_name_or_its_place(self, load, step):
        first, second = load(SHOP, **{f"AISLE_SOURCES__{step}__EVERY": "9m"}).sources
        assert (first.every.total_seconds(), second.every.total_seconds()) == (540, 300)

    def test_numbers_switches_lists_and_mappings_are_read_as_such(self, load):
        first, second = load(
            SHOP,
            AISLE_SOURCES__ACME_SHOP__CONCURRENCY="7",
            AISLE_SOURCES__ACME_SHOP__ENABLED="false",
            AISLE_SOURCES__ACME_SHOP__REQUIRED="true",
            AISLE_SOURCES__B__COLUMNS="{id: sku}",
        ).sources
        assert (first.concurrency, first.enabled, first.required, second.columns) == (7, False, True, {"id": "sku"})

    def test_a_section_that_the_file_lacks_is_made(self, load):
        assert load("", AISLE_SOURCES="ignored: one underscore", AISLE_LOGGER__LEVEL="debug").logger.level == "debug"

    def test_a_whole_list_of_sources_is_not_taken_from_a_scalar(self, faults):
        assert faults("", AISLE_SOURCES__ACME__EVERY="1m") == ["sources: a mapping; allowed: a list of sources"]

    @pytest.mark.parametrize("name", ["AISLE_SOURCES__NOBODY__EVERY", "AISLE_SOURCES__7__EVERY", "AISLE_SOURCES__0"])
    def test_a_name_that_leads_nowhere_is_told(self, faults, name):
        assert faults(SHOP, **{name: "1m"}) == [
            f"{name}: names no setting; allowed: AISLE_SECTION__KEY or AISLE_SOURCES__NAME__KEY"
        ]

    def test_a_wrong_value_from_the_environment_is_told_like_one_of_the_file(self, faults):
        assert faults("", AISLE_LOGGER__LEVEL="loud") == ["logger.level: 'loud'; allowed: debug | info | warning | error"]

    def test_a_secret_may_come_from_the_environment_even_when_it_is_all_digits(self, load):
        source = load(shop(auth={"bearer": "${T}"}), T="x", AISLE_SOURCES__ACME__AUTH__BEARER="0123").sources[0]
        assert source.credentials.bearer == Secret("0123")

    def test_the_platforms_variables_are_kept_with_the_password_masked(self, load):
        platform = load(
            "",
            C8Y_BASEURL="http://c8y",
            C8Y_BASEURL_MQTT="tcp://c8y",
            C8Y_BOOTSTRAP_TENANT="t1",
            C8Y_BOOTSTRAP_USER="u1",
            C8Y_BOOTSTRAP_PASSWORD="hunter2",
            C8Y_MICROSERVICE_ISOLATION="MULTI_TENANT",
        ).platform
        assert platform.password == Secret("hunter2")
        assert repr(platform) == (
            "Platform(base_url='http://c8y', mqtt_url='tcp://c8y', tenant='t1', user='u1', password=***, isolation='MULTI_TENANT')"
        )

    def test_without_a_platform_everything_of_it_is_none(self, load):
        platform = load("").platform
        assert {getattr(platform, name) for name in platform.__slots__} == {None}


class TestVariables:
    def test_a_variable_stands_for_its_value_also_inside_a_text(self, load):
        text = shop() + "service: {name: '${A}', description: '${A} and ${B:-none} and ${C:-${A}'}"
        service = load(text, A="x").service
        assert (service.name, service.description) == ("x", "x and none and ${A")

    @pytest.mark.parametrize(("environ", "url"), [({}, "http://127.0.0.1:9100/a"), ({"HOST": "https://h"}, "https://h/a")])
    def test_a_default_holds_where_the_variable_is_not_set(self, load, environ, url):
        assert load(shop(url="${HOST:-http://127.0.0.1:9100}/a"), **environ).sources[0].url == url

    @pytest.mark.parametrize("written", ["${N}", "${N:-4}"])
    def test_a_number_may_come_from_a_variable(self, load, written):
        assert load(shop(concurrency=written), N="4").sources[0].concurrency == 4

    @pytest.mark.parametrize(("value", "said"), [("true", True), ("false", False), ("no", False)])
    def test_a_switch_may_come_from_a_variable(self, load, value, said):
        assert load(shop(priced="${S}"), S=value).sources[0].priced is said

    def test_variables_that_are_not_set_are_one_fault_each_and_nothing_else(self, faults):
        allowed = "allowed: the name of an environment variable that is set"
        found = faults(
            shop(url="${H}/${P}", currency="${CUR}", concurrency="${N}", auth={"bearer": "${T}"}, headers={"A": "${X}"})
        )
        assert found == [
            f"sources[0].auth.bearer (source acme): ${{T}} is not set; {allowed}",
            f"sources[0].concurrency (source acme): ${{N}} is not set; {allowed}",
            f"sources[0].currency (source acme): ${{CUR}} is not set; {allowed}",
            f"sources[0].headers.A (source acme): ${{X}} is not set; {allowed}",
            f"sources[0].url (source acme): ${{H}} is not set; {allowed}",
            f"sources[0].url (source acme): ${{P}} is not set; {allowed}",
        ]


class TestSecrets:
    LITERAL = "hunter2"

    @pytest.mark.parametrize(
        "auth",
        [
            {"bearer": LITERAL},
            {"basic": {"username": LITERAL, "password": LITERAL}},
            {"header": {"name": "X-Key", "value": LITERAL}},
            {"query": {"key": LITERAL}},
            LITERAL,
            {"bearer": f"${{T:-{LITERAL}}}"},
            {"bearer": f"{LITERAL}${{T}}"},
            {"bearer": [LITERAL]},
            {"bearer_file": f"/none/{LITERAL}"},
            {"oauth": LITERAL},
            [LITERAL],
        ],
    )
    def test_a_literal_secret_is_refused_and_never_shown(self, faults, auth):
        found = faults(shop(auth=auth), T="x")
        assert found
        assert self.LITERAL not in "\n".join(found)

    @pytest.mark.parametrize(
        "text",
        [
            "sources: {acme: {auth: {bearer: hunter2}}}",
            "sources: [[{auth: {bearer: hunter2}}]]",
            "service: {name: {bearer: hunter2}}",
            "sources: [{headers: {X-Key: [hunter2]}}]",
            "tasks: {url: 'mysql://user:hunter2@host/db'}",
            "tasks: {url: 'mysql://user:more@hunter2@host/db'}",
            "sources: [{url: 'https://user:hunter2@host'}]",
            "sources: [{url: 'https://user:hunt/hunter2@host'}]",
            "sources: [{url: {a: '${T}'}}]",
        ],
    )
    def test_a_secret_in_the_wrong_place_is_not_shown_either(self, faults, text):
        found = faults(text, T="hunter2")
        assert found
        assert "hunter2" not in "\n".join(found)

    def test_an_empty_variable_or_file_is_no_secret(self, faults, tmp_path):
        (tmp_path / "empty").write_text(" \n")
        allowed = "${NAME} of an environment variable that is not empty, or a path under the same key with _file"
        found = faults(shop(auth={"basic": {"username": "${U}", "password_file": str(tmp_path / "empty")}}), U="")
        assert found == [
            f"sources[0].auth.basic.{key} (source acme): ***; allowed: {allowed}" for key in ("password", "username")
        ]

    @pytest.mark.parametrize("bad", ["/none/there", "/", "a\0b", 5])
    def test_every_unreadable_file_is_told(self, faults, bad):
        found = faults(shop(auth={"basic": {"username_file": bad, "password_file": bad}}))
        assert [line.partition(": ")[0] for line in found] == [
            "sources[0].auth.basic.password_file (source acme)",
            "sources[0].auth.basic.username_file (source acme)",
        ]
        assert all("***; allowed: a readable file (" in line for line in found)

    def test_a_file_that_is_not_text_is_told(self, faults, tmp_path):
        (tmp_path / "key").write_bytes(b"\xff\xfe")
        (fault,) = faults(shop(auth={"bearer_file": str(tmp_path / "key")}))
        assert fault == "sources[0].auth.bearer_file (source acme): ***; allowed: a readable file (not UTF-8, or no path)"

    def test_secrets_come_from_variables_and_files_and_never_show(self, load, tmp_path):
        (tmp_path / "key").write_text("hunter2\n")
        path = str(tmp_path / "key")
        ways = [
            {"basic": {"username": "${T}", "password_file": path}},
            {"bearer_file": path},
            {"header": {"name": "X-Key", "value_file": path}},
            {"query": {"key_file": path, "secret": "${T}"}},
        ]
        sources = [{"name": f"s{i}", "kind": "shopify", "url": "https://a.example", "auth": way} for i, way in enumerate(ways)]
        settings = load(yaml.safe_dump({"sources": sources}), T="hunter2")
        basic, bearer, header, query = (source.credentials for source in settings.sources)
        hidden = Secret("hunter2")
        assert basic.basic == (hidden, hidden)
        assert bearer.bearer == hidden
        assert header.header == ("X-Key", hidden)
        assert query.query == (("key", hidden), ("secret", hidden))
        assert "hunter2" not in repr(settings)

    def test_a_password_in_the_url_of_tasks_or_cache_is_not_in_the_repr(self, load):
        settings = load(
            "tasks: {url: '${DB}'}\ncache: {kind: redis, url: '${R}'}", DB="postgresql://u:hunter2@h", R="redis://:hunter2@h"
        )
        assert settings.tasks.url == "postgresql://u:hunter2@h"
        assert "hunter2" not in repr(settings)


class TestExamples:
    def test_the_repositorys_own_config_loads(self, monkeypatch):
        monkeypatch.chdir(ROOT)
        settings = load_settings({})
        assert [source.name for source in settings.sources] == ["lumen", "depot", "parts"]
        assert settings.sources[0].url == "http://127.0.0.1:9101/lumen"

    def test_the_designs_example_loads(self, load):
        text = """
service: {name: aisle, description: One product API over all our shops}
greeting: {default_name: World}
store: {url: "sqlite:///aisle.db"}            # relative to the data folder; or postgresql://...
tasks: {url: "sqlite:///tasks.db"}            # or postgresql://..., mongodb://...
cache: {kind: memory}                         # memory | file | memcached | redis, with url or path
auth: {anonymous: none}                       # none | reader
currency: {base: EUR}
sources:
  - {name: acme, kind: shopify, url: "https://acme.example", currency: EUR, every: 5m, timeout: 3s, concurrency: 4, rate: 10/s}
  - {name: depot, kind: woocommerce, url: "https://depot.example", currency: EUR, auth: {basic: {username: "${DEPOT_KEY}", password: "${DEPOT_SECRET}"}}}
  - {name: parts, kind: feed, url: "file:///srv/parts.csv", currency: USD, format: csv, columns: {id: sku, name: title, price: price}}
"""
        mapped = """
  - name: bespoke
    kind: mapped
    url: "https://api.bespoke.example"
    list: {path: /v2/items, items: "result.items", page: {style: page, param: p, size_param: n, size: 50, total: "result.count"}}
    item: {path: "/v2/items/{id}"}
    fields: {id: "code", name: "title.en", price: "pricing.net", currency: "'EUR'", brand: "maker.name", gtin: "ean", images: "media[].href"}
"""
        environ = {"DEPOT_KEY": "k", "DEPOT_SECRET": "s"}
        acme, depot, parts, bespoke = load(text + mapped, **environ).sources
        assert (acme.timeout.total_seconds(), acme.rate.calls, acme.rate.period.total_seconds()) == (3, 10, 1)
        assert depot.credentials.basic == (Secret("k"), Secret("s"))
        assert (parts.url, parts.columns["id"]) == ("file:///srv/parts.csv", "sku")
        assert (bespoke.listing.items, bespoke.listing.page.size, bespoke.item.path) == ("result.items", 50, "/v2/items/{id}")
        assert bespoke.mapping.fields["images"].path == "media[].href"
