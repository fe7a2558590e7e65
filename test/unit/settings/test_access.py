"""Who sees what, as config.yml may say it."""

import pytest

from main.controller.documents import PRODUCT_FIELDS
from main.settings import model
from main.settings.access import HIDEABLE

LIST = f"a list of: {', '.join(HIDEABLE)}"
HOST = "a host, with its port where it is not 80, such as images.shop.example or 127.0.0.1:9101; no *, no path"
ORIGIN = "an origin as browsers write it, such as https://shop.example or http://localhost:3000; no *, no path"


def test_every_field_of_a_product_can_be_hidden_but_its_name_and_where_it_comes_from():
    assert {*HIDEABLE} == {*PRODUCT_FIELDS} - {"id", "source", "source_id", "name"}


def test_fields_and_origins_are_taken(load):
    settings = load(
        "auth: {hide: {reader: [stock, price], editor: []}, origins: ['https://a.example', 'http://localhost:3000']}"
    )
    assert settings.auth.hide == model.Hide(("price", "stock"), ())
    assert settings.auth.origins == ("https://a.example", "http://localhost:3000")
    assert load("").auth == model.Auth(anonymous="none", hide=model.Hide((), ()), origins=())


def test_they_can_come_from_the_environment(load):
    settings = load("", AISLE_AUTH__HIDE__READER="[stock]", AISLE_AUTH__ORIGINS="['https://a.example']")
    assert (settings.auth.hide.reader, settings.auth.origins) == (("stock",), ("https://a.example",))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hide: {reader: [stok]}", [f"auth.hide.reader: a list; allowed: {LIST}"]),
        ("hide: {reader: [id]}", [f"auth.hide.reader: a list; allowed: {LIST}"]),
        ("hide: {reader: [name]}", [f"auth.hide.reader: a list; allowed: {LIST}"]),
        ("hide: {reader: [[stock]]}", [f"auth.hide.reader: a list; allowed: {LIST}"]),
        ("hide: {editor: stock}", [f"auth.hide.editor: 'stock'; allowed: {LIST}"]),
        ("hide: {admin: [stock]}", ["auth.hide.admin: unknown key; allowed: reader, editor"]),
        ("hide: [stock]", ["auth.hide: a list; allowed: a mapping"]),
        ("origins: https://a.example", ["auth.origins: 'https://a.example'; allowed: a list of origins"]),
        *(
            (f"origins: ['https://ok.example', '{origin}']", [f"auth.origins[1]: '{origin}'; allowed: {ORIGIN}"])
            for origin in (
                "*",
                "null",
                "https://*.example",
                "a.example",
                "https://a.example/",
                "https://A.example",
                "https://a.example:443",
                "http://a.example:80",
                "ftp://a.example",
                "https://a.example?x",
            )
        ),
        ("origins: [5]", [f"auth.origins[0]: 5; allowed: {ORIGIN}"]),
    ],
)
def test_what_is_none_is_told_with_what_is_allowed(faults, text, found):
    assert faults(f"auth: {{{text}}}") == found


def test_hosts_of_pictures_are_taken(load):
    assert load("console: {image_hosts: [images.shop.example, '127.0.0.1:9101']}").console.image_hosts == (
        "images.shop.example",
        "127.0.0.1:9101",
    )
    assert load("").console == model.Console(image_hosts=())


@pytest.mark.parametrize(
    "host", ["*", "*.shop.example", "http://a.example", "a.example/x", "A.example", "a.example;", "a b", "a:0"]
)
def test_what_is_no_host_is_told_with_what_is_allowed(faults, host):
    assert faults(f"console: {{image_hosts: ['ok.example', '{host}']}}") == [
        f"console.image_hosts[1]: '{host}'; allowed: {HOST}"
    ]


def test_hosts_are_a_list_of_texts(faults):
    assert faults("console: {image_hosts: a.example}") == ["console.image_hosts: 'a.example'; allowed: a list of hosts"]
    assert faults("console: {image_hosts: [5]}") == [f"console.image_hosts[0]: 5; allowed: {HOST}"]
