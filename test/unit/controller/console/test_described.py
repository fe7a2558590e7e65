from __future__ import annotations

from datetime import timedelta

from main.controller.console.described import describe_source
from main.service.model import Credentials, Listing, OAuth2, Rate
from main.util.secret import Secret, remember_secret
from test.fakes import make_source


def test_settings_are_told_by_their_names():
    told = dict(describe_source(make_source("lumen", every=timedelta(minutes=5), rate=Rate(10, timedelta(seconds=1)))))
    assert (told["kind"], told["url"], told["currency"]) == ("fake", "http://lumen.example", "EUR")
    assert (told["every"], told["stale_after"], told["rate"]) == ("5 min", "15 min", "10 calls in 1 s")
    assert (told["auth"], told["headers"], told["max_body"], told["required"], told["priced"]) == (
        "none",
        "none",
        "8 MiB",
        "no",
        "yes",
    )
    assert "proxy" not in told


def test_what_only_some_have_is_told_where_it_is_there():
    listing = Listing(path="/v2/items")
    source = make_source(
        "lumen", currency=None, proxy="http://proxy.example", api="v3", format="csv", columns={"id": "sku"}, listing=listing
    )
    told = dict(describe_source(source))
    assert (told["proxy"], told["api"], told["format"], told["columns"]) == ("http://proxy.example", "v3", "csv", "id: sku")
    assert (told["list.path"], told["currency"], told["rate"]) == ("/v2/items", "each record's own", "no limit")


def test_of_credentials_only_their_kind_is_told_and_of_headers_only_their_names():
    word = Secret("hunter2-hunter2")
    all_kinds = {
        "basic": Credentials(basic=(word, word)),
        "bearer": Credentials(bearer=word),
        "header": Credentials(header=("X-Key", word)),
        "query": Credentials(query=(("key", word),)),
        "oauth2": Credentials(oauth2=OAuth2("https://id.example", word, word)),
    }
    for kind, credentials in all_kinds.items():
        told = describe_source(make_source("lumen", credentials=credentials, headers={"X-Shop-Key": "hunter2-hunter2"}))
        assert dict(told)["auth"] == f"{kind} (set)"
        assert dict(told)["headers"] == "X-Shop-Key"
        assert "hunter2" not in str(told)


def test_a_secret_in_an_address_is_masked():
    remember_secret("hunter2-hunter2")
    told = dict(
        describe_source(make_source("lumen", url="https://lumen.example/hunter2-hunter2/x?api_key=abcdef&token=abcdef"))
    )
    assert told["url"] == "https://lumen.example/***/x?api_key=***&token=***"
