import os
import time

import pytest

from main.resources.upstream.document import MOST_BYTES, SECONDS, fetch_document
from main.resources.upstream.watchdog import Watchdog
from main.service.errors import UpstreamError, UpstreamGarbled, UpstreamRefused, UpstreamTimeout, UpstreamUnreachable
from test.unit.resources.upstream.shops import RawShop, reply


def fetch(url):
    return fetch_document(url, Watchdog())


def test_a_document_is_fetched_without_any_credential():
    with RawShop(reply(b'{"keys": []}')) as shop:
        assert fetch(f"{shop.url}/keys?v=1") == b'{"keys": []}'
    (request,) = shop.requests
    assert request.startswith(b"GET /keys?v=1 HTTP/1.1\r\n")
    assert b"authorization" not in request.lower()
    assert b"cookie" not in request.lower()


def test_a_redirect_is_not_followed():
    with RawShop(reply()) as trap, RawShop(reply(b"", f"Location: {trap.url}/", status="302 Found")) as shop:
        with pytest.raises(UpstreamRefused):
            fetch(shop.url)
        assert trap.requests == []


def test_no_proxy_of_the_environment_is_used(monkeypatch):
    with RawShop(reply()) as trap, RawShop(reply(b"{}")) as shop:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setitem(os.environ, name, trap.url)
        assert fetch(shop.url) == b"{}"
        assert trap.requests == []


def test_what_is_too_large_is_refused():
    with RawShop(reply(b"x" * (MOST_BYTES + 1))) as shop, pytest.raises(UpstreamGarbled):
        fetch(shop.url)


@pytest.mark.parametrize("answer", [[], [reply(b"x" * 1000, length=200_000)[:200], *[b"x"] * 400]])
def test_who_drips_or_says_nothing_is_left_in_time(answer):
    began = time.monotonic()
    with RawShop(answer) as shop, pytest.raises(UpstreamTimeout):
        fetch(shop.url)
    assert SECONDS == 2
    assert time.monotonic() - began < 10  # dripping it would take 20 s


def test_who_is_not_there_is_told():
    with RawShop(reply()) as shop:
        url = shop.url
    with pytest.raises(UpstreamUnreachable):
        fetch(url)


@pytest.mark.parametrize("url", ["http://", "nonsense", "http://[::1", "ftp://id.example/keys"])
def test_what_is_no_url_is_told(url):
    with pytest.raises(UpstreamError):
        fetch(url)
