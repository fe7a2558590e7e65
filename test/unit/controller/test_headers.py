from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from test.unit.controller.guarded import Guarded

if TYPE_CHECKING:
    from main.settings import Settings

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FAILING = ["/nothing", "/products?page=0", "/products/", "/sources/nobody", "/products", "/static/nothing.js", "/docs/"]


@pytest.fixture(scope="module")
def guarded(settings: Settings) -> Guarded:
    return Guarded(settings)


@pytest.mark.parametrize("base", ["http://localhost", "https://localhost"])
def test_every_answer_has_every_header(guarded: Guarded, base: str):
    asked = [(call.method.upper(), call.url) for call in guarded.calls()]
    asked += [("GET", url) for url in (*FAILING, "/docs", "/swagger.json", "/swaggerui/swagger-ui.css", "/static/docs.js")]
    asked += [("OPTIONS", "/products"), ("BREW", "/products"), ("POST", "/docs")]
    for token in (None, "admin-token", "wrong-token"):
        for method, url in asked:
            guarded.reset()
            headers = guarded.ask(method, url, token, base_url=base).headers
            assert {name: headers[name] for name in ALWAYS} == ALWAYS, (method, url)
            assert "geolocation=()" in headers["Permissions-Policy"]
            policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
            assert (policy["default-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'", "'none'")
            assert "unsafe" not in headers["Content-Security-Policy"]
            assert headers.get("Strict-Transport-Security") == ("max-age=31536000" if base.startswith("https") else None)


def test_only_the_docs_page_may_load_anything_and_only_from_here(guarded: Guarded):
    docs, other = (guarded.ask("GET", url).headers["Content-Security-Policy"] for url in ("/docs", "/"))
    assert "script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'" in docs
    assert "-src 'self'" not in other


def test_what_is_the_same_for_everybody_does_not_vary_by_caller(guarded: Guarded):
    for url in ("/docs", "/swagger.json", "/static/docs.js", "/swaggerui/swagger-ui.css"):
        assert "Authorization" not in guarded.ask("GET", url).headers.get("Vary", "")
