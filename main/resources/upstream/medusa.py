"""Kind ``medusa``: the Store API (docs.medusajs.com/api/store): v2 with calculated prices, v1 with prices in minor units."""

from __future__ import annotations

from dataclasses import replace

from main.resources.upstream.mapped import MappedConnector
from main.service.model import FieldMap, FieldRule, ItemCall, Listing, Paging

_V1_PRICE = "not_null(calculated_price, prices[0].amount)"


class MedusaConnector(MappedConnector):
    """Asks by offset up to ``count``; the price is the lowest variant's that can be bought."""

    listing = Listing(
        path="/store/products",
        items="products",
        page=Paging(style="offset", param="offset", size_param="limit", size=100, total="count"),
    )
    item = ItemCall(path="/store/products", params={"id[]": "{ids}", "limit": "50"}, record="products", size=50)
    rules = {  # noqa: RUF012 - declared as ClassVar by MappedConnector
        "id": "id",
        "name": "title",
        "description": "description",
        "category": "categories[0].name || type.value || collection.title",
        "images": "images[].url || [thumbnail]",
        "tags": "tags[].value",
        "updated_at": "updated_at",
    }
    variants = "variants"
    variant_options = "options[].{name: option.title, value: value}"
    variant_rules = {  # noqa: RUF012 - declared as ClassVar by MappedConnector
        "id": "id",
        "name": "title",
        "sku": "sku",
        "gtin": "ean || upc || barcode",
        "price": "not_null(calculated_price.calculated_amount, prices[0].amount)",
        "currency": "calculated_price.currency_code || prices[0].currency_code",
        "stock": "inventory_quantity",
    }

    def describe_fields(self) -> FieldMap:
        """Give the fields; v1 wrote money in minor units, with the calculated price beside the currency's own."""
        found = super().describe_fields()
        if self.source.api != "v1" or self.source.mapping.variants:
            return found
        older = {"price": FieldRule(_V1_PRICE, unit="minor"), "currency": FieldRule("prices[0].currency_code")}
        return replace(found, variant_fields={**found.variant_fields, **older})
