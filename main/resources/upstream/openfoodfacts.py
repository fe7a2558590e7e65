"""Kind ``openfoodfacts``: search by page, no prices; the code is the barcode (openfoodfacts.github.io/openfoodfacts-server/api)."""

from __future__ import annotations

from typing import Any

from main.resources.upstream.fields import Lines
from main.resources.upstream.mapped import MappedConnector, MappedSchema
from main.service.model import ItemCall, Listing, Paging


class OpenFoodFactsSchema(MappedSchema):
    """A product of Open Food Facts, whose brands and categories are comma-joined, the widest first."""

    brand = Lines()
    category = Lines()

    def parts(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give the product's fields out of the loaded record."""
        found = super().parts(data)
        return found | {key: found[key][0] if found[key] else None for key in ("brand", "category")}


class OpenFoodFactsConnector(MappedConnector):
    """Asks page by page until ``count``; ``page_count`` is how many products a page has, so it is not used."""

    schema = OpenFoodFactsSchema
    listing = Listing(
        path="/api/v2/search",
        items="products",
        page=Paging(style="page", param="page", size_param="page_size", size=100, total="count"),
    )
    item = ItemCall(path="/api/v2/search", params={"code": "{ids}", "page_size": "100"}, record="products", size=100)
    rules = {  # noqa: RUF012 - declared as ClassVar by MappedConnector
        "id": "code",
        "name": "product_name || product_name_en || generic_name || product_name_fr",
        "brand": "brands",
        "description": "generic_name",
        "category": "categories",
        "gtin": "code",
        "url": "url",
        "images": "[image_front_url || image_url]",
        "tags": "labels",
        "updated_at": "last_modified_t",
    }
