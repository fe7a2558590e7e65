"""How a shop is asked; what it then sees is in test_session.py."""

import pytest
from requests.exceptions import InvalidHeader

from main.resources.upstream.asking import Asker
from main.service.model import Credentials, Source
from main.util.logs import request_context
from main.util.secret import Secret

SOURCE = Source(name="acme", kind="mapped", url="http://shop.example")


def ask(source=SOURCE, *, url="http://shop.example/x", params=None, body=None, conditions=None, token=None):
    return Asker(source).request(url, params or {}, body, conditions or {}, token)


def test_a_get_has_no_body_and_a_post_says_what_its_body_is():
    assert ask().method == "GET"
    request = ask(body=b"{}")
    assert (request.method, request.body) == ("POST", b"{}")
    assert (request.headers["Content-Type"], request.headers["Content-Length"]) == ("application/json", "2")


def test_one_request_leaves_nothing_behind_in_the_next():
    asker = Asker(SOURCE)
    with request_context("r-1"):
        asker.request("http://shop.example", {}, b"{}", {"If-None-Match": '"v"'}, Secret("t"))
    assert set(asker.request("http://shop.example", {}, None, {}, None).headers) == {
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "Connection",
    }


def test_a_token_takes_the_place_of_a_header_of_the_settings():
    source = Source(name="a", kind="mapped", url="http://x", headers={"authorization": "own"})
    assert ask(source, token=Secret("t")).headers["Authorization"] == "Bearer t"


def test_gzip_alone_is_asked_for_whatever_the_settings_say():
    source = Source(name="a", kind="mapped", url="http://x", headers={"Accept-Encoding": "br"})
    assert ask(source).headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "\u0665"])
def test_what_no_header_can_hold_is_told_without_the_value(value):
    source = Source(
        name="a", kind="mapped", url="http://x", credentials=Credentials(header=("X-Key", Secret(f"hunter2{value}")))
    )
    with pytest.raises(InvalidHeader):
        ask(source)
