"""The WooCommerce Store API dialect: public, under a versioned and a plain path."""

from flask import Flask, Response, request

from sample.dialects.web import answer
from sample.dialects.wordpress import answer_error, answer_page, new_wordpress_app
from sample.records import Records

ROOTS = ("/wp-json/wc/store/v1", "/wp-json/wc/store")


def store_api_app(records: Records) -> Flask:
    """Return the shop's application."""
    app = new_wordpress_app("store_api")

    def list_products() -> Response:
        included = request.args.get("include")
        return answer_page(_pick(records, included) if included else records.texts)

    def get_product(key: str) -> Response:
        text = records.text(key)
        if text is None:
            return answer_error(404, "woocommerce_rest_product_invalid_id", "Invalid product ID.")
        return answer(text)

    for root in ROOTS:
        app.add_url_rule(f"{root}/products", f"{root} list", list_products)
        app.add_url_rule(f"{root}/products/<key>", f"{root} one", get_product)
    return app


def _pick(records: Records, included: str) -> list[bytes]:
    """Return the texts of the products with these ids."""
    return [text for key in dict.fromkeys(included.split(",")) if (text := records.text(key.strip()))]
