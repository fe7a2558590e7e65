"""The WooCommerce REST v3 dialect: bare arrays, variations behind their own URL, key and secret."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Flask, Response, request

from sample.dialects.web import answer
from sample.dialects.wordpress import answer_error, answer_page, new_wordpress_app
from sample.records import Record, Records

ROOT = "/wp-json/wc/v3"


@dataclass(frozen=True)
class Credentials:
    """A consumer key and secret."""

    key: str
    secret: str = field(repr=False)

    def fit_request(self) -> bool:
        """Return whether the request shows them, as Basic auth or in its query."""
        basic = request.authorization
        if basic is not None and basic.type == "basic":
            return self._equal(basic.username or "", basic.password or "")
        return self._equal(request.args.get("consumer_key", ""), request.args.get("consumer_secret", ""))

    def _equal(self, key: str, secret: str) -> bool:
        shown, kept = f"{key}\n{secret}".encode(), f"{self.key}\n{self.secret}".encode()
        return hmac.compare_digest(shown, kept)


def woocommerce_app(
    records: Records,
    variations: Mapping[str, Records] | None = None,
    credentials: Credentials | None = None,
    *,
    wrap: bool = False,
) -> Flask:
    """Return the shop's application; wrap puts every array into an envelope, as some proxies do."""
    app = new_wordpress_app("woocommerce")
    children = variations or {}

    @app.before_request
    def demand_credentials() -> Response | None:
        if credentials is None or credentials.fit_request():
            return None
        return answer_error(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")

    @app.get(f"{ROOT}/products")
    def list_products() -> Response:
        return answer_page(_filter(records), wrap=wrap)

    @app.get(f"{ROOT}/products/<key>")
    def get_product(key: str) -> Response:
        text = records.text(key)
        return _answer_unknown() if text is None else answer(text)

    @app.get(f"{ROOT}/products/<key>/variations")
    def list_variations(key: str) -> Response:
        if key in children:
            return answer_page(_filter(children[key]), wrap=wrap)
        return _answer_unknown() if records.place(key) is None else answer_page([], wrap=wrap)

    @app.get(f"{ROOT}/products/<key>/variations/<child>")
    def get_variation(key: str, child: str) -> Response:
        text = children[key].text(child) if key in children else None
        return _answer_unknown() if text is None else answer(text)

    return app


def _filter(records: Records) -> list[bytes]:
    """Return the texts that pass the query's filters, untouched without any."""
    asked = {name: value for name in ("status", "include", "sku", "modified_after") if (value := request.args.get(name))}
    if asked.get("status") == "any":
        del asked["status"]
    if not asked:
        return records.texts
    return records.where(lambda record: _passes(record, asked))


def _passes(record: Record, asked: Mapping[str, str]) -> bool:
    """Return whether the record passes every filter."""
    included = {key.strip() for key in asked.get("include", "").split(",")}
    return (
        ("include" not in asked or str(record.get("id")) in included)
        and asked.get("status", record.get("status")) == record.get("status")
        and asked.get("sku", record.get("sku")) == record.get("sku")
        and ("modified_after" not in asked or str(record.get("date_modified_gmt", "")) > asked["modified_after"][:19])
    )


def _answer_unknown() -> Response:
    """Return the error for an id the shop does not have."""
    return answer_error(404, "woocommerce_rest_product_invalid_id", "Invalid ID.")
